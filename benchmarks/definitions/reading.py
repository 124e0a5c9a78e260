"""YAML, strictly: no key twice, no unknown field, every problem of a file at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from benchmarks.errors import UserError, nearest, one_of, problems, short

_PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = _PACKAGE.parent if (_PACKAGE.parent / "systems.yaml").is_file() else _PACKAGE / "declared"
"""Where tasks/ and systems.yaml lie: the checkout's top, or inside an installed package."""
LARGEST_FILE = 5_000_000
MOST_VALUES = 500_000
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Signs that move a terminal's cursor, or do more to it: what is declared is printed."""
SUFFIXES = (".yaml", ".yml")


M = TypeVar("M", bound=BaseModel)


# -- reading YAML ----------------------------------------------------------------------------------------------------


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is built in
    """SafeLoader that refuses a key given twice: the second would silently win."""


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is a list or a mapping", key.start_mark)
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands here twice", key.start_mark)
        seen.add(str(key.value))
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises UserError with file and line."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path}: {path.stat().st_size:,} bytes; a definition has at most {LARGEST_FILE:,}.")
        content = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506  a SafeLoader, made stricter
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{path}: not valid YAML: {type(error).__name__}: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds {type(content).__name__}, expected fields such as 'title: ...'.")
    if _values(content, {}) > MOST_VALUES:
        raise UserError(f"{path}: its anchors stand for more than {MOST_VALUES:,} values.")
    for text in _texts(content):
        if CONTROL.search(text):
            raise UserError(f"{path}: {short(text)} holds a control character.")
    return content


def _values(content: Any, known: dict[int, int]) -> int:
    """How many it is made of, those behind an anchor each time that it is named. known: of those looked at, by id."""
    if not isinstance(content, dict | list):
        return 1
    if id(content) not in known:
        inside = content.values() if isinstance(content, dict) else content
        known[id(content)] = 1 + sum(_values(value, known) for value in inside)
    return known[id(content)]


def _texts(content: Any) -> Iterator[str]:
    """Every one in it, keys among them. What stands in several places is looked at once."""
    left, seen = [content], set()
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list) and id(value) not in seen:
            seen.add(id(value))
            left += [*value, *value.values()] if isinstance(value, dict) else value


def read_scalar(text: str) -> Any:
    """A value from the command line as YAML reads it: 3, true, [1, 2], or the text itself ('1e-5' stays one)."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text


# -- wording a problem -----------------------------------------------------------------------------------------------


def _sentence(error: Any, model: type[BaseModel]) -> str:
    steps = [step for step in error["loc"] if not str(step).startswith("~")]
    place = ".".join(str(step) for step in steps) or "the file"
    if not steps and error["type"] == "value_error":  # of several fields together: it names them
        return f"{error['ctx']['error']}."
    match error["type"]:
        case "missing":
            return f"{place}: required, and not given."
        case "extra_forbidden":
            allowed = _fields_at(model, steps[:-1])
            return f"{place}: no such field.{nearest(steps[-1], allowed) or one_of(allowed)}"
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            return f"{place}: {error['input']!r} is not allowed.{nearest(error['input'], allowed)}{one_of(allowed)}"
        case _:
            said = error["msg"].removeprefix("Value error, ")
            return f"{place}: {said[:1].lower()}{said[1:]}; found {short(error['input'])}."


def _fields_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[str]:
    """The fields of the model that sits at this place inside `model`."""
    for step in steps:
        if step in model.model_fields:
            model = next(iter(_models_in(model.model_fields[str(step)].annotation)), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def validated(model: type[M], content: Mapping[str, Any], where: object, more: Iterable[str] = ()) -> M:
    """The model's value. Raises UserError with every problem of `content`, and those in `more`, one line each."""
    try:
        value = model.model_validate(content)
    except ValidationError as error:
        lines = dict.fromkeys(_sentence(item, model) for item in error.errors(include_url=False))
        raise problems(where, [*lines, *more]) from None
    if more := list(more):
        raise problems(where, more)
    return value
