"""Scores of text classification: from gold, predicted and scores to numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.metrics import confusion as cm
from benchmarks.metrics.ranking import Ranking

Ids = npt.NDArray[np.integer]
Scores = npt.NDArray[np.floating]


def measure(
    gold: Ids, predicted: Ids, scores: Scores | None, labels: Sequence[str], positive: int | None
) -> dict[str, float]:
    """Every metric that is defined for these rows; one that is not defined for them is left out.

    gold, predicted: (n,) ids of `labels` (k); scores: (n, k), higher is likelier, on any scale, or None.
    positive: id of the positive class, used with two labels only; None is 1, as in scikit-learn.
    Two labels: a row's ranking score is scores[:, positive] - scores[:, other], in 64 bits; `best_f1` is the F1 of
    predicting positive where ranking score >= `best_f1_threshold`, which is on that same scale and was chosen on these
    very rows, so it is an upper bound. Left out: what needs scores without them; `roc_auc` if gold has one class only;
    `average_precision`, `best_f1` and its threshold if gold has no positive row.
    More labels: average precision of each class that is in gold ranks the rows by that class's column as it is.
    Raises ValueError for no rows, unequal lengths, ids that are no label, scores that are not finite.
    """
    gold, predicted = np.asarray(gold), np.asarray(predicted)
    scores = None if scores is None else np.asarray(scores, dtype=np.float64)
    _check(gold, predicted, scores, len(labels))
    matrix = cm.confusion(gold, predicted, len(labels))
    numbers = {name: float(score(cm.matches(matrix))) for name, score in OVERALL.items()}
    if len(labels) == 2:
        positive = 1 if positive is None else positive
        numbers |= _of_class(matrix, positive)
        if scores is not None:
            numbers |= _ranked(gold == positive, scores[:, positive] - scores[:, 1 - positive])
    elif len(labels) > 2 and scores is not None:
        numbers["average_precision_macro"] = _average_precision_macro(gold, scores)
    return numbers


def report(gold: Ids, predicted: Ids, labels: Sequence[str]) -> dict[str, Any]:
    """Precision, recall, F1 and support of every declared label, and the (k, k) confusion (rows gold), JSON-ready."""
    gold, predicted = np.asarray(gold), np.asarray(predicted)
    _check(gold, predicted, None, len(labels))
    matrix = cm.confusion(gold, predicted, len(labels))
    names = list(labels)
    return {"labels": names, "per_class": cm.per_class(names, cm.matches(matrix)), "confusion": matrix.tolist()}


OVERALL: dict[str, Callable[[cm.Counts | cm.Floats], cm.Floats]] = {
    "accuracy": cm.accuracy,
    "f1_micro": cm.f1_micro,
    "f1_macro": cm.f1_macro,
    "f1_weighted": cm.f1_weighted,
    "mcc": cm.mcc,
}
"""Metric -> its function of the (..., k, 3) matches of all classes."""
OF_A_CLASS = ("precision", "recall", "f1")


def _of_class(matrix: cm.Counts, positive: int) -> dict[str, float]:
    values = cm.precision_recall_f1(cm.matches(matrix)[positive])
    return dict(zip(OF_A_CLASS, values.tolist(), strict=True))


def _ranked(is_positive: npt.NDArray[np.bool_], score: Scores) -> dict[str, float]:
    """What the order of the rows by (n,) score says about the (n,) positive ones."""
    if not is_positive.any():
        return {}
    ranking = Ranking(is_positive, score)
    numbers = {"average_precision": _average_precision(ranking)}
    if not is_positive.all():
        numbers["roc_auc"] = float(ranking.roc_auc(ranking.once)[0])
    best, threshold = ranking.best()
    return numbers | {"best_f1": best, "best_f1_threshold": threshold}


def _average_precision(ranking: Ranking) -> float:
    return min(1.0, float(ranking.average_precision(ranking.once)[0]))  # rounding may give 1 + 2e-16


def _average_precision_macro(gold: Ids, scores: Scores) -> float:
    return float(np.mean([_average_precision(Ranking(gold == c, scores[:, c])) for c in np.unique(gold)]))


def _check(gold: Ids, predicted: Ids, scores: Scores | None, k: int) -> None:
    if gold.ndim != 1 or gold.shape != predicted.shape:
        raise ValueError(f"gold {gold.shape} and predicted {predicted.shape} should be one class id a row each.")
    if not len(gold):
        raise ValueError("No rows to score: gold and predicted are empty.")
    for name, ids in (("gold", gold), ("predicted", predicted)):
        wrong = np.flatnonzero((ids < 0) | (ids >= k))
        if len(wrong):
            raise ValueError(f"{name}, row {wrong[0]}: {ids[wrong[0]]} is no class id; there are {k} labels.")
    if scores is not None:
        _check_scores(scores, (len(gold), k))


def _check_scores(scores: Scores, shape: tuple[int, int]) -> None:
    if scores.shape != shape:
        raise ValueError(f"scores are of shape {scores.shape}, expected {shape} (rows, labels).")
    wrong = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(wrong):
        raise ValueError(f"scores, row {wrong[0]}: {scores[wrong[0]].tolist()} is not finite.")
