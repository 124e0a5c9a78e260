"""Rows as they are published, and how records with named fields become rows: those of files and of the Hub alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from benchmarks.errors import nearest, one_of, short


class TextRow(NamedTuple):
    """A text with its published label; `place` is the line, the member of an archive, or the record's number."""

    place: int | str
    text: str
    label: str


class TagRow(NamedTuple):
    """Words with their published tags; `lines` says on which line (or in which record) each stands."""

    lines: list[int]
    tokens: list[str]
    tags: list[str]


Row: TypeAlias = TextRow | TagRow


class RowError(Exception):
    """What is wrong with a row, without its place: whoever walks over the rows knows that, and says it once."""


def fields_of(columns: str) -> list[str]:
    """The fields behind 'headline + story', which stands for several joined by a space."""
    return [name.strip() for name in columns.split(" + ")]


def text_row(
    place: int | str, record: Mapping[str, Any], columns: Mapping[str, str], names: Sequence[str] = ()
) -> TextRow:
    """Raises RowError where a field is absent, or is no text or label. For `names` see `label`."""
    texts = [text(_field(record, name), name) for name in fields_of(columns["text"])]
    return TextRow(place, " ".join(texts), label(_field(record, columns["label"]), columns["label"], names))


def tag_row(place: int, record: Mapping[str, Any], columns: Mapping[str, str], names: Sequence[str] = ()) -> TagRow:
    """Of a record that holds a list of tokens and one of tags. Raises RowError. For `names` see `label`."""
    tokens, tags = (_field(record, columns[name]) or [] for name in ("tokens", "tags"))
    if len(tokens) != len(tags):
        raise RowError(f"{len(tokens)} tokens, {len(tags)} tags.")
    return TagRow(
        [place] * len(tokens),
        [text(token, columns["tokens"]) for token in tokens],
        [label(tag, columns["tags"], names) for tag in tags],
    )


def text(found: object, field: str) -> str:
    if not isinstance(found, str):
        raise RowError(f"{field}: {short(found)} is {type(found).__name__}, expected a text.")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise RowError(f"{field}: holds half a surrogate pair, which is no character: {short(found)}") from None
    return found


def label(found: object, field: str, names: Sequence[str] = ()) -> str:
    """The published label; of a number its name in `names`, or without any the number, to be named by `label_map`."""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise RowError(f"{field}: {short(found)} is {type(found).__name__}, expected a label's name or number.")
    if isinstance(found, str) or not names:
        return str(found)
    if not 0 <= found < len(names):
        why = "; the labels of this split may not be published" if found == -1 else ""
        raise RowError(f"{field}: {found}, expected 0 to {len(names) - 1} ({', '.join(names)}){why}.")
    return names[found]


def _field(record: Mapping[str, Any], name: str) -> Any:
    if name not in record:
        raise RowError(f"no field {name!r}.{nearest(name, record)}{one_of(record)}")
    return record[name]
