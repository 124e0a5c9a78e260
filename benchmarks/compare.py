"""Two systems on the same rows: how much they differ, whether that is more than chance, and where; from stored runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from benchmarks import store
from benchmarks.errors import UserError, nearest, one_of, unknown
from benchmarks.leaderboard import Page, Row, Section, read, words
from benchmarks.leaderboard.folds import Tested, effective_rows, tested
from benchmarks.metrics import CLUSTERING_METRIC, METRICS, primary_for
from benchmarks.metrics.resampled import Exchange, Weighted, exchanging
from benchmarks.plan import is_variant
from benchmarks.schema import TEXTS
from benchmarks.scoring import Named
from benchmarks.stats.paired import holm, mcnemar, permutation_test
from benchmarks.stats.resampling import Run, replicates
from benchmarks.stats.spread import Estimates, Spread, interval

SAMPLES = 10_000
MOST_EXAMPLES = 6


class Scored(NamedTuple):
    """One system: its value for each seed, their mean, and the 95 % interval over seeds and rows."""

    system: str
    values: dict[int, float]
    mean: float
    low: float
    high: float


class Disagreement(NamedTuple):
    """Of one seed: how many rows both systems have right, one alone, or neither; p of McNemar's test of the share of
    right rows, by Holm for all seeds of all tables; and how many rows they predict differently.
    """

    seed: int
    both: int
    only_first: int
    only_second: int
    neither: int
    differing: int
    p: float


class Example(NamedTuple):
    """A row of the first seed that the two predict differently."""

    row_id: str
    gold: Any
    first: Any
    second: Any


@dataclass(frozen=True)
class Comparison:
    """Two systems in one table. difference: first minus second, with its 95 % interval and p over seeds and rows;
    corrected: that p by Holm for the number of tables; exchanged: p of the permutation test by rows, of seeds that both
    have, by Holm as well, None where they share none.
    """

    section: Section
    metric: str
    rows: int
    first: Scored
    second: Scored
    difference: float
    low: float
    high: float
    p: float
    corrected: float
    exchanged: float | None
    seeds: tuple[Disagreement, ...]
    examples: tuple[Example, ...]


def compared(results: Path, task: str, first: str, second: str, metric: str | None = None) -> list[Comparison]:
    """One comparison for every table of the task that has both systems, and of whose runs the metric is one. Raises
    UserError where there is none.
    """
    pages = read(results, task, intervals=False)
    together = [pair for page in pages for pair in _pairs(page, first, second, metric)]
    refused = [_why_not(task, *pair[1:3]) for pair in together]
    pairs = [pair for pair, why in zip(together, refused, strict=True) if not why]
    if not pairs:
        raise UserError(refused[0] if refused else _why_none(results, pages, task, first, second))
    found = [_comparison(results, *pair) for pair in pairs]
    corrected = iter(holm([one.p for one in found]))
    exchanged = iter(holm([one.exchanged for one in found if one.exchanged is not None]))
    by_seed = iter(holm([seed.p for one in found for seed in one.seeds]))
    return [
        replace(
            one,
            corrected=next(corrected),
            exchanged=None if one.exchanged is None else next(exchanged),
            seeds=tuple(seed._replace(p=next(by_seed)) for seed in one.seeds),
        )
        for one in found
    ]


def _pairs(page: Page, first: str, second: str, metric: str | None) -> Iterator[tuple[Section, str, Row, Row]]:
    for section in page.sections:
        for rows, primary in ((section.rows, page.metric or ""), (section.clusterings, CLUSTERING_METRIC)):
            of = {row.system: row for row in rows if row.complete}
            if first in of and second in of and first != second:
                yield section, metric or primary, of[first], of[second]


def _why_not(task: str, metric: str, row: Row) -> str:
    """What keeps the systems of a row's table from being compared by the metric; empty where nothing does."""
    run = row.made[0][0]
    if run.clusters and row.untold:
        return f"{task}: {row.system} has no score of all folds together: {row.untold}."
    if run.clusters:
        kind, allowed = "clusterings", [name for name, known in METRICS.items() if known.clustering]
    else:
        kind = f"{run.type}, {run.classes} labels" if run.type == TEXTS else run.type
        allowed = list(primary_for(run.type, run.classes))
    if metric in allowed:
        return ""
    ranks = metric not in METRICS or METRICS[metric].higher_is_better is not None
    why = f"does not score {task} ({kind})" if ranks else "ranks nothing: neither direction of it is better"
    return f"--metric {metric}: {why}.{nearest(metric, allowed)}{one_of(allowed)}"


def _why_none(results: Path, pages: Sequence[Page], task: str, first: str, second: str) -> str:
    if not pages:
        tasks = sorted({path.parts[-3] for path in store.records(results)})
        return f"--task {task}: no stored runs of it.{nearest(task, tasks)}{_stored('', task, tasks)}"
    systems = sorted({row.system for page in pages for s in page.sections for row in (*s.rows, *s.clusterings)})
    for name in (first, second):
        if name not in systems:
            return unknown("system", name, systems, _stored(f" for {task}", name, systems).strip())
    if first == second:
        return f"{first}: compared with itself."
    return f"{task}: {first} and {second} are in no table together: run both under one protocol."


