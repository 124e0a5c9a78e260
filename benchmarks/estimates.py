"""How long a run takes: by the rows that it trains on and predicts, and by what stored runs took for theirs. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from benchmarks.schema import HeldOut, Recipe, RunResult, RunSpec

# Rows a second where nothing has been stored yet: a guess, the medians of this project's own results by a small encoder
# on two cores. What is frozen is read once, so each of its many epochs costs little.
GUESSED_ROWS_PER_SECOND = {
    "finetune": 40.0,
    "lora": 30.0,
    "sbert-softmax": 20.0,
    "sbert-cosine": 20.0,
    "sbert-fewshot": 40.0,
    "frozen": 1400.0,
    "probe": 100.0,
    "recurrent": 300.0,
    "recurrent-word2vec": 750.0,
    "tag-features": 200.0,
}
QUICK_ROWS_PER_SECOND = 4000.0
READ_ROWS_PER_SECOND = 100.0
"""That an encoder predicts."""

GUESSED_ROWS = 1000
"""Of a split whose files declare none, as the embedded corpora have."""


class BySplit(NamedTuple):
    """Rows that are trained on and rows that are predicted: how many, or the seconds of one."""

    trained: float
    tested: float


def declared_rows(spec: RunSpec) -> BySplit:
    """Of a run's training and test split, by the counts that the task's files declare: what its time goes by."""
    task, protocol = spec.task, spec.protocol
    # Where files are absent, the data's identity names the fallback's splits.
    splits = task.fallback.splits if task.fallback and "splits" in spec.identity.get("data", {}) else task.splits
    held_out = [held for held in (splits.test, splits.validation) if isinstance(held, HeldOut)]

    def published(part: str, most_of_a_class: int | None) -> int:
        files = task.source.files.get(part, ()) if task.source else ()
        if most_of_a_class and files and all(file.counts for file in files):
            of_classes = (sum(file.counts.get(label, 0) for file in files) for label in task.labels)
            return sum(min(rows, most_of_a_class) for rows in of_classes)
        return sum(file.rows or 0 for file in files) or GUESSED_ROWS

    def whole(split: str) -> float:
        part = getattr(splits, split)
        if isinstance(part, HeldOut):
            return part.share if part.share >= 1 else part.share * whole(part.take_from)
        return published(part, splits.most_of_a_class if split == "train" else None)

    def left(split: str) -> float:
        taken = (held.share * (whole(split) if held.share < 1 else 1) for held in held_out if held.take_from == split)
        return whole(split) - sum(taken)

    trained, tested = left("train"), left("test")
    if protocol.folds:
        pool = whole("train") if splits.test in held_out else trained
        trained, tested = pool - pool / protocol.folds, pool / protocol.folds
    most = protocol.limit or math.inf
    return BySplit(protocol.train_size or min(trained, most), protocol.test_size or min(tested, most))


def costs(runs: Sequence[RunResult], recipe: type[Recipe]) -> BySplit | None:
    """Seconds a row of such runs; None of none. recipe: that of their method."""
    seen = [_seen(run, recipe) for run in runs]
    trained = _seconds_of_a_row([run.cost["train_seconds"] for run in runs], seen)
    tested = _seconds_of_a_row(
        [run.cost["predict_seconds"] for run in runs], [run.data["used"]["test"] for run in runs]
    )
    return None if trained is None or tested is None else BySplit(trained, tested)


def _seen(run: RunResult, recipe: type[Recipe]) -> float:
    """Rows that its training looked at, of its own task's classes."""
    own = recipe.model_construct(**run.recipe)  # what an earlier version stored may not be valid now
    return own.seen(run.train_size or 0, len(run.identity_.get("task", {}).get("labels", ())))


def _seconds_of_a_row(seconds: Sequence[float], rows: Sequence[float]) -> float | None:
    """The median over rows: long runs count the most, and one that stood still for hours no more than another. None
    without a row.
    """
    paces = sorted((took / count, count) for took, count in zip(seconds, rows, strict=True) if count)
    passed = accumulate(count for _, count in paces)
    return next((pace for (pace, _), sofar in zip(paces, passed, strict=True) if sofar >= sum(rows) / 2), None)


def guessed_costs(spec: RunSpec) -> BySplit:
    """Seconds a row where no run is like it."""
    trained = GUESSED_ROWS_PER_SECOND.get(spec.system.method, QUICK_ROWS_PER_SECOND)
    return BySplit(1 / trained, 1 / (READ_ROWS_PER_SECOND if spec.recipe.needs_encoder else QUICK_ROWS_PER_SECOND))
