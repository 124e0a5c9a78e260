"""Of how many rows a score at an end of its scale tells: an F1 of 0 on two positive rows among 1,000 is one of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.metrics import confusion as cm
from benchmarks.metrics import tags

if TYPE_CHECKING:
    from benchmarks.metrics.tagging import Rows


def of_texts(metric: str, gold: cm.Ids, predicted: cm.Ids, positive: int) -> float:
    """Of those that `resampled.of_texts` has, from (n,) ids of classes. Raises KeyError for another one."""
    positives, found = int((gold == positive).sum()), int((predicted == positive).sum())
    return {
        **dict.fromkeys(("accuracy", "f1_micro", "f1_weighted", "mcc"), len(gold)),
        "f1_macro": _of_a_mean(np.bincount(gold)),
        "average_precision_macro": _of_a_mean(np.bincount(gold)),
        "precision": found,
        "recall": positives,
        "f1": (positives + found) / 2,
        "average_precision": positives,
        "best_f1": positives,
        "roc_auc": min(positives, len(gold) - positives),
    }[metric]


def of_tags(metric: str, gold: Rows, predicted: Rows, scheme: str) -> float:
    """Of those that `resampled.of_tags` has; no more than rows: what stands in one of them has its luck in common.
    Raises KeyError for another one, and for one whose function is not in `OF_COUNTS`.
    """
    if metric in tags.OF_ENTITIES:
        mode, score = tags.OF_ENTITIES[metric]
        names, matches = tags.entity_matches(gold, predicted, scheme, mode)
    elif metric in tags.OF_TYPES:
        score = tags.OF_TYPES[metric]
        names, matches = tags.token_matches(tags.types(gold), tags.types(predicted), with_o=True)
    else:
        score = tags.OF_TOKENS[metric]
        names, matches = tags.token_matches(gold, predicted, with_o=metric not in tags.WITHOUT_O)
    of_classes = matches.summed(len(names))[:, 1:].mean(axis=1)  # predicted and gold: what an F1 divides by
    return min(len(gold), OF_COUNTS[score](of_classes))


def _of_a_mean(counts: np.ndarray) -> float:
    """Of a mean over classes the rarest tells least, which moves it by its part alone."""
    present = counts[counts > 0]
    return float(len(present) * present.min()) if len(present) else 0.0


def _of_all(counts: np.ndarray) -> float:
    return float(counts.sum())


OF_COUNTS: dict[Callable[..., cm.Floats], Callable[[np.ndarray], float]] = {
    cm.accuracy: _of_all,
    cm.f1_micro: _of_all,
    cm.f1_weighted: _of_all,
    cm.f1_macro: _of_a_mean,
}
"""A metric's function of matches -> of how many rows it tells, from the (k,) counts of each class."""
