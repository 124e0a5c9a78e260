"""Stored runs -> pages of a task, their sections, and ranked rows. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any, NamedTuple, TypeVar

from benchmarks.leaderboard.made import Conditions, Failed, Machine, Made, ProtocolKey, Slot, kept
from benchmarks.metrics import CLUSTERING_METRIC, METRICS
from benchmarks.schema import RunFailure, RunResult
from benchmarks.stats.ranking import ranks
from benchmarks.stats.seeds import mean_interval

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
RowKey = tuple[str, ProtocolKey, Conditions]

Fill = Callable[[Made, Sequence[str]], Made]
"""A run, and the metrics of its page -> the run with those that it lacked, where they can be had."""

Join = Callable[[Sequence[Made]], dict[str, float] | str]
"""The folds of one seed -> the metrics of all their rows together, or in words why there are none."""


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
    together.
    half_width: of the 95 % interval over seeds; None for one seed, 0 where all seeds scored the same.
    """

    system: str
    rank: int | None
    score: float | None
    half_width: float | None
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


@dataclass(frozen=True)
class Section:
    """One table: the systems that were trained and scored under one protocol, on the same data, by the same code."""

    protocol: dict[str, Any]
    conditions: Conditions
    rows: tuple[Row, ...]
    clusterings: tuple[Row, ...]
    """Ranked among themselves, and never beside classifications."""
    left_out: dict[str, int]
    """System -> older runs of it made under another definition."""
    unfinished: dict[str, int]
    """System -> folds stored of seeds that lack some, beside seeds that have all."""
    failures: tuple[Failed, ...]
    scheme: str
    place: str | None
    data: dict[str, Any]
    used: dict[str, tuple[int, ...]]
    """Split -> every number of its rows that a run of the section had, ascending."""
    fewer: dict[str, tuple[int, ...]]
    """System -> how many of the training rows it trains on, where it takes but a part of them."""
    machines: tuple[Machine, ...]
    versions: tuple[str, ...]
    newest: str


@dataclass(frozen=True)
class Page:
    """One task. metric: of its newest classification (or tagging); None where there is none. about: what its newest run
    says of the data.
    """

    task: str
    title: str
    group: str
    sample: bool
    metric: str | None
    about: dict[str, Any]
    sections: tuple[Section, ...]


def columns(metric: str) -> list[str]:
    """The metrics of a table: the primary one, then those that are shown beside it."""
    clustering = metric in METRICS and METRICS[metric].clustering
    shown = [other.name for other in METRICS.values() if other.shown and other.clustering == clustering]
    return [metric, *(name for name in shown if name != metric)]


def tables(
    runs: Iterable[RunResult | RunFailure],
    fill: Fill = lambda run, wanted: run,
    join: Join = lambda folds: "their predictions are not read",
) -> list[Page]:
    """Every task that has runs, real ones before samples, by group and name. Smoke runs (`limited`) don't count.

    Reads each run once and keeps a fraction of it; folds are read once more by `join`.
    """
    pages: dict[tuple[bool, str], tuple[list[Made], list[Failed]]] = defaultdict(lambda: ([], []))
    for run in runs:
        if not run.limited:
            record = kept(run)
            made, failed = pages[record.sample, record.task]
            if isinstance(record, Made):
                made.append(record)
            else:
                failed.append(record)
    found = [_page(task, sample, made, failed, fill, join) for (sample, task), (made, failed) in pages.items()]
    return sorted(found, key=lambda page: (page.sample, page.group, page.task))


def _page(task: str, sample: bool, made: Sequence[Made], failed: Sequence[Failed], fill: Fill, join: Join) -> Page:
    newest = max(made, key=_created, default=None)
    if newest is None:
        return Page(task, task, "", sample, None, {}, _sections([], failed, "", fill, join))
    ranked = max((run for run in made if not run.clusters), key=_created, default=None)
    metric = ranked.primary_metric if ranked else None
    sections = _sections(made, failed, metric or "", fill, join)
    return Page(task, newest.title, newest.group, sample, metric, newest.about, sections)


def _created(run: Made | Failed) -> str:
    return run.created


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


# -- sections --------------------------------------------------------------------------------------------------------


def _sections(
    made: Sequence[Made], failed: Sequence[Failed], metric: str, fill: Fill, join: Join
) -> tuple[Section, ...]:
    """The whole training split first, then sizes, then balanced rows, then folds; of one protocol, the newest first."""
    shown, left_out = _newest_definitions(made)
    filled = (fill(run, _wanted(run, CLUSTERING_METRIC if run.clusters else metric)) for run in shown)
    groups = _grouped(filled, lambda run: (run.slot.protocol, run.conditions))
    failures = _failures_by_section(failed, {run.slot for run in made}, groups)
    sections = [
        _section(*key, groups.get(key, []), failures.get(key, []), left_out, metric, join)
        for key in {**groups, **failures}
    ]
    by_age = sorted(sections, key=lambda section: section.newest, reverse=True)
    return tuple(sorted(by_age, key=lambda section: _order(section.protocol)))


def _wanted(run: Made, metric: str) -> list[str]:
    """Of a single fold no metric is shown but the primary one."""
    return columns(metric) if run.slot.fold is None else [metric]


def _newest_definitions(made: Sequence[Made]) -> tuple[list[Made], Counter[RowKey]]:
    """The runs under each system's newest definition, one a seed and fold; how many under older ones, by row.

    On other data or under another definition of the task a system keeps its row in that table: a new table must not
    take a neighbour out of an old one.
    """
    shown: list[Made] = []
    left_out: Counter[RowKey] = Counter()
    for key, runs in _grouped(made, lambda run: (run.slot.system, run.slot.protocol, run.conditions)).items():
        newest = max(runs, key=_created).definition
        by_slot = _grouped((run for run in runs if run.definition == newest), lambda run: run.slot)
        shown += [max(same, key=_created) for same in by_slot.values()]
        left_out[key] = sum(run.definition != newest for run in runs)
    return shown, left_out


