"""A system: an encoder, a method, and the recipe that the method is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias

from pydantic import Field

from benchmarks.schema.task import TAGS, TEXTS, Task, TaskType
from benchmarks.schema.value import DESCRIPTIVE, Value


class Encoder(Value):
    """A pretrained encoder: a Hub id, a local folder, or a folder inside an installed package."""

    checkpoint: Annotated[str, DESCRIPTIVE]  # identity: the commit or the sha256 of the weights in use
    package: Annotated[str | None, DESCRIPTIVE] = None
    """'package/folder' that carries the checkpoint offline."""
    sha256: Annotated[str | None, DESCRIPTIVE] = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Of the package's model.safetensors."""
    tokenizer_sha256: Annotated[str | None, DESCRIPTIVE] = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Of the package's tokenizer and configuration, by names and contents; checked, and no part of a run's identity."""


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


class Between(NamedTuple):
    """Any number from low to high, evenly on a logarithmic scale."""

    low: float
    high: float


Dimension: TypeAlias = Between | tuple[Any, ...]
"""Of a search: the ends of a range, or the values."""


class Recipe(Value):
    """A method's settings, one class a method (`recipes`). The class says what the method is: a plan must know that
    without loading it.
    """

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS, TAGS)
    needs_encoder: ClassVar[bool] = False
    clusters: ClassVar[bool] = False
    """Gives clusters instead of classes."""
    keeps_model: ClassVar[bool] = False
    """Whether what is trained can be kept."""
    over_ranks: ClassVar[bool] = False
    """Trains as one DDP job over all ranks; other methods run on rank 0 alone."""

    space: ClassVar[Mapping[str, Dimension]] = {}
    """Field -> what --tune tries of it; nothing is tuned where it is empty."""

    @classmethod
    def on_gpu(cls) -> bool:
        """Whether it computes on a GPU where there is one."""
        return cls.needs_encoder or cls.over_ranks

    def misfit(self, task: Task) -> str | None:
        """Why the method can't do the task, after its name: 'does no token-classification'; None where it can."""
        return None if task.type in self.task_types else f"does no {task.type}"

    def misses(self, labels: tuple[str, ...]) -> str | None:
        """Why this checkpoint's own labels don't serve the method; None if they do. labels: of the checkpoint's
        classification head, () without one.
        """
        return None

    def seen(self, rows: int, classes: int) -> float:
        """Rows that training looks at, again in every epoch, where this many are given: what its time goes by."""
        return rows

    def unread(self, task_type: TaskType) -> frozenset[str]:
        """Fields that a run on such a task doesn't look at, as the others are set."""
        return frozenset()

    @property
    def global_batch(self) -> int | None:
        """Rows of one update over all ranks; None where nothing is shared out."""
        return None
