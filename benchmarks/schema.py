"""The frozen values that cross modules: tasks, systems, protocols, predictions, results. Imports nothing of ours."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

if TYPE_CHECKING:
    import numpy as np

SCHEMA_VERSION = 1
LONGEST_FOLDER_NAME = 160  # bytes; file systems take 255, and a variant of a Hub id with many overrides is long

CODE_PROTOCOL = 1
"""Raised whenever our code changes in a way that can move a score: every stored run of a lower number is stale."""

NOT_COMPARABLE = "Not comparable with published scores"
"""How a note on a task's data begins that keeps its scores away from published ones."""

TEXTS: Final = "text-classification"
TAGS: Final = "token-classification"
TaskType = Literal["text-classification", "token-classification"]
Format = Literal["conll", "jsonl", "csv", "tsv", "lines", "tar"]


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
                kept[name] = _plain(value)
        return kept


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value.identity()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


# -- tasks -----------------------------------------------------------------------------------------------------------


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
    """Below 1 a fraction of the part's rows (before anything is held out), else a number of rows."""
    seed: int = Field(0, ge=0)


Part = Annotated[Annotated[HeldOut, Tag("~mapping")] | Annotated[str, Tag("~other")], Discriminator(_shape)]


class Splits(Value):
    """Where the three splits come from: a published part by name, or rows held out of another split."""

    train: str
    validation: Part | None = None
    test: Part


class Fallback(Value):
    """The splits to use where a file of the proper ones is not in the data folder, and what that costs."""

    splits: Splits
    not_comparable: str


class Task(Value):
    """A data set, its labels, splits and primary metric."""

    name: Annotated[str, DESCRIPTIVE]
    title: Annotated[str, DESCRIPTIVE]
    group: Annotated[str, DESCRIPTIVE]
    language: Annotated[str, DESCRIPTIVE]
    type: TaskType
    metric: Annotated[str, DESCRIPTIVE]
    labels: tuple[str, ...] = Field(min_length=1)
    """Class names, or entity types."""
    label_map: dict[str, str] = {}
    """Published label -> our label; renames and merges. A label that is not here keeps its name."""
    positive: str | None = None
    scheme: Literal["IOB2", "IO"] = "IOB2"
    max_length: int = Field(128, ge=8)
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
        prefixes = ("B", "I") if self.scheme == "IOB2" else ("I",)
        return ("O", *(f"{prefix}-{label}" for label in self.labels for prefix in prefixes))

    @property
    def classes(self) -> tuple[str, ...]:
        """What a model chooses from: tags for token classification, labels otherwise."""
        return self.tags if self.type == TAGS else self.labels

    def about(self) -> dict[str, Any]:
        """What a reader of its scores should know of the data, as far as it is declared: goes with every run."""
        facts = {name: getattr(self, name) for name in _ABOUT}
        return {name: fact for name, fact in facts.items() if fact}


_ABOUT = ("language", "licence", "homepage", "citation", "notes", "offensive")


# -- systems ---------------------------------------------------------------------------------------------------------


class Encoder(Value):
    """A pretrained encoder: a Hub id, a local folder, or a folder inside an installed package."""

    checkpoint: Annotated[str, DESCRIPTIVE]  # identity: the commit or the sha256 of the weights in use
    package: Annotated[str | None, DESCRIPTIVE] = None
    """'package/folder' that carries the checkpoint offline."""
    sha256: Annotated[str | None, DESCRIPTIVE] = Field(None, pattern=r"^[0-9a-f]{64}$")


class System(Value):
    """A row of a leaderboard: an encoder, a method, and what its recipe changes from the method's defaults."""

    name: str
    method: str
    """A key of `recipes.RECIPES`."""
    encoder: Encoder | None = None
    recipe: dict[str, Any] = {}
    """What differs from the method's defaults."""
    recipe_by_type: dict[TaskType, dict[str, Any]] = {}
    """What differs further for one type of task."""
    tags: tuple[str, ...] = ()
    """Names under which --systems finds it, too."""
    default: bool = False
    """Whether it runs without --systems."""
    summary: str = ""


