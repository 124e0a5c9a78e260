"""A metric that is newer than a stored run, from the run's stored predictions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks import store
from benchmarks.leaderboard.made import Made
from benchmarks.metrics import METRICS
from benchmarks.schema import RunResult


def filled(results: Path, run: Made, wanted: Iterable[str]) -> Made:
    """The run with the wanted metrics that it lacks; as it is where its predictions are gone or can't give them.

    What is stored stays as it is. Raises UserError for predictions that can't be read.
    """
    missing = [name for name in wanted if name not in run.metrics and _is_of(name, run)]
    if not missing:  # by far the most runs: nothing is read for them
        return run
    predictions = store.predictions_path(results, run.task, run.slot.system, run.key)
    record = predictions.with_suffix(".json")
    if not (predictions.is_file() and record.is_file()):
        return run
    if all(METRICS[name].needs_scores for name in missing) and not store.has_scores(predictions):
        return run
    from benchmarks.scoring import rescored

    stored = store.parse(record)
    assert isinstance(stored, RunResult)  # tables are made of runs that are done
    return replace(run, metrics={**rescored(results, stored), **run.metrics})


def _is_of(name: str, run: Made) -> bool:
    if name not in METRICS:
        return False
    return METRICS[name].clustering if run.clusters else METRICS[name].scores(run.type, run.classes)
