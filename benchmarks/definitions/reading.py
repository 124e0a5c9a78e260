"""YAML, strictly: no key twice, no unknown field, every problem of a file at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from benchmarks.errors import MOST_PROBLEMS, UserError, nearest, one_of, problems, short
from benchmarks.files import read_text
from benchmarks.schema import Claim, System, Task

_PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = _PACKAGE.parent if (_PACKAGE.parent / "systems.yaml").is_file() else _PACKAGE / "declared"
"""Where tasks/ and systems.yaml lie: the checkout's top, or inside an installed package."""
LARGEST_FILE = 5_000_000
"""Bytes: a hundred times the suite's largest."""
DEEPEST = 50
"""Lists and mappings inside each other: a declaration has six, and each is a call of the parser."""
MOST_VALUES = 50_000
"""Of one file, an alias counted as all that it stands for: ten aliases of ten aliases are soon a billion values."""
LONGEST_VALUE = 100_000
"""Characters of one value: notes are shorter."""
LARGEST_NUMBER = 2**63
BRANCHES = ("~mapping", "~other")
"""In the place of a problem: of a union, and nothing that stands in the file (schema.task)."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""Signs that move a terminal's cursor, or do more to it than to begin a line: what is declared is printed."""
SUFFIXES = (".yaml", ".yml")
NAMED_BY: dict[type[BaseModel], str] = {Task: "file", System: "key", Claim: "key"}
"""What names a declaration."""


M = TypeVar("M", bound=BaseModel)


# -- reading YAML ----------------------------------------------------------------------------------------------------


class _StrictLoader(yaml.composer.Composer, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SafeLoader (libyaml's where it is built in) that refuses a key given twice: the second would silently win.

    It also refuses what no declaration holds and what would fill the memory or the stack.
    """

    def __init__(self, stream: str) -> None:
        yaml.composer.Composer.__init__(self)  # libyaml's own composer overflows the stack of deep lists
        super(yaml.composer.Composer, self).__init__(stream)
        self._depth = self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refused(f"nested deeper than {DEEPEST}", event)
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_VALUE:
            raise _refused(f"a value of {len(event.value):,} characters; one has at most {LONGEST_VALUE:,}", event)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        self._values += _size(node, MOST_VALUES) if isinstance(event, yaml.AliasEvent) else 1
        if self._values > MOST_VALUES:
            raise _refused(f"more than {MOST_VALUES:,} values, counting what aliases stand for", event)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            found = super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError):  # of the constructors of numbers and dates
            raise _refused(f"{short(node.value)} is no {node.tag.rpartition(':')[2]}", node) from None
        if isinstance(found, int) and abs(found) >= LARGEST_NUMBER:
            raise _refused(f"{short(node.value)} is too large a number", node)
        return found


def _refused(why: str, where: Any) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, why, where.start_mark)


def _size(node: yaml.Node | None, most: int) -> int:
    """How many values an alias stands for; a little more than `most` where there are more, or it holds itself."""
    count, left = 0, [node]
    while left and count <= most:
        found = left.pop()
        count += 1
        if isinstance(found, yaml.MappingNode):
            left.extend(item for pair in found.value for item in pair)
        elif isinstance(found, yaml.SequenceNode):
            left.extend(found.value)
    return count


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused("a key is a list or a mapping", key)
        if key.value in seen:
            raise _refused(f"key {short(key.value)} stands here twice", key)
        seen.add(str(key.value))
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises UserError with file and line."""
    text = read_text(path, LARGEST_FILE)
    try:
        content = yaml.load(text, _StrictLoader)  # noqa: S506  a SafeLoader, made stricter
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path}: not valid YAML: {type(error).__name__}: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds {type(content).__name__}, expected fields such as 'title: ...'.")
    for text in _texts(content):
        if CONTROL.search(text):
            raise UserError(f"{path}: {short(text)} holds a control character.")
    return content


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
        return yaml.load(text, _StrictLoader)  # noqa: S506  a SafeLoader, made stricter
    except (yaml.YAMLError, ValueError):
        return text


# -- wording a problem -----------------------------------------------------------------------------------------------


def _sentence(error: Any, model: type[BaseModel]) -> str:
    steps = [step for step in error["loc"] if step not in BRANCHES] or list(error["loc"])
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
            return (
                f"{place}: {short(error['input'])} is not allowed.{nearest(error['input'], allowed)}{one_of(allowed)}"
            )
        case "int_parsing" | "float_parsing" if error["input"] in ("true", "false"):  # as Value gives them on
            return f"{place}: {error['input']} is no number: YAML reads yes and no, on and off as truth values."
        case _:
            said = error["msg"].removeprefix("Value error, ")
            return f"{place}: {said[:1].lower()}{said[1:]}; found {short(error['input'])}."


def _without_echoes(errors: Sequence[Any]) -> Iterator[Any]:
    """Drops that a list is too short where it is so only because its items are wrong: pydantic doesn't count those."""
    places = [error["loc"] for error in errors]
    for error in errors:
        own = error["loc"]
        if error["type"] != "too_short" or not any(loc[:-1] == own for loc in places):
            yield error


def _fields_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[str]:
    """The fields of the model that sits at this place inside `model`."""
    for step in steps:
        if step in model.model_fields:
            model = next(iter(_models_in(model.model_fields[str(step)].annotation)), model)
    return fields_of(model)


def fields_of(model: type[BaseModel]) -> list[str]:
    """Those that a declaration may set, which its name is none of."""
    return [name for name in model.model_fields if name != "name" or model not in NAMED_BY]


def named_problem(model: type[BaseModel], content: Mapping[str, Any], name: str) -> list[str]:
    """A name inside of a declaration, which would be no other than the one that it has."""
    kind = model.__name__.lower()
    found = f"name: not a field: a {kind} is named by its {NAMED_BY[model]}, here {name!r}."
    return [found] if "name" in content else []


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
        found = list(_without_echoes(error.errors(include_url=False)))
        lines = dict.fromkeys(_sentence(item, model) for item in found[:MOST_PROBLEMS])
        others = islice(more, MOST_PROBLEMS - len(lines))
        raise problems(where, [*lines, *others], len(found[MOST_PROBLEMS:])) from None
    if more := list(islice(more, MOST_PROBLEMS)):
        raise problems(where, more)
    return value