def _failures_by_section(
    failed: Sequence[Failed], done: set[Slot], groups: Iterable[tuple[ProtocolKey, Conditions]]
) -> dict[tuple[ProtocolKey, Conditions], list[Failed]]:
    """What failed and has not been done since, once a seed and fold: under its own table, else one of its protocol."""
    tables = dict.fromkeys(groups)
    any_table = {protocol: (protocol, conditions) for protocol, conditions in reversed(tables)}
    newest = [max(same, key=_created) for slot, same in _grouped(failed, lambda f: f.slot).items() if slot not in done]
    found: dict[tuple[ProtocolKey, Conditions], list[Failed]] = {}
    for failure in newest:
        own = (failure.slot.protocol, failure.conditions)
        place = own if own in tables else any_table.setdefault(failure.slot.protocol, own)
        found.setdefault(place, []).append(failure)
    return found


def _order(protocol: Mapping[str, Any]) -> list[int]:
    settings = ("folds", "balanced", "train_size", "test_size", "validation_size")
    return [int(protocol.get(name) or 0) for name in settings]


def _section(
    protocol: ProtocolKey,
    conditions: Conditions,
    runs: Sequence[Made],
    failures: Sequence[Failed],
    left_out: Mapping[RowKey, int],
    metric: str,
    join: Join,
) -> Section:
    folds = dict(protocol).get("folds")
    systems = {name: _Seeds.of(own, folds) for name, own in _grouped(runs, lambda run: run.slot.system).items()}
    clusterings = {name: seeds for name, seeds in systems.items() if seeds.runs[0][0].clusters}
    others = {name: seeds for name, seeds in systems.items() if name not in clusterings}
    newest = max(runs, key=_created, default=None)
    return Section(
        protocol=dict(protocol),
        conditions=conditions,
        rows=_ranked([_row(name, seeds, metric, join) for name, seeds in others.items()], metric),
        clusterings=_clusterings(clusterings),
        left_out={name: count for name in systems if (count := left_out[name, protocol, conditions])},
        unfinished={name: seeds.unfinished for name, seeds in systems.items() if seeds.unfinished},
        failures=tuple(failures),
        scheme=newest.scheme if newest else "",
        place=newest.place if newest else None,
        data=newest.data if newest else {},
        used={split: _sizes(split, runs) for split in ("train", "validation", "test")},
        fewer={name: found for name, seeds in systems.items() if (found := seeds.trained_rows)},
        machines=tuple(sorted({run.machine for run in runs})),
        versions=tuple(sorted({run.version for run in runs})),
        newest=newest.created if newest else "",
    )


def _sizes(split: str, runs: Iterable[Made]) -> tuple[int, ...]:
    return tuple(sorted({run.data["used"][split] for run in runs if split in run.data["used"]}))


# -- rows ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seeds:
    """The runs of one row by seed. With folds, seeds that lack some are used only where none has all."""

    runs: tuple[tuple[Made, ...], ...]
    complete: bool
    unfinished: int

    @staticmethod
    def of(runs: Iterable[Made], folds: int | None) -> _Seeds:
        by_seed = [tuple(own) for own in _grouped(runs, lambda run: run.slot.seed).values()]
        whole = [own for own in by_seed if len(own) == (folds or 1)]
        if not whole:
            return _Seeds(tuple(by_seed), False, 0)
        return _Seeds(tuple(whole), True, sum(map(len, by_seed)) - sum(map(len, whole)))

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


def _clusterings(systems: Mapping[str, _Seeds]) -> tuple[Row, ...]:
    """Clusters of one fold are not those of another, whatever classes both are matched to."""
    apart = lambda folds: "each fold is clustered by itself"  # noqa: E731
    rows = [_row(name, seeds, CLUSTERING_METRIC, apart) for name, seeds in systems.items()]
    return _ranked(rows, CLUSTERING_METRIC)


def _row(system: str, seeds: _Seeds, metric: str, join: Join) -> Row:
    """A row that has no rank yet."""
    scored, untold = seeds.scored(join)
    metrics = _means(scored)
    seconds, memory, parameters = map(seeds.cost, ("train_seconds", "peak_memory_mb", "parameters"))
    return Row(
        system=system,
        rank=None,
        score=metrics.get(metric),
        half_width=mean_interval([seed[metric] for seed in scored])[1] if metric in metrics else None,
        metrics=metrics,
        train_seconds=fmean(seconds) if seconds else None,
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
    return {name: mean_interval([seed[name] for seed in seeds])[0] for name in sorted(shared)}


def _single(seeds: Sequence[Sequence[float]]) -> Single | None:
    values = [value for folds in seeds for value in folds]
    if not values:
        return None
    mean, half_width = mean_interval(values)
    sd = stdev(values) if len(values) > 1 else None
    return Single(mean, sd, half_width if len(seeds) == 1 else None)


def _ranked(rows: Sequence[Row], metric: str) -> tuple[Row, ...]:
    """Best first by the mean; then, without a rank, what can't be compared, by name."""
    lower_is_better = metric in METRICS and METRICS[metric].higher_is_better is False
    comparable = [(row, row.score) for row in rows if row.score is not None and row.complete]
    places = ranks([score for _, score in comparable], not lower_is_better)
    ranked = [replace(row, rank=place) for (row, _), place in zip(comparable, places, strict=True)]
    others = [row for row in rows if row.score is None or not row.complete]
    return (*sorted(ranked, key=lambda row: (row.rank or 0, row.system)), *sorted(others, key=lambda row: row.system))
