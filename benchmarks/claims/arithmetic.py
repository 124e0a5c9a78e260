"""Whether reported scores can be those of the rows that are stated: each is a ratio of whole numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

MOST_ROWS = 20_000


class Counts(NamedTuple):
    """The smallest confusion of two classes that gives reported scores."""

    rows: int
    right_positives: int
    predicted: int
    gold: int


def is_share(value: float, rows: int, rounding: float) -> bool:
    """Whether a whole number of so many rows is the rounded value (the GRIM test of Brown and Heathers 2017)."""
    return abs(round(value * rows) / rows - value) <= rounding + 1e-12


def implied(values: Mapping[str, float], rounding: Mapping[str, float]) -> Counts | None:
    """The fewest rows of which accuracy, precision and recall (of the positive class) are these; None where one of them
    is not given, or no number up to MOST_ROWS gives them.
    """
    if not {"accuracy", "precision", "recall"} <= values.keys() or not values["recall"]:
        return None
    for predicted in range(1, MOST_ROWS + 1):
        found = _with(predicted, values, rounding)
        if found and found.rows <= MOST_ROWS:
            return found
    return None


def _with(predicted: int, values: Mapping[str, float], rounding: Mapping[str, float]) -> Counts | None:
    """With so many rows that were predicted positive."""
    right = round(values["precision"] * predicted)
    if not right or abs(right / predicted - values["precision"]) > rounding["precision"] + 1e-12:
        return None
    gold = round(right / values["recall"])
    if abs(right / gold - values["recall"]) > rounding["recall"] + 1e-12:
        return None
    wrong = predicted + gold - 2 * right
    rows = predicted + gold - right if values["accuracy"] == 1 else round(wrong / (1 - values["accuracy"]))
    if rows < predicted + gold - right or not rows:
        return None
    is_accuracy = abs((rows - wrong) / rows - values["accuracy"]) <= rounding["accuracy"] + 1e-12
    return Counts(rows, right, predicted, gold) if is_accuracy else None