class Recipe(Value):
    """A method's settings, one class a method (`recipes`). The class says what the method is: a plan must know that
    without loading it.
    """

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS, TAGS)
    needs_encoder: ClassVar[bool] = False
    over_ranks: ClassVar[bool] = False
    """Trains as one DDP job over all ranks; other methods run on rank 0 alone."""

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_no_truth_values(cls, values: Any) -> Any:
        """YAML reads 'yes' and 'on' as true, and pydantic true as 1: epochs would be 1 without a word."""
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, bool) and name in cls.model_fields and cls.model_fields[name].annotation is not bool:
                raise ValueError(f"{name}: {str(value).lower()} is no number")
        return values

    @property
    def passes(self) -> float:
        """How often each training row is seen."""
        return 1.0

    @property
    def global_batch(self) -> int | None:
        """Rows of one update over all ranks; None where nothing is shared out."""
        return None


class Protocol(Value):
    """Which rows are trained and scored, and the seed: what a claim pins."""

    seed: int = 0
    train_size: int | None = Field(None, ge=1)
    test_size: int | None = Field(None, ge=1)
    balanced: bool = False
    folds: int | None = Field(None, ge=2)
    fold: int | None = Field(None, ge=0)
    limit: int | None = Field(None, ge=1)


@dataclass(frozen=True)
class RunSpec:
    """One run to be made: names for people, `identity` for the fingerprint, the rest for whoever runs it."""

    task: Task
    system: System
    recipe: Recipe
    protocol: Protocol
    identity: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.identity)

    @property
    def key(self) -> str:
        """The file's stem: readable, and unique by the fingerprint."""
        size = "all" if self.protocol.train_size is None else self.protocol.train_size
        fold = "" if self.protocol.fold is None else f"_fold{self.protocol.fold}of{self.protocol.folds}"
        limit = "" if self.protocol.limit is None else f"_limit{self.protocol.limit}"
        return f"seed{self.protocol.seed}_train-{size}{fold}{limit}_{self.fingerprint}"

    @property
    def path(self) -> str:
        """Where the run is stored below RESULTS/runs, without suffix."""
        return f"{self.task.name}/{folder_name(self.system.name)}/{self.key}"


def fingerprint(identity: dict[str, Any]) -> str:
    """16 hex digits over everything that can move a score."""
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def folder_name(system: str) -> str:
    """A system's name as one path component: Hub ids hold '/', and nothing may leave the results folder."""
    name = system.replace("/", "__").replace("\\", "__").replace("\0", "").lstrip(".") or "_"
    if len(name.encode()) <= LONGEST_FOLDER_NAME:
        return name
    return f"{name[: LONGEST_FOLDER_NAME // 8]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


# -- what comes out --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Predictions:
    """Test predictions in data-set order: where torch ends.

    gold and predicted: n class ids, or n lists of tag ids; scores: (n, classes) or None, higher means likelier.
    """

    row_ids: list[str]
    gold: list[Any]
    predicted: list[Any]
    scores: np.ndarray | None = None


class Stored(Value):
    """What a stored run and a stored failure share: who, on what, when, where."""

    model_config = ConfigDict(frozen=True, extra="allow")  # a newer version's fields are carried, not refused

    schema_: int = Field(SCHEMA_VERSION, alias="schema")
    task: str
    system: str
    seed: int
    train_size: int | None
    fold: int | None
    sample: bool
    limited: bool
    fingerprint: str
    key: str
    identity_: dict[str, Any] = Field(alias="identity")
    """The full text of what the fingerprint covers: a stale run can say what changed."""
    protocol: dict[str, Any]
    recipe: dict[str, Any]
    environment: dict[str, Any]
    created: str


class RunResult(Stored):
    status: Literal["done"] = "done"
    title: str
    group: str
    type: TaskType
    method: str
    metrics: dict[str, float]
    primary_metric: str
    report: dict[str, Any]
    cost: dict[str, Any]
    data: dict[str, Any]
    about: dict[str, Any] = {}
    """`Task.about` when the run was made."""
    training: dict[str, Any]
    """What the method noted on its way: losses, truncated rows, the precision in use."""


class RunFailure(Stored):
    status: Literal["failed"] = "failed"
    error: dict[str, str]
    """type, message, traceback."""
