"""One system's runs in one table -> its row: seeds, folds, mean, rank, and how sure they are. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median, stdev
from typing import NamedTuple, TypeVar

from benchmarks.leaderboard.made import Made
from benchmarks.leaderboard.uncertain import Sampled, Standings
from benchmarks.metrics import CLUSTERING_METRIC, METRICS
from benchmarks.stats.ranking import ranks
from benchmarks.stats.seeds import mean, mean_interval

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

Fill = Callable[[Made, Sequence[str]], Made]
"""A run, and the metrics of its page -> the run with those that it lacked, where they can be had."""

Join = Callable[[Sequence[Made]], dict[str, float] | str]
"""The folds of one seed -> the metrics of all their rows together, or in words why there are none."""

Sample = Callable[[Sequence["Row"], str], Mapping[str, Sampled]]
"""The ranked rows of a table, and its metric -> of each system whose predictions are stored, its seeds on samples."""


class Seams(NamedTuple):
    """How predictions are read, where tables need them."""

    fill: Fill
    join: Join
    sample: Sample


class Single(NamedTuple):
    """The primary metric over single folds: mean, standard deviation (None for one fold), and of one seed half the
    width of the mean's 95 % interval. It is none of the score: together, folds may score quite differently.
    """

    mean: float
    sd: float | None
    half_width: float | None


@dataclass(frozen=True)
class Row:
    """One system: means over its seeds, of which each one's folds are scored together.

    rank, score: None where the primary metric is not stored, folds are missing, or (`untold` says why) can't be scored
    together. values: that of each seed, in the order of `made`. train_seconds: the median over runs, since one that the
    machine held up would move a mean.
    interval: 95 %, over seeds and test rows; places: which ranks it may have, since differences that are not
    significant part no systems. None where predictions were not read.
    """

    system: str
    rank: int | None
    score: float | None
    values: tuple[float, ...]
    metrics: dict[str, float]
    train_seconds: float | None
    peak_memory_mb: float | None
    parameters: float | None
    seeds: int
    runs: int
    made: tuple[tuple[Made, ...], ...] = ()
    """The runs of each seed: one, or one a fold."""
    complete: bool = True
    single: Single | None = None
    untold: str = ""
    interval: tuple[float, float] | None = None
    places: range | None = None

    @property
    def by_chance(self) -> bool:
        """Whether nothing is known of what another seed would have given: of one seed of what trains, or clusters."""
        trains = any(run.clusters or run.cost.get("trainable_parameters") != 0 for own in self.made for run in own)
        return self.seeds == 1 and trains

    @property
    def may_be_best(self) -> bool:
        """Whether no system of its table is significantly better."""
        return self.rank is not None and 1 in (self.places or (self.rank,))


def parted(rows: Iterable[Row]) -> bool:
    """Whether any is shown to be worse than another: else all may be the best, and to mark them would say nothing."""
    return any(row.rank is not None and not row.may_be_best for row in rows)


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items of each key, in their order."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


# -- one row ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seeds:
    """The runs of one row by seed. With folds, seeds that lack some are used only where none has all."""

    runs: tuple[tuple[Made, ...], ...]
    complete: bool
    unfinished: int

    @staticmethod
    def of(runs: Iterable[Made], folds: int | None) -> Seeds:
        by_seed = [tuple(own) for own in grouped(runs, lambda run: run.slot.seed).values()]
        whole = [own for own in by_seed if len(own) == (folds or 1)]
        if not whole:
            return Seeds(tuple(by_seed), False, 0)
        return Seeds(tuple(whole), True, sum(map(len, by_seed)) - sum(map(len, whole)))

    def scored(self, join: Join) -> tuple[list[dict[str, float]], str]:
        """The metrics of every seed; none where folds are missing or, as the words say, can't be scored together."""
        found = [own[0].metrics if own[0].slot.fold is None else join(own) for own in self.runs if self.complete]
        if untold := [why for why in found if isinstance(why, str)]:
            return [], untold[0]
        return [metrics for metrics in found if not isinstance(metrics, str)], ""

    def single(self, metric: str) -> list[list[float]]:
        """Of every fold, seed by seed; none where one lacks the metric: no mean over a part of the folds is shown."""
        if not all(metric in run.metrics and run.slot.fold is not None for own in self.runs for run in own):
            return []
        return [[run.metrics[metric] for run in own] for own in self.runs]

    @property
    def trained_rows(self) -> tuple[int, ...]:
        """Ascending; none where all training rows are trained on."""
        found = {run.trained_rows for own in self.runs for run in own if run.trained_rows != run.data["used"]["train"]}
        return tuple(sorted(rows for rows in found if rows is not None))

    def cost(self, name: str) -> list[float]:
        return [run.cost[name] for own in self.runs for run in own if run.cost.get(name) is not None]


