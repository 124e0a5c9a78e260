"""The mean over seeds alone, with its interval, and how far two such means may lie apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance


def mean(values: Sequence[float]) -> float:
    """Equal values give exactly that value, which a sum that is rounded and divided may miss.

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("mean of no values")
    return float(values[0]) if min(values) == max(values) else fmean(values)


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float | None]:
    """The mean, and half the width of its confidence interval; None for one value, which tells nothing of its spread.

    Student (1908), The Probable Error of a Mean: t((1 + level) / 2, n - 1) * sd / sqrt(n), sd over n - 1.
    Not 1.96: of two seeds the factor is 12.7, of three 4.3. Equal values give exactly that value and 0.
    Raises ValueError for no values.
    """
    middle, freedom = mean(values), len(values) - 1
    if min(values) == max(values):
        return middle, (0.0 if freedom else None)
    from scipy.special import stdtrit

    sd = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / freedom)
    return middle, float(stdtrit(freedom, (1 + level) / 2)) * sd / math.sqrt(len(values))


def noise(first: Sequence[float], second: Sequence[float]) -> float | None:
    """How far the means of two samples of one distribution lie apart at most, 95 times in 100; None for single values,
    which tell nothing of their spread. Student's t with pooled variance.
    """
    degrees = len(first) + len(second) - 2
    if min(len(first), len(second)) < 2:
        return None
    from scipy.special import stdtrit

    pooled = ((len(first) - 1) * variance(first) + (len(second) - 1) * variance(second)) / degrees
    return float(stdtrit(degrees, 0.975)) * math.sqrt(pooled * (1 / len(first) + 1 / len(second)))
