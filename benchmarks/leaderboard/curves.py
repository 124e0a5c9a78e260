"""Learning curves: each system's scores over training sizes, what the last step gained, what twice the rows give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.leaderboard import words
from benchmarks.leaderboard.rows import grouped
from benchmarks.leaderboard.sections import Page, Section
from benchmarks.stats.curves import Curve as Fit
from benchmarks.stats.curves import Extrapolation, extrapolated, fitted
from benchmarks.stats.spread import Floats

LEGEND = (
    "Scores with their 95 % intervals by number of training rows, on the same test rows. *Last step*: how much the "
    "largest size gained over the one before. *Twice the rows*: what a power law through these sizes, error = c + "
    "a · n^−b, gives for twice the largest; small sizes that no such law passes through, since the system hasn't begun "
    "to learn there, are left out of it. Its interval holds the luck of seeds and test rows; nothing was run there. "
    "Through two sizes the law passes whatever c is: there all that c may be is in the interval, which stands alone. "
    "Where it reaches the score of the largest size, more rows are not shown to help."
)


@dataclass(frozen=True)
class Point:
    """One training size: how many rows there are, how many the system trains on (some take a fixed number of each
    class), seeds, the score with its interval, and (draws,) what the truth may be.
    """

    rows: int
    trained: int
    seeds: int
    score: float
    low: float
    high: float
    draws: Floats


@dataclass(frozen=True)
class Curve:
    """One system under protocols that differ in the training size alone, smallest first; what the last step gained, the
    score at twice the largest size, and through how many of the largest sizes the law for that passes.
    """

    task: str
    system: str
    metric: str
    protocol: dict[str, Any]
    conditions: object
    points: tuple[Point, ...]
    last_step: Extrapolation
    twice: Extrapolation
    sizes_fitted: int


def curves(page: Page) -> list[Curve]:
    """Of every system with two training sizes or more whose predictions are stored; best at its largest size first."""
    alike = grouped(page.sections, lambda section: (_but_size(section), section.conditions))
    found = [curve for own in alike.values() for curve in _of_systems(page, own)]
    return sorted(found, key=lambda curve: (sorted(curve.protocol.items()), -curve.points[-1].score, curve.system))


def _but_size(section: Section) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((name, value) for name, value in section.protocol.items() if name != "train_size"))


def _of_systems(page: Page, sections: Sequence[Section]) -> Iterator[Curve]:
    points: dict[str, list[Point]] = {}
    for number, section in enumerate(sections):
        for system, point in _points(section, number):
            points.setdefault(system, []).append(point)
    for system, found in points.items():
        sizes = sorted(grouped(found, lambda point: point.rows).items())
        # A size may be the whole split's: of as many seeds the first counts, and sections begin with the whole split.
        own = _growing([max(same, key=lambda point: point.seeds) for _, same in sizes])
        if len(own) > 1:
            yield _curve(page, system, sections[0], own)


def _growing(points: Sequence[Point]) -> list[Point]:
    """Those at which a system trains on more rows than at all before."""
    found: list[Point] = []
    for point in points:
        if not found or point.trained > found[-1].trained:
            found.append(point)
    return found


def _points(section: Section, number: int) -> Iterator[tuple[str, Point]]:
    standings = section.standings
    if standings is None or not section.used["train"]:
        return
    draws, rows = standings.estimates.draws(seed=number), section.used["train"][-1]
    for row in section.rows:
        if row.interval and row.score is not None:
            own = draws[:, standings.systems.index(row.system)]
            trained = section.fewer.get(row.system, (rows,))[-1]
            yield row.system, Point(rows, trained, row.seeds, row.score, *row.interval, own)


def _curve(page: Page, system: str, section: Section, points: Sequence[Point]) -> Curve:
    draws = np.stack([point.draws for point in points], axis=1)
    fit, count = _law(points, draws)
    step, twice = Extrapolation.of(draws[:, -1] - draws[:, -2]), extrapolated(fit, 2 * points[-1].rows)
    protocol, metric = dict(_but_size(section)), page.metric or ""
    return Curve(page.task, system, metric, protocol, section.conditions, tuple(points), step, twice, count)


def _law(points: Sequence[Point], draws: Floats) -> tuple[Fit, int]:
    """Through as many of the largest sizes as a power law passes within their intervals, two at least, and how many
    they are: before a system has begun to learn its scores follow none (Hestness et al. 2017, Deep Learning Scaling is
    Predictable, Empirically).
    """
    fits = (
        (points[start:], fitted([point.rows for point in points[start:]], draws[:, start:]))
        for start in range(len(points) - 1)
    )
    for own, fit in fits:
        if all(point.low <= np.median(fit.at(point.rows)) <= point.high for point in own):
            break
    return fit, len(own)


# -- as Markdown and as data -----------------------------------------------------------------------------------------


def markdown(found: Sequence[Curve]) -> str:
    """A part of the task's page; empty without curves."""
    parts = [_table(own) for own in grouped(found, lambda curve: repr((curve.protocol, curve.conditions))).values()]
    return "\n\n".join(["## Learning curves", LEGEND, *parts]) if parts else ""


def _table(found: Sequence[Curve]) -> str:
    from benchmarks.leaderboard.page import as_markdown

    rows = [{"system": words.plain(curve.system), **_cells(curve)} for curve in found]
    sizes = sorted({point.rows for curve in found for point in curve.points})
    heads = ["system", *(f"{size:,}" for size in sizes), "last step", "twice the rows"]
    frame = pd.DataFrame.from_records(rows).reindex(columns=heads).fillna(words.NOTHING)
    named = words.protocol(found[0].protocol).lower() if found[0].protocol else ""
    table = as_markdown(frame, left=("system",))
    return f"{named.capitalize()}:\n\n{table}" if named else table


def _cells(curve: Curve) -> dict[str, str]:
    return {
        **{f"{point.rows:,}": f"{point.score:.4f} {words.interval(point.low, point.high)}" for point in curve.points},
        "last step": _signed(curve.last_step),
        "twice the rows": f"{_middle(curve)}{words.interval(curve.twice.low, curve.twice.high)}",
    }


def _middle(curve: Curve) -> str:
    """Of two sizes none: half of what c may be says that the curve is level, half that it rises on."""
    return f"{curve.twice.middle:.3f} " if curve.sizes_fitted > 2 else ""


def _signed(found: Extrapolation) -> str:
    low, middle, high = (round(value, 3) + 0.0 for value in found)  # no -0.000
    return f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"


def table(found: Iterable[Curve]) -> pd.DataFrame:
    """Every point of every curve and its extrapolation, for plots: one row each."""
    rows = pd.DataFrame.from_records(
        [row for curve in found for row in _records(curve)],
        columns=["task", "system", "metric", "protocol", "train_rows", "seeds", "score", "low", "high", "kind"],
    )
    return rows.astype({"seeds": "Int64"})  # without seeds where nothing was run


def _records(curve: Curve) -> Iterator[tuple[Any, ...]]:
    head = (curve.task, curve.system, curve.metric, words.protocol(curve.protocol) if curve.protocol else "")
    for point in curve.points:
        ends = (round(value, 4) for value in (point.score, point.low, point.high))
        yield (*head, point.rows, point.seeds, *ends, "measured")
    low, middle, high = (round(value, 4) for value in curve.twice)
    told = middle if curve.sizes_fitted > 2 else None
    yield (*head, 2 * curve.points[-1].rows, None, told, low, high, "power law")
