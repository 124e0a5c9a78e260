"""One RunSpec: data -> method -> Predictions -> metrics -> RunResult or RunFailure."""

from __future__ import annotations

import datetime
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.environment import environment
from benchmarks.meter import Meter, Progress
from benchmarks.methods import Job, Method, load
from benchmarks.metrics import CLUSTERING_METRIC
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec
from benchmarks.scoring import Named, Scoring
from benchmarks.tracking import NOBODY, Trackers

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData
    from benchmarks.data.splits import RunData


def run(
    spec: RunSpec,
    data: TaskData,
    encoder: Path | None,
    cache: Path,
    progress: Progress = lambda share: None,
    method: Method | None = None,
    processes: int = 1,
    keep: Path | None = None,
    trackers: Trackers = NOBODY,
) -> tuple[RunResult | RunFailure, Predictions | None]:
    """Makes the run. Whatever goes wrong inside it becomes a RunFailure: one failed run never ends the others.

    cache: the folder of what methods keep between runs; keep: an empty one for the trained model; trackers: who is
    told of it.
    """
    try:
        rows, meter = _rows(spec, data), Meter(progress)
        with trackers.following(spec) as followed:
            job = Job(spec.task, spec.recipe, spec.protocol.seed, rows, encoder, cache, meter, keep, followed.by)
            result, predictions = _run(spec, data, job, method or load(spec.system.method), processes)
            followed.tell(result.metrics)
        return result, predictions
    except Exception as error:
        return failure(spec, error, processes), None


def _rows(spec: RunSpec, data: TaskData) -> RunData:
    from benchmarks.data.splits import select

    return select(data, spec.protocol, spec.trial)


def _run(spec: RunSpec, data: TaskData, job: Job, method: Method, processes: int) -> tuple[RunResult, Predictions]:
    rows, meter = job.data, job.meter
    predictions = checked(method(job), len(spec.task.classes))
    scoring, named = Scoring.of(spec.task), Named.of(predictions, spec.task.classes)
    result = RunResult(
        **_stored(spec, len(rows.train), processes, meter.notes.get("precision")),
        title=spec.task.title,
        group=spec.task.group,
        type=spec.task.type,
        method=spec.system.method,
        metrics=scoring.measure(named),
        primary_metric=spec.task.metric if predictions.silhouettes is None else CLUSTERING_METRIC,
        report=scoring.report(named),
        cost=meter.cost(),
        data={**data.provenance, "used": rows.sizes},
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
    """The predictions as they will be stored (scores in 16 bits, silhouettes in 32), so that a later re-score gives the
    same numbers.

    Raises ValueError where a method lost, doubled or shortened rows.
    """
    rows = len(predictions.row_ids)
    if len(set(predictions.row_ids)) != rows or not rows == len(predictions.gold) == len(predictions.predicted):
        raise ValueError(f"{rows} rows, {len(predictions.gold)} gold, {len(predictions.predicted)} predicted")
    scores, silhouettes = predictions.scores, predictions.silhouettes
    if scores is not None:
        scores = np.clip(scores, -65504, 65504).astype(np.float16).astype(np.float32)
        _check_finite("scores", scores, (rows, classes))
    if silhouettes is not None:
        silhouettes = silhouettes.astype(np.float32)
        _check_finite("silhouettes", silhouettes, (rows,))
    return replace(predictions, scores=scores, silhouettes=silhouettes)


def _check_finite(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} are {values.shape}, expected finite {shape}")
