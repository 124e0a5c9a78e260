"""What systems reached over all tasks: for each task the table that stands for it, win rates and mean ranks. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.leaderboard import words
from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.sections import Page, Section
from benchmarks.metrics import METRICS
from benchmarks.schema import NOT_COMPARABLE, TaskType
from benchmarks.stats.spread import Floats

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
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
    def type(self) -> TaskType:
        return self.section.rows[0].made[0][0].type

    @property
    def ranked(self) -> list[Row]:
        return [row for row in self.section.rows if row.rank is not None]

    @property
    def best(self) -> list[str]:
        """Systems that no other is significantly better than."""
        return [row.system for row in self.ranked if row.may_be_best]

    @property
    def first(self) -> str:
        """In words: which system is best, and how many others may be as good."""
        first, *others = self.ranked
        interval = f" {words.interval(*first.interval)}" if first.interval else ""
        named = f"{first.system} is first, {self.page.metric} {first.score:.4f}{interval}"
        tied = [name for name in self.best if name != first.system]
        if first.interval is None:
            return f"{named}; without stored predictions nothing says how sure that is"
        untested = [row.system for row in others if row.places is None]
        if untested and len(tied) < len(others):
            return f"{named}; not compared with {words.listed(untested)}, whose predictions are not stored"
        if not tied:
            than = {1: others[0].system, 2: "both others"}.get(len(others), f"all {len(others)} others")
            return f"{named}; significantly better than {than}"
        which = "all others" if len(tied) == len(others) > 1 else words.listed(tied)
        return f"{named}; no significant difference from {which}"

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
    """What a system reached over the tasks that it was run on beside others.

    on_few: those are fewer than half of the tasks of their types. What classifies texts alone has no place among tags.
    """

    system: str
    places: tuple[Place, ...]
    on_few: bool

    @property
    def mean_rank(self) -> float:
        return fmean(place.rank for place in self.places)

    @property
    def win_rate(self) -> float:
        return fmean((place.of - place.rank) / (place.of - 1) for place in self.places)

    @property
    def win_rates(self) -> tuple[float, float] | None:
        """The 95 % interval of the win rate."""
        return self._interval(lambda place, rank: (place.of - rank) / (place.of - 1))

    @property
    def mean_ranks(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean rank."""
        return self._interval(lambda place, rank: rank)

    def _interval(self, worth: Callable[[Place, Floats], Floats]) -> tuple[float, float] | None:
        """Of the mean over tasks of what a rank is worth; the mean of the ranks as they are is never outside of it."""
        drawn = [worth(place, place.may_be) for place in self.places if place.may_be is not None]
        if len(drawn) < len(self.places):
            return None
        here = fmean(float(worth(place, np.array(place.rank))) for place in self.places)
        low, high = np.quantile(np.mean(drawn, axis=0), TAILS)
        return min(float(low), here), max(float(high), here)


# -- which table stands for a task -----------------------------------------------------------------------------------


def columns(pages: Sequence[Page]) -> list[Column]:
    """For each task the table that most systems share by their own recipes; of equals the whole training split, then
    folds of all rows, then the most training rows. Of several data, the newest. None for a task without a ranked row.
    """
    numbers = itertools.count(1)
    found = []
    for page in pages:
        if newest := _newest_by_protocol(page):
            best = min(newest, key=lambda section: (-_own_recipes(section), _reduced(section.protocol)))
            note = _note(page, best)
            found.append(Column(page, best, note, str(next(numbers)).translate(RAISED) if note else ""))
    return found


def _newest_by_protocol(page: Page) -> list[Section]:
    """The sections that have a ranked row; of several under one protocol, the first, which is the newest."""
    found: dict[str, Section] = {}
    for section in page.sections:
        if _ranked(section):
            found.setdefault(repr(sorted(section.protocol.items())), section)
    return list(found.values())


def _ranked(section: Section) -> int:
    return sum(row.rank is not None for row in section.rows)


def _own_recipes(section: Section) -> int:
    """Ranked rows but those whose recipe was changed or searched: a grid of one system makes no table."""
    ranked = [row for row in section.rows if row.rank is not None]
    settings = [row.made[0][0].settings if row.made else () for row in ranked]
    return sum(all(setting.startswith("encoder=") for setting in own) for own in settings)


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


# -- places over tasks ------------------------------------------------------------------------------------------------


def standings(shown: Sequence[Column]) -> list[Standing]:
    """Of every system of the tables, the highest win rate first, those that were run on few of the tasks last."""
    places: dict[str, list[Place]] = {row.system: [] for column in shown for row in column.section.rows}
    compared = [column for column in shown if len(column.ranked) > 1]
    for number, column in enumerate(compared):
        for system, place in _places(column, number).items():
            places[system].append(place)
    found = [Standing(name, tuple(own), _on_few(name, compared)) for name, own in places.items()]
    return sorted(found, key=_in_order)


def _on_few(system: str, compared: Sequence[Column]) -> bool:
    own = [column.type for column in compared if any(row.system == system for row in column.ranked)]
    return not own or 2 * len(own) < sum(column.type in own for column in compared)


def _in_order(standing: Standing) -> tuple[bool, float, float, str]:
    if not standing.places:
        return True, 0.0, math.inf, standing.system
    return standing.on_few, -standing.win_rate, standing.mean_rank, standing.system


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
