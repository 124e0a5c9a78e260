"""Two systems on the same rows: tests of their difference, and the correction for many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.stats.resampling import AT_ONCE

Floats = npt.NDArray[np.float64]

PERMUTATIONS = 10_000


def permutation_test(
    metrics: Sequence[Callable[[Floats], tuple[Floats, Floats]]], rows: int, count: int = PERMUTATIONS, seed: int = 0
) -> float:
    """Two-sided p of the difference of two systems' metric, the mean over pairs of runs, when every row's predictions
    are exchanged between the two by a coin (Noreen 1989). It is of these trained models: other seeds are no part of it.

    metrics: one function a pair of runs, of (b, rows) zeros and ones: the (b,) values of both where the rows of a one
    are exchanged. The observed order counts as one more permutation, so that p is never 0 (Phipson, Smyth 2010).
    """
    draw = np.random.default_rng(seed)
    observed = abs(_difference(metrics, np.zeros((1, rows)))[0])
    most, extreme = max(1, AT_ONCE // rows), 0
    for start in range(0, count, most):
        exchanged = draw.integers(0, 2, (min(most, count - start), rows)).astype(np.float64)
        differences = np.abs(_difference(metrics, exchanged))
        extreme += int((~(differences < observed - 1e-12)).sum())  # of equal ones, rounding aside, all count
    return (extreme + 1) / (count + 1)


def _difference(metrics: Sequence[Callable[[Floats], tuple[Floats, Floats]]], exchanged: Floats) -> Floats:
    """(b, rows) zeros and ones -> (b,) mean difference of first and second after the exchange."""
    values = (metric(exchanged) for metric in metrics)
    differences: Floats = np.mean([first - second for first, second in values], axis=0)
    return differences


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Exact two-sided p of two runs' accuracy from the rows that one has right and the other wrong (McNemar 1947).

    first, second: (n,) which rows are right. 1 where they differ in none.
    """
    from scipy.stats import binomtest

    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p corrected for the number of tests, so that any false one among them has the level's probability.

    Holm (1979): the k-th smallest of n times n - k + 1, and no smaller than the one before it; at most 1.
    """
    n = len(p_values)
    corrected, highest = [0.0] * n, 0.0
    for place, index in enumerate(sorted(range(n), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (n - place) * p_values[index]))
        corrected[index] = highest
    return corrected
