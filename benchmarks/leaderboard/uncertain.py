"""How sure a table is: of each score an interval over seeds and test rows, of each rank the places it may be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.metrics import METRICS
from benchmarks.stats.paired import holm
from benchmarks.stats.ranking import ranges
from benchmarks.stats.spread import Estimates, Floats, interval


@dataclass(frozen=True)
class Sampled:
    """One system's seeds on samples of test rows. rows: how many there are; scores: of each seed on them as they are;
    values: (samples, seeds).
    """

    rows: int
    scores: tuple[float, ...]
    values: Floats


@dataclass(frozen=True)
class Standings:
    """The systems of one table whose predictions are stored, with all that their seeds and rows tell of them."""

    systems: tuple[str, ...]
    rows: tuple[int, ...]
    estimates: Estimates
    metric: str

    @staticmethod
    def of(values: Mapping[str, Sequence[float]], sampled: Mapping[str, Sampled], metric: str) -> Standings | None:
        """values: of each system one a seed, in the order of its samples'. None where no system was sampled."""
        systems = tuple(name for name in values if name in sampled)
        if not systems:
            return None
        estimates = Estimates.of([values[name] for name in systems], [sampled[name].values for name in systems])
        return Standings(systems, tuple(sampled[name].rows for name in systems), estimates, metric)

    @property
    def higher_is_better(self) -> bool:
        return METRICS[self.metric].higher_is_better is not False

    def interval(self, system: str) -> tuple[float, float]:
        """Of the system's mean, 95 %."""
        place = self.systems.index(system)
        bounds = METRICS[self.metric].lowest, 1.0
        return interval(float(self.estimates.means[place]), self.estimates.spread(place), self.rows[place], bounds)

    def places(self, others: int) -> dict[str, range]:
        """The places that each system may have beside so many `others`, of which nothing is known.

        Each range holds the system's true place with 95 %: for each system, the tests of its differences are corrected
        for their number by Holm (Mogstad, Romano, Shaikh, Wilhelm 2024, call such a range marginal).
        """
        found = ranges(self.estimates.means.tolist(), corrected(self.estimates.p_values()), self.higher_is_better)
        return {s: range(own.start, own.stop + others) for s, own in zip(self.systems, found, strict=True)}


def corrected(p_values: Floats) -> Floats:
    """(k, k) p of each pair -> (k, k), of each row by Holm for its k - 1 differences."""
    found = np.ones_like(p_values)
    for place, row in enumerate(p_values):
        others = np.arange(len(row)) != place
        found[place, others] = holm(row[others].tolist())
    return found
