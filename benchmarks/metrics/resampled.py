"""Every metric of rows that count a number of times each, many such counts at once: what statistics draw from.

A metric of a bootstrap's sample is the metric of the same rows with weights 0, 1, 2 ...: nothing is copied or scored
again. Sums over rows are matrix products, and rankings are sorted once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmarks.metrics import clustering, tags, texts
from benchmarks.metrics import confusion as cm
from benchmarks.metrics.ranking import Ranking, defined
from benchmarks.metrics.tagging import Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
MOST_DENSE = 8
"""Classes: a product with a dense matrix of so few is faster than with a sparse one."""
Weighted = Callable[[Floats], Floats]
"""(b, n) weights of n rows -> (b,) values of a metric; NaN where it is not defined for such rows."""
Exchange = Callable[[Floats], tuple[Floats, Floats]]
"""swaps (b, n) of 0 and 1 -> (b,) values of a metric of system A and (b,) of B, after row i has changed hands where
swaps is 1; built from A's n rows followed by B's."""


# -- text classification ---------------------------------------------------------------------------------------------


def of_texts(
    metric: str, gold: cm.Ids, predicted: cm.Ids, scores: npt.NDArray[np.floating] | None, k: int, positive: int
) -> Weighted:
    """Of `texts.measure`; gold, predicted: (n,) ids below k, scores: (n, k) or None.

    Raises KeyError for a metric that is none of a text classification, or that needs the scores that are not there.
    """
    n = len(gold)
    if metric in texts.OVERALL:
        return Sums.of(cm.Matches.of_ids(gold, predicted, np.arange(n)), n, k, texts.OVERALL[metric])
    if metric in texts.OF_A_CLASS:
        place = texts.OF_A_CLASS.index(metric)
        score = lambda sums: cm.precision_recall_f1(sums[:, 0])[:, place]  # noqa: E731
        matches = cm.Matches.of_ids(gold, predicted, np.arange(n))
        return Sums.of(matches.only(matches.classes == positive).as_one(), n, 1, score)
    if scores is None:
        raise KeyError(f"{metric}: no scores")
    scores = scores.astype(np.float64)
    if metric == "average_precision_macro":
        by_class = [Ranking(gold == c, scores[:, c]).average_precision for c in np.unique(gold)]
        return lambda weights: _mean_of_defined([of_class(weights) for of_class in by_class])
    ranking = Ranking(gold == positive, scores[:, positive] - scores[:, 1 - positive])
    return {
        "average_precision": ranking.average_precision,
        "roc_auc": ranking.roc_auc,
        "best_f1": ranking.best_f1,
    }[metric]


def _mean_of_defined(values: Sequence[Floats]) -> Floats:
    stacked = np.stack(values)
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return defined(total, known.sum(axis=0))


# -- token classification --------------------------------------------------------------------------------------------


def of_tags(metric: str, gold: Rows, predicted: Rows, scheme: str) -> Weighted:
    """Of `tags.measure`. Raises KeyError for a metric that is none of a token classification."""
    if metric in tags.OF_TOKENS:
        return _of_tokens(gold, predicted, tags.OF_TOKENS[metric], with_o=metric not in tags.WITHOUT_O)
    if metric in tags.OF_TYPES:
        return _of_tokens(tags.types(gold), tags.types(predicted), tags.OF_TYPES[metric], with_o=True)
    mode, score = tags.OF_ENTITIES[metric]
    names, matches = tags.entity_matches(gold, predicted, scheme, mode)
    if score is cm.f1_micro:  # of the sums over types
        return Sums.of(matches.as_one(), len(gold), 1, score)
    return Sums.of(matches, len(gold), len(names), score)


def _of_tokens(gold: Rows, predicted: Rows, score: Callable[[Floats], Floats], with_o: bool) -> Weighted:
    names, matches = tags.token_matches(gold, predicted, with_o)
    return Sums.of(matches, len(gold), len(names), score)


# -- clustering ------------------------------------------------------------------------------------------------------


def of_clusters(metric: str, gold: cm.Ids, predicted: cm.Ids, silhouettes: npt.NDArray[np.floating]) -> Weighted:
    """Of `clustering.measure`. Raises KeyError for a metric that is none of a clustering."""
    if metric == "silhouette":
        return lambda weights: weights @ silhouettes.astype(np.float64) / weights.sum(axis=1)
    score = clustering.AGREEMENT[metric]
    (classes, rows), (clusters, columns) = (np.unique(ids, return_inverse=True) for ids in (gold, predicted))
    cells = rows * len(clusters) + columns
    shape = (len(classes), len(clusters))

    def weighted(weights: Floats) -> Floats:
        tables = [np.bincount(cells, weights=row, minlength=shape[0] * shape[1]) for row in weights]
        return np.array([score(table.reshape(shape).astype(np.int64)) for table in tables])

    return weighted


# -- what they share -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """A metric of sums over rows. counts: (3 k, n), what each row adds to the (k, 3) matches of k classes; sparse where
    there are many classes, of which a row has few.
    """

    counts: Floats | csr_array
    score: Callable[[Floats], Floats]

    @staticmethod
    def of(matches: cm.Matches, n: int, k: int, score: Callable[[Floats], Floats]) -> Sums:
        from scipy.sparse import csr_array

        cells = (3 * matches.classes + matches.columns, matches.rows)
        counts = csr_array((np.ones(len(matches.rows)), cells), shape=(3 * max(k, 1), n))
        return Sums(counts.toarray() if k <= MOST_DENSE else counts, score)

    def __call__(self, weights: Floats) -> Floats:
        return self._of((self.counts @ weights.T).T)

    def _of(self, sums: Floats) -> Floats:
        return self.score(np.ascontiguousarray(sums).reshape(len(sums), -1, 3))

    def exchanging(self) -> Exchange:
        """What both halves add up to is no other after an exchange, and rows that add the same change nothing: a tenth
        of the work of weighing all rows twice.
        """
        from scipy.sparse import csc_array

        counts = csc_array(self.counts)
        first, last = counts[:, : counts.shape[1] // 2], counts[:, counts.shape[1] // 2 :]
        differ = np.unique((last - first).nonzero()[1])
        added = (last - first)[:, differ]
        added = added.toarray() if isinstance(self.counts, np.ndarray) else added
        totals = first.sum(axis=1), last.sum(axis=1)

        def of(swaps: Floats) -> tuple[Floats, Floats]:
            moved = (added @ swaps[:, differ].T).T
            return self._of(totals[0] + moved), self._of(totals[1] - moved)

        return of


def exchanging(metric: Weighted) -> Exchange:
    """Of a metric of two runs' rows, one run's after the other's in the same order."""
    if isinstance(metric, Sums):
        return metric.exchanging()
    return lambda swaps: (metric(np.hstack([1 - swaps, swaps])), metric(np.hstack([swaps, 1 - swaps])))
