"""Predictions -> every metric of the task's type and the per-class report; stored ones are re-scored, not re-run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import store
from benchmarks.metrics import tags, texts
from benchmarks.schema import TAGS, Predictions, RunResult, Task


@dataclass(frozen=True)
class Scoring:
    """What scoring has to know of a task."""

    type: str
    labels: tuple[str, ...]
    positive: str | None
    scheme: str

    @staticmethod
    def of(task: Task) -> Scoring:
        return Scoring(task.type, task.labels, task.positive, task.scheme)

    @staticmethod
    def of_run(run: RunResult) -> Scoring:
        """As the task was when the run was made."""
        task = run.identity_["task"]
        return Scoring(task["type"], tuple(task["labels"]), task["positive"], task["scheme"])

    def measure(self, named: Named) -> dict[str, float]:
        """Every metric of the task's type."""
        if self.type == TAGS:
            return tags.measure(named.gold, named.predicted, self.scheme)
        positive = None if self.positive is None else self.labels.index(self.positive)
        return texts.measure(self._ids(named.gold), self._ids(named.predicted), named.scores, self.labels, positive)

    def report(self, named: Named) -> dict[str, Any]:
        """Per-class scores and the confusion matrix."""
        if self.type == TAGS:
            return tags.report(named.gold, named.predicted, self.scheme)
        return texts.report(self._ids(named.gold), self._ids(named.predicted), self.labels)

    def _ids(self, names: list[Any]) -> np.ndarray:
        ids = {label: index for index, label in enumerate(self.labels)}
        return np.array([ids[name] for name in names])


@dataclass(frozen=True)
class Named:
    """Predictions by the names of their labels or tags, as they are stored; scores: (n, labels) or None."""

    gold: list[Any]
    predicted: list[Any]
    scores: np.ndarray | None

    @staticmethod
    def of(predictions: Predictions, classes: tuple[str, ...]) -> Named:
        def names(ids: list[Any]) -> list[Any]:
            return [[classes[i] for i in row] if isinstance(row, list) else classes[row] for row in ids]

        return Named(names(predictions.gold), names(predictions.predicted), predictions.scores)

    @staticmethod
    def stored(results: Path, run: RunResult) -> Named:
        table = store.read_predictions(results, run)
        gold, predicted = (table.column(name).to_pylist() for name in ("gold", "predicted"))
        if "scores" not in table.column_names:
            return Named(gold, predicted, None)
        flat = table.column("scores").combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return Named(gold, predicted, flat.astype(np.float32).reshape(len(gold), -1))


def rescored(results: Path, run: RunResult) -> dict[str, float]:
    """The metrics of a stored run, computed anew from its stored predictions."""
    return Scoring.of_run(run).measure(Named.stored(results, run))
