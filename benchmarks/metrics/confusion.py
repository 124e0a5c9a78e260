"""Confusion counts, and every precision, recall, F1 and correlation that follows from them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion(gold: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer], k: int) -> Counts:
    """(n,) and (n,) class ids below k -> (k, k) counts, rows gold, columns predicted."""
    cells = gold.astype(np.int64) * k + predicted
    return np.bincount(cells, minlength=k * k).reshape(k, k).astype(np.int64)


def matches(matrix: Counts) -> Counts:
    """(k, k) confusion -> (k, 3): true positives, predicted, gold of each class."""
    return np.stack([np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1)], axis=-1)


def precision_recall_f1(counts: Counts) -> Floats:
    """(..., 3) true positives, predicted, gold -> (..., 3) precision, recall, F1.

    0 where the divisor is 0, as scikit-learn with zero_division=0. F1 = 2 tp / (predicted + gold) is the harmonic
    mean of the other two and is defined wherever one of them is (van Rijsbergen 1979, ch. 7).
    """
    true, predicted, gold = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    ratios = [(true, predicted), (true, gold), (2 * true, predicted + gold)]
    return np.stack([np.divide(up, down, out=np.zeros_like(up), where=down > 0) for up, down in ratios], axis=-1)


def f1_micro(counts: Counts) -> float:
    """(k, 3) counts -> F1 of their sums; 0 where there is nothing to count."""
    return float(precision_recall_f1(counts.sum(axis=0))[2])


def f1_macro(counts: Counts) -> float:
    """(k, 3) counts -> mean F1 over the classes in gold or predicted; 0 where there are none."""
    present = counts[counts[:, 1:].sum(axis=1) > 0]
    return float(precision_recall_f1(present)[:, 2].mean()) if len(present) else 0.0


def f1_weighted(counts: Counts) -> float:
    """(k, 3) counts -> mean F1 weighted by gold counts; 0 where gold has none."""
    support = counts[:, 2]
    return float(precision_recall_f1(counts)[:, 2] @ support / support.sum()) if support.sum() else 0.0


def accuracy(matrix: Counts) -> float:
    """(k, k) confusion with at least one item -> share on the diagonal."""
    return float(np.trace(matrix) / matrix.sum())


def mcc(matrix: Counts) -> float:
    """(k, k) confusion -> Matthews correlation (the R_K of Gorodkin 2004); 0 if gold or predicted is one class only."""
    predicted, gold, n = matrix.sum(axis=0), matrix.sum(axis=1), int(matrix.sum())
    shared = int(np.trace(matrix)) * n - int(gold @ predicted)
    # Python's integers, and one root: 64 bits overflow from 55,000 rows on, and two rounded roots give more than 1.
    spread = math.sqrt((n * n - int(gold @ gold)) * (n * n - int(predicted @ predicted)))
    return shared / spread if spread else 0.0


def per_class(names: list[str], counts: Counts) -> dict[str, dict[str, float | int]]:
    """k names and (k, 3) counts -> precision, recall, f1 and support (gold count) by name, as plain Python numbers."""
    rows = zip(names, precision_recall_f1(counts).tolist(), counts[:, 2].tolist(), strict=True)
    return {name: {"precision": p, "recall": r, "f1": f, "support": support} for name, (p, r, f), support in rows}
