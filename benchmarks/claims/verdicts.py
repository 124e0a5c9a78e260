"""A claim beside what is stored of it: reported, ours, where another run would lie, and the verdict.

The rule. A reported score is *reproduced* where it lies in the 95 % prediction interval of one more run: another seed,
on as many other test rows as the report's (`Estimates.another`); a rounded one, where some value that rounds to it
does. Else ours is *above* or *below* it. An order of two systems is reproduced where the first is significantly better
(p < 0.05 over seeds and rows), contradicted where the second is, and undecided else. A bound is reproduced where the
whole interval of our mean keeps it, contradicted where none of it does.

One seed tells nothing of how far seeds lie apart: its interval is of rows alone, and the true one is wider. What lies
in it is reproduced; all else is undecided. So is what an interval holds that is wider than 90 % of the metric's range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.claims.matched import Matched, Wanted, matched, one_an_encoder
from benchmarks.leaderboard.filled import filled
from benchmarks.leaderboard.folds import Tested, effective_rows, tested, together
from benchmarks.leaderboard.rows import grouped
from benchmarks.metrics import METRICS, names_for
from benchmarks.needed import sides
from benchmarks.schema import CLASS_METRICS, LOSS, NOT_COMPARABLE, Claim, RunFailure, RunResult, System, Task
from benchmarks.stats.ranking import ALPHA
from benchmarks.stats.resampling import Run, replicates
from benchmarks.stats.spread import Estimates, interval, prediction

Verdict = Literal["reproduced", "above", "below", "undecided", "contradicted"]
Interval = tuple[float, float]
Asked = tuple[str, str | None]
"""A metric, and the class that it is of."""
WIDEST = 0.9
"""Of what a metric can be: an interval that is wider holds nearly every report."""
SEVERAL = 2
"""Seeds, from which on something is known of how far they lie apart."""
SAMPLES = 500
"""Of rows, for many metrics and classes: standard errors are within 6 % of those of infinitely many."""
CLOSE_TO_ONE = 0.01
"""How far a count that is given in round numbers may lie from what it is, as a share."""


def judged(reported: float, rounding: float, ours: float, ends: Interval, seeds: int, bounds: Interval) -> Verdict:
    """The rule for a score. ours: mean over so many seeds; ends: of another run's interval; bounds: of the metric."""
    if math.isnan(ours) or _holds_nearly_all(ends, bounds):
        return "undecided"
    if _holds(ends, reported, rounding):
        return "reproduced"
    if seeds < SEVERAL:
        return "undecided"
    return "above" if ours > reported else "below"


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
        """Whether another run may have this rounded value; an interval that holds nearly every one doesn't say so."""
        ends = self.low, self.high
        return not _holds_nearly_all(ends, _bounds(self.metric)) and _holds(ends, value, rounding)


def _bounds(metric: str) -> Interval:
    return METRICS[metric].lowest, 1.0


def _holds_nearly_all(ends: Interval, bounds: Interval) -> bool:
    return ends[1] - ends[0] > WIDEST * (bounds[1] - bounds[0])


def _holds(ends: Interval, value: float, rounding: float) -> bool:
    return ends[0] - rounding <= value <= ends[1] + rounding


@dataclass(frozen=True)
class Order:
    """Two systems on the same rows: their means, the first minus the second with its 95 % interval, and p; all three
    NaN of the losses of one seed, in which rows have no part.
    """

    metric: str
    first: float
    second: float
    low: float
    high: float
    p: float
    verdict: Verdict


@dataclass(frozen=True)
class Bound:
    """Our mean with its 95 % interval, NaN as in an order, beside what it is said not to exceed."""

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
    """What the runs of one encoder say. stand_in: its name where it is not the claim's; conventions: every metric that
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
    untold: tuple[str, ...] = ()
    """Reported metrics that the predictions can't give."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """A claim, what is measured of it (its own encoder first), and in words what keeps it from a verdict."""

    claim: Claim
    systems: tuple[str, ...]
    """The names of its sides' runs by the claim's own encoder: of one system, or of the two of an order."""
    measured: tuple[Measured, ...]
    missing: str
    """Why there are no runs with the claim's own encoder; empty where there are."""
    not_comparable: str


