"""The bootstrap by rows: every metric of many samples of the test rows, drawn with replacement (Efron 1979).

Runs on the same rows get the same samples, so that what is left of their difference is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.integer]

COUNT = 2000
"""Samples by default: the standard error that they give is within 3 % of that of infinitely many."""
AT_ONCE = 2**22
"""Weights in memory at a time."""


class Run(NamedTuple):
    """What one run makes of weighted rows. rows: (m,) places of its test rows among all rows that any run has."""

    rows: Ids
    metric: Callable[[Floats], Floats]
    """(b, m) weights -> (b,) values."""


def replicates(runs: Sequence[Run], rows: int, count: int = COUNT, seed: int = 0) -> Floats:
    """(count, runs) values of each run's metric on the same samples of `rows` rows; NaN where it is not defined."""
    every = np.arange(rows)
    parts = [None if np.array_equal(run.rows, every) else run.rows for run in runs]
    values = []
    for weights in samples(rows, count, seed):
        own = (weights if part is None else weights[:, part] for part in parts)
        values.append(np.stack([run.metric(found) for run, found in zip(runs, own, strict=True)], axis=1))
    return np.concatenate(values)


def samples(rows: int, count: int, seed: int) -> Iterator[Floats]:
    """(some, rows) how often each row is in a sample of as many rows; `count` samples in all."""
    draw = np.random.default_rng(seed)
    most = max(1, AT_ONCE // rows)
    for start in range(0, count, most):
        some = min(most, count - start)
        drawn = draw.integers(0, rows, (some, rows), dtype=np.int32) + rows * np.arange(some)[:, None]
        yield np.bincount(drawn.ravel(), minlength=some * rows).reshape(some, rows).astype(np.float64)
