"""Rows of which nothing is declared yet -> what a task file would say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.data.records import Row, TextRow
from benchmarks.errors import UserError
from benchmarks.metrics.spans import spans
from benchmarks.schema import TAGS, TEXTS, TaskType

SEEN = 2000
"""Lines or records that are looked at before all are read."""
MOST_COUNTED = 20_000
"""Labels: a task file could not hold more."""
POSITIVE_NAMES = ("positive", "pos", "true", "yes", "hateful", "hate", "toxic", "offensive", "spam")
LENGTHS = (32, 64, 128, 256, 512)
PIECES_A_WORD = 1.5


@dataclass(frozen=True)
class Content:
    """What one split holds. counts: rows of each label, or entities of each type; words: of each row, the longest 5 %
    left out; begins: whether any tag begins with 'B-'.
    """

    rows: int
    counts: dict[str, int]
    words: int
    begins: bool
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """What was found. read: in words how it was read; contents, places: of 'train', perhaps 'validation' and 'test';
    origin: the fields of a task that say where the rows are; known: other fields that were found.
    """

    name: str
    type: TaskType
    read: str
    contents: Mapping[str, Content]
    places: Mapping[str, str]
    origin: Mapping[str, Any]
    data_dir: Path | None = None
    notes: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)

    def counts(self) -> Counter[str]:
        """Rows of each label, or entities of each type, over all splits."""
        return sum((Counter(content.counts) for content in self.contents.values()), Counter())


def counted(place: str, rows: Iterable[Row]) -> Content:
    """Walks over all rows. Raises UserError where there is none."""
    counts: Counter[str] = Counter()
    words: list[int] = []
    examples: list[str] = []
    begins = False
    for row in rows:
        if isinstance(row, TextRow) and not row.label.strip():
            raise UserError(f"{place}:{row.place}: label: empty; name it, or leave the row out.")
        said, labels, starts = _seen(row)
        counts.update(labels)
        if len(counts) > MOST_COUNTED:
            raise UserError(f"{place}: more than {MOST_COUNTED:,} labels: is that a column of labels?")
        words.append(len(said.split()))
        begins = begins or starts
        if len(examples) < 3:
            examples.append(said)
    if not words:
        raise UserError(f"{place}: holds no row.")
    longest = sorted(words)[int(0.95 * (len(words) - 1))]
    return Content(len(words), dict(counts.most_common()), longest, begins, tuple(examples))


def _seen(row: Row) -> tuple[str, Sequence[str], bool]:
    """The text, its label or the types of its entities, and whether a tag begins one."""
    if isinstance(row, TextRow):
        return row.text, [row.label], False
    begins = any(tag.startswith("B-") for tag in row.tags)
    scheme = "IOB2" if begins else "IO"
    return " ".join(row.tokens), [kind for kind, _, _ in spans(row.tags, scheme, "conlleval")], begins


# -- as a task -------------------------------------------------------------------------------------------------------


def task(found: Looked, told: Mapping[str, str], held_out: float = 0.2) -> dict[str, Any]:
    """The fields of a task file. told: title, group, language and what else the user says. A test split that is not
    there is held out of the training rows.
    """
    contents = found.contents
    labels = sorted(found.counts())
    longest = max(own.words for own in contents.values())
    fields: dict[str, Any] = {"title": told["title"], "group": told["group"], "language": told["language"]}
    fields |= {"type": found.type, "metric": told["metric"], "labels": labels}
    if found.type == TEXTS and len(labels) == 2:
        fields["positive"] = told["positive"]
    if found.type == TAGS and not any(own.begins for own in contents.values()):
        fields["scheme"] = "IO"
    fields["max_length"] = next((n for n in LENGTHS if n >= longest * PIECES_A_WORD + 2), LENGTHS[-1])
    fields["splits"] = {name: name for name in ("train", "validation", "test") if name in contents}
    if "test" not in contents:
        fields["splits"]["test"] = {"take_from": "train", "share": held_out}
    known = {name: fact for name, fact in found.known.items() if name not in fields}
    return {**fields, **found.origin, "licence": "not stated", **known}


def metric(type_: TaskType, counts: Mapping[str, int]) -> str:
    """What such a task is usually ranked by."""
    if type_ == TAGS:
        return "entity_f1"
    if len(counts) > 2:
        return "f1_macro"
    return "f1" if min(counts.values()) < 0.35 * sum(counts.values()) else "accuracy"


def positive(counts: Mapping[str, int]) -> str:
    """The label whose name says so, else the rarer one: which is it that one looks for?"""
    if set(counts) == {"0", "1"}:
        return "1"
    named = [label for name in POSITIVE_NAMES for label in counts if label.lower() == name]
    return next(iter([*named, *sorted(counts, key=lambda label: (counts[label], label))]))