def assessed(
    claim: Claim,
    tasks: Mapping[str, Task],
    systems: Mapping[str, System],
    runs: Sequence[RunResult | RunFailure],
    vectors: Mapping[str, str],
    results: Path,
) -> Assessment:
    """runs: every stored one of the claim's task; vectors: as in `Wanted.of`. Raises UserError for predictions that
    can't be read.
    """
    task = tasks[claim.task]
    wanted, *others = (Wanted.of(claim, side, task, systems, vectors) for side in claim.sides)
    firsts = matched(wanted, runs, systems)
    if others:
        (second,) = others
        pairs = [
            (one, other)
            for one, other in product(firsts, matched(second, runs, systems))
            if one.conditions == other.conditions
            and (one.stand_in == other.stand_in or None in (wanted.encoder, second.encoder))
        ]
        newest = grouped(pairs, lambda pair: pair[0].stand_in or pair[1].stand_in)
        measured = [_ordered(claim, name, *own[0], results) for name, own in newest.items()]
    else:
        of_majority = {one.conditions: one for one in matched(wanted.majority(), runs, systems)}
        chosen = one_an_encoder(firsts)
        measured = [_measured(claim, task, one, of_majority.get(one.conditions), results) for one in chosen]
    found = tuple(one for one in measured if one is not None)
    has_own = any(one.stand_in is None for one in found)
    notes = [note for one in found for note in one.notes if note.startswith(NOT_COMPARABLE)]
    why = claim.not_comparable or (notes[0].removeprefix(f"{NOT_COMPARABLE}: ") if notes else "")
    gone = len(found) < len(measured)
    missing = "" if has_own else _missing(claim, [wanted, *others], gone)
    names = tuple(system.name for system in sides(claim, task, systems))
    return Assessment(claim, names, found, missing, why.rstrip("."))


def _missing(claim: Claim, wanted: Sequence[Wanted], gone: bool) -> str:
    """Why nothing is measured with the claim's own encoder; wanted: of each of its sides; gone: runs are stored that
    can't say it.
    """
    if gone:
        return "runs are stored, but their predictions are gone or can't give it"
    if claim.needs:
        return f"cannot be run here (needs {claim.needs})"
    if absent := next((side.absent for side in wanted if side.absent), None):
        return f"not run here (put {absent} there first)"
    encoder = wanted[0].encoder
    if encoder and encoder.package is None:
        return f"not run here (needs {encoder.checkpoint})"
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

    def rows_of(self, label: str) -> int:
        """Rows of one class, the mean over seeds."""
        return round(sum(list(seed.named.gold).count(label) for seed in self.tested) / len(self.tested))

    def runs(self, metric: str, label: str | None = None) -> list[Run]:
        """Empty where the predictions can't give the metric."""
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
    notes = tuple(found.newest.data.get("notes", ()))
    if claim.passes:
        return Measured(found.stand_in, len(found.seeds), seeds.rows, cost=_cost(claim, found), notes=notes)
    if claim.at_most:
        ((metric, most),) = claim.at_most.items()
        bound = _bound_of_loss(found, most) if metric == LOSS else _bound(seeds, metric, most)
        if bound is None:
            return None
        return Measured(found.stand_in, len(found.seeds), seeds.rows, bound=bound, notes=notes)
    reported: dict[Asked, float] = {(metric, None): value for metric, value in claim.reported.items()}
    for label, scores in claim.per_class.items():
        reported |= {(metric, label): value for metric, value in zip(CLASS_METRICS, scores, strict=False)}
    conventions: list[Asked] = [(name, None) for name in names_for(task.type, len(task.labels))]
    estimates = _estimates(seeds, dict.fromkeys([*reported, *conventions]))
    values = {asked: _value(asked, reported.get(asked), found, seeds, claim) for asked, found in estimates.items()}
    return Measured(
        found.stand_in,
        len(found.seeds),
        seeds.rows,
        values=tuple(values[asked] for asked in reported if asked in values),
        conventions=tuple(values[asked] for asked in conventions if asked in values),
        untold=tuple(metric for metric, _ in reported if (metric, None) in reported and (metric, None) not in values),
        majority=_majority(results, majority),
        notes=notes,
    )


def _estimates(seeds: _Seeds, asked: Iterable[Asked]) -> dict[Asked, Estimates]:
    """Of every metric and class that the predictions can give, on the same samples."""
    runs = {one: found for one in asked if (found := seeds.runs(*one))}
    if not runs:
        return {}
    sampled = np.hsplit(replicates([run for own in runs.values() for run in own], SAMPLES), len(runs))
    return {one: Estimates.of([_scores(own)], [found]) for (one, own), found in zip(runs.items(), sampled, strict=True)}


def _value(asked: Asked, reported: float | None, found: Estimates, seeds: _Seeds, claim: Claim) -> Value:
    """Of a class, its own rows are what counts, on both sides."""
    metric, label = asked
    rows, size = seeds.rows, claim.test_size or seeds.rows
    if label is not None:
        rows, size = max(1, seeds.rows_of(label)), claim.per_class[label][3]
    mean, bounds = float(found.means[0]), _bounds(metric)
    effective = effective_rows(seeds.tested, metric, mean, label)
    theirs = max(1, round(size * effective / rows))
    ends = prediction(mean, found.another(0, rows, size), effective, theirs, bounds)
    verdict = None
    if reported is not None:
        verdict = judged(reported, claim.rounding(reported), mean, ends, len(seeds.tested), bounds)
    return Value(metric, label, reported, mean, *ends, verdict)


