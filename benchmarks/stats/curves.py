"""Scores over training sizes: the power law that they follow, and what it says of a size that was not run. Pure.

error(n) = c + a n ** -b, with error = highest score - score (Cortes et al. 1993; Hestness et al. 2017). Each draw of
what the truths at the measured sizes may be is fitted by itself, so that the luck of seeds and rows goes into the
extrapolation. What two sizes don't tell, how far the curve can fall at all (c), is drawn too, between none of the
smallest error and all of it: the honest answer of two sizes is wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FLOORS = np.linspace(0.0, 0.999, 60)
"""Shares of the smallest error that c may be, tried for three sizes or more."""
SMALLEST_ERROR = 1e-6
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
        found: Floats = 1 - (self.c + self.a * size**-self.b)
        return found


def fitted(sizes: Sequence[float], draws: Floats, seed: int = 0) -> Curve:
    """sizes: (k,) ascending, two or more; draws: (m, k) scores that may be the truth at each. A curve that falls with
    more rows is fitted as one that is level.
    """
    errors = np.maximum(1 - draws, SMALLEST_ERROR)
    logs = np.log(np.asarray(sizes, dtype=np.float64))
    if len(sizes) == 2:
        floors = np.random.default_rng(seed).random(len(draws)) * errors.min(axis=1)
        return Curve(*_slope(logs, errors - floors[:, None])[:2], floors)
    candidates = [errors.min(axis=1) * share for share in FLOORS]
    fits = [_slope(logs, errors - floors[:, None]) for floors in candidates]
    best = np.argmin([_misfit(logs, errors, fit, floors) for fit, floors in zip(fits, candidates, strict=True)], axis=0)
    every = np.arange(len(draws))
    a, b, c = (np.stack(part)[best, every] for part in (*zip(*fits, strict=True), candidates))
    return Curve(a, b, c)


def _slope(logs: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """a and b of error = a n ** -b by least squares of the logarithms; b is no smaller than 0."""
    y = np.log(np.maximum(errors, SMALLEST_ERROR))
    centred = logs - logs.mean()
    b = np.maximum(0.0, -(y @ centred) / (centred @ centred))
    return np.exp(y.mean(axis=1) + b * logs.mean()), b


def _misfit(logs: Floats, errors: Floats, fit: tuple[Floats, Floats], floors: Floats) -> Floats:
    a, b = fit
    there = floors[:, None] + a[:, None] * np.exp(-b[:, None] * logs)
    misfit: Floats = ((there - errors) ** 2).sum(axis=1)
    return misfit


def extrapolated(curve: Curve, size: float) -> Extrapolation:
    """The score at a size."""
    return Extrapolation.of(curve.at(size))


def gained(curve: Curve, start: float, end: float) -> Extrapolation:
    """How much the score rises from one size to another."""
    return Extrapolation.of(curve.at(end) - curve.at(start))
