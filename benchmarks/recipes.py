"""What each method can be told, with defaults, and which tasks it can do: the vocabulary of `recipe:` and `--set`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from benchmarks.schema import TEXTS, Recipe, TaskType


class Finetune(Recipe):
    """Every weight of the encoder and a linear head, by the Hugging Face Trainer."""

    needs_encoder: ClassVar[bool] = True
    over_ranks: ClassVar[bool] = True

    learning_rate: float = Field(5e-5, gt=0)
    epochs: float = Field(3, gt=0)
    batch_size: int = Field(32, ge=1)
    """Rows an update, over all ranks and accumulation steps."""
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"] = "linear"
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the updates in which the learning rate rises from 0."""
    weight_decay: float = Field(0.01, ge=0)
    clipping: float = Field(1.0, ge=0)
    """Largest norm of the gradient; 0 leaves it alone."""
    max_length: int | None = Field(None, ge=8)
    """Word pieces of a row, special tokens included; the task's own where not given."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where the processor or GPU computes in it, else fp32. What was used is in the run's record."""

    @property
    def passes(self) -> float:
        return self.epochs

    @property
    def global_batch(self) -> int:
        return self.batch_size


class Tfidf(Recipe):
    """Word n-grams weighted by TF-IDF and a linear classifier, by scikit-learn."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)

    classifier: Literal["svm"] = "svm"
    ngrams: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 2)
    """The shortest and the longest."""
    min_df: int = Field(1, ge=1)
    sublinear_tf: bool = True
    lowercase: bool = True
    c: float = Field(1.0, gt=0)
    """Inverse strength of the L2 penalty."""

    @field_validator("ngrams")
    @classmethod
    def _shortest_first(cls, ngrams: tuple[int, int]) -> tuple[int, int]:
        if ngrams[0] > ngrams[1]:
            raise ValueError("the shortest n-gram comes first")
        return ngrams


class Majority(Recipe):
    """The most frequent label of the training rows; for tokens, the most frequent tag."""


RECIPES: dict[str, type[Recipe]] = {"finetune": Finetune, "tfidf": Tfidf, "majority": Majority}
