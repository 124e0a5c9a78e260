"""How far a mean over seeds may be from the truth: its variance from seeds and from test rows, and what follows.

A score of one run is truth + seed + rows + (seed x rows): the same test rows are hard for every seed. The variance of
the mean over S seeds is then V_seed / S + V_rows + V_both / S.

- The seeds' scores on the same rows vary by V_seed + V_both: s^2 / S is the first and last part, with S - 1 degrees of
  freedom. Few seeds tell little of it, which is why quantiles are Student's and not those of resampled seeds: to draw
  again from three seeds makes an interval that holds the truth 85 times in 100 instead of 95 where seeds matter.
- The bootstrap by rows of the mean gives V_rows + V_both / S, and that of the seeds' deviations V_both: what is left is
  the middle part.

The quantile for the sum of both lies between the normal's and Student's. That of Cochran and Cox (1950) weighs them by
their variances, w t + (1 - w) z, and is too wide by up to 2 points. Ours weighs by w^1.5: with three seeds or more the
interval holds the truth within a point of 95 times in 100, whatever the shares (worked out by numerical integration;
two seeds: 92 to 96.5). Further out, where corrected p-values are, the luck that made the seeds' share look small weighs
more, and the power falls to 1. The tests simulate it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
"""On either side of an interval."""
SMALLEST = 1e-12
"""p-value: no quantile is known so far out that a smaller one would mean anything."""
POWER = 1.5
"""Of the seeds' share of the variance, in the weight of Student's quantile, of LEVEL's interval and nearer ones."""
POWER_FAR_OUT = 1.0
FAR_OUT = 0.001
"""A tail, from which on the power is that; between the two it falls with the tail's logarithm."""
DRAWS = 2000
HALVINGS = 26
"""Of the interval in which a p-value's logarithm is looked for: it is then known to six digits."""


class Spread(NamedTuple):
    """Variances of an estimate: of the seeds' part, with its degrees of freedom (0: one seed, nothing is known of it),
    and of the rows' part. Numbers, or arrays of one shape for many estimates at once.
    """

    seeds: Floats | float
    freedom: Floats | float
    rows: Floats | float

    @property
    def variance(self) -> Floats | float:
        return self.seeds + self.rows

    def quantile(self, tail: Floats | float) -> Floats:
        """How many standard errors the estimate lies above the truth with probability `tail`."""
        from scipy.special import ndtri, stdtrit

        known = np.asarray(self.freedom) > 0
        share = np.divide(self.seeds, self.variance, out=np.zeros(known.shape), where=known & (self.variance > 0))
        normal = -ndtri(tail)
        students = -stdtrit(np.where(known, self.freedom, 1.0), tail)
        found: Floats = normal + (students - normal) * share ** _power(tail)
        return found


def _power(tail: Floats | float) -> Floats:
    far = np.clip(np.log(TAIL / np.asarray(tail)) / math.log(TAIL / FAR_OUT), 0.0, 1.0)
    found: Floats = POWER + (POWER_FAR_OUT - POWER) * far
    return found


class Difference(NamedTuple):
    """Of two means: first minus second, its 95 % interval, and the two-sided p of none."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Estimates:
    """The means over seeds of k systems that were scored on the same samples of rows, and how far they may be off.

    means, seeds, freedom: (k,), the last two as in Spread. rows: (k, k) covariance of the rows' parts. both: (k,)
    of the part of each seed's own. sampled: (b, k) how far the means over seeds lie from their middle on samples of the
    rows.
    """

    means: Floats
    seeds: Floats
    freedom: Floats
    rows: Floats
    both: Floats
    sampled: Floats

    @staticmethod
    def of(values: Sequence[Sequence[float]], replicates: Sequence[Floats]) -> Estimates:
        """values: of each system one a seed; replicates: of each (b, seeds) values on the same samples of rows.

        Seeds of two systems have nothing in common here; where they draw the same training rows, that is too careful.
        """
        counts = np.array([len(own) for own in values], dtype=np.float64)
        defined = ~np.isnan(np.hstack(replicates)).any(axis=1)
        found = [own[defined] for own in replicates]
        means = np.stack([own.mean(axis=1) for own in found], axis=1)
        sampled = means - means.mean(axis=0) if len(means) > 1 else np.zeros((1, len(values)))
        rows = sampled.T @ sampled / max(1, len(sampled) - 1)
        both = np.array([_of_deviations(own) for own in found])
        rows = rows - np.diag(both / counts)  # V_both / S is within the seeds' part already
        return Estimates(
            means=np.array([np.mean(own) for own in values]),
            seeds=np.array([np.var(own, ddof=1) if len(own) > 1 else 0.0 for own in values]) / counts,
            freedom=counts - 1,
            rows=rows,
            both=both,
            sampled=sampled,
        )

    def spread(self, system: int) -> Spread:
        """Of one system's mean."""
        return Spread(self.seeds[system], self.freedom[system], max(0.0, self.rows[system, system]))

    def another(self, system: int, rows: int, size: int) -> Spread:
        """Of the difference between one more run, of another seed on `size` other rows, and the mean of ours on `rows`.

        V_seed + V_both is what the seeds' scores vary by, once for the new run and by S for ours; V_rows stands for the
        new rows and for ours, in proportion to their numbers, and so does V_both where the new rows are fewer. Without
        rows this is Student's prediction interval, t s sqrt(1 + 1 / S).
        """
        times, seeds = rows / size, self.freedom[system] + 1
        of_rows = max(0.0, self.rows[system, system]) * (1 + times) + self.both[system] * max(0.0, times - 1)
        return Spread(self.seeds[system] * (seeds + 1), self.freedom[system], of_rows)

    def between(self, first: npt.ArrayLike, second: npt.ArrayLike) -> Spread:
        """Of the difference of two systems' means, or of as many as there are places in each array."""
        first, second = np.asarray(first), np.asarray(second)
        parts = [(self.seeds[place], self.freedom[place]) for place in (first, second)]
        # Welch (1947)
        spent = sum(np.divide(s**2, f, out=np.zeros(np.shape(s)), where=f > 0) for s, f in parts)
        seeds = parts[0][0] + parts[1][0]
        freedom = np.divide(seeds**2, spent, out=np.zeros(np.shape(spent)), where=spent > 0)
        variances = np.diagonal(self.rows)
        rows = variances[first] + variances[second] - 2 * self.rows[first, second]
        return Spread(seeds, freedom, np.maximum(0.0, rows))

    def p_values(self) -> Floats:
        """(k, k) two-sided, of each pair's difference; 1 on the diagonal."""
        k = len(self.means)
        first, second = np.triu_indices(k, 1)
        found = np.ones((k, k))
        found[first, second] = p_value(self.means[first] - self.means[second], self.between(first, second))
        found[second, first] = found[first, second]
        return found

    def difference(self, first: int, second: int) -> Difference:
        """Of two systems' means."""
        return _difference(float(self.means[first] - self.means[second]), self.between(first, second))

    def draws(self, count: int = DRAWS, seed: int = 0) -> Floats:
        """(count, k) what the truths may be as far as these seeds and rows tell: systems share the luck of the rows."""
        luck = np.random.default_rng(seed).standard_t(np.maximum(self.freedom, 1.0), (count, len(self.means)))
        variances = np.maximum(0.0, np.diagonal(self.rows))
        there = np.var(self.sampled, axis=0, ddof=1) if len(self.sampled) > 1 else np.zeros(len(self.means))
        own = np.sqrt(np.divide(variances, there, out=np.zeros_like(there), where=there > 0))  # without V_both
        of_rows = self.sampled[np.arange(count) % len(self.sampled)] * own
        found: Floats = self.means + of_rows + luck * np.sqrt(self.seeds)
        return found


