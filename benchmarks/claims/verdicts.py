"""A claim beside what is stored of it: reported, ours, where another run would lie, and the verdict.

The rule. A reported score is *reproduced* where it lies in the 95 % prediction interval of one more run: another seed,
on as many other test rows as the report's (`Estimates.another`); a rounded one, where some value that rounds to it
does. Else ours is *above* or *below* it. An order of two systems is reproduced where the first is significantly better
(p < 0.05 over seeds and rows), contradicted where the second is, and undecided else. A bound is reproduced where the
whole interval of our mean keeps it, contradicted where none of it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.claims.matched import Matched, Wanted, matched
from benchmarks.leaderboard.folds import Tested, tested
from benchmarks.metrics import METRICS, names_for
from benchmarks.schema import CLASS_METRICS, NOT_COMPARABLE, Claim, RunFailure, RunResult, System, Task
from benchmarks.stats.resampling import Run, replicates
from benchmarks.stats.spread import Estimates, interval, p_value, prediction

Verdict = Literal["reproduced", "above", "below", "undecided", "contradicted"]
Asked = tuple[str, str | None]
"""A metric, and the class that it is of."""
LEVEL = 0.05
SAMPLES = 500
"""Of rows, for many metrics and classes: standard errors are within 6 % of those of infinitely many."""
CLOSE_TO_ONE = 0.01
"""How far a count that is given in round numbers may lie from what it is, as a share."""


@dataclass(frozen=True)
class Value:
    """One number: what was reported of it (None in an audit), our mean over seeds, and the 95 % prediction interval of
    another run on as many rows as the report's.
    """

    metric: str
    label: str | None
    reported: float | None
    ours: float
    low: float
    high: float
    verdict: Verdict | None

    def holds(self, value: float, rounding: float) -> bool:
        """Whether another run may have this rounded value."""
        return self.low - rounding <= value <= self.high + rounding


@dataclass(frozen=True)
class Order:
    """Two systems on the same rows: their means, the first minus the second with its 95 % interval, and p."""

    metric: str
    first: float
    second: float
    low: float
    high: float
    p: float
    verdict: Verdict


@dataclass(frozen=True)
class Bound:
    """Our mean with its 95 % interval beside what it is said not to exceed."""

    metric: str
    at_most: float
    ours: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class Cost:
    """How many inferences both ways take, and seconds for one row by the stored run."""

    pairs: int
    rows: int
    seconds_a_row: float
    verdict: Verdict


@dataclass(frozen=True)
class Measured:
    """What the runs of one encoder say. stand_in: its name where it is not the claim's; convention: every metric that
    the predictions have, as if each had been the reported one; majority: the same of the most frequent class.
    """

    stand_in: str | None
    seeds: int
    rows: int
    values: tuple[Value, ...] = ()
    order: Order | None = None
    bound: Bound | None = None
    cost: Cost | None = None
    conventions: tuple[Value, ...] = ()
    majority: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """A claim, what is measured of it (its own encoder first), and in words what keeps it from a verdict."""

    claim: Claim
    measured: tuple[Measured, ...]
    missing: str
    """'cannot be run here (why)' or 'not run yet'; empty where runs with the claim's own encoder are stored."""
    not_comparable: str


def assessed(
    claim: Claim,
    tasks: Mapping[str, Task],
    systems: Mapping[str, System],
    runs: Sequence[RunResult | RunFailure],
    results: Path,
) -> Assessment:
    """runs: every stored one of the claim's task. Raises UserError for predictions that can't be read."""
    task = tasks[claim.task]
    wanted = Wanted.of(claim, task, systems)
    firsts = matched(wanted, runs, systems)
    if claim.above:
        others = {one.stand_in: one for one in matched(Wanted.of(claim, task, systems, other=True), runs, systems)}
        pairs = [(first, others[first.stand_in]) for first in firsts if first.stand_in in others]
        measured = [_ordered(claim, *pair, results) for pair in pairs]
    else:
        majority = matched(wanted.majority(), runs, systems)
        measured = [_measured(claim, task, one, majority[0] if majority else None, results) for one in firsts]
    found = tuple(one for one in measured if one is not None)
    has_own = any(one.stand_in is None for one in found)
    notes = [note for one in found for note in one.notes if note.startswith(NOT_COMPARABLE)]
    why = claim.not_comparable or (notes[0].removeprefix(f"{NOT_COMPARABLE}: ") if notes else "")
    return Assessment(claim, found, "" if has_own else _missing(claim, wanted), why.rstrip("."))


def _missing(claim: Claim, wanted: Wanted) -> str:
    if claim.needs:
        return f"cannot be run here ({claim.needs})"
    encoder = wanted.encoder
    if encoder and encoder.package is None:
        return f"cannot be run here (needs {encoder.checkpoint})"
    return "not run yet"


# -- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seeds:
    """The predictions of each seed."""

    tested: tuple[Tested, ...]

    @staticmethod
    def read(results: Path, found: Matched) -> _Seeds | None:
        seeds = [tested(results, folds) for folds in found.seeds]
        there = tuple(seed for seed in seeds if not isinstance(seed, str))
        return _Seeds(there) if len(there) == len(seeds) else None

    @property
    def rows(self) -> int:
        return max(len(seed.row_ids) for seed in self.tested)

    def runs(self, metric: str, label: str | None = None) -> list[Run]:
        """None where the predictions can't give the metric."""
        try:
            return [Run(seed.row_ids, seed.scoring.weighted(seed.named, metric, label)) for seed in self.tested]
        except KeyError:
            return []


