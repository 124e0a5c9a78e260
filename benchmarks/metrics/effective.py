"""Of how many rows a score at an end of its scale tells: an F1 of 0 on two positive rows among 1,000 is one of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.metrics import tags

if TYPE_CHECKING:
    from benchmarks.metrics import confusion as cm
    from benchmarks.metrics.tagging import Rows


def of_texts(metric: str, gold: cm.Ids, predicted: cm.Ids, positive: int) -> float:
    """Of those that `resampled.of_texts` has, from (n,) ids of classes."""
    positives, found = int((gold == positive).sum()), int((predicted == positive).sum())
    return {
        "f1_macro": _of_a_mean(np.bincount(gold)),
        "average_precision_macro": _of_a_mean(np.bincount(gold)),
        "precision": found,
        "recall": positives,
        "f1": (positives + found) / 2,
        "average_precision": positives,
        "best_f1": positives,
        "roc_auc": min(positives, len(gold) - positives),
    }.get(metric, len(gold))


def of_tags(metric: str, gold: Rows, predicted: Rows, scheme: str) -> float:
    """Of those that `resampled.of_tags` has; no more than rows: what stands in one of them has its luck in common."""
    if metric in tags.OF_ENTITIES:
        names, matches = tags.entity_matches(gold, predicted, scheme, tags.OF_ENTITIES[metric][0])
    else:
        if metric in tags.OF_TYPES:
            gold, predicted = tags.types(gold), tags.types(predicted)
        names, matches = tags.token_matches(gold, predicted, with_o=metric not in tags.WITHOUT_O)
    of_classes = matches.summed(len(names))[:, 1:].mean(axis=1)  # predicted and gold: what an F1 divides by
    return min(len(gold), _of_a_mean(of_classes) if "macro" in metric else float(of_classes.sum()))


def _of_a_mean(counts: np.ndarray) -> float:
    """Of a mean over classes the rarest tells least, which moves it by its part alone."""
    present = counts[counts > 0]
    return float(len(present) * present.min()) if len(present) else 0.0
