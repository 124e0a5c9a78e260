"""The Markdown over all tasks: systems by tasks, then where each task's page is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd

from benchmarks.leaderboard import words
from benchmarks.leaderboard.page import as_markdown, title
from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.sections import Page, Section
from benchmarks.metrics import METRICS
from benchmarks.schema import NOT_COMPARABLE, folder_name
from benchmarks.stats.spread import Floats

FOLDER = "leaderboards"
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

ORDER = (
    "Each cell is the mean of the task's primary metric over seeds ± half the width of its 95 % interval over seeds "
    "and test rows, from the table that most systems share (of equals the one of the whole training split); bold are "
    "the best of a task and all that no other is significantly better than; – was not run. A system's win rate is the "
    "mean over tasks of the share of the task's other systems that it is above (a tie counts half), its mean rank that "
    "of its ranks (of equals the mean). Their 95 % intervals say what other seeds and test rows would do to them on "
    "these tasks, not what other tasks would. A task with one system counts for neither. Systems are in order of their "
    "win rate, those that were run on fewer than half of the tasks after the others: neither number compares systems "
    "fairly that were run on different tasks."
)
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Column:
    """One task by the table that stands for it; `note` says what keeps it from being the whole training split, `sign`
    is the note's.
    """

    page: Page
    section: Section
    note: str
    sign: str

    @property
    def name(self) -> str:
        return words.plain(f"{self.page.group}: {self.page.task} ({self.page.metric})") + self.sign

    @property
    def ranked(self) -> list[Row]:
        return [row for row in self.section.rows if row.rank is not None]

    @property
    def higher_is_better(self) -> bool:
        return self.page.metric not in METRICS or METRICS[self.page.metric].higher_is_better is not False


class Place(NamedTuple):
    """A system's rank among so many systems of one task (of equals the mean), and (draws,) what it may be; None where
    nothing is known of that.
    """

    rank: float
    of: int
    may_be: Floats | None


@dataclass(frozen=True)
class Standing:
    """What a system reached over the tasks that it was run on beside others."""

    system: str
    places: tuple[Place, ...]

    @property
    def mean_rank(self) -> float:
        return fmean(place.rank for place in self.places)

    @property
    def win_rate(self) -> float:
        return fmean((place.of - place.rank) / (place.of - 1) for place in self.places)

    def interval(self, worth: Callable[[Place, Floats], Floats]) -> tuple[float, float] | None:
        """Of the mean over tasks of what a rank is worth; the mean of the ranks as they are is never outside of it."""
        drawn = [worth(place, place.may_be) for place in self.places if place.may_be is not None]
        if len(drawn) < len(self.places):
            return None
        here = fmean(float(worth(place, np.array(place.rank))) for place in self.places)
        low, high = np.quantile(np.mean(drawn, axis=0), TAILS)
        return min(float(low), here), max(float(high), here)


def markdown(pages: Sequence[Page]) -> str:
    """All tasks; sample corpora in a part of their own, at the end. Without a line end after it."""
    real = [page for page in pages if not page.sample]
    samples = [page for page in pages if page.sample]
    parts = ["# Leaderboard", *(_part(real) if real else ["No finished run of a real task is stored."])]
    if samples:
        parts += ["# Sample corpora (synthetic rows, not results)", *_part(samples)]
    return "\n\n".join(parts)


def _part(pages: Sequence[Page]) -> Iterator[str]:
    if columns := list(_columns(pages)):
        yield ORDER
        yield _matrix(columns)
        if any(column.note for column in columns):
            yield "\n".join(f"- {column.sign} {column.note}" for column in columns if column.note)
    yield from _links(pages)


# -- which table stands for a task -----------------------------------------------------------------------------------


def _columns(pages: Sequence[Page]) -> Iterator[Column]:
    """For each task the table that most systems share; of equals the whole training split, then folds of all rows, then
    the most training rows. Of several data, the newest.
    """
    numbers = itertools.count(1)
    for page in pages:
        if newest := _newest_by_protocol(page):
            best = min(newest, key=lambda section: (-_ranked(section), _reduced(section.protocol)))
            note = _note(page, best)
            yield Column(page, best, note, str(next(numbers)).translate(RAISED) if note else "")


def _newest_by_protocol(page: Page) -> list[Section]:
    """The sections that have a ranked row; of several under one protocol, the first, which is the newest."""
    found: dict[str, Section] = {}
    for section in page.sections:
        if _ranked(section):
            found.setdefault(repr(sorted(section.protocol.items())), section)
    return list(found.values())


def _ranked(section: Section) -> int:
    return sum(row.rank is not None for row in section.rows)


def _note(page: Page, best: Section) -> str:
    alike = [section for section in page.sections if section.protocol == best.protocol]
    said = [_in_words(best)] if best.protocol else []
    said += [f"of {len(alike)} tables made on other data or by other definitions, the newest"] if len(alike) > 1 else []
    if any(note.startswith(NOT_COMPARABLE) for note in best.data.get("notes") or ()):
        said.append("not comparable with published scores, see its page")
    return f"{words.plain(page.task)}: {'; '.join(said)}" if said else ""


def _reduced(protocol: Mapping[str, Any]) -> tuple[bool, float, bool, int]:
    """How far a protocol is from all rows: fewer training rows come last; the first of equals wins."""
    size = protocol.get("train_size") or math.inf
    return bool(protocol), -size, bool(protocol.get("balanced")), protocol.get("folds") or 0


def _in_words(section: Section) -> str:
    text = words.protocol(section.protocol)
    return f"{text} of {section.data['rows']['train']:,}" if set(section.protocol) == {"train_size"} else text


# -- systems by tasks ------------------------------------------------------------------------------------------------


def _matrix(columns: Sequence[Column]) -> str:
    standings = _standings(columns)
    cells = [
        {"system": row.system, "task": column.name, "cell": _cell(row, len(column.ranked) > 1)}
        for column in columns
        for row in column.section.rows
    ]
    frame = pd.DataFrame(cells).pivot(index="system", columns="task", values="cell")
    frame = frame.reindex(index=[s.system for s in standings], columns=[c.name for c in columns]).fillna(words.NOTHING)
    frame.insert(0, "win rate", [_win_rate(standing) for standing in standings])
    frame.insert(1, "mean rank", [_mean_rank(standing) for standing in standings])
    frame.insert(2, "tasks", [str(len(standing.places)) for standing in standings])
    frame.insert(0, "system", [words.plain(s.system) for s in standings])
    return as_markdown(frame, left=("system",))


def _win_rate(standing: Standing) -> str:
    if not standing.places:
        return words.NOTHING
    interval = standing.interval(lambda place, rank: (place.of - rank) / (place.of - 1))
    return f"{standing.win_rate:.2f}{_ends(interval, '.2f')}"


def _mean_rank(standing: Standing) -> str:
    if not standing.places:
        return words.NOTHING
    return f"{standing.mean_rank:.1f}{_ends(standing.interval(lambda place, rank: rank), '.1f')}"


def _ends(interval: tuple[float, float] | None, form: str) -> str:
    return f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval else ""


def _cell(row: Row, compared: bool) -> str:
    if row.rank is None or row.score is None:
        return words.NOTHING
    best = 1 in (row.places or (row.rank,))
    score = f"**{row.score:.4f}**" if best and compared else f"{row.score:.4f}"
    return f"{score} ± {(row.interval[1] - row.interval[0]) / 2:.3f}" if row.interval else score


def _standings(columns: Sequence[Column]) -> list[Standing]:
    places: dict[str, list[Place]] = {row.system: [] for column in columns for row in column.section.rows}
    compared = [column for column in columns if len(column.ranked) > 1]
    for number, column in enumerate(compared):
        for system, place in _places(column, number).items():
            places[system].append(place)
    found = [Standing(system, tuple(own)) for system, own in places.items()]
    return sorted(found, key=lambda standing: _in_order(standing, len(compared)))


def _in_order(standing: Standing, tasks: int) -> tuple[bool, float, float, str]:
    if not standing.places:
        return True, 0.0, math.inf, standing.system
    return 2 * len(standing.places) < tasks, -standing.win_rate, standing.mean_rank, standing.system


def _places(column: Column, number: int) -> dict[str, Place]:
    """Of each ranked system; drawn ranks only where every one of them was sampled."""
    rows = {row.system: row.score for row in column.ranked}
    standings, sign = column.section.standings, -1.0 if column.higher_is_better else 1.0
    ranks = pd.Series({system: sign * (score or 0.0) for system, score in rows.items()}).rank().to_dict()
    drawn: dict[str, Floats] = {}
    if standings and set(standings.systems) == set(rows):
        found = pd.DataFrame(sign * standings.estimates.draws(seed=number)).rank(axis=1)
        drawn = dict(zip(standings.systems, found.to_numpy().T, strict=True))
    return {system: Place(ranks[system], len(rows), drawn.get(system)) for system in rows}


# -- where the pages are ---------------------------------------------------------------------------------------------


def path(task: str) -> str:
    """Where a task's page is, below RESULTS."""
    return f"{FOLDER}/{folder_name(task)}.md"


def _links(pages: Sequence[Page]) -> Iterator[str]:
    """A list of pages for each group."""
    for group, found in itertools.groupby(pages, key=lambda page: page.group):
        lines = [
            f"- [{words.plain(page.task)}]({quote(path(page.task))}): {title(page)}{_standing(page)}" for page in found
        ]
        yield "\n".join([f"## {words.plain(group) or 'No run done'}", "", *lines])


def _standing(page: Page) -> str:
    tables = sum(bool(section.rows) + bool(section.clusterings) for section in page.sections)
    failed = sum(len(section.failures) for section in page.sections)
    told = [words.counted(tables, "table"), *([f"{words.counted(failed, 'run')} failed"] if failed else [])]
    return f" ({', '.join(told)})"