def _row(system: str, seeds: Seeds, metric: str, join: Join) -> Row:
    """A row that has no rank yet."""
    scored, untold = seeds.scored(join)
    metrics = _means(scored)
    seconds, memory, parameters = map(seeds.cost, ("train_seconds", "peak_memory_mb", "parameters"))
    return Row(
        system=system,
        rank=None,
        score=metrics.get(metric),
        values=tuple(seed[metric] for seed in scored) if metric in metrics else (),
        metrics=metrics,
        train_seconds=median(seconds) if seconds else None,
        peak_memory_mb=max(memory, default=None),
        parameters=max(parameters, default=None),
        seeds=len(seeds.runs),
        runs=sum(map(len, seeds.runs)),
        made=seeds.runs,
        complete=seeds.complete,
        single=_single(seeds.single(metric)),
        untold=untold,
    )


def _means(seeds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of every metric that all seeds have."""
    shared = set.intersection(*map(set, seeds)) if seeds else set()
    return {name: mean([seed[name] for seed in seeds]) for name in sorted(shared)}


def _single(seeds: Sequence[Sequence[float]]) -> Single | None:
    values = [value for folds in seeds for value in folds]
    if not values:
        return None
    middle, half_width = mean_interval(values)
    sd = stdev(values) if len(values) > 1 else None
    return Single(middle, sd, half_width if len(seeds) == 1 else None)


# -- the rows of a table ---------------------------------------------------------------------------------------------


def classifications(
    systems: Mapping[str, Seeds], metric: str, seams: Seams
) -> tuple[tuple[Row, ...], Standings | None]:
    """Best first, each with its interval and places where predictions are read; and what those were made from."""
    rows = _ranked([_row(name, seeds, metric, seams.join) for name, seeds in systems.items()], metric)
    return _sure(rows, metric, seams.sample)


def clusterings(systems: Mapping[str, Seeds], seams: Seams) -> tuple[Row, ...]:
    """Clusters of one fold are not those of another, whatever classes both are matched to."""
    apart = seams._replace(join=lambda folds: "each fold is clustered by itself")
    return classifications(systems, CLUSTERING_METRIC, apart)[0]


def _ranked(rows: Sequence[Row], metric: str) -> list[Row]:
    """Best first by the mean; then, without a rank, what can't be compared, by name."""
    lower_is_better = metric in METRICS and METRICS[metric].higher_is_better is False
    comparable = [(row, row.score) for row in rows if row.score is not None and row.complete]
    places = ranks([score for _, score in comparable], not lower_is_better)
    ranked = [replace(row, rank=place) for (row, _), place in zip(comparable, places, strict=True)]
    others = [row for row in rows if row.score is None or not row.complete]
    return [*sorted(ranked, key=lambda row: (row.rank or 0, row.system)), *sorted(others, key=lambda row: row.system)]


def _sure(rows: Sequence[Row], metric: str, sample: Sample) -> tuple[tuple[Row, ...], Standings | None]:
    ranked = {row.system: row for row in rows if row.rank is not None}
    values = {name: row.values for name, row in ranked.items()}
    by_chance = [name for name, row in ranked.items() if row.by_chance]
    standings = Standings.of(values, sample(rows, metric), metric, by_chance) if metric in METRICS else None
    if standings is None:
        return tuple(rows), None
    anywhere = range(1, len(ranked) + 1)
    places = dict.fromkeys(ranked, anywhere) | standings.places(len(ranked) - len(standings.systems))
    intervals = {name: standings.interval(name) for name in standings.systems}
    found = [replace(row, interval=intervals.get(row.system), places=places.get(row.system)) for row in rows]
    return tuple(found), standings