def _stored(place: str, asked: str, names: Sequence[str]) -> str:
    """Those that hold what was asked for, else those under their own recipe, else all; a few of them."""
    alike = [name for name in names if asked.lower() in name.lower()]
    shown = alike or [name for name in names if not is_variant(name)] or names
    return f" Stored{place}: {words.listed(shown)}." if shown else ""


# -- one table -------------------------------------------------------------------------------------------------------


def _comparison(results: Path, section: Section, metric: str, first: Row, second: Row) -> Comparison:
    seeds = [_seeds(results, row) for row in (first, second)]
    rows = {row: place for place, row in enumerate(dict.fromkeys(_row_ids(seeds)))}
    runs = [{seed: Run(found.row_ids, _weighted(found, metric)) for seed, found in own.items()} for own in seeds]
    sampled = replicates([run for own in runs for run in own.values()], SAMPLES)
    values = [{seed: float(run.metric(np.ones((1, len(run.rows))))[0]) for seed, run in own.items()} for own in runs]
    estimates = Estimates.of([list(own.values()) for own in values], np.hsplit(sampled, [len(runs[0])]))
    scored = [
        _scored(row.system, metric, own, estimates.spread(place), list(tested.values()))
        for place, (row, own, tested) in enumerate(zip((first, second), values, seeds, strict=True))
    ]
    found = estimates.difference(0, 1)
    shared = [
        seed for seed in seeds[0] if seed in seeds[1] and set(seeds[0][seed].row_ids) == set(seeds[1][seed].row_ids)
    ]
    return Comparison(
        section=section,
        metric=metric,
        rows=len(rows),
        first=scored[0],
        second=scored[1],
        difference=found.value,
        low=found.low,
        high=found.high,
        p=found.p,
        corrected=found.p,
        exchanged=_exchanged([(seeds[0][seed], seeds[1][seed]) for seed in shared], metric, rows) if shared else None,
        seeds=tuple(_disagreement(seed, seeds[0][seed], seeds[1][seed]) for seed in shared),
        examples=tuple(_examples(seeds[0][shared[0]], seeds[1][shared[0]])) if shared else (),
    )


def _seeds(results: Path, row: Row) -> dict[int, Tested]:
    found = {}
    for folds in row.made:
        seed = tested(results, folds)
        if isinstance(seed, str):
            raise UserError(f"{row.system}: {seed}.")
        found[folds[0].slot.seed] = seed
    return found


def _row_ids(systems: Sequence[dict[int, Tested]]) -> Iterator[str]:
    for own in systems:
        for found in own.values():
            yield from found.row_ids


def _weighted(found: Tested, metric: str) -> Weighted:
    try:
        return found.scoring.weighted(found.named, metric)
    except KeyError:  # it is one of the task's
        raise UserError(f"--metric {metric}: its predictions have no scores.") from None


def _scored(system: str, metric: str, values: dict[int, float], spread: Spread, seeds: Sequence[Tested]) -> Scored:
    mean, bounds = fmean(values.values()), (METRICS[metric].lowest, 1.0)
    return Scored(system, values, mean, *interval(mean, spread, effective_rows(seeds, metric, mean), bounds))


def _exchanged(pairs: Sequence[tuple[Tested, Tested]], metric: str, rows: dict[str, int]) -> float:
    return permutation_test([_of_both(*pair, metric, rows) for pair in pairs], len(rows))


def _of_both(first: Tested, second: Tested, metric: str, rows: dict[str, int]) -> Exchange:
    """The metric of each where some of the rows are exchanged between them."""
    parts = [found.scoring.on_one_scale(found.named) for found in (first, second)]
    if first.row_ids != second.row_ids:
        of_second = {row: place for place, row in enumerate(second.row_ids)}
        parts[1] = parts[1].rows([of_second[row] for row in first.row_ids])
    of_both = exchanging(first.scoring.weighted(Named.joined(parts), metric))
    places = np.array([rows[row] for row in first.row_ids])
    return lambda swaps: of_both(swaps[:, places])


# -- row by row ------------------------------------------------------------------------------------------------------


def _beside(first: Tested, second: Tested) -> Iterator[Example]:
    of_second = dict(zip(second.row_ids, second.named.predicted, strict=True))
    for row, gold, predicted in zip(first.row_ids, first.named.gold, first.named.predicted, strict=True):
        yield Example(row, gold, predicted, of_second[row])


def _disagreement(seed: int, first: Tested, second: Tested) -> Disagreement:
    rows = list(_beside(first, second))
    right = [np.array([getattr(row, who) == row.gold for row in rows]) for who in ("first", "second")]
    both, only_first, only_second, neither = (
        int((right[0] == a).astype(int) @ (right[1] == b).astype(int)) for a, b in product((True, False), repeat=2)
    )
    differing = sum(row.first != row.second for row in rows)
    return Disagreement(seed, both, only_first, only_second, neither, differing, mcnemar(right[0], right[1]))


def _examples(first: Tested, second: Tested) -> Iterator[Example]:
    """Rows that the first alone has right, that the second alone has, and that both have wrong in other ways: as many
    of each as there is room for.
    """
    kinds: dict[tuple[bool, bool], list[Example]] = {}
    for row in _beside(first, second):
        if row.first != row.second:
            kinds.setdefault((row.first == row.gold, row.second == row.gold), []).append(row)
    for kind in ((True, False), (False, True), (False, False)):
        yield from kinds.get(kind, [])[: MOST_EXAMPLES // 3]
