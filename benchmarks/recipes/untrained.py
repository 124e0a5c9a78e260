"""Methods without an encoder of our own training: classical ones, pretrained pipelines, label names, the majority."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from benchmarks.schema import TAGS, TEXTS, Between, Neutral, Recipe, Task, TaskType


class Tfidf(Recipe):
    """Word n-grams weighted by TF-IDF and a linear classifier or naive Bayes, by scikit-learn."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)
    space = {
        "ngrams": ((1, 1), (1, 2), (1, 3)),
        "min_df": (1, 2, 5),
        "sublinear_tf": (True, False),
        "c": Between(1e-2, 30.0),
        "alpha": Between(1e-2, 1e1),
    }

    classifier: Literal["svm", "nb", "logreg"] = "svm"
    ngrams: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 2)
    """The shortest and the longest."""
    min_df: int = Field(1, ge=1)
    sublinear_tf: bool = True
    lowercase: bool = True
    c: float = Field(1.0, gt=0)
    """Inverse strength of the L2 penalty."""
    tolerance: float = Field(1e-5, gt=0)
    """Of logreg's solver: with scikit-learn's 1e-4 it ends where 1,222 comments have an average precision that is .001
    off."""
    alpha: Annotated[float, Neutral(1.0)] = Field(1.0, gt=0)
    """Naive Bayes: added to each feature's count."""
    class_weights: Annotated[Literal["none", "balanced"], Neutral("none")] = "none"
    """balanced: an error on a row counts n / (classes * rows of its class). Of svm and logreg."""

    def unread(self, task_type: TaskType) -> frozenset[str]:
        of = {"svm": ("alpha", "tolerance"), "nb": ("c", "tolerance"), "logreg": ("alpha",)}
        return frozenset(of[self.classifier])

    @field_validator("class_weights")
    @classmethod
    def _naive_bayes_has_none(cls, weights: str, found: ValidationInfo) -> str:
        if weights != "none" and found.data.get("classifier") == "nb":
            raise ValueError("naive Bayes weighs no classes; svm and logreg do")
        return weights

    @field_validator("ngrams")
    @classmethod
    def _shortest_first(cls, ngrams: tuple[int, int]) -> tuple[int, int]:
        if ngrams[0] > ngrams[1]:
            raise ValueError("the shortest n-gram comes first")
        return ngrams


class TagFeatures(Recipe):
    """Logistic regression on each word's form, affixes and neighbours, by scikit-learn."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TAGS,)
    space = {"c": Between(1e-2, 1e2), "window": (1, 2, 3), "affixes": (2, 4, 6)}

    c: float = Field(1.0, gt=0)
    window: int = Field(2, ge=0)
    """Neighbours on either side that a word's features name."""
    affixes: int = Field(4, ge=0)
    """Longest prefix and suffix, in characters."""


class ZeroShotLabels(Recipe):
    """The label whose name is nearest to the text, by cosine of a sentence encoder's embeddings."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)
    needs_encoder: ClassVar[bool] = True

    template: str = "{}"
    """What is embedded for a label; {} stands for its name, with spaces for '-' and '_'."""
    max_length: int | None = Field(None, ge=8)

    @field_validator("template")
    @classmethod
    def _has_a_place(cls, template: str) -> str:
        if template.count("{}") != 1:
            raise ValueError("one {} stands for the label's name")
        return template


class ZeroShotPipeline(Recipe):
    """A checkpoint that was fine-tuned for such a task before, with its own head and labels."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)
    needs_encoder: ClassVar[bool] = True

    labels: dict[str, str]
    """The checkpoint's label -> the task's; several may mean one, and one that is not here is left out."""
    max_length: int | None = Field(None, ge=8)

    def misfit(self, task: Task) -> str | None:
        meant = dict.fromkeys(self.labels.values())
        fits = set(meant) == set(task.labels)
        return super().misfit(task) or (None if fits else f"knows no labels but {', '.join(meant)}")

    def misses(self, labels: tuple[str, ...]) -> str | None:
        lacking = [label for label in self.labels if label not in labels]
        return f"needs a checkpoint that was trained to say {', '.join(lacking)}" if lacking else None


class Majority(Recipe):
    """The most frequent label of the training rows; for tokens, the most frequent tag."""
