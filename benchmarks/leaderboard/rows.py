"""Stored runs -> pages of a task, their sections, and ranked rows. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Literal, TypeVar

from benchmarks.leaderboard.made import Conditions, Failed, Machine, Made, ProtocolKey, Slot, kept
from benchmarks.metrics import METRICS
from benchmarks.schema import RunFailure, RunResult
from benchmarks.stats import mean_interval, ranks

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
RowKey = tuple[str, ProtocolKey, Conditions]

Fill = Callable[[Made, Sequence[str]], Made]
"""A run, and the metrics of its page -> the run with those that it lacked, where they can be had."""


@dataclass(frozen=True)
class Row:
    """One system: means over its seeds and folds.

    rank: None where the score can't be compared: the primary metric is not stored, or folds are missing.
    half_width: of the 95 % interval; None for one run, or where folds are missing; 0 where every run scored the same.
    """

    system: str
    rank: int | None
    score: float | None
    half_width: float | None
    over: Literal["seeds", "folds"]
    metrics: dict[str, float]
    train_seconds: float | None
    peak_memory_mb: float | None
    parameters: float | None
    seeds: int
    runs: int
    complete: bool = True


@dataclass(frozen=True)
class Section:
    """One table: the systems that were trained and scored under one protocol, on the same data, by the same code."""

    protocol: dict[str, Any]
    conditions: Conditions
    rows: tuple[Row, ...]
    left_out: dict[str, int]
    """System -> older runs of it made under another definition."""
    unfinished: dict[str, int]
    """System -> folds stored of seeds that lack some, beside seeds that have all."""
    failures: tuple[Failed, ...]
    scheme: str
    place: str | None
    data: dict[str, Any]
    trained_on: tuple[int, ...]
    """Every number of training rows that a run of the section had."""
    machines: tuple[Machine, ...]
    versions: tuple[str, ...]
    newest: str


@dataclass(frozen=True)
class Page:
    """One task. metric: of its newest run; None where no run is done. about: what that run says of the data."""

    task: str
    title: str
    group: str
    sample: bool
    metric: str | None
    about: dict[str, Any]
    sections: tuple[Section, ...]


def columns(metric: str) -> list[str]:
    """The metrics of a table: the primary one, then those that are shown beside it."""
    return [metric, *(other.name for other in METRICS.values() if other.shown and other.name != metric)]


def tables(runs: Iterable[RunResult | RunFailure], fill: Fill = lambda run, wanted: run) -> list[Page]:
    """Every task that has runs, real ones before samples, by group and name. Smoke runs (`limited`) don't count.

    Reads each run once and keeps a fraction of it.
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
    found = [_page(task, sample, made, failed, fill) for (sample, task), (made, failed) in pages.items()]
    return sorted(found, key=lambda page: (page.sample, page.group, page.task))


def _page(task: str, sample: bool, made: Sequence[Made], failed: Sequence[Failed], fill: Fill) -> Page:
    newest = max(made, key=_created, default=None)
    if newest is None:
        return Page(task, task, "", sample, None, {}, _sections([], failed, "", fill))
    metric = newest.primary_metric
    sections = _sections(made, failed, metric, fill)
    return Page(task, newest.title, newest.group, sample, metric, newest.about, sections)


def _created(run: Made | Failed) -> str:
    return run.created


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


# -- sections --------------------------------------------------------------------------------------------------------


def _sections(made: Sequence[Made], failed: Sequence[Failed], metric: str, fill: Fill) -> tuple[Section, ...]:
    """The whole training split first, then sizes, then balanced rows, then folds; of one protocol, the newest first."""
    shown, left_out = _newest_definitions(made)
    wanted = columns(metric)
    groups = _grouped((fill(run, wanted) for run in shown), lambda run: (run.slot.protocol, run.conditions))
    failures = _failures_by_section(failed, {run.slot for run in made}, groups)
    sections = [
        _section(*key, groups.get(key, []), failures.get(key, []), left_out, metric) for key in {**groups, **failures}
    ]
    by_age = sorted(sections, key=lambda section: section.newest, reverse=True)
    return tuple(sorted(by_age, key=lambda section: _order(section.protocol)))


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


