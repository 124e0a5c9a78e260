"""Average precision, ROC AUC and best F1 of rows in the order of a score, for many weights of the rows at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Ranking:
    """Metrics of the order of rows by score: (n,) whether positive, (n,) scores, higher is likelier."""

    def __init__(self, is_positive: npt.NDArray[np.bool_], score: npt.NDArray[np.floating]) -> None:
        self.order = np.argsort(-score, kind="stable")
        self.score = score[self.order]
        self.positive = is_positive[self.order].astype(np.float64)
        # no threshold parts equal scores
        self.ends = np.append(np.flatnonzero(self.score[1:] != self.score[:-1]), len(score) - 1)

    @property
    def once(self) -> Floats:
        """(1, n) weights, by which every row counts once."""
        return np.ones((1, len(self.order)))

    def _counted(self, weights: Floats) -> tuple[Floats, Floats]:
        """(b, n) -> (b, thresholds) true positives and predicted, from the highest threshold to the lowest."""
        ranked = weights[:, self.order]
        return np.cumsum(ranked * self.positive, axis=1)[:, self.ends], np.cumsum(ranked, axis=1)[:, self.ends]

    def average_precision(self, weights: Floats) -> Floats:
        """Sum over thresholds of (R_n - R_n-1) P_n, as in scikit-learn."""
        true, predicted = self._counted(weights)
        gained = np.diff(true, axis=1, prepend=0.0)
        precision = np.divide(true, predicted, out=np.zeros_like(true), where=predicted > 0)
        return defined((gained * precision).sum(axis=1), true[:, -1])

    def roc_auc(self, weights: Floats) -> Floats:
        """Share of (positive, other) pairs in the right order; equal scores count half (Mann, Whitney 1947)."""
        true, predicted = self._counted(weights)
        gained = np.diff(true, axis=1, prepend=0.0)
        others = np.diff(predicted - true, axis=1, prepend=0.0)
        return defined((others * (true - gained / 2)).sum(axis=1), true[:, -1] * (predicted - true)[:, -1])

    def best_f1(self, weights: Floats) -> Floats:
        true, predicted = self._counted(weights)
        best = (2 * true / np.maximum(predicted + true[:, -1:], 1e-300)).max(axis=1)
        return defined(best * true[:, -1], true[:, -1])

    def best(self) -> tuple[float, float]:
        """Highest F1 of `score >= threshold`, and that threshold; of equally good ones the highest. Each row counts
        once.

        From counts, not from precision_recall_curve: there rounding decides between equally good thresholds.
        """
        f1 = 2 * np.cumsum(self.positive)[self.ends] / (self.ends + 1 + self.positive.sum())
        best = int(np.argmax(f1))
        return float(f1[best]), float(self.score[self.ends[best]])


def defined(up: Floats, down: npt.NDArray[np.number]) -> Floats:
    """NaN where the divisor is 0."""
    values: Floats = np.full_like(up, np.nan)
    np.divide(up, down, out=values, where=down > 0)
    return values
