"""The ways of getting predictions: `METHODS` names a function (Job) -> Predictions for every recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from benchmarks.meter import Meter
from benchmarks.schema import Predictions, Recipe, Task

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data.splits import RunData

# method -> module and function; imported when it is run, since most of them load torch
METHODS = {
    "finetune": "benchmarks.methods.finetune:finetune",
    "lora": "benchmarks.methods.finetune:finetune",
    "frozen": "benchmarks.methods.frozen:frozen",
    "probe": "benchmarks.methods.frozen:probe",
    "recurrent": "benchmarks.methods.recurrent:recurrent",
    "recurrent-word2vec": "benchmarks.methods.recurrent:recurrent_word2vec",
    "sbert-softmax": "benchmarks.methods.siamese:softmax",
    "sbert-cosine": "benchmarks.methods.siamese:cosine",
    "sbert-cluster": "benchmarks.methods.clustering:cluster",
    "sbert-fewshot": "benchmarks.methods.fewshot:fewshot",
    "tfidf": "benchmarks.methods.classical:tfidf",
    "tag-features": "benchmarks.methods.tag_features:tag_features",
    "zero-shot-labels": "benchmarks.methods.zero_shot:labels",
    "zero-shot-pipeline": "benchmarks.methods.zero_shot:pipeline",
    "majority": "benchmarks.methods.classical:majority",
}

SplitName: TypeAlias = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "test")


class Checkpoints(NamedTuple):
    """Where a training writes what it goes on from after an interruption, and how many seconds lie between."""

    folder: Path
    seconds: float


@dataclass(frozen=True)
class Job:
    """What a method gets: the task, how to train, the rows, the encoder's folder where it needs one, a folder of what
    is kept between runs, and a meter. keep: the empty folder that a method which can writes its trained model to.
    report_to: the trackers that a Trainer tells of its training. halvings: how often memory has run out; a batch is
    computed in micro-batches of half the size for each.
    """

    task: Task
    recipe: Recipe
    seed: int
    data: RunData
    encoder: Path | None
    cache: Path
    meter: Meter
    keep: Path | None = None
    report_to: tuple[str, ...] = ()
    checkpoints: Checkpoints | None = None
    halvings: int = 0

    @property
    def max_length(self) -> int:
        """What is read of a row: as the recipe says, or the task's own."""
        return getattr(self.recipe, "max_length", None) or self.task.max_length

    def predictions(self, predicted: list[Any], scores: np.ndarray | None = None) -> Predictions:
        """Predictions for the test rows in their order; gold is the data set's, never what a model was fed."""
        test = self.data.test
        gold = test["label"] if "label" in test.column_names else test["tags"]
        return Predictions(list(test["row_id"]), list(gold), predicted, scores)

    def likeliest(self, scores: np.ndarray) -> Predictions:
        """The class of each row with the highest score; scores: (n, classes)."""
        return self.predictions(scores.argmax(axis=1).tolist(), scores)

    def tagged(self, tags: np.ndarray) -> Predictions:
        """The tags of each row's words, without padding; tags: (n, longest) ids."""
        words = map(len, self.data.test["tokens"])
        return self.predictions([row[:count].tolist() for row, count in zip(tags, words, strict=True)])


Method = Callable[[Job], Predictions]


def load(method: str) -> Method:
    """The function of a method."""
    module, _, function = METHODS[method].partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return]
