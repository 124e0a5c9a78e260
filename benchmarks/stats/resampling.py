"""The bootstrap by rows: every metric of many samples of the test rows.

Each row counts in each sample a number of times drawn from Poisson(1), which for many rows is drawing them with
replacement (Efron 1979; Chamandy et al. 2012, Estimating Uncertainty for Massive Data Streams). The draws of a row come
from its id alone: runs on the same rows have the same samples, so that what is left of their difference is theirs,
whatever else they are compared with. A run's values can be kept and set beside those of runs that are made later.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COUNT = 2000
"""Samples by default: the standard error that they give is within 3 % of that of infinitely many."""
AT_ONCE = 2**18
"""Weights in memory at a time, few enough for a processor's cache: more of them take twice as long."""
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIXED = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
"""Shifts and factors of SplitMix64 (Steele, Lea, Flood 2014)."""
BITS = 16
"""Of a draw that decide how often a row counts."""


def _times() -> npt.NDArray[np.uint8]:
    """(2 ** BITS,) how often a row counts: as many of the entries are k as Poisson(1) has k."""
    shares = accumulate(math.exp(-1) / math.factorial(times) for times in range(BITS))
    times: npt.NDArray[np.uint8] = np.searchsorted(list(shares), (np.arange(2**BITS) + 0.5) / 2**BITS).astype(np.uint8)
    return times


TIMES = _times()


class Run(NamedTuple):
    """What one run makes of weighted rows. rows: the ids of its n test rows."""

    rows: Sequence[str]
    metric: Callable[[Floats], Floats]
    """(b, n) weights -> (b,) values."""


def replicates(runs: Sequence[Run], count: int = COUNT) -> Floats:
    """(count, runs) values of each run's metric on the same samples; NaN where it is not defined."""
    found = np.empty((count, len(runs)))
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, run in enumerate(runs):
        alike.setdefault(tuple(run.rows), []).append(place)
    for rows, places in alike.items():
        start = 0
        for weights in samples(rows, count):
            for place in places:
                found[start : start + len(weights), place] = runs[place].metric(weights)
            start += len(weights)
    return found


def samples(rows: Sequence[str], count: int) -> Iterator[Floats]:
    """(some, rows) how often each row counts in a sample; `count` samples in all."""
    seeds = np.array([_seed(row) for row in rows], dtype=np.uint64)
    most = max(1, AT_ONCE // len(rows))
    for start in range(0, count, most):
        yield _counted(_bits(seeds, start, min(most, count - start)))


def _seed(row: str) -> int:
    return int.from_bytes(hashlib.blake2b(row.encode(), digest_size=8).digest(), "little")


def _bits(seeds: npt.NDArray[np.uint64], start: int, some: int) -> npt.NDArray[np.uint64]:
    """(some, rows): of each row's stream, SplitMix64 from its seed, the draws from number `start` on."""
    steps = np.arange(start + 1, start + some + 1, dtype=np.uint64) * GOLDEN  # 64 bits, wrapping around, as it means
    bits = seeds[None, :] + steps[:, None]
    for shift, factor in MIXED:
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return bits


def _counted(bits: npt.NDArray[np.uint64]) -> Floats:
    times: Floats = TIMES[bits >> np.uint64(64 - BITS)].astype(np.float64)
    return times