def paired(values: Sequence[float], replicates: Floats) -> Difference:
    """Of two scores of the same runs, such as on all and on some of their rows; values: of each seed the one minus the
    other, replicates: (b, seeds) of the same.
    """
    found = Estimates.of([values], [replicates])
    return _difference(float(found.means[0]), found.spread(0))


def _difference(value: float, spread: Spread) -> Difference:
    half = float(spread.quantile(TAIL) * np.sqrt(spread.variance))
    return Difference(value, value - half, value + half, float(p_value(value, spread)))


def _of_deviations(replicates: Floats) -> float:
    """Variance of a seed's deviation from the mean over seeds."""
    count = replicates.shape[1]
    if len(replicates) < 2 or count < 2:
        return 0.0
    deviations = replicates - replicates.mean(axis=1, keepdims=True)
    return float(np.var(deviations, axis=0, ddof=1).sum() / (count - 1))


def interval(
    mean: float, spread: Spread, effective: float, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Low and high end, within the bounds of the metric.

    Wilson's (1927) interval with as many rows as would give a share this variance, as surveys do (Korn, Graubard 1998):
    near a bound it leans away from it. effective: taken instead where nothing varies, as of a perfect score: what never
    went wrong in 50 rows may still go wrong in one of 20.
    """
    lowest, width = bounds[0], bounds[1] - bounds[0]
    share, variance = (mean - lowest) / width, float(spread.variance) / width**2
    size = share * (1 - share) / variance if variance and 0 < share < 1 else effective
    z2 = float(spread.quantile(TAIL)) ** 2 / size
    middle, half = (share + z2 / 2) / (1 + z2), math.sqrt(z2 * share * (1 - share) + z2**2 / 4) / (1 + z2)
    return lowest + width * max(0.0, middle - half), lowest + width * min(1.0, middle + half)


def prediction(
    mean: float, spread: Spread, effective: float, size: int, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Low and high end of another run's score, within the bounds of the metric; spread: as `Estimates.another` gives.

    Not of Wilson's shape: a score is drawn around the truth, not the truth around a score, and reaches the bound that
    it is near to. effective, size: rows of ours and of the other run, asked where nothing varies: what never went wrong
    in 50 may still go wrong in one of 20 (by a beta-binomial with Jeffreys' prior).
    """
    if not spread.variance:
        from scipy.stats import betabinom

        share = (mean - bounds[0]) / (bounds[1] - bounds[0])
        may_be = betabinom(size, share * effective + 0.5, (1 - share) * effective + 0.5)
        low, high = (bounds[0] + (bounds[1] - bounds[0]) * may_be.ppf(tail) / size for tail in (TAIL, 1 - TAIL))
        return float(low), float(high)
    half = float(spread.quantile(TAIL) * np.sqrt(spread.variance))
    return max(bounds[0], mean - half), min(bounds[1], mean + half)


def p_value(difference: npt.ArrayLike, spread: Spread) -> Floats:
    """Two-sided, of a difference that would be 0: where the interval for that level ends at 0. Not below SMALLEST."""
    size, error = np.abs(difference), np.sqrt(spread.variance)
    errors = np.divide(size, error, out=np.where(size > 0, np.inf, 0.0), where=error > 0)
    low, high = np.full(errors.shape, math.log(SMALLEST)), np.zeros(errors.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        within = spread.quantile(np.exp(middle) / 2) > errors
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.exp(high)
