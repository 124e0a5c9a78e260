"""One RunSpec: data -> method -> Predictions -> metrics -> RunResult or RunFailure."""

from __future__ import annotations

import datetime
import traceback
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.encoders import check_planned
from benchmarks.environment import environment
from benchmarks.errors import UserError
from benchmarks.meter import Meter, Progress
from benchmarks.methods import Checkpoints, Job, Method, load
from benchmarks.metrics import CLUSTERING_METRIC
from benchmarks.recipes.vectors import content
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec
from benchmarks.scoring import Named, Scoring
from benchmarks.shortage import ShortageError, give_back, is_shortage, most_halvings
from benchmarks.tracking import NOBODY, Trackers

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData
    from benchmarks.data.splits import RunData


@dataclass(frozen=True)
class Conditions:
    """What surrounds a run and is no part of it: so many processes train together; keep: an empty folder for the
    trained model; trackers: who is told of it; halvings: how often it has run out of memory.
    """

    processes: int = 1
    keep: Path | None = None
    trackers: Trackers = NOBODY
    checkpoints: Checkpoints | None = None
    halvings: int = 0


def run(
    spec: RunSpec,
    data: TaskData,
    encoder: Path | None,
    cache: Path,
    progress: Progress = lambda share: None,
    method: Method | None = None,
    conditions: Conditions = Conditions(),
) -> tuple[RunResult | RunFailure, Predictions | None]:
    """Makes the run. Whatever goes wrong inside it becomes a RunFailure: one failed run never ends the others. Where
    memory runs out it begins anew, with its batches in smaller parts.

    cache: the folder of what methods keep between runs. Raises ShortageError where several processes train together:
    one of them can't begin anew while the others wait for it in the middle of an update.
    """
    while True:
        outcome, predictions, lacks_memory = _tried(spec, data, encoder, cache, progress, method, conditions)
        if not lacks_memory or conditions.halvings >= most_halvings(spec):
            return outcome, predictions
        conditions = replace(conditions, halvings=conditions.halvings + 1)
        if conditions.processes > 1:
            raise ShortageError(conditions.halvings)
        give_back()


def _tried(
    spec: RunSpec,
    data: TaskData,
    encoder: Path | None,
    cache: Path,
    progress: Progress,
    method: Method | None,
    conditions: Conditions,
) -> tuple[RunResult | RunFailure, Predictions | None, bool]:
    """Once; and whether it was memory that it lacked. Its exception, which holds all that it took, ends in here."""
    try:
        _check_inputs(spec, encoder)
        rows, meter = _rows(spec, data), Meter(progress, spec.recipe.on_gpu())
        with conditions.trackers.following(spec) as followed:
            job = Job(
                spec.task, spec.recipe, spec.protocol.seed, rows, encoder, cache, meter, conditions.keep, followed.by,
                conditions.checkpoints, conditions.halvings,
            )  # fmt: skip
            result, predictions = _run(spec, data, job, method or load(spec.system.method), conditions.processes)
            _check_inputs(spec, encoder)  # a method may read them more than once
            followed.tell(result.metrics)
        return result, predictions, False
    except Exception as error:
        return failure(spec, error, conditions.processes), None, is_shortage(error)


def _check_inputs(spec: RunSpec, encoder: Path | None) -> None:
    """Raises UserError where the run's files are not those by which it is known. Its rows are: they were checked when
    they were loaded.
    """
    planned = spec.identity.get("encoder")
    if planned and encoder and spec.system.encoder:
        check_planned(encoder, spec.system.encoder, planned)
    vectors = spec.identity.get("recipe", {}).get("vectors")
    name = getattr(spec.recipe, "vectors", None)
    if vectors and name and (found := content(name)) != vectors:
        raise UserError(
            f"recipe.vectors: {name}: has changed since this run was planned (the same command plans anew): sha256 "
            f"{found}, expected {vectors}."
        )


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


def failure(spec: RunSpec, error: Exception, processes: int = 1, printed: str = "") -> RunFailure:
    """The stored form of an exception. printed: the last words of a worker that has ended."""
    text = "".join(traceback.format_exception(error))
    return RunFailure(
        **_stored(spec, spec.protocol.train_size, processes),
        error={"type": type(error).__name__, "message": str(error), "traceback": text, "printed": printed},
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
        "environment": environment(processes, precision, spec.recipe.on_gpu()),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def checked(predictions: Predictions, classes: int) -> Predictions:
    """The predictions as they will be stored (scores in 16 bits, silhouettes in 32), so that a later re-score gives the
    same numbers.

    Raises ValueError where a method lost, doubled or shortened rows.
    """
    rows = len(predictions.row_ids)
    if not rows == len(predictions.gold) == len(predictions.predicted):
        raise ValueError(f"{rows} rows, {len(predictions.gold)} gold, {len(predictions.predicted)} predicted")
    if len(set(predictions.row_ids)) != rows:
        twice, _ = Counter(predictions.row_ids).most_common(1)[0]
        raise ValueError(f"a row id stands twice: {twice!r}")
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
