"""How long a run will take, learned from stored runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.schema import RunResult, RunSpec, Stored

# Rows trained a second where nothing has been stored yet: a guess for a small encoder on a few cores.
GUESSED_ROWS_PER_SECOND = {"finetune": 60.0}
QUICK_ROWS_PER_SECOND = 5000.0
GUESSED_ROWS = 2000


def work(spec: RunSpec) -> float:
    """Training rows times epochs."""
    return _train_rows(spec) * float(getattr(spec.recipe, "epochs", 1))


def _train_rows(spec: RunSpec) -> int:
    if spec.protocol.train_size or spec.protocol.limit:
        return spec.protocol.train_size or spec.protocol.limit or 0
    # Where files are absent, the data's identity names the fallback's splits.
    part = spec.identity.get("data", {}).get("splits", {}).get("train", spec.task.splits.train)
    files = spec.task.source.files.get(part, ()) if spec.task.source else ()
    return sum(file.rows or 0 for file in files) or GUESSED_ROWS


def seconds(spec: RunSpec, stored: Sequence[RunResult]) -> tuple[float, bool]:
    """Estimated seconds, and whether stored runs back them (the likest first: system and task, system, method)."""
    for alike in (
        lambda run: (run.system, run.task) == (spec.system.name, spec.task.name),
        lambda run: run.system == spec.system.name,
        lambda run: (run.method, run.group) == (spec.system.method, spec.task.group),
    ):
        rates = [rate for run in stored if alike(run) and (rate := _seconds_per_row(run)) is not None]
        if rates:
            return work(spec) * median(rates), True
    rate = GUESSED_ROWS_PER_SECOND.get(spec.system.method, QUICK_ROWS_PER_SECOND)
    return work(spec) / rate, False


def _seconds_per_row(run: RunResult) -> float | None:
    rows = (run.train_size or 0) * float(run.recipe.get("epochs", 1))
    return (run.cost["train_seconds"] + run.cost["predict_seconds"]) / rows if rows else None


def results_in(runs: Iterable[Stored]) -> list[RunResult]:
    return [run for run in runs if isinstance(run, RunResult)]


def in_words(seconds: float) -> str:
    """'40 s', '12 min', '3.5 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
