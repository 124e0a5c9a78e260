"""The mean over seeds alone, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float | None]:
    """The mean, and half the width of its confidence interval; None for one value, which tells nothing of its spread.

    Student (1908), The Probable Error of a Mean: t((1 + level) / 2, n - 1) * sd / sqrt(n), sd over n - 1.
    Not 1.96: of two seeds the factor is 12.7, of three 4.3. Equal values give exactly that value and 0.
    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("mean of no values")
    if min(values) == max(values):  # a sum that is rounded and divided may miss the value itself
        return float(values[0]), (0.0 if len(values) > 1 else None)
    from scipy.special import stdtrit

    mean, freedom = fmean(values), len(values) - 1
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / freedom)
    return mean, float(stdtrit(freedom, (1 + level) / 2)) * sd / math.sqrt(len(values))
