"""Scores of a clustering: how compact and how far apart its clusters are, and how they agree with the gold classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.metrics import confusion as cm

Ids = npt.NDArray[np.integer]


def measure(gold: Ids, predicted: Ids, silhouettes: npt.NDArray[np.floating]) -> dict[str, float]:
    """Every metric of a clustering, none of which a one-to-one renaming of clusters changes.

    gold: (n,) class ids; predicted: (n,) cluster ids, or the classes that clusters were matched to; silhouettes: (n,).
    Raises ValueError for no rows and unequal lengths.
    """
    table = counts(gold, predicted)
    if len(silhouettes) != len(gold):
        raise ValueError(f"gold {gold.shape} and silhouettes {silhouettes.shape} should be one value a row each.")
    agreement = {name: score(table) for name, score in AGREEMENT.items()}
    return {"silhouette": float(np.mean(silhouettes, dtype=np.float64)), **agreement}


def report(gold: Ids, matched: Ids, labels: Sequence[str]) -> dict[str, Any]:
    """The (k, k) confusion (rows gold, columns the classes that clusters were matched to), JSON-ready.

    No scores by class: the matching looked at the gold labels, and theirs would pass for those of a classification.
    """
    return {"labels": list(labels), "confusion": cm.confusion(gold, matched, len(labels)).tolist()}


# -- agreement with the gold classes ---------------------------------------------------------------------------------


def counts(gold: Ids, predicted: Ids) -> cm.Counts:
    """(n,) and (n,) -> (classes that occur, clusters that occur) rows in each class and cluster.

    Raises ValueError for no rows and unequal lengths.
    """
    if not gold.shape == predicted.shape == (len(gold),) or not len(gold):
        raise ValueError(f"gold {gold.shape} and predicted {predicted.shape} should be one id a row, of some rows.")
    (classes, rows), (clusters, columns) = (np.unique(ids, return_inverse=True) for ids in (gold, predicted))
    cells = np.bincount(rows * len(clusters) + columns, minlength=len(classes) * len(clusters))
    return cells.reshape(len(classes), len(clusters)).astype(np.int64)


def v_measure(table: cm.Counts) -> float:
    """Harmonic mean of homogeneity and completeness (Rosenberg, Hirschberg 2007): 2 I / (H(gold) + H(clusters)).

    1 where there is but one class and one cluster.
    """
    gold, clusters, joint = (_entropy(part) for part in (table.sum(axis=1), table.sum(axis=0), table.ravel()))
    if gold + clusters == 0:
        return 1.0
    return min(1.0, max(0.0, 2 * (gold + clusters - joint) / (gold + clusters)))  # rounding leaves the range


def _entropy(parts: cm.Counts) -> float:
    """(k,) counts -> nats."""
    shares = parts[parts > 0] / parts.sum()
    return float(-(shares * np.log(shares)).sum())


def adjusted_rand(table: cm.Counts) -> float:
    """Share of pairs of rows that both put together or apart, 0 where that is by chance (Hubert, Arabie 1985).

    1 where there is no pair to part: one row, one class in one cluster, or every row on its own in both.
    """
    together, gold, clusters = (_pairs(part) for part in (table.ravel(), table.sum(axis=1), table.sum(axis=0)))
    pairs = math.comb(int(table.sum()), 2)
    above, below = 2 * (together * pairs - gold * clusters), (gold + clusters) * pairs - 2 * gold * clusters
    return above / below if below else 1.0


def _pairs(parts: cm.Counts) -> int:
    """(k,) counts -> pairs within them, in Python's integers: those of 64 bits overflow when two are multiplied."""
    return sum(math.comb(part, 2) for part in parts.tolist())


def cluster_accuracy(table: cm.Counts) -> float:
    """Accuracy of the one-to-one matching of clusters and classes that makes it highest (Kuhn 1955)."""
    return float(table[_matching(table)].sum() / table.sum())


AGREEMENT: dict[str, Callable[[cm.Counts], float]] = {
    "v_measure": v_measure,
    "adjusted_rand": adjusted_rand,
    "cluster_accuracy": cluster_accuracy,
}
"""Metric -> its function of the counts."""


# -- making a clustering comparable ----------------------------------------------------------------------------------


def matched(gold: Ids, clusters: Ids, k: int) -> Ids:
    """(n,) clusters below k as the classes that they are matched to one to one, so that the accuracy is highest."""
    classes, numbers = _matching(cm.confusion(gold, clusters, k))
    found: Ids = np.empty(k, dtype=np.int64)
    found[numbers] = classes
    return found[clusters]


def _matching(table: cm.Counts) -> tuple[Ids, Ids]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    return rows, columns


def silhouettes(vectors: npt.NDArray[np.floating], clusters: Ids) -> npt.NDArray[np.floating]:
    """(n, width) vectors, (n,) cluster ids -> (n,) silhouettes in Euclidean distance (Rousseeuw 1987), by scikit-learn.

    NaN where they are not defined: all rows in one cluster, or each in its own.
    """
    from sklearn.metrics import silhouette_samples

    if not 1 < len(np.unique(clusters)) < len(clusters):
        return np.full(len(clusters), np.nan)
    values: npt.NDArray[np.floating] = silhouette_samples(vectors, clusters)
    return values
