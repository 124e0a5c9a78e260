"""Which rows are paired for siamese training, and which stand for their class. Pure, on row numbers.

Each function draws from the generator that it is given; `data.splits.generator` makes it from a run's seed and one of
the constants.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.data.splits import Index, permutation

THRESHOLD, PARTNERS, ASKED, SHOTS, CONTRASTS = 101, 102, 103, 104, 105
"""Constants of the draws, beside those of `data.splits`; none is ever given a new meaning."""


def of_each_class(classes: np.ndarray, count: int, draw: np.random.PCG64) -> Iterator[Index]:
    """For every class that occurs, in order: `count` of its rows at random, ascending; all where it has fewer."""
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        yield np.sort(own[permutation(len(own), draw)[:count]])


def partners(classes: np.ndarray, same: bool, draw: np.random.PCG64) -> Index:
    """(n,) for every row another one of its class (itself where it is alone), or one of another class.

    Within a class every row is a partner once. Raises ValueError where there is no other class.
    """
    found = np.empty(len(classes), dtype=np.int64)
    for label in np.unique(classes):
        own, others = np.flatnonzero(classes == label), np.flatnonzero(classes != label)
        if same:
            shuffled = own[permutation(len(own), draw)]
            found[shuffled] = np.roll(shuffled, 1)
        elif len(others):
            found[own] = others[draw.random_raw(len(own)) % len(others)]
        else:
            raise ValueError(f"all {len(classes)} training rows are of one class: there is no other to pair them with")
    return found


def contrasts(classes: np.ndarray, iterations: int, draw: np.random.PCG64) -> tuple[Index, Index, np.ndarray]:
    """(pairs,) first rows, second rows, and 1.0 where both are of one class, else 0.0.

    Every row is first in `iterations` pairs of either kind (Tunstall et al. 2022). Raises ValueError as `partners`.
    """
    kinds = [same for _ in range(iterations) for same in (True, False)]
    second = [partners(classes, same, draw) for same in kinds]
    return np.tile(np.arange(len(classes)), len(kinds)), np.concatenate(second), np.repeat(kinds, len(classes)) * 1.0
