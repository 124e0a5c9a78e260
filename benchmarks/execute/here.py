"""Runs one after the other in this process; under several ranks each run is one DDP training over all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks import card, ranks, store, tuning
from benchmarks.environment import machine
from benchmarks.errors import UserError
from benchmarks.execute.prepare import Prepared
from benchmarks.files import ignored_by_git, replacing_folder, write_text
from benchmarks.meter import Progress
from benchmarks.recipes import RECIPES
from benchmarks.runner import failure, run
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec

Outcome: TypeAlias = tuple[RunResult | RunFailure, Predictions | None]


@dataclass(frozen=True)
class Event:
    """What happened to a run: outcome is None while it runs, and share says how much of the training is done."""

    spec: RunSpec
    share: float = 0.0
    outcome: RunResult | RunFailure | None = None


Tell: TypeAlias = Callable[[Event], None]


def execute(
    prepared: Prepared,
    results: Path,
    tell: Tell,
    fail_fast: bool = False,
    force: bool = False,
) -> list[RunFailure]:
    """Makes and stores every prepared run; the failures come back. force: also the trials of a search that are stored.

    Methods that don't train over ranks come last, on rank 0 alone: the other ranks have left by then and wait for
    nobody, so that nothing of theirs can time out.
    """
    machine()  # the commit that runs now, not the one that is checked out when the runs are over
    together: list[RunSpec] = []
    alone: list[RunSpec] = []
    for spec in prepared.runs:
        (together if ranks.world_size() == 1 or RECIPES[spec.system.method].over_ranks else alone).append(spec)
    failures: list[RunFailure] = []
    for spec in together:
        failures += make(spec, prepared, results, tell, ranks.world_size(), force)
        if failures and fail_fast:
            return failures
    ranks.leave()
    for spec in alone if ranks.is_first() else []:
        failures += make(spec, prepared, results, tell, 1, force)
        if failures and fail_fast:
            break
    return failures


def make(spec: RunSpec, prepared: Prepared, results: Path, tell: Tell, processes: int, force: bool) -> list[RunFailure]:
    """Makes one run and stores it, with the trials of its search; where it failed, that comes back."""
    tell(Event(spec))
    with _model_folder(spec, prepared, results) as keep:
        made = partial(_made, prepared=prepared, processes=processes)
        if spec.tuning:
            known = (lambda trial: None) if force else partial(_stored, results)
            outcome, predictions = _tuned(spec, made, known, results, tell, processes, keep)
        else:
            outcome, predictions = made(spec, progress=lambda share: tell(Event(spec, share)), keep=keep)
        if isinstance(outcome, RunFailure) and keep:
            shutil.rmtree(keep, ignore_errors=True)  # where another rank has failed
        elif isinstance(outcome, RunResult) and keep and keep.is_dir():
            own_head = not getattr(RECIPES[outcome.method](**outcome.recipe), "own_head", True)
            write_text(keep / card.NAME, card.card(outcome, spec.system.encoder, own_head))
        if ranks.is_first():
            store.save(results, spec, outcome, predictions)
    tell(Event(spec, 1.0, outcome))
    return [outcome] if isinstance(outcome, RunFailure) else []


@contextmanager
def _model_folder(spec: RunSpec, prepared: Prepared, results: Path) -> Iterator[Path | None]:
    """Where the run's model is to be written, which is then stored; None where none is kept, or by another rank."""
    if not (prepared.keep_models and spec.recipe.keeps_model and ranks.is_first()):
        yield None
        return
    ignored_by_git(results / store.MODELS)
    with replacing_folder(store.model_path(results, spec)) as folder:
        yield folder


def _made(spec: RunSpec, prepared: Prepared, processes: int, progress: Progress, keep: Path | None = None) -> Outcome:
    data, encoder = prepared.data[spec.task.name], prepared.encoder_of(spec)
    outcome, predictions = run(
        spec, data, encoder, prepared.cache, progress, processes=processes, keep=keep, trackers=prepared.trackers
    )
    return _agreed(spec, outcome, predictions) if processes > 1 else (outcome, predictions)


def _stored(results: Path, trial: RunSpec) -> RunResult | None:
    """On every rank what the first one finds; one that can't be read is made anew."""
    try:
        found = store.stored(results, trial)
    except UserError:
        found = None
    return ranks.from_all(found if isinstance(found, RunResult) else None)[0]


def _tuned(
    spec: RunSpec,
    made: Callable[..., Outcome],
    known: Callable[[RunSpec], RunResult | None],
    results: Path,
    tell: Tell,
    processes: int,
    keep: Path | None,
) -> Outcome:
    """Makes the trials that are not stored yet and stores each, then the run with the best one's recipe."""
    assert spec.tuning is not None
    trials = tuning.trials(spec)
    tried: list[tuning.Tried] = []

    def progress(share: float) -> None:
        tell(Event(spec, (len(tried) + share) / (len(trials) + 1)))

    for trial in trials:
        outcome: RunResult | RunFailure | None = known(trial.spec)
        if outcome is None:
            outcome, _ = made(trial.spec, progress=progress)
            if ranks.is_first():
                store.save(results, trial.spec, outcome, None)
        tried.append(tuning.Tried(trial, outcome))
    try:
        chosen = tuning.best(tried, spec.tuning.metric)
    except RuntimeError as error:
        return failure(spec, error, processes), None
    outcome, predictions = made(replace(spec, recipe=chosen.trial.spec.recipe), progress=progress, keep=keep)
    if isinstance(outcome, RunResult):
        outcome = outcome.model_copy(update={"tuning": tuning.record(spec, tried, chosen)})
    return outcome, predictions


def _agreed(spec: RunSpec, outcome: RunResult | RunFailure, predictions: Predictions | None) -> Outcome:
    """A run that failed on any rank has failed on all."""
    errors = ranks.from_all(outcome.error if isinstance(outcome, RunFailure) else None)
    if isinstance(outcome, RunFailure) or not any(errors):
        return outcome, predictions
    rank, error = next((rank, error) for rank, error in enumerate(errors) if error)
    said = f"rank {rank}: {error['type']}: {error['message']}"
    return failure(spec, RuntimeError(said), ranks.world_size()), None
