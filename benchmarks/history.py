"""What stored runs say of a plan: what is done, what is stale and why, how long the rest takes. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from benchmarks.plan import changed_fields, is_variant
from benchmarks.schema import HeldOut, Recipe, RunResult, RunSpec, Stored

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

GUESSED_ROWS = 2000
SHARE_WITH_A_PACE = 0.02


class BySplit(NamedTuple):
    """Rows that are trained on and rows that are predicted: how many, or the seconds of one."""

    trained: float
    tested: float


class History:
    """The stored runs of a plan's tasks."""

    def __init__(self, runs: Iterable[Stored]) -> None:
        self._likes: dict[tuple[str, ...], list[RunResult]] = {}
        self._costs: dict[tuple[object, ...], BySplit | None] = {}
        self.keys: set[tuple[str, str, str]] = set()
        self.twins: dict[tuple[str, str], str] = {}
        self.stored: dict[tuple[str, str, str], list[Stored]] = {}
        for run in runs:
            self.stored.setdefault((run.task, run.system, _slot(run.key, run.fingerprint)), []).append(run)
            if isinstance(run, RunResult):
                for like in _likes(run.system, run.task, run.method, run.group):
                    self._likes.setdefault(like, []).append(run)
                self.keys.add((run.task, run.system, run.key))
                self.twins.setdefault((run.task, run.key), run.system)

    def done(self, spec: RunSpec) -> bool:
        """Whether exactly this run is stored; one that failed is not done. A variant's under whatever name: that of
        another system which, so changed, is the same.
        """
        return (spec.task.name, spec.system.name, spec.key) in self.keys or self.twin(spec) is not None

    def twin(self, spec: RunSpec) -> str | None:
        """Of a variant that is stored under another name alone, that name."""
        own = (spec.task.name, spec.system.name, spec.key) in self.keys
        return None if own or not is_variant(spec.system.name) else self.twins.get((spec.task.name, spec.key))

    def changes(self, spec: RunSpec) -> list[str]:
        """For each stored run of the same system, seed, size and fold under another identity: what differs."""
        slot = spec.task.name, spec.system.name, _slot(spec.key, spec.fingerprint)
        others = (run for run in self.stored.get(slot, ()) if run.fingerprint != spec.fingerprint)
        return ["; ".join(changed_fields(run.identity_, spec.identity)) for run in others]

    def seconds(self, spec: RunSpec) -> tuple[float, bool]:
        """Estimated seconds, and whether stored runs back them: of the likest that are there."""
        rows, classes = declared_rows(spec), len(spec.task.classes)
        likes = _likes(spec.system.name, spec.task.name, spec.system.method, spec.task.group)
        paces = (self._cost(like, type(spec.recipe), classes) for like in likes)
        stored = next((pace for pace in paces if pace), None)
        cost = stored or _guessed(spec)
        seconds = spec.recipe.seen(round(rows.trained), classes) * cost.trained + rows.tested * cost.tested
        return (1 + (spec.tuning.trials if spec.tuning else 0)) * seconds, stored is not None

    def _cost(self, like: tuple[str, ...], recipe: type[Recipe], classes: int) -> BySplit | None:
        """Seconds a row of the stored runs that are like this; computed once: plans and stores are long."""
        asked = like, recipe, classes
        if asked not in self._costs:
            runs = self._likes.get(like, ())
            # What an earlier version stored may not be valid now.
            seen = [recipe.model_construct(**run.recipe).seen(run.train_size or 0, classes) for run in runs]
            trained = _seconds_of_a_row([run.cost["train_seconds"] for run in runs], seen)
            tested = _seconds_of_a_row(
                [run.cost["predict_seconds"] for run in runs], [run.data["used"]["test"] for run in runs]
            )
            self._costs[asked] = None if trained is None or tested is None else BySplit(trained, tested)
        return self._costs[asked]


def _likes(system: str, task: str, method: str, group: str) -> tuple[tuple[str, ...], ...]:
    """By what two runs are like each other, the likest first."""
    return ("system and task", system, task), ("system", system), ("method and group", method, group)


def _slot(key: str, fingerprint: str) -> str:
    """A key without its fingerprint: seed, size, fold."""
    return key.removesuffix(fingerprint)


def _seconds_of_a_row(seconds: Sequence[float], rows: Sequence[float]) -> float | None:
    """The median over rows: long runs count the most, and one that stood still for hours no more than another. None
    without a row.
    """
    paces = sorted((took / count, count) for took, count in zip(seconds, rows, strict=True) if count)
    passed = accumulate(count for _, count in paces)
    return next((pace for (pace, _), sofar in zip(paces, passed, strict=True) if sofar >= sum(rows) / 2), None)


def _guessed(spec: RunSpec) -> BySplit:
    """Seconds a row."""
    trained = GUESSED_ROWS_PER_SECOND.get(spec.system.method, QUICK_ROWS_PER_SECOND)
    return BySplit(1 / trained, 1 / (READ_ROWS_PER_SECOND if spec.recipe.needs_encoder else QUICK_ROWS_PER_SECOND))


def declared_rows(spec: RunSpec) -> BySplit:
    """Of a run's training and test split, by the counts that the task's files declare: what its time goes by."""
    task, protocol = spec.task, spec.protocol
    # Where files are absent, the data's identity names the fallback's splits.
    splits = task.fallback.splits if task.fallback and "splits" in spec.identity.get("data", {}) else task.splits
    held_out = [held for held in (splits.test, splits.validation) if isinstance(held, HeldOut)]

    def published(part: str, most_of_a_class: int | None) -> int:
        files = task.source.files.get(part, ()) if task.source else ()
        if most_of_a_class and all(file.counts for file in files):
            of_classes = sum((Counter(file.counts) for file in files), Counter())
            return sum(min(rows, most_of_a_class) for rows in of_classes.values())
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


class Pace:
    """Seconds that are left: each run by its estimate, all by how the estimates held so far."""

    def __init__(self, specs: Sequence[RunSpec], history: History) -> None:
        self.open = {spec.path: history.seconds(spec)[0] for spec in specs}
        self.all = sum(self.open.values())
        self.spent = self.estimated = 0.0

    def estimate(self, spec: RunSpec) -> float:
        return self.open[spec.path]

    def finished(self, spec: RunSpec, took: float) -> None:
        estimate = self.open.pop(spec.path, 0.0)
        self.all -= estimate
        self.spent += took
        self.estimated += estimate

    def left(self, running: Iterable[tuple[RunSpec, float, float]], abreast: int = 1) -> float:
        """running: spec, share that is done, seconds since its start. Of a run that is made the rest by its own pace
        once it has one, the others by that of those that are done; `abreast` of them at a time.
        """
        factor = self.spent / self.estimated if self.estimated else 1.0
        begun = {
            spec.path: elapsed * (1 - share) / share
            if share > SHARE_WITH_A_PACE
            else self.open.get(spec.path, 0.0) * factor
            for spec, share, elapsed in running
        }
        others = max(0.0, self.all - sum(self.open.get(path, 0.0) for path in begun)) * factor
        return max((others + sum(begun.values())) / abreast, *begun.values(), 0.0)
