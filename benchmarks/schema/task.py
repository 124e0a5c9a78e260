"""A task: published files or a Hub copy, how their rows are read, split and labelled, and the primary metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from benchmarks.schema.value import DESCRIPTIVE, Neutral, Value

NOT_COMPARABLE = "Not comparable with published scores"
"""How a note on a task's data begins that keeps its scores away from published ones."""

TEXTS: Final = "text-classification"
TAGS: Final = "token-classification"
TaskType = Literal["text-classification", "token-classification"]
Format = Literal["conll", "jsonl", "csv", "tsv", "lines", "tar"]


class File(Value):
    """One published file of a part of the data, with what is known of it."""

    path: str
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    rows: int | None = Field(None, ge=0)
    counts: dict[str, int] = {}
    """Rows per label, or entities per type, after `label_map`: they check the reader."""
    label: str | None = None
    """The label of every row, for formats in which the file or folder is the label."""
    member: str | None = None
    """Which members of a tar archive, as a pattern such as 'aclImdb/train/pos/*.txt'."""


def _shape(value: Any) -> str:
    """Which branch of a union a value is of: so that a problem is told of that branch alone."""
    return "~mapping" if isinstance(value, dict | BaseModel) else "~other"


Names = Annotated[tuple[str, ...], Tag("~other")]
Columns = Annotated[Names | Annotated[dict[str, str], Tag("~mapping")], Discriminator(_shape)]


class Source(Value):
    """Published files in one sub-folder of the data folder, and how their rows are read."""

    folder: Annotated[str, DESCRIPTIVE]
    format: Format
    files: Annotated[dict[str, tuple[File, ...]], DESCRIPTIVE]  # identity: the sha256 of the files in use
    columns: Columns = ()
    """A list names every column of a file without header in order: 'token' and 'tag' of conll are read, 'text' and
    'label' of csv and tsv. A mapping says which field of jsonl, or under which header of csv and tsv, is 'text' and
    which 'label'; several fields joined by a space are written 'headline + short_description'."""
    encoding: str = "utf-8"
    separator: Literal["tab", "space"] = "tab"
    comment: str | None = None
    token_prefix: str = ""
    quoting: bool = True


class Hub(Value):
    """The copy on the Hugging Face Hub; its commit is resolved at the first download, then locked."""

    path: str
    """The data set's id."""
    config: str | None = None
    parts: dict[str, str]
    """Our part -> the Hub's split."""
    columns: dict[str, str]
    labels: tuple[str, ...] = ()
    """Names of the Hub copy's integer labels or tags in order, before `label_map`."""


class HeldOut(Value):
    """A split taken out of another one: seeded, stratified by label; the other keeps the rest."""

    take_from: str
    share: float = Field(gt=0)
    """Below 1 a fraction of the part's rows (before anything is held out), else a number of rows: not of a training
    split that `most_of_a_class` cuts."""
    seed: int = Field(0, ge=0)


Part = Annotated[Annotated[HeldOut, Tag("~mapping")] | Annotated[str, Tag("~other")], Discriminator(_shape)]


class Splits(Value):
    """Where the three splits come from: a published part by name, or rows held out of another split."""

    train: str
    validation: Part | None = None
    test: Part
    most_of_a_class: Annotated[int | None, Neutral(None)] = Field(None, ge=1)
    """Of texts: the training split keeps at most so many rows of each class, drawn by the seed 0 before anything is
    held out of it."""


class Fallback(Value):
    """The splits to use where a file of the proper ones is not in the data folder, and what that costs."""

    splits: Splits
    not_comparable: str


class Task(Value):
    """A data set, its labels, splits and primary metric."""

    name: Annotated[str, DESCRIPTIVE]
    title: Annotated[str, DESCRIPTIVE]
    group: Annotated[str, DESCRIPTIVE]
    """What `--tasks GROUP` selects."""
    language: Annotated[str, DESCRIPTIVE]
    """A code such as 'de'."""
    type: TaskType
    metric: Annotated[str, DESCRIPTIVE]
    """By which systems are ranked."""
    labels: tuple[str, ...] = Field(min_length=1)
    """Class names, or entity types."""
    label_map: dict[str, str] = {}
    """Published label -> our label; renames and merges. A label that is not here keeps its name."""
    dropped: Annotated[tuple[str, ...], Neutral(())] = ()
    """Published labels of texts whose rows are left out."""
    positive: str | None = None
    """Of two labels the one that precision, recall, F1 and average precision are about."""
    scheme: Literal["IOB2", "IO"] = "IOB2"
    """Of tags. IOB1 is read as IOB2. IO: entities have no beginning of their own, so that two of one type side by side
    are one."""
    max_length: int = Field(128, ge=8)
    """Word pieces that an encoder reads of a text; longer rows of words are read in windows."""
    splits: Splits
    fallback: Annotated[Fallback | None, DESCRIPTIVE] = None  # identity: the splits and files in use
    source: Source | None = None
    hub: Annotated[Hub | None, DESCRIPTIVE] = None
    sample: Annotated[str | None, DESCRIPTIVE] = None
    """The embedded corpus that this task reads; such a task is never in one table with real rows."""
    licence: Annotated[str, DESCRIPTIVE] = "not stated"
    homepage: Annotated[str | None, DESCRIPTIVE] = None
    citation: Annotated[str | None, DESCRIPTIVE] = None
    notes: Annotated[str | None, DESCRIPTIVE] = None
    not_comparable: Annotated[str | None, DESCRIPTIVE] = None
    """Why scores on these data can't be set beside published ones; a fallback has its own reason."""
    offensive: Annotated[bool, DESCRIPTIVE] = False

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag of every id of a token-classification task; 'O' is 0."""
        return tags_of(self.labels, self.scheme)

    @property
    def classes(self) -> tuple[str, ...]:
        """What a model chooses from: tags for token classification, labels otherwise."""
        return self.tags if self.type == TAGS else self.labels

    def about(self) -> dict[str, Any]:
        """What a reader of its scores should know of the data, as far as it is declared: goes with every run."""
        facts = {name: getattr(self, name) for name in _ABOUT}
        return {name: fact for name, fact in facts.items() if fact}


def tags_of(labels: Sequence[str], scheme: str) -> tuple[str, ...]:
    """The tags of entity types, 'O' first, in the order of their ids."""
    prefixes = ("B", "I") if scheme == "IOB2" else ("I",)
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in prefixes))


_ABOUT = ("language", "licence", "homepage", "citation", "notes", "offensive")
