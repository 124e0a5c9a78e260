"""Whether reported scores can be those of the rows that are stated: each is a ratio of whole numbers. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MOST_ROWS = 2000
"""Up to which counts are looked for."""
EPSILON = 1e-12
SCORES = ("accuracy", "precision", "recall", "f1")


class Counts(NamedTuple):
    """A confusion of two classes. right: true positives; predicted, gold: positives."""

    rows: int
    right: int
    predicted: int
    gold: int

    def scores(self) -> dict[str, float]:
        """SCORES of them."""
        wrong = self.predicted + self.gold - 2 * self.right
        return {
            "accuracy": (self.rows - wrong) / self.rows,
            "precision": self.right / self.predicted,
            "recall": self.right / self.gold,
            "f1": 2 * self.right / (self.predicted + self.gold),
        }


def is_share(value: float, rows: int, rounding: float) -> bool:
    """Whether a whole number of so many rows is the rounded value (the GRIM test of Brown and Heathers 2017)."""
    return abs(round(value * rows) / rows - value) <= rounding + EPSILON


def of_rows(rows: int, values: Mapping[str, float], rounding: Mapping[str, float]) -> Iterator[Counts]:
    """All counts of so many rows that round to every reported one of SCORES, where precision, recall and accuracy are
    among them and none is 0.
    """
    for gold in range(1, rows + 1):
        for right in _within(gold, values["recall"], rounding["recall"]):
            for predicted in _divisors(right, values["precision"], rounding["precision"]):
                found = Counts(rows, right, predicted, gold)
                if predicted + gold - right <= rows and _fits(found, values, rounding):
                    yield found


def fewest(values: Mapping[str, float], rounding: Mapping[str, float]) -> Counts | None:
    """Counts of the fewest rows that can give the values; None where none up to MOST_ROWS can."""
    return next((found for rows in range(1, MOST_ROWS + 1) for found in of_rows(rows, values, rounding)), None)


def can_be_asked(values: Mapping[str, float]) -> bool:
    """Whether there are enough scores to look for counts."""
    return all(values.get(name) for name in ("accuracy", "precision", "recall"))


def _within(whole: int, share: float, rounding: float) -> range:
    """Numbers, 1 or more, whose share of the whole rounds to this one."""
    low, high = whole * (share - rounding) - EPSILON * whole, whole * (share + rounding) + EPSILON * whole
    return range(max(1, math.ceil(low)), min(whole, math.floor(high)) + 1)


def _divisors(part: int, share: float, rounding: float) -> Iterator[int]:
    """Wholes of which the part is this rounded share."""
    low, high = part / (share + rounding + EPSILON), part / max(share - rounding - EPSILON, EPSILON)
    return iter(range(max(part, math.ceil(low)), math.floor(high) + 1))


def _fits(found: Counts, values: Mapping[str, float], rounding: Mapping[str, float]) -> bool:
    scores = found.scores()
    return all(abs(scores[name] - values[name]) <= rounding[name] + EPSILON for name in SCORES if name in values)
