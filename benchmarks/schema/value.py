"""A frozen value that is strict about its fields, and the part of it that can move a score."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict


class Neutral(NamedTuple):
    """Marks a field added later: at this value it leaves a run as it was before the field existed."""

    value: Any


DESCRIPTIVE = "descriptive"
"""Marks a field that people read and no score depends on: it stays out of a run's identity."""


class Value(BaseModel):
    """A frozen value, strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    def identity(self) -> dict[str, Any]:
        """The part that can move a score, as plain JSON values: every field but the descriptive and the neutral."""
        kept = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if DESCRIPTIVE not in field.metadata and Neutral(value) not in field.metadata:
                kept[name] = plain(value)
        return kept


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
