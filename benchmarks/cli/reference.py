"""docs/reference.md out of the code: flags, fields of files, recipes, metrics. Run as a module, it writes the file."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from benchmarks import api
from benchmarks.cli.arguments import command_line
from benchmarks.compare import Comparison, Disagreement, Example, Scored
from benchmarks.definitions import fields_of
from benchmarks.files import write_text
from benchmarks.leaderboard import words
from benchmarks.leaderboard.page import as_markdown
from benchmarks.metrics import METRICS
from benchmarks.recipes import RECIPES
from benchmarks.schema import (
    Claim,
    Encoder,
    Fallback,
    File,
    HeldOut,
    Hub,
    Protocol,
    RunFailure,
    RunResult,
    Source,
    Splits,
    System,
    Task,
)

PATH = Path(__file__).parents[2] / "docs" / "reference.md"
ABOUT = """\
# Reference

Made from the code by `python -m benchmarks.cli.reference`; a test holds it to the code."""
OPTIONAL = "not given"
LONGEST = 110


def markdown() -> str:
    """The whole document, without a line end after it."""
    return "\n\n".join([ABOUT, *_verbs(), *_files(), *_recipes(), *_metrics(), *_stored(), *_python()])


# -- the command line ------------------------------------------------------------------------------------------------


def _verbs() -> Iterator[str]:
    yield "## Commands"
    (verbs,) = (action for action in command_line()._actions if isinstance(action, argparse._SubParsersAction))
    for name, verb in verbs.choices.items():
        yield f"### encoder-bench {name}"
        yield str(verb.description)
        rows = [_flag(action) for action in verb._actions if not isinstance(action, argparse._HelpAction)]
        if rows:
            yield _table(rows)


def _flag(action: argparse.Action) -> dict[str, str]:
    value = action.metavar if isinstance(action.metavar, str) else "/".join(action.choices or ())
    both = isinstance(action, argparse.BooleanOptionalAction)
    named = ", ".join(action.option_strings if both else action.option_strings[-1:])
    written = " ".join(filter(None, [named, value if action.nargs != 0 else ""]))
    return {"argument": words.code(written or action.dest), "meaning": _cell(action.help or "")}


# -- files -----------------------------------------------------------------------------------------------------------


def _files() -> Iterator[str]:
    yield "## Task files"
    yield "`tasks/NAME.yaml`, or any YAML file of yours; the name is the file's stem."
    for kind, title in (
        (Task, "A task"), (Source, "source"), (File, "source.files: a file of a part"), (Splits, "splits"),
        (HeldOut, "splits: rows held out"), (Hub, "hub"), (Fallback, "fallback"),
    ):  # fmt: skip
        yield from _fields(kind, title)
    yield "## Systems"
    yield "Entries of `systems.yaml`; the name is the entry's key."
    yield "An encoder is a Hub id or a folder, or has these fields:"
    yield from _fields(Encoder, "encoder")
    yield from _fields(System, "A system")
    yield "## Claims"
    yield "Entries of `claims` in `claims.yaml`, or in a file of yours; the name is the entry's key."
    yield from _fields(Claim, "A claim")
    yield "## Protocols"
    yield "What `--set protocol.NAME=V` and a claim's `protocol` may say."
    yield from _fields(Protocol, "A protocol")


def _fields(kind: type[BaseModel], title: str) -> Iterator[str]:
    yield f"### {title}"
    if kind.__doc__ and kind.__doc__ != BaseModel.__doc__:
        yield _cell(inspect.cleandoc(kind.__doc__))
    yield _table([_field(name, field, said) for (name, field), said in _said(kind)])


def _said(kind: type[BaseModel]) -> list[tuple[tuple[str, Any], str]]:
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            told |= _docstrings(base)
    return [((name, kind.model_fields[name]), told.get(name, "")) for name in fields_of(kind)]


def _docstrings(kind: type) -> dict[str, str]:
    """Field -> the text below it in the class."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(found, ast.ClassDef)
    told = {}
    for field, below in zip(found.body, found.body[1:], strict=False):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            told[field.target.id] = inspect.cleandoc(str(below.value.value))  # type: ignore[attr-defined]
    return told


