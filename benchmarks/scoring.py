"""Predictions -> every metric of the task's type and the per-class report; stored ones are re-scored, not re-run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import store
from benchmarks.metrics import METRICS, clustering, effective, resampled, tags, texts
from benchmarks.metrics.resampled import Weighted
from benchmarks.metrics.tagging import Tagging
from benchmarks.schema import TAGS, Predictions, RunResult, Task

if TYPE_CHECKING:
    import pyarrow as pa


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
        """Every metric of the task's type; of a clustering, those of clusterings alone."""
        if self.type == TAGS:
            return tags.measure(named.gold, named.predicted, self.scheme)
        gold, predicted = self._ids(named.gold), self._ids(named.predicted)
        if named.silhouettes is not None:
            return clustering.measure(gold, predicted, named.silhouettes)
        positive = None if self.positive is None else self.labels.index(self.positive)
        return texts.measure(gold, predicted, named.scores, self.labels, positive)

    def report(self, named: Named) -> dict[str, Any]:
        """Per-class scores and the confusion matrix; of a clustering, the matrix alone."""
        if self.type == TAGS:
            return tags.report(named.gold, named.predicted, self.scheme)
        report = texts.report if named.silhouettes is None else clustering.report
        return report(self._ids(named.gold), self._ids(named.predicted), self.labels)

    def weighted(self, named: Named, metric: str, label: str | None = None) -> Weighted:
        """The metric as a function of how often each row counts. Raises KeyError where these rows can't give it.

        label: of texts, the class that precision, recall and F1 are of, in place of the task's positive one.
        """
        if self.type == TAGS:
            return resampled.of_tags(metric, named.gold, named.predicted, self.scheme)
        gold, predicted = self._ids(named.gold), self._ids(named.predicted)
        if named.silhouettes is not None:
            return resampled.of_clusters(metric, gold, predicted, named.silhouettes)
        return resampled.of_texts(metric, gold, predicted, named.scores, len(self.labels), self._positive(label))

    def effective_rows(self, named: Named, metric: str, score: float, label: str | None = None) -> float:
        """Of how many rows the score tells: of all, and at an end of its scale of those that could have moved it."""
        rows = len(named.gold)
        if METRICS[metric].lowest < score < 1 or named.silhouettes is not None:
            return rows
        if self.type == TAGS:
            return max(1.0, effective.of_tags(metric, named.gold, named.predicted, self.scheme))
        gold, predicted = self._ids(named.gold), self._ids(named.predicted)
        return max(1.0, effective.of_texts(metric, gold, predicted, self._positive(label)))

    def on_one_scale(self, named: Named) -> Named:
        """With the ranks of scores in place of scores, so that rows of two systems can be exchanged: of texts with two
        labels the ranks of their difference, else of each label's. Metrics of the order of rows stay what they are.
        """
        if named.scores is None:
            return named
        from scipy.stats import rankdata

        ranks = named.scores.astype(np.float64)
        if len(self.labels) == 2:
            ranks = np.stack([np.zeros(len(ranks)), rankdata(ranks[:, 1] - ranks[:, 0])], axis=1)
        else:
            ranks = rankdata(ranks, axis=0)
        return replace(named, scores=ranks)

    def _positive(self, label: str | None) -> int:
        asked = label or self.positive
        return 1 if asked is None else self.labels.index(asked)

    def _ids(self, names: Iterable[Any]) -> np.ndarray:
        ids = {label: index for index, label in enumerate(self.labels)}
        return np.array([ids[name] for name in names])


Names = list[str] | Tagging


@dataclass(frozen=True)
class Named:
    """Predictions by the names of their labels or tags, as they are stored; scores: (n, labels) or None; silhouettes:
    (n,) of a clustering, else None.
    """

    gold: Names
    predicted: Names
    scores: np.ndarray | None
    silhouettes: np.ndarray | None = None

    @staticmethod
    def of(predictions: Predictions, classes: tuple[str, ...]) -> Named:
        def names(ids: list[Any]) -> Names:
            tagged = ids and isinstance(ids[0], list)
            return Tagging.of_ids(ids, classes) if tagged else [classes[i] for i in ids]

        gold, predicted = names(predictions.gold), names(predictions.predicted)
        return Named(gold, predicted, predictions.scores, predictions.silhouettes)

    @staticmethod
    def stored(results: Path, run: RunResult) -> Named:
        return Named.of_table(store.read_predictions(results, run))

    @staticmethod
    def of_table(table: pa.Table) -> Named:
        """Of predictions as `store` reads them."""
        import pyarrow as pa

        columns = (table.column(name) for name in ("gold", "predicted"))
        gold, predicted = (
            Tagging.of_column(column) if pa.types.is_list(column.type) else column.to_pylist() for column in columns
        )
        if "silhouette" in table.column_names:
            return Named(gold, predicted, None, table.column("silhouette").to_numpy())
        if "scores" not in table.column_names:
            return Named(gold, predicted, None)
        flat = table.column("scores").combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return Named(gold, predicted, flat.astype(np.float32).reshape(len(gold), -1))

    def rows(self, places: Sequence[int]) -> Named:
        """Those at these places alone."""

        def kept(names: Names) -> Names:
            return names.rows(places) if isinstance(names, Tagging) else [names[place] for place in places]

        scores, silhouettes = (
            None if values is None else values[list(places)] for values in (self.scores, self.silhouettes)
        )
        return Named(kept(self.gold), kept(self.predicted), scores, silhouettes)

    @staticmethod
    def joined(parts: Sequence[Named]) -> Named:
        """One after the other; without scores where a part has none, and so with silhouettes."""

        def whole(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
            there = [array for array in arrays if array is not None]
            return np.concatenate(there) if len(there) == len(parts) else None

        def names(lists: Sequence[Names]) -> Names:
            if any(isinstance(own, Tagging) for own in lists):
                return Tagging.joined([Tagging.of(own) for own in lists])
            return list(chain.from_iterable(own for own in lists if isinstance(own, list)))

        return Named(
            names([part.gold for part in parts]),
            names([part.predicted for part in parts]),
            whole([part.scores for part in parts]),
            whole([part.silhouettes for part in parts]),
        )


def rescored(results: Path, run: RunResult) -> dict[str, float]:
    """The metrics of a stored run, computed anew from its stored predictions."""
    return Scoring.of_run(run).measure(Named.stored(results, run))
