"""A frozen value that is strict about its fields, and the part of it that can move a score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Neutral(NamedTuple):
    """Marks a field added later: at this value it leaves a run as it was before the field existed."""

    value: Any


DESCRIPTIVE = "descriptive"
"""Marks a field that people read and no score depends on: it stays out of a run's identity."""


class Value(BaseModel):
    """A frozen value, strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _truth_values_are_no_numbers(cls, values: Any) -> Any:
        """YAML reads 'yes' and 'on' as true, and pydantic true as 1: a share would be 1 without a word. As a text it is
        refused where it stands.
        """
        if not isinstance(values, dict):
            return values
        numbers = {name for name in cls.model_fields if name in values and _takes_numbers(cls, name)}
        return {name: _truth_as_text(value) if name in numbers else value for name, value in values.items()}

    def identity(self) -> dict[str, Any]:
        """The part that can move a score, as plain JSON values: every field but the descriptive and the neutral."""
        kept = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if DESCRIPTIVE not in field.metadata and Neutral(value) not in field.metadata:
                kept[name] = plain(value)
        return kept


@cache
def _takes_numbers(model: type[Value], field: str) -> bool:
    """Whether numbers, and no truth values, are among what the field may hold."""
    kinds = set(_kinds(model.model_fields[field].annotation))
    return bool(kinds & {int, float}) and bool not in kinds


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _truth_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _truth_as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_truth_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


def plain(value: Any) -> Any:
    """As JSON gives it back."""
    if isinstance(value, Value):
        return value.identity()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def fingerprint(identity: dict[str, Any]) -> str:
    """16 hex digits over everything that can move a score."""
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
