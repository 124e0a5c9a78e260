"""Test rows that every system has wrong, and those on which systems disagree: which of them are worth a look."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks import excerpts
from benchmarks.excerpts import Excerpt
from benchmarks.leaderboard.across import Column
from benchmarks.leaderboard.folds import tested
from benchmarks.leaderboard.rows import grouped

MOST_ROWS = 50
Kind = Literal["all fail", "disagree"]
Prediction = str | tuple[str, ...]
"""A label, or the tags of a row."""


@dataclass(frozen=True)
class Group:
    """Systems that predict the same of one row."""

    predicted: Prediction
    systems: tuple[str, ...]
    right: bool


@dataclass(frozen=True)
class Failing:
    """One test row. groups: the right one first, then the largest."""

    row_id: str
    kind: Kind
    gold: Prediction
    groups: tuple[Group, ...]

    @property
    def right(self) -> int:
        """How many systems have it right."""
        return sum(len(group.systems) for group in self.groups if group.right)

    @property
    def systems(self) -> int:
        return sum(len(group.systems) for group in self.groups)


@dataclass(frozen=True)
class Errors:
    """What one seed of a table's systems got wrong. counts: rows of each kind, of which `shown` are some; left_out:
    systems that predict the same of every row.
    """

    seed: int
    rows: int
    counts: Mapping[Kind, int]
    shown: tuple[Failing, ...]
    systems: tuple[str, ...]
    left_out: tuple[str, ...]


def errors(results: Path, column: Column) -> Errors | None:
    """Of the seed that most systems of the task's table have; None where each of them predicts one thing of every row,
    or all are right everywhere.

    Raises UserError for predictions that can't be read.
    """
    made = {row.system: {folds[0].slot.seed: folds for folds in row.made} for row in column.ranked}
    seeds = grouped((seed for own in made.values() for seed in own), lambda seed: seed)
    if not seeds:
        return None
    seed = min(seeds, key=lambda one: (-len(seeds[one]), one))
    gold: dict[str, Prediction] = {}
    predicted: dict[str, dict[str, Prediction]] = {}
    for system, own in made.items():
        found = tested(results, own[seed]) if seed in own else ""
        if not isinstance(found, str):
            gold |= dict(zip(found.row_ids, map(_frozen, found.named.gold), strict=True))
            predicted[system] = dict(zip(found.row_ids, map(_frozen, found.named.predicted), strict=True))
    constant = tuple(system for system, own in predicted.items() if len(set(map(_content, own.values()))) == 1)
    compared = {system: own for system, own in predicted.items() if system not in constant}
    if not compared:
        return None
    kinds = grouped(_failing(gold, compared), lambda row: row.kind)
    if not kinds:
        return None
    shown = _worth_a_look(kinds.get("all fail", []), kinds.get("disagree", []))
    counts = {kind: len(rows) for kind, rows in kinds.items()}
    return Errors(seed, len(gold), counts, tuple(shown), tuple(compared), constant)


def _frozen(prediction: Any) -> Prediction:
    return tuple(prediction) if isinstance(prediction, list) else str(prediction)


def _content(prediction: Prediction) -> Prediction:
    """Tags without their number: a row of five 'O' is predicted as one of nine is."""
    return prediction if isinstance(prediction, str) else tuple(sorted(set(prediction)))


def _failing(gold: Mapping[str, Prediction], predicted: Mapping[str, Mapping[str, Prediction]]) -> Iterator[Failing]:
    for row, wanted in gold.items():
        of_row = {system: own[row] for system, own in predicted.items() if row in own}
        kind = _kind(wanted, list(of_row.values()))
        if kind:
            said = grouped(of_row, of_row.__getitem__)
            groups = [Group(one, tuple(systems), one == wanted) for one, systems in said.items()]
            yield Failing(row, kind, wanted, tuple(sorted(groups, key=lambda g: (not g.right, -len(g.systems)))))


def _kind(gold: Prediction, predicted: Sequence[Prediction]) -> Kind | None:
    if predicted and gold not in predicted:
        return "all fail"
    return "disagree" if any(one != gold for one in predicted) else None


def _worth_a_look(failed: Sequence[Failing], disputed: Sequence[Failing]) -> list[Failing]:
    """As many of each kind as there is room for: where all fail, those first in which most say the same (the gold label
    may be at fault); of the others those that part the systems most evenly.
    """
    all_fail = sorted(failed, key=lambda row: (-len(row.groups[0].systems), _shuffled(row)))
    evenly = sorted(disputed, key=lambda row: (abs(row.right / row.systems - 0.5), _shuffled(row)))
    half = MOST_ROWS // 2
    return [*all_fail[: max(half, MOST_ROWS - len(evenly))], *evenly[: max(half, MOST_ROWS - len(all_fail))]]


def _shuffled(row: Failing) -> str:
    return hashlib.sha256(row.row_id.encode()).hexdigest()


def excerpts_of(results: Path, column: Column) -> dict[str, Excerpt]:
    """What is stored of the table's rows, by row id."""
    return excerpts.read(excerpts_path(results, column))


def excerpts_path(results: Path, column: Column) -> Path:
    conditions = column.section.conditions
    return excerpts.path(results, column.page.task, conditions.task, conditions.data)
