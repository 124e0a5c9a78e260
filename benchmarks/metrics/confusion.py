"""Confusion counts, and every precision, recall, F1 and correlation that follows from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.integer]


class Matches(NamedTuple):
    """What is counted, one by one, (m,) each: in this row, of this class, in this column of (true positives, predicted,
    gold).
    """

    rows: Ids
    classes: Ids
    columns: Ids

    @staticmethod
    def of(right: tuple[Ids, Ids], predicted: tuple[Ids, Ids], gold: tuple[Ids, Ids]) -> Matches:
        """Each: the rows and the classes of what is counted there."""
        rows, classes = (np.concatenate(parts) for parts in zip(right, predicted, gold, strict=True))
        return Matches(rows, classes, np.repeat([0, 1, 2], [len(found) for found, _ in (right, predicted, gold)]))

    @staticmethod
    def of_ids(gold: Ids, predicted: Ids, rows: Ids) -> Matches:
        """(n,) class ids of n items, and the row in which each stands."""
        right = np.flatnonzero(gold == predicted)
        return Matches.of((rows[right], gold[right]), (rows, predicted), (rows, gold))

    def only(self, kept: npt.NDArray[np.bool_]) -> Matches:
        return Matches(self.rows[kept], self.classes[kept], self.columns[kept])

    def as_one(self) -> Matches:
        """As if there were one class."""
        return self._replace(classes=np.zeros_like(self.classes))

    def summed(self, k: int) -> Counts:
        """(k, 3) of k classes."""
        return np.bincount(3 * self.classes + self.columns, minlength=3 * k).reshape(k, 3).astype(np.int64)


def confusion(gold: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer], k: int) -> Counts:
    """(n,) and (n,) class ids below k -> (k, k) counts, rows gold, columns predicted."""
    cells = gold.astype(np.int64) * k + predicted
    return np.bincount(cells, minlength=k * k).reshape(k, k).astype(np.int64)


def matches(matrix: Counts) -> Counts:
    """(k, k) confusion -> (k, 3): true positives, predicted, gold of each class."""
    return np.stack([np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1)], axis=-1)


def precision_recall_f1(counts: Counts | Floats) -> Floats:
    """(..., 3) true positives, predicted, gold -> (..., 3) precision, recall, F1.

    0 where the divisor is 0, as scikit-learn with zero_division=0. F1 = 2 tp / (predicted + gold) is the harmonic
    mean of the other two and is defined wherever one of them is (van Rijsbergen 1979, ch. 7).
    """
    true, predicted, gold = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    ratios = [(true, predicted), (true, gold), (2 * true, predicted + gold)]
    return np.stack([_ratio(up, down) for up, down in ratios], axis=-1)


# Each of these takes (..., k, 3) matches of k classes and gives (...): one set of counts, or one for each resample.


def f1_micro(counts: Counts | Floats) -> Floats:
    """F1 of the sums over classes; 0 where there is nothing to count."""
    f1: Floats = precision_recall_f1(np.asarray(counts).sum(axis=-2))[..., 2]
    return f1


def f1_macro(counts: Counts | Floats) -> Floats:
    """Mean F1 over the classes in gold or predicted; 0 where there are none."""
    present = np.asarray(counts)[..., 1:].sum(axis=-1) > 0
    total = precision_recall_f1(counts)[..., 2].sum(axis=-1)  # an absent class adds 0
    return _ratio(total, present.sum(axis=-1))


def f1_weighted(counts: Counts | Floats) -> Floats:
    """Mean F1 weighted by gold counts; 0 where gold has none."""
    support = np.asarray(counts, dtype=np.float64)[..., 2]
    weighted = (precision_recall_f1(counts)[..., 2] * support).sum(axis=-1)
    return _ratio(weighted, support.sum(axis=-1))


def accuracy(counts: Counts | Floats) -> Floats:
    """Share of items that are true positives of their class."""
    true, gold = (np.asarray(counts, dtype=np.float64)[..., column].sum(axis=-1) for column in (0, 2))
    return _ratio(true, gold)


def mcc(counts: Counts | Floats) -> Floats:
    """Matthews correlation (the R_K of Gorodkin 2004); 0 if gold or predicted is one class only."""
    true, predicted, gold = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    n = gold.sum(axis=-1)
    shared = true.sum(axis=-1) * n - (gold * predicted).sum(axis=-1)
    # One root of the product: two rounded roots give more than 1.
    spread = np.sqrt((n**2 - (gold**2).sum(axis=-1)) * (n**2 - (predicted**2).sum(axis=-1)))
    return _ratio(shared, spread)


def _ratio(up: Floats, down: Floats) -> Floats:
    """0 where the divisor is 0."""
    zeros: Floats = np.zeros_like(up, dtype=np.float64)
    return np.divide(up, down, out=zeros, where=np.asarray(down) > 0)


def per_class(names: list[str], counts: Counts) -> dict[str, dict[str, float | int]]:
    """k names and (k, 3) counts -> precision, recall, f1 and support (gold count) by name, as plain Python numbers."""
    rows = zip(names, precision_recall_f1(counts).tolist(), counts[:, 2].tolist(), strict=True)
    return {name: {"precision": p, "recall": r, "f1": f, "support": support} for name, (p, r, f), support in rows}
