"""What each method can be told, with defaults, and which tasks it can do: the vocabulary of `recipe:` and `--set`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from benchmarks.schema import TAGS, TEXTS, TaskType, Value


class Recipe(Value):
    """A method's settings. The class says what the method is: the plan must know that without loading it."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS, TAGS)
    needs_encoder: ClassVar[bool] = False
    over_ranks: ClassVar[bool] = False
    """Trains as one DDP job over all ranks; other methods run on rank 0 alone."""


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


class Tfidf(Recipe):
    """Word n-grams weighted by TF-IDF and a linear classifier, by scikit-learn."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)

    classifier: Literal["svm"] = "svm"
    ngrams: tuple[int, int] = (1, 2)
    min_df: int = Field(1, ge=1)
    sublinear_tf: bool = True
    lowercase: bool = True
    c: float = Field(1.0, gt=0)
    """Inverse strength of the L2 penalty."""


class Majority(Recipe):
    """The most frequent label of the training rows; for tokens, the most frequent tag."""


RECIPES: dict[str, type[Recipe]] = {"finetune": Finetune, "tfidf": Tfidf, "majority": Majority}


def defaults(method: str) -> dict[str, Any]:
    return RECIPES[method]().model_dump()
