"""One RunSpec: data -> method -> Predictions -> metrics -> RunResult or RunFailure."""

from __future__ import annotations

import datetime
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.environment import environment
from benchmarks.meter import Meter, Progress
from benchmarks.methods import Job, Method, load
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec
from benchmarks.scoring import Named, Scoring

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData


def run(
    spec: RunSpec,
    data: TaskData,
    encoder: Path | None,
    progress: Progress = lambda share: None,
    method: Method | None = None,
    processes: int = 1,
) -> tuple[RunResult | RunFailure, Predictions | None]:
    """Makes the run. Whatever goes wrong inside it becomes a RunFailure: one failed run never ends the others."""
    try:
        return _run(spec, data, encoder, progress, method or load(spec.system.method), processes)
    except Exception as error:
        return failure(spec, error, processes), None


def _run(
    spec: RunSpec, data: TaskData, encoder: Path | None, progress: Progress, method: Method, processes: int
) -> tuple[RunResult, Predictions]:
    from benchmarks.data.splits import select

    rows = select(data, spec.protocol)
    meter = Meter(progress)
    job = Job(spec.task, spec.recipe, spec.protocol.seed, rows, encoder, meter)
    predictions = checked(method(job), len(spec.task.classes))
    scoring, named = Scoring.of(spec.task), Named.of(predictions, spec.task.classes)
    result = RunResult(
        **_stored(spec, len(rows.train), processes, meter.notes.get("precision")),
        title=spec.task.title,
        group=spec.task.group,
        type=spec.task.type,
        method=spec.system.method,
        metrics=scoring.measure(named),
        primary_metric=spec.task.metric,
        report=scoring.report(named),
        cost=meter.cost(),
        data={**data.provenance, "used": {"train": len(rows.train), "test": len(rows.test)}},
        about=spec.task.about(),
        training=meter.notes,
    )
    return result, predictions


def failure(spec: RunSpec, error: Exception, processes: int = 1) -> RunFailure:
    """The stored form of an exception."""
    text = "".join(traceback.format_exception(error))
    return RunFailure(
        **_stored(spec, spec.protocol.train_size, processes),
        error={"type": type(error).__name__, "message": str(error), "traceback": text},
    )


def _stored(spec: RunSpec, train_size: int | None, processes: int, precision: str | None = None) -> dict[str, Any]:
    return {
        "task": spec.task.name,
        "system": spec.system.name,
        "seed": spec.protocol.seed,
        "train_size": train_size,
        "fold": spec.protocol.fold,
        "sample": spec.task.sample is not None,
        "limited": spec.protocol.limit is not None,
        "fingerprint": spec.fingerprint,
        "key": spec.key,
        "identity": spec.identity,
        "protocol": spec.protocol.model_dump(),
        "recipe": spec.recipe.model_dump(mode="json"),
        "environment": environment(processes, precision),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def checked(predictions: Predictions, classes: int) -> Predictions:
    """The predictions as they will be stored (scores in 16 bits), so that a later re-score gives the same numbers.

    Raises ValueError where a method lost, doubled or shortened rows.
    """
    rows = len(predictions.row_ids)
    if len(set(predictions.row_ids)) != rows or not rows == len(predictions.gold) == len(predictions.predicted):
        raise ValueError(f"{rows} rows, {len(predictions.gold)} gold, {len(predictions.predicted)} predicted")
    if predictions.scores is None:
        return predictions
    scores = np.clip(predictions.scores, -65504, 65504).astype(np.float16).astype(np.float32)
    if scores.shape != (rows, classes) or not np.isfinite(scores).all():
        raise ValueError(f"scores are {scores.shape}, expected finite ({rows}, {classes})")
    return Predictions(predictions.row_ids, predictions.gold, predictions.predicted, scores)