def _majority(results: Path, found: Matched | None) -> dict[str, float] | None:
    """Every metric, the mean over seeds; of folds, of all their predictions together."""
    if found is None:
        return None
    known = METRICS.keys()
    seeds = [filled(results, own[0], known).metrics if len(own) == 1 else together(results, own) for own in found.seeds]
    there = [own for own in seeds if not isinstance(own, str)]
    if len(there) < len(seeds):
        return None
    return {name: float(np.mean([own[name] for own in there])) for name in set.intersection(*map(set, there))}


# -- orders, bounds, costs -------------------------------------------------------------------------------------------


def _ordered(claim: Claim, stand_in: str | None, first: Matched, second: Matched, results: Path) -> Measured | None:
    metric, fewest = claim.metric or "", min(len(first.seeds), len(second.seeds))
    estimates = _of_losses(first, second) if metric == LOSS else _of_scores(metric, first, second, results)
    if estimates is None:
        return None
    found, means = estimates.difference(0, 1), estimates.means
    verdict: Verdict = "undecided"
    if found.p < ALPHA and fewest >= SEVERAL:
        verdict = "reproduced" if (found.value > 0) != (metric == LOSS) else "contradicted"
    spread = (found.low, found.high, found.p) if metric != LOSS or fewest >= SEVERAL else (math.nan,) * 3
    order = Order(metric, float(means[0]), float(means[1]), *spread, verdict)
    notes = tuple(first.newest.data.get("notes", ()))
    return Measured(stand_in, fewest, _rows(first), order=order, notes=notes)


def _rows(found: Matched) -> int:
    """Test rows of a seed."""
    return sum(run.data["used"]["test"] for run in found.seeds[0])


def _of_scores(metric: str, first: Matched, second: Matched, results: Path) -> Estimates | None:
    """Both systems' seeds on the same samples of rows; None where the stored predictions can't give the metric."""
    seeds = [_Seeds.read(results, one) for one in (first, second)]
    runs = [own.runs(metric) for own in seeds if own]
    if len(runs) < len(seeds) or not all(runs):
        return None
    sampled = np.hsplit(replicates([run for own in runs for run in own], SAMPLES), [len(runs[0])])
    return Estimates.of([_scores(own) for own in runs], sampled)


def _of_losses(*found: Matched) -> Estimates | None:
    """Each system's seeds, of folds their mean; no test row has a part in it. None where a run has no losses."""
    losses = [[[run.loss for run in own] for own in one.seeds] for one in found]
    if any(loss is None for one in losses for own in one for loss in own):
        return None
    means = [np.array(one, dtype=np.float64).mean(axis=1) for one in losses]
    return Estimates.of([own.tolist() for own in means], [np.tile(own, (2, 1)) for own in means])


def _bound_of_loss(found: Matched, at_most: float) -> Bound | None:
    if (estimates := _of_losses(found)) is None:
        return None
    mean, spread = float(estimates.means[0]), estimates.spread(0)
    if len(found.seeds) < SEVERAL:
        return Bound(LOSS, at_most, mean, math.nan, math.nan, "undecided")
    half = float(spread.quantile(ALPHA / 2) * np.sqrt(spread.variance))
    ends = (max(0.0, mean - half), mean + half)
    return Bound(LOSS, at_most, mean, *ends, _keeps(ends, at_most, len(found.seeds)))


def _bound(seeds: _Seeds, metric: str, at_most: float) -> Bound | None:
    runs = seeds.runs(metric)
    if not runs:
        return None
    estimates = Estimates.of([_scores(runs)], [replicates(runs, SAMPLES)])
    mean = float(estimates.means[0])
    effective, bounds = effective_rows(seeds.tested, metric, mean), _bounds(metric)
    low, high = interval(mean, estimates.spread(0), effective, bounds)
    return Bound(metric, at_most, mean, low, high, _keeps((low, high), at_most, len(runs)))


def _keeps(ends: Interval, at_most: float, seeds: int) -> Verdict:
    """The rule for a bound. ends: of our mean's interval."""
    if seeds < SEVERAL or ends[0] <= at_most < ends[1]:
        return "undecided"
    return "reproduced" if ends[1] <= at_most else "contradicted"


def _cost(claim: Claim, found: Matched) -> Cost | None:
    if claim.passes is None:
        return None
    pairs = claim.passes.rows * (claim.passes.rows - 1) // 2
    close = abs(claim.passes.pairs - pairs) <= CLOSE_TO_ONE * pairs
    paces = [run.cost["predict_seconds"] / run.data["used"]["test"] for own in found.seeds for run in own]
    return Cost(pairs, claim.passes.rows, float(np.median(paces)), "reproduced" if close else "contradicted")