def _scores(runs: Sequence[Run]) -> list[float]:
    return [float(run.metric(np.ones((1, len(run.rows))))[0]) for run in runs]


def _measured(claim: Claim, task: Task, found: Matched, majority: Matched | None, results: Path) -> Measured | None:
    seeds = _Seeds.read(results, found)
    if seeds is None:
        return None
    size = claim.test_size or seeds.rows
    notes = tuple(found.newest.data.get("notes", ()))
    if claim.passes:
        return Measured(found.stand_in, len(found.seeds), seeds.rows, cost=_cost(claim, found), notes=notes)
    if claim.at_most:
        ((metric, bound),) = claim.at_most.items()
        return Measured(found.stand_in, len(found.seeds), seeds.rows, bound=_bound(seeds, metric, bound), notes=notes)
    reported: dict[Asked, float | None] = {(metric, None): value for metric, value in claim.reported.items()}
    for label, scores in claim.per_class.items():
        reported |= {(metric, label): value for metric, value in zip(CLASS_METRICS, scores, strict=False)}
    conventions: dict[Asked, float | None] = {(name, None): None for name in names_for(task.type, len(task.labels))}
    of_majority = _Seeds.read(results, majority) if majority else None
    return Measured(
        found.stand_in,
        len(found.seeds),
        seeds.rows,
        values=_values(seeds, reported, claim, size),
        conventions=_values(seeds, conventions, claim, size),
        majority=None if of_majority is None else _means(of_majority),
        notes=notes,
    )


def _values(seeds: _Seeds, asked: Mapping[Asked, float | None], claim: Claim, size: int) -> tuple[Value, ...]:
    """asked: metric and class -> what was reported of it. Without those that the predictions can't give."""
    runs = {one: found for one in asked if (found := seeds.runs(*one))}
    if not runs:
        return ()
    sampled = np.hsplit(replicates([run for own in runs.values() for run in own], SAMPLES), len(runs))
    estimates = {
        one: Estimates.of([_scores(own)], [found]) for (one, own), found in zip(runs.items(), sampled, strict=True)
    }
    return tuple(_value(one, asked[one], found, seeds.rows, claim, size) for one, found in estimates.items())


def _value(asked: Asked, reported: float | None, found: Estimates, rows: int, claim: Claim, size: int) -> Value:
    metric, label = asked
    mean, bounds = float(found.means[0]), (METRICS[metric].lowest, 1.0)
    low, high = prediction(mean, found.another(0, rows, size), rows, size, bounds)
    value = Value(metric, label, reported, mean, low, high, None)
    if reported is None:
        return value
    side: Verdict = "above" if mean > reported else "below"
    return replace(value, verdict="reproduced" if value.holds(reported, claim.rounding(reported)) else side)


def _means(seeds: _Seeds) -> dict[str, float]:
    found = [seed.scoring.measure(seed.named) for seed in seeds.tested]
    return {name: float(np.mean([own[name] for own in found])) for name in found[0]}


# -- orders, bounds, costs -------------------------------------------------------------------------------------------


def _ordered(claim: Claim, first: Matched, second: Matched, results: Path) -> Measured | None:
    seeds = [_Seeds.read(results, one) for one in (first, second)]
    metric = claim.metric or ""
    if seeds[0] is None or seeds[1] is None:
        return None
    runs = [own.runs(metric) for own in seeds if own]
    if not all(runs):
        return None
    found = np.hsplit(replicates([run for own in runs for run in own], SAMPLES), [len(runs[0])])
    estimates = Estimates.of([_scores(own) for own in runs], found)
    spread, means = estimates.between(0, 1), estimates.means
    difference, p = float(means[0] - means[1]), float(p_value(means[0] - means[1], estimates.between(0, 1)))
    half = float(spread.quantile(LEVEL / 2) * np.sqrt(spread.variance))
    verdict: Verdict = "undecided" if p >= LEVEL else "reproduced" if difference > 0 else "contradicted"
    order = Order(metric, float(means[0]), float(means[1]), difference - half, difference + half, p, verdict)
    notes = tuple(first.newest.data.get("notes", ()))
    return Measured(first.stand_in, min(map(len, runs)), seeds[0].rows, order=order, notes=notes)


def _bound(seeds: _Seeds, metric: str, at_most: float) -> Bound | None:
    runs = seeds.runs(metric)
    if not runs:
        return None
    estimates = Estimates.of([_scores(runs)], [replicates(runs, SAMPLES)])
    mean = float(estimates.means[0])
    low, high = interval(mean, estimates.spread(0), seeds.rows, (METRICS[metric].lowest, 1.0))
    verdict: Verdict = "reproduced" if high <= at_most else "contradicted" if low > at_most else "undecided"
    return Bound(metric, at_most, mean, low, high, verdict)


def _cost(claim: Claim, found: Matched) -> Cost | None:
    if claim.passes is None:
        return None
    pairs = claim.passes.rows * (claim.passes.rows - 1) // 2
    close = abs(claim.passes.pairs - pairs) <= CLOSE_TO_ONE * pairs
    paces = [run.cost["predict_seconds"] / run.data["used"]["test"] for own in found.seeds for run in own]
    return Cost(pairs, claim.passes.rows, float(np.median(paces)), "reproduced" if close else "contradicted")


def verdicts(assessment: Assessment) -> Iterator[tuple[str | None, Verdict]]:
    """Of everything that was measured: the stand-in's name or None, and the verdict."""
    for one in assessment.measured:
        parts = (*one.values, *(part for part in (one.order, one.bound, one.cost) if part))
        yield from ((one.stand_in, part.verdict) for part in parts if part.verdict)
