"""Ways of doing the same work, timed in turn: a ratio is of one round, in which both met the same machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Literal, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
Unit: TypeAlias = Literal["times", "share", "seconds", "MB"]


class Ratio(NamedTuple):
    """Of all rounds: the middle one, the lowest and the highest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Ratio:
        return cls(median(values), min(values), max(values))


class Goal(NamedTuple):
    """What was to be reached, at least or (at_most) at most, and what was; None: not measured, for which `why`."""

    what: str
    wanted: float
    reached: Ratio | None
    unit: Unit = "times"
    at_most: bool = False
    why: str = ""

    @property
    def met(self) -> bool | None:
        if self.reached is None:
            return None
        return self.reached.middle <= self.wanted if self.at_most else self.reached.middle >= self.wanted


class Table(NamedTuple):
    """A table of the page, and what must be said of it."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


class Measured(NamedTuple):
    """What one part of the page holds."""

    goals: list[Goal]
    tables: list[Table]


def in_turn(ways: Mapping[str, Callable[[], T]], rounds: int, tell: Callable[[str], None]) -> dict[str, list[T]]:
    """What each way gives in each round. Each round begins one further: no way always comes after the same one."""
    names = list(ways)
    found: dict[str, list[T]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            tell(f"round {number + 1} of {rounds}: {name}")
            found[name].append(ways[name]())
    return found


def ratios(reference: Sequence[float], ours: Sequence[float]) -> Ratio:
    """How many times as long the reference took, round by round."""
    return Ratio.of([theirs / own for theirs, own in zip(reference, ours, strict=True)])