def _field(name: str, field: Any, said: str) -> dict[str, str]:
    return {
        "field": words.code(field.alias or name),
        "value": words.plain(_type(field.annotation)),
        "default": _default(field),
        "meaning": _cell(said),
    }


NAMES = {str: "text", int: "whole number", float: "number", bool: "yes or no", Any: "anything", type(None): "nothing"}


def _type(annotation: Any) -> str:
    """As a person would say it; nothing is said of what may be absent."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " / ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in inner if one is not type(None)))
    if origin is tuple:
        return f"list of {_type(inner[0])}" if Ellipsis in inner else f"({', '.join(map(_type, inner))})"
    if origin in (dict, Mapping):
        return f"mapping of {_type(inner[0])} to {_type(inner[1])}"
    return NAMES.get(annotation) or str(annotation.__name__)


def _default(field: Any) -> str:
    if field.default is PydanticUndefined:
        return "required" if field.default_factory is None else ""
    if field.default in (None, "", (), {}):
        return OPTIONAL
    return words.code(str(field.default))


# -- recipes, metrics, stored runs -----------------------------------------------------------------------------------


def _recipes() -> Iterator[str]:
    yield "## Recipes"
    yield "What `recipe` of a system, and `--set recipe.NAME=V`, may say for each method."
    for method, kind in RECIPES.items():
        if kind.model_fields:
            yield from _fields(kind, method)


def _metrics() -> Iterator[str]:
    yield "## Metrics"
    rows = [
        {"metric": words.code(metric.name), "of": metric.task_type, "meaning": _cell(metric.summary)}
        for metric in METRICS.values()
    ]
    yield _table(rows)


def _stored() -> Iterator[str]:
    yield "## Stored runs"
    yield "`RESULTS/runs/TASK/SYSTEM/KEY.json`, with its predictions by row id in the parquet file beside it."
    yield from _fields(RunResult, "A run that is done")
    yield from _fields(RunFailure, "A run that failed")


def _python() -> Iterator[str]:
    yield "## Python"
    yield "`from benchmarks import api`; [examples/python_api.py](../examples/python_api.py) shows it."
    for name, function in inspect.getmembers(api, inspect.isfunction):
        if function.__module__ == api.__name__:
            yield f"### api.{name}"
            yield f"```python\n{_called(name, function)}\n```"
            yield "\n\n".join(" ".join(part.split()) for part in (inspect.getdoc(function) or "").split("\n\n"))
            for kind, title in GIVEN.get(name, ()):
                yield f"#### {title}"
                yield _cell(kind.__doc__ or "")
                hints = get_type_hints(kind)
                yield _table([{"field": words.code(name), "value": words.plain(_type(hints[name]))} for name in hints])


GIVEN: dict[str, tuple[tuple[type, str], ...]] = {
    "compare": (
        (Comparison, "A comparison"), (Scored, "first, second"), (Disagreement, "seeds: each"),
        (Example, "examples: each"),
    ),
}  # fmt: skip
"""What a function gives, where that is no data frame."""


def _called(name: str, function: Callable[..., Any]) -> str:
    """Its signature, a parameter a line where it is long."""
    signature = inspect.signature(function)
    parts = []
    for one in signature.parameters.values():
        if one.kind is one.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = str(one.default) if isinstance(one.default, Path) else one.default
        parts.append(f"{one.name}: {one.annotation}{'' if one.default is one.empty else f' = {default!r}'}")
    line = f"api.{name}({', '.join(parts)}) -> {signature.return_annotation}"
    if len(line) <= LONGEST:
        return line
    return "\n".join([f"api.{name}(", *(f"    {part}," for part in parts), f") -> {signature.return_annotation}"])


def _cell(text: str) -> str:
    """One line, in which `code` stays code."""
    return re.sub(r"([|<*])", r"\\\1", " ".join(text.split()))


def _table(rows: list[dict[str, str]]) -> str:
    import pandas as pd

    frame = pd.DataFrame.from_records(rows)
    return as_markdown(frame.loc[:, (frame != "").any()], left=list(frame.columns))


if __name__ == "__main__":
    write_text(PATH, f"{markdown()}\n")
