"""The stored predictions of one seed: of its one run, or of all folds together, as if one model had made them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import store
from benchmarks.leaderboard.made import Made
from benchmarks.schema import RunResult, seed_and_fold

if TYPE_CHECKING:
    from benchmarks.scoring import Named, Scoring


class Tested(NamedTuple):
    """What one seed predicted of which rows."""

    row_ids: list[str]
    named: Named
    scoring: Scoring


def together(results: Path, folds: Sequence[Made]) -> dict[str, float] | str:
    """Every metric of all folds' rows, or in words why there is none. Raises UserError as `tested`."""
    found = tested(results, folds)
    return found if isinstance(found, str) else found.scoring.measure(found.named)


def effective_rows(seeds: Sequence[Tested], metric: str, mean: float, label: str | None = None) -> float:
    """Of how many rows the mean over seeds tells, as `Scoring.effective_rows`."""
    return max(seed.scoring.effective_rows(seed.named, metric, mean, label) for seed in seeds)


def tested(results: Path, folds: Sequence[Made]) -> Tested | str:
    """The rows of all folds, or of the one run; in words why there are none.

    Scores of different folds are set beside each other as they are. Raises UserError for predictions that can't be
    read.
    """
    if absent := [fold for fold in folds if not all(path.is_file() for path in _files(results, fold))]:
        slot = absent[0].slot
        return f"the predictions of {seed_and_fold(slot.seed, slot.fold)} are not stored"
    from benchmarks.scoring import Named, Scoring

    found = [store.parse(_files(results, fold)[1]) for fold in folds]
    runs = [run for run in found if isinstance(run, RunResult)]  # all: tables are made of runs that are done
    tables = [store.read_predictions(results, run) for run in runs]
    row_ids = [table.column("row_id").to_pylist() for table in tables]
    if wrong := next(_doubts(runs, row_ids), None):
        return wrong
    named = Named.joined([Named.of_table(table) for table in tables])
    return Tested([row for rows in row_ids for row in rows], named, Scoring.of_run(runs[0]))


def _files(results: Path, fold: Made) -> tuple[Path, Path]:
    """Its predictions and its record."""
    predictions = store.predictions_path(results, fold.task, fold.slot.system, fold.key)
    return predictions, predictions.with_suffix(".json")


def _doubts(runs: Sequence[RunResult], row_ids: Sequence[Sequence[str]]) -> Iterator[str]:
    """What keeps the rows from being each row of the pool once."""
    seed = f"seed {runs[0].seed}"
    for run, rows in zip(runs, row_ids, strict=True):
        tested = run.data["used"]["test"]
        if len(rows) != tested:
            yield f"{seed_and_fold(run.seed, run.fold)} holds {len(rows):,} predictions of {tested:,} rows"
    distinct, total = len({row for rows in row_ids for row in rows}), sum(map(len, row_ids))
    if repeated := total - distinct:
        yield f"{repeated:,} row{' stands' if repeated == 1 else 's stand'} in more than one fold of {seed}"
    if runs[0].fold is not None and (pool := _pool(runs[0])) is not None and distinct != pool:
        yield f"the folds of {seed} hold {distinct:,} of {pool:,} rows"


def _pool(run: RunResult) -> int | None:
    """How many rows the folds divide: the training split and what is held out of it; None where a run's record doesn't
    tell, since rows were dropped before (balancing) or after (a test size).
    """
    if run.protocol.get("balanced") or run.protocol.get("test_size"):
        return None
    splits = run.identity_["data"].get("splits") or run.identity_["task"].get("splits", {})  # a fallback's or its own
    held = [name for name, part in splits.items() if isinstance(part, dict) and part["take_from"] == "train"]
    return sum(int(run.data["rows"].get(name, 0)) for name in ("train", *held))
