"""What comes out of a run: its predictions, and the record of its result or failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from benchmarks.schema.secrets import without_secrets
from benchmarks.schema.task import TaskType
from benchmarks.schema.value import Value

if TYPE_CHECKING:
    import numpy as np

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Predictions:
    """Test predictions in data-set order: where torch ends.

    gold and predicted: n class ids, or n lists of tag ids; scores: (n, classes) or None, higher means likelier.
    silhouettes: (n,) of a clustering, whose predicted classes are those that its clusters were matched to; else None.
    """

    row_ids: list[str]
    gold: list[Any]
    predicted: list[Any]
    scores: np.ndarray | None = None
    silhouettes: np.ndarray | None = None


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
    """The task's; of a clustering the one by which clusterings are ranked."""
    report: dict[str, Any]
    cost: dict[str, Any]
    data: dict[str, Any]
    about: dict[str, Any] = {}
    """`Task.about` when the run was made."""
    training: dict[str, Any]
    """What the method noted on its way: losses, truncated rows, the precision in use."""
    tuning: dict[str, Any] | None = None
    """How the recipe was chosen, where it was: `tuning.record`."""


class RunFailure(Stored):
    status: Literal["failed"] = "failed"
    error: dict[str, Annotated[str, AfterValidator(without_secrets)]]
    """type, message, traceback; printed: the last words of a worker that has ended."""
