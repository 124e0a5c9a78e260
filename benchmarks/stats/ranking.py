"""Places of systems: with ties, and as ranges where differences are not significant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ALPHA = 0.05

Floats = npt.NDArray[np.float64]


def ranks(values: Sequence[float], higher_is_better: bool) -> list[int]:
    """The place of each value, best first; equal values share one, and the next place counts them: 1, 2, 2, 4."""
    place: dict[float, int] = {}
    for position, value in enumerate(sorted(values, reverse=higher_is_better), start=1):
        place.setdefault(value, position)
    return [place[value] for value in values]


def ranges(values: Sequence[float], p_values: Floats, higher_is_better: bool) -> list[range]:
    """Of each value the places that it may have: below those that are significantly better, above those that are worse.

    p_values: (k, k), of each row's difference from the others, corrected for their number (`paired.holm`) by row.
    """
    scores = np.asarray(values) * (1 if higher_is_better else -1)
    apart = p_values < ALPHA
    better = (apart & (scores[None, :] > scores[:, None])).sum(axis=1)
    worse = (apart & (scores[None, :] < scores[:, None])).sum(axis=1)
    return [range(1 + int(b), len(scores) - int(w) + 1) for b, w in zip(better, worse, strict=True)]
