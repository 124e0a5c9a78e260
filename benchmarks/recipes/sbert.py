"""Methods of sentence encoders: siamese training, few examples, clustering."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from benchmarks.recipes.training import Training
from benchmarks.schema import TEXTS, Between, Neutral, Recipe, Task, TaskType

DUMMY = "<s>"
"""The text that S2 pairs every text with."""


class Siamese(Training):
    """Two texts through one encoder with mean pooling, by sentence-transformers' trainer and losses."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)
    needs_encoder: ClassVar[bool] = True
    over_ranks: ClassVar[bool] = False
    space = {"learning_rate": Between(1e-5, 5e-4), "epochs": (3, 5, 10, 20), "batch_size": (16, 32)}

    learning_rate: float = Field(1e-4, gt=0)
    max_length: int | None = Field(None, ge=8)
    precision: Literal["auto", "fp32", "bf16"] = "auto"


class SbertSoftmax(Siamese):
    """Softmax over (u, v, |u - v|) (Reimers, Gurevych 2019), u of the text, v of a partner."""

    partner: Literal["dummy", "class", "other_class", "same_class"] = "dummy"
    """dummy: the text '<s>'. other_class, same_class: a training text of another or of the same class. class: of
    another class where a task has two, else of the same one. A test text is scored by the mean over training texts of
    all classes, since its own class is what is asked: the source doesn't say how it did that."""
    partners: int = Field(4, ge=1)
    """Training texts of each class that a test text is paired with; of no use beside the dummy."""

    def unread(self, task_type: TaskType) -> frozenset[str]:
        return super().unread(task_type) | ({"partners"} if self.partner == "dummy" else set())


class Regression(Siamese):
    """Training by the squared error of a cosine: there is no class to weight, and no probability to smooth."""

    class_weights: Annotated[Literal["none"], Neutral("none")] = "none"
    label_smoothing: Annotated[float, Neutral(0.0)] = Field(0.0, ge=0, le=0)


class SbertCosine(Regression):
    """Cosine of a text and the dummy, trained by squared error towards 1 for the positive class and 0 for the other;
    the threshold between the two is the best one on validation rows.
    """

    validation_share: float = Field(0.1, gt=0, lt=1)
    """Of the training rows, held out by the run's seed for the threshold where the task has no validation split."""

    def misfit(self, task: Task) -> str | None:
        return super().misfit(task) or (None if len(task.labels) == 2 else "ranks one class against one other")


class SbertFewshot(Regression):
    """Contrastive pairs of a few rows a class, then logistic regression on their embeddings (SetFit, Tunstall et al.
    2022).
    """

    space = {"learning_rate": Between(5e-6, 2e-4), "epochs": (1, 2), "iterations": (5, 10, 20)}

    shots: int = Field(8, ge=2)
    """Training rows of each class that are used; all of a class that has fewer."""
    iterations: int = Field(20, ge=1)
    """Pairs of the same and of different classes that are drawn for each row."""
    learning_rate: float = Field(2e-5, gt=0)
    epochs: float = Field(1, gt=0)
    batch_size: int = Field(16, ge=1)

    def seen(self, rows: int, classes: int) -> float:
        pairs = 2 * self.iterations * min(rows, self.shots * classes)
        return 2 * pairs * self.epochs


class SbertCluster(Recipe):
    """k-means over a sentence encoder's embeddings, as many clusters as classes; nothing is trained on labels."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)
    needs_encoder: ClassVar[bool] = True
    clusters: ClassVar[bool] = True

    max_length: int | None = Field(None, ge=8)
    restarts: int = Field(10, ge=1)
    """Of k-means from other centres; the tightest clustering is kept."""
