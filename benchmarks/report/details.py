"""What a page shows of runs beside their scores: recipe, scores by class, confusion, losses; read from records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import store
from benchmarks.leaderboard.folds import tested
from benchmarks.leaderboard.made import Made
from benchmarks.leaderboard.rows import Row
from benchmarks.schema import RunResult


@dataclass(frozen=True)
class Details:
    """One row of a table. encoder: by what its weights are known; classes: means over seeds of precision, recall, F1,
    and the support of the first seed; labels and confusion: (k, k) of the first seed, gold by predicted; losses:
    (update, training loss) of its first run.
    """

    method: str
    task_type: str
    encoder: Mapping[str, Any]
    recipe: Mapping[str, Any]
    classes: Mapping[str, Mapping[str, float]]
    labels: Sequence[str]
    confusion: Sequence[Sequence[int]]
    losses: Sequence[tuple[int, float]]


def details(results: Path, row: Row) -> Details | None:
    """None where a record is gone. Raises UserError for one that can't be read."""
    records = [[_record(results, made) for made in folds] for folds in row.made]
    runs = [[run for run in own if isinstance(run, RunResult)] for own in records]
    if not runs or any(len(own) < len(folds) or not own for own, folds in zip(runs, row.made, strict=True)):
        return None
    reports = [_report(results, own, folds) for own, folds in zip(runs, row.made, strict=True)]
    newest, first = runs[0][0], reports[0]
    return Details(
        method=newest.method,
        task_type=newest.type,
        encoder=newest.identity_.get("encoder") or {},
        recipe=newest.recipe,
        classes=_means([report.get("per_class", {}) for report in reports]),
        labels=first.get("labels", ()),
        confusion=first.get("confusion", ()),
        losses=[(step, loss) for step, loss in newest.training.get("losses", ())],
    )


def _record(results: Path, made: Made) -> RunResult | None:
    path = store.predictions_path(results, made.task, made.slot.system, made.key).with_suffix(".json")
    run = store.parse(path) if path.is_file() else None
    return run if isinstance(run, RunResult) else None


def _report(results: Path, runs: Sequence[RunResult], folds: Sequence[Made]) -> Mapping[str, Any]:
    """Of all rows of one seed: of folds, from their predictions together."""
    if len(runs) == 1:
        return runs[0].report
    found = tested(results, folds)
    return {} if isinstance(found, str) else found.scoring.report(found.named)


def _means(reports: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Over the seeds that have the class."""
    classes = dict.fromkeys(name for report in reports for name in report)
    return {
        name: {
            **{score: fmean(r[name][score] for r in reports if name in r) for score in ("precision", "recall", "f1")},
            "support": next(r[name]["support"] for r in reports if name in r),
        }
        for name in classes
    }