def _order(protocol: Mapping[str, Any]) -> tuple[int, bool, int, int]:
    folds, size, test = (protocol.get(name) or 0 for name in ("folds", "train_size", "test_size"))
    return folds, bool(protocol.get("balanced")), size, test


def _section(
    protocol: ProtocolKey,
    conditions: Conditions,
    runs: Sequence[Made],
    failures: Sequence[Failed],
    left_out: Mapping[RowKey, int],
    metric: str,
) -> Section:
    folds = dict(protocol).get("folds")
    systems = {name: _Seeds.of(own, folds) for name, own in _grouped(runs, lambda run: run.slot.system).items()}
    newest = max(runs, key=_created, default=None)
    return Section(
        protocol=dict(protocol),
        conditions=conditions,
        rows=_ranked([_row(name, seeds, metric) for name, seeds in systems.items()], metric),
        left_out={name: count for name in systems if (count := left_out[name, protocol, conditions])},
        unfinished={name: seeds.unfinished for name, seeds in systems.items() if seeds.unfinished},
        failures=tuple(failures),
        scheme=newest.scheme if newest else "",
        place=newest.place if newest else None,
        data=newest.data if newest else {},
        trained_on=tuple(sorted({run.data["used"]["train"] for run in runs})),
        machines=tuple(sorted({run.machine for run in runs})),
        versions=tuple(sorted({run.version for run in runs})),
        newest=newest.created if newest else "",
    )


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

    def values(self, metric: str) -> list[list[float]] | None:
        """Seed by seed, fold by fold; None where a run lacks the metric: no mean over a part of the runs is shown."""
        if not all(metric in run.metrics for own in self.runs for run in own):
            return None
        return [[run.metrics[metric] for run in own] for own in self.runs]

    def cost(self, name: str) -> list[float]:
        return [run.cost[name] for own in self.runs for run in own if run.cost.get(name) is not None]


def _row(system: str, seeds: _Seeds, metric: str) -> Row:
    """A row that has no rank yet."""
    names = {name for own in seeds.runs for run in own for name in run.metrics}
    values = {name: by_seed for name in sorted(names) if (by_seed := seeds.values(name)) is not None}
    score, half_width = _score(values[metric]) if metric in values else (None, None)
    seconds, memory, parameters = map(seeds.cost, ("train_seconds", "peak_memory_mb", "parameters"))
    return Row(
        system=system,
        rank=None,
        score=score,
        half_width=half_width if seeds.complete else None,
        over="seeds" if len(seeds.runs) > 1 else "folds",
        metrics={name: fmean(map(fmean, by_seed)) for name, by_seed in values.items()},
        train_seconds=fmean(seconds) if seconds else None,
        peak_memory_mb=max(memory, default=None),
        parameters=max(parameters, default=None),
        seeds=len(seeds.runs),
        runs=sum(map(len, seeds.runs)),
        complete=seeds.complete,
    )


def _score(by_seed: Sequence[Sequence[float]]) -> tuple[float, float | None]:
    """Over seeds, each one's folds as their mean; of one seed, over its folds."""
    return mean_interval(by_seed[0] if len(by_seed) == 1 else [mean_interval(folds)[0] for folds in by_seed])


def _ranked(rows: Sequence[Row], metric: str) -> tuple[Row, ...]:
    """Best first by the mean; then, without a rank, what can't be compared, by name."""
    lower_is_better = metric in METRICS and METRICS[metric].higher_is_better is False
    comparable = [(row, row.score) for row in rows if row.score is not None and row.complete]
    places = ranks([score for _, score in comparable], not lower_is_better)
    ranked = [replace(row, rank=place) for (row, _), place in zip(comparable, places, strict=True)]
    others = [row for row in rows if row.score is None or not row.complete]
    return (*sorted(ranked, key=lambda row: (row.rank or 0, row.system)), *sorted(others, key=lambda row: row.system))
