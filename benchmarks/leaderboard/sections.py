"""Stored runs -> pages of a task, their sections, and ranked rows. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.leaderboard.made import Conditions, Failed, Machine, Made, ProtocolKey, Slot, kept
from benchmarks.leaderboard.rows import Fill, Join, Row, Sample, Seams, Seeds, classifications, clusterings, grouped
from benchmarks.leaderboard.uncertain import Standings
from benchmarks.metrics import CLUSTERING_METRIC, METRICS
from benchmarks.plan import is_variant
from benchmarks.schema import RunFailure, RunResult

RowKey = tuple[str, ProtocolKey, Conditions]


@dataclass(frozen=True)
class Section:
    """One table: the systems that were trained and scored under one protocol, on the same data, by the same code."""

    protocol: dict[str, Any]
    conditions: Conditions
    rows: tuple[Row, ...]
    standings: Standings | None
    """Of `rows`; None where no predictions of theirs were read."""
    clusterings: tuple[Row, ...]
    """Ranked among themselves, and never beside classifications."""
    left_out: dict[str, int]
    """System -> older runs of it made under another definition."""
    twins: dict[str, str]
    """Variant without a row of its own -> the system of the table whose row its runs stand in, being the same."""
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
    sample: Sample = lambda rows, metric: {},
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
    seams = Seams(fill, join, sample)
    found = [_page(task, synthetic, made, failed, seams) for (synthetic, task), (made, failed) in pages.items()]
    return sorted(found, key=lambda page: (page.sample, page.group, page.task))


def _page(task: str, synthetic: bool, made: Sequence[Made], failed: Sequence[Failed], seams: Seams) -> Page:
    newest = max(made, key=_created, default=None)
    if newest is None:
        return Page(task, task, "", synthetic, None, {}, _sections([], failed, "", seams))
    ranked = max((run for run in made if not run.clusters), key=_created, default=None)
    metric = ranked.primary_metric if ranked else None
    sections = _sections(made, failed, metric or "", seams)
    return Page(task, newest.title, newest.group, synthetic, metric, newest.about, sections)


def _created(run: Made | Failed) -> str:
    return run.created


# -- sections --------------------------------------------------------------------------------------------------------


def _sections(made: Sequence[Made], failed: Sequence[Failed], metric: str, seams: Seams) -> tuple[Section, ...]:
    """The whole training split first, then sizes, then balanced rows, then folds; of one protocol, the newest first."""
    shown, left_out = _newest_definitions(made)
    filled = (seams.fill(run, _wanted(run, CLUSTERING_METRIC if run.clusters else metric)) for run in shown)
    groups = grouped(filled, lambda run: (run.slot.protocol, run.conditions))
    done = {slot: max(map(_created, same)) for slot, same in grouped(made, lambda run: run.slot).items()}
    failures = _failures_by_section(failed, done, groups)
    sections = [
        _section(*key, groups.get(key, []), failures.get(key, []), left_out, metric, seams)
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
    for key, runs in grouped(made, lambda run: (run.slot.system, run.slot.protocol, run.conditions)).items():
        newest = max(runs, key=_created).definition
        by_slot = grouped((run for run in runs if run.definition == newest), lambda run: run.slot)
        shown += [max(same, key=_created) for same in by_slot.values()]
        left_out[key] = sum(run.definition != newest for run in runs)
    return shown, left_out


def _failures_by_section(
    failed: Sequence[Failed], done: Mapping[Slot, str], groups: Iterable[tuple[ProtocolKey, Conditions]]
) -> dict[tuple[ProtocolKey, Conditions], list[Failed]]:
    """What failed and has not been done since, once a seed and fold: under its own table, else one of its protocol.

    done: when each seed and fold was, under whatever definition.
    """
    tables = dict.fromkeys(groups)
    any_table = {protocol: (protocol, conditions) for protocol, conditions in reversed(tables)}
    newest = [max(same, key=_created) for same in grouped(failed, lambda f: f.slot).values()]
    found: dict[tuple[ProtocolKey, Conditions], list[Failed]] = {}
    for failure in (one for one in newest if one.created > done.get(one.slot, "")):
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
    seams: Seams,
) -> Section:
    folds = dict(protocol).get("folds")
    twins = _twins(runs)
    named = grouped(runs, lambda run: twins.get(run.slot.system, run.slot.system))
    older: Counter[str] = Counter()
    for name in {run.slot.system for run in runs}:
        older[twins.get(name, name)] += left_out.get((name, protocol, conditions), 0)
    systems = {name: Seeds.of(_one_a_slot(name, own), folds) for name, own in named.items()}
    clustered = {name: seeds for name, seeds in systems.items() if seeds.runs[0][0].clusters}
    others = {name: seeds for name, seeds in systems.items() if name not in clustered}
    newest = max(runs, key=_created, default=None)
    rows, standings = classifications(others, metric, seams)
    return Section(
        protocol=dict(protocol),
        conditions=conditions,
        rows=rows,
        standings=standings,
        clusterings=clusterings(clustered, seams),
        twins=twins,
        left_out={name: older[name] for name in systems if older[name]},
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


def _twins(runs: Iterable[Made]) -> dict[str, str]:
    """Variants that are the same as another system, or as a variant of another with more runs: one run has one row."""
    found = {}
    for same in grouped(runs, lambda run: run.definition).values():
        counts = Counter(run.slot.system for run in same)
        first, *others = sorted(counts, key=lambda name: (is_variant(name), -counts[name], name))
        found.update({name: first for name in others if is_variant(name)})
    return found


def _one_a_slot(name: str, runs: Iterable[Made]) -> list[Made]:
    """Of a seed and fold one run, that under the row's own name before one under a twin's."""
    slots = grouped(runs, lambda run: (run.slot.seed, run.slot.fold))
    return [min(same, key=lambda run: run.slot.system != name) for same in slots.values()]


def _sizes(split: str, runs: Iterable[Made]) -> tuple[int, ...]:
    return tuple(sorted({run.data["used"][split] for run in runs if split in run.data["used"]}))
