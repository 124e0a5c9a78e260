"""What systems reached over the tasks of a type: win rates and mean ranks. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.leaderboard.across import Column, columns
from benchmarks.leaderboard.sections import Page
from benchmarks.schema import TAGS, TEXTS, TaskType
from benchmarks.stats.spread import Floats

TAILS = (0.025, 0.975)


class Place(NamedTuple):
    """A system's rank on one task among so many systems (of equals the mean), and (draws,) what it may be; None where
    nothing is known of that.
    """

    rank: float
    of: int
    may_be: Floats | None


@dataclass(frozen=True)
class Standing:
    """What a system reached over the tasks that count. A task counts if at least two regular systems were run on it; a
    system is regular if it was run on half of the tasks that count or more, by one of its recipes. aside: it isn't.
    """

    system: str
    places: tuple[Place, ...]
    aside: bool

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


@dataclass(frozen=True)
class Board:
    """The tasks of one type: a win rate over texts and tags would compare systems that can't do both with others."""

    type: TaskType
    columns: tuple[Column, ...]
    standings: tuple[Standing, ...]
    """The highest win rate first, systems on few of the tasks last."""

    @property
    def title(self) -> str:
        return self.type.replace("-", " ").capitalize()

    @property
    def of_one_encoder(self) -> str:
        """In words, where recipes of several systems stand on one and the same encoder: nothing else says that."""
        runs = [row.made[0][0] for column in self.columns for row in column.section.rows if row.made]
        named = {own.removeprefix("encoder=") for run in runs for own in run.settings if own.startswith("encoder=")}
        if len(named) != 1 or len({run.encoder for run in runs if run.encoder}) != 1:
            return ""
        name = named.pop()
        return (
            f"All rows that need a pretrained encoder have the same one, {name}: x[encoder={name}] is the recipe of x "
            f"on it. The table compares methods and recipes, not encoders."
        )


def boards(pages: Sequence[Page]) -> list[Board]:
    """One for each type that has a ranked row."""
    found = columns(pages)
    types: tuple[TaskType, ...] = (TEXTS, TAGS)
    by_type = {kind: tuple(column for column in found if column.type == kind) for kind in types}
    return [Board(kind, own, _standings(own)) for kind, own in by_type.items() if own]


def _standings(shown: Sequence[Column]) -> tuple[Standing, ...]:
    often, counting = _often(shown)
    places: dict[str, list[Place]] = {row.system: [] for column in shown for row in column.section.rows}
    for number, column in enumerate(counting):
        for system, place in _places(column, number, often).items():
            places[system].append(place)
    found = [Standing(name, tuple(own), name not in often) for name, own in places.items()]
    return tuple(sorted(found, key=_in_order))


def _often(shown: Sequence[Column]) -> tuple[set[str], list[Column]]:
    """The systems that were run on half of the tasks that count or more, and these tasks: variants that were tried on
    one alone, beside a baseline, make it none. Of a system's recipes the one that was run on most tasks: nobody is
    measured by the same system twice, or by one with ten recipes to choose from where the others have one.
    """
    counting = [column for column in shown if column.compared]
    while True:
        tasks = Counter(row.system for column in counting for row in column.ranked)
        often = _one_recipe_each({system: count for system, count in tasks.items() if 2 * count >= len(counting)})
        left = [column for column in counting if sum(row.system in often for row in column.ranked) > 1]
        if len(left) == len(counting):
            return often, counting
        counting = left


def _one_recipe_each(tasks: Mapping[str, int]) -> set[str]:
    """tasks: how many each was run on; of as many the one with the fewest changes."""
    chosen: dict[tuple[str, ...], str] = {}
    for name in sorted(tasks, key=lambda name: (-tasks[name], name.count("="), name)):
        entry, _, changes = name.removesuffix("]").partition("[")
        encoder = [change for change in changes.split(",") if change.startswith("encoder=")]
        chosen.setdefault((entry, *encoder), name)
    return set(chosen.values())


def _in_order(standing: Standing) -> tuple[bool, bool, float, float, str]:
    if not standing.places:
        return standing.aside, True, 0.0, math.inf, standing.system
    return standing.aside, False, -standing.win_rate, standing.mean_rank, standing.system


def _places(column: Column, number: int, often: Collection[str]) -> dict[str, Place]:
    """Of each ranked system among those that were run often; drawn ranks only where all of these were sampled."""
    sign, standings = -1.0 if column.higher_is_better else 1.0, column.section.standings
    scores = {row.system: sign * (row.score or 0.0) for row in column.ranked}
    as_is, drawn = pd.DataFrame([scores]), pd.DataFrame()
    if standings:
        drawn = pd.DataFrame(sign * standings.estimates.draws(seed=number), columns=standings.systems)
    places = {}
    for system in scores:
        others = [other for other in scores if other in often and other != system]
        may_be = _ranks(drawn, system, others) if {system, *others} <= set(drawn) else None
        places[system] = Place(float(_ranks(as_is, system, others)[0]), len(others) + 1, may_be)
    return places


def _ranks(scores: pd.DataFrame, system: str, others: Sequence[str]) -> Floats:
    """(draws,) a system's rank beside the others, of equals the mean; lower scores are better."""
    own, theirs = scores[[system]].to_numpy(), scores[list(others)].to_numpy()
    found: Floats = 1 + (theirs < own).sum(axis=1) + (theirs == own).sum(axis=1) / 2
    return found
