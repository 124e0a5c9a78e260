"""How sure a table is: of each score an interval over seeds and test rows, of each rank the places it may be. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.metrics import METRICS
from benchmarks.stats.paired import holm
from benchmarks.stats.ranking import ranges
from benchmarks.stats.spread import Estimates, Floats, interval

FEWEST_ROWS = 10
"""That part two systems: of fewer, samples are all alike."""


@dataclass(frozen=True)
class Sampled:
    """One system's seeds on samples of test rows. rows: how many there are; effective: of how many the scores tell;
    scores: of each seed on them as they are; values: (samples, seeds).
    """

    rows: int
    effective: float
    scores: tuple[float, ...]
    values: Floats


@dataclass(frozen=True)
class Standings:
    """The systems of one table whose predictions are stored, with all that their seeds and rows tell of them.

    effective: as in Sampled. by_chance: those of one seed which another would have scored otherwise.
    """

    systems: tuple[str, ...]
    effective: tuple[float, ...]
    estimates: Estimates
    metric: str
    by_chance: frozenset[str]
    rows: int

    @staticmethod
    def of(
        values: Mapping[str, Sequence[float]],
        sampled: Mapping[str, Sampled],
        metric: str,
        by_chance: Collection[str] = (),
    ) -> Standings | None:
        """values: of each system one a seed, in the order of its samples'. None where no system was sampled."""
        systems = tuple(name for name in values if name in sampled and not np.isnan(sampled[name].values).all())
        if not systems:
            return None
        there = [sampled[name] for name in systems]
        estimates = Estimates.of([values[name] for name in systems], [one.values for one in there])
        effective, rows = tuple(one.effective for one in there), max(one.rows for one in there)
        return Standings(systems, effective, estimates, metric, frozenset(by_chance), rows)

    @property
    def higher_is_better(self) -> bool:
        return METRICS[self.metric].higher_is_better is not False

    def interval(self, system: str) -> tuple[float, float]:
        """Of the system's mean, 95 %."""
        place = self.systems.index(system)
        bounds = METRICS[self.metric].lowest, 1.0
        return interval(float(self.estimates.means[place]), self.estimates.spread(place), self.effective[place], bounds)

    def places(self, others: int) -> dict[str, range]:
        """The places that each system may have beside so many `others`, of which nothing is known.

        Each range holds the system's true place with 95 %: for each system, the tests of its differences are corrected
        for their number by Holm (Mogstad, Romano, Shaikh, Wilhelm 2024, call such a range marginal).
        """
        found = ranges(self.estimates.means.tolist(), self.corrected, self.higher_is_better)
        return {s: range(own.start, own.stop + others) for s, own in zip(self.systems, found, strict=True)}

    @cached_property
    def corrected(self) -> Floats:
        """(k, k) p of each pair, of each row by Holm for those differences of which something is known; of others 1."""
        known = np.array([self.rows >= FEWEST_ROWS and name not in self.by_chance for name in self.systems])
        told = known[:, None] & known & ~np.eye(len(known), dtype=bool)
        p_values = self.estimates.p_values()
        found = np.ones_like(p_values)
        for own, row, pairs in zip(found, p_values, told, strict=True):
            own[pairs] = holm(row[pairs].tolist())
        return found
