"""Scores over training sizes: the power law that they follow, and what it says of a size that was not run. Pure.

error(n) = c + a n ** -b, with error = highest score - score (Cortes et al. 1993; Hestness et al. 2017). Each draw of
what the truths at the measured sizes may be is fitted by itself, so that the luck of seeds and rows goes into the
extrapolation. What two sizes don't tell, how far the error can fall at all (c), is drawn too, mostly at the ends: their
interval reaches from a curve that is level from now on to one that rises without end.

A draw in which the score falls with more rows goes on falling (b < 0, c = 0): a fit that could only rise would find
that every curve rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FLOORS = np.linspace(0.0, 1.0, 60)
"""Shares of the smallest error that c may be, tried for three sizes or more."""
AT_ITS_ENDS = 0.9
"""Share of two sizes' draws in which c is none or all of the smallest error: each end of the interval is then the 5.6 %
quantile of such draws, whatever c is.
"""
SMALLEST_ERROR = 1e-6
WORST = 1.0
"""Error of a score of 0: no curve falls below."""
TAILS = (0.025, 0.5, 0.975)


class Extrapolation(NamedTuple):
    """Of a number: the middle of all draws, and the 95 % interval."""

    low: float
    middle: float
    high: float

    @staticmethod
    def of(draws: Floats) -> Extrapolation:
        return Extrapolation(*np.quantile(draws, TAILS).tolist())


class Curve(NamedTuple):
    """A fit to each of m draws: (m,) each of error = c + a n ** -b."""

    a: Floats
    b: Floats
    c: Floats

    def at(self, size: float) -> Floats:
        """(m,) scores, 1 - error."""
        found: Floats = 1 - np.minimum(self.c + self.a * size**-self.b, WORST)
        return found


def fitted(sizes: Sequence[float], draws: Floats, seed: int = 0) -> Curve:
    """sizes: (k,) ascending, two or more; draws: (m, k) scores that may be the truth at each."""
    errors = np.maximum(1 - draws, SMALLEST_ERROR)
    logs = np.log(np.asarray(sizes, dtype=np.float64))
    falls = _slope(logs, errors)[1] < 0
    most = np.where(falls, 0.0, errors.min(axis=1))
    shares: Sequence[float | Floats] = FLOORS.tolist()
    if len(sizes) == 2:
        ends = AT_ITS_ENDS / 2 / (1 - AT_ITS_ENDS)
        shares = [np.random.default_rng(seed).uniform(-ends, 1 + ends, len(draws)).clip(FLOORS[0], FLOORS[-1])]
    candidates = [most * share for share in shares]
    fits = [_slope(logs, errors - floors[:, None], np.where(falls, -np.inf, 0.0)) for floors in candidates]
    best = np.argmin([_misfit(logs, errors, fit, floors) for fit, floors in zip(fits, candidates, strict=True)], axis=0)
    every = np.arange(len(draws))
    a, b, c = (np.stack(part)[best, every] for part in (*zip(*fits, strict=True), candidates))
    return Curve(a, b, c)


def _slope(logs: Floats, errors: Floats, least: npt.ArrayLike = -np.inf) -> tuple[Floats, Floats]:
    """a and b of error = a n ** -b by least squares of the logarithms; least: of b."""
    y = np.log(np.maximum(errors, SMALLEST_ERROR))
    centred = logs - logs.mean()
    b = np.maximum(least, -(y @ centred) / (centred @ centred))
    return np.exp(y.mean(axis=1) + b * logs.mean()), b


def _misfit(logs: Floats, errors: Floats, fit: tuple[Floats, Floats], floors: Floats) -> Floats:
    a, b = fit
    there = floors[:, None] + a[:, None] * np.exp(-b[:, None] * logs)
    misfit: Floats = ((there - errors) ** 2).sum(axis=1)
    return misfit


def extrapolated(curve: Curve, size: float) -> Extrapolation:
    """The score at a size."""
    return Extrapolation.of(curve.at(size))
