"""One run from its claim to the store: nobody else makes it meanwhile, and its search comes first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from benchmarks import card, ranks, store, tuning, unfinished
from benchmarks.errors import UserError
from benchmarks.execute.prepare import Prepared
from benchmarks.files import ignored_by_git, replacing_folder, write_text
from benchmarks.meter import Progress
from benchmarks.methods import Checkpoints
from benchmarks.recipes import RECIPES
from benchmarks.runner import Conditions, failure, run
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec
from benchmarks.shortage import ShortageError

Outcome: TypeAlias = tuple[RunResult | RunFailure, Predictions | None]


@dataclass(frozen=True)
class Event:
    """What happened to a run: outcome is None while it runs, and share says how much of the training is done; said: in
    words what else a person should know.
    """

    spec: RunSpec
    share: float = 0.0
    outcome: RunResult | RunFailure | None = None
    said: str = ""


Tell: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True)
class Making:
    """How one run is made: by so many processes together, with its batches in so many halves of halves of memory."""

    prepared: Prepared
    results: Path
    tell: Tell
    processes: int = 1
    halvings: int = 0

    def make(self, spec: RunSpec, wait: bool = True) -> RunResult | RunFailure | None:
        """Makes the run and stores it, with the trials of its search; what another process has made of it since the
        plan is taken as it is. None where another one is making it now and `wait` is false.
        """
        with _claimed(self.results, spec, wait) as mine:
            if not mine:
                return None
            self.tell(Event(spec))
            outcome = self._made_meanwhile(spec) or self._stored(spec)
            self.tell(Event(spec, 1.0, outcome))
            return outcome

    def _made_meanwhile(self, spec: RunSpec) -> RunResult | None:
        """On every rank what the first one finds."""
        return ranks.from_all(made_since(self.prepared, self.results, spec) if ranks.is_first() else None)[0]

    def _stored(self, spec: RunSpec) -> RunResult | RunFailure:
        with self._model_folder(spec) as keep:
            if spec.tuning:
                outcome, predictions = self._tuned(spec, keep)
            else:
                outcome, predictions = self._made(spec, lambda share: self.tell(Event(spec, share)), keep)
            if isinstance(outcome, RunFailure) and keep:
                shutil.rmtree(keep, ignore_errors=True)  # where another rank has failed
            elif isinstance(outcome, RunResult) and keep and keep.is_dir():
                own_head = not getattr(RECIPES[outcome.method](**outcome.recipe), "own_head", True)
                write_text(keep / card.NAME, card.card(outcome, spec.system.encoder, own_head))
            self._save(spec, outcome, predictions)
        return outcome

    def _save(self, spec: RunSpec, outcome: RunResult | RunFailure, predictions: Predictions | None) -> None:
        if ranks.is_first():
            store.save(self.results, spec, outcome, predictions)
            unfinished.clear(self.results, spec)

    @contextmanager
    def _model_folder(self, spec: RunSpec) -> Iterator[Path | None]:
        """Where the run's model is to be written, which is then stored; None where none is kept, or by another rank."""
        if not (self.prepared.options.keep_models and spec.recipe.keeps_model and ranks.is_first()):
            yield None
            return
        ignored_by_git(self.results / store.MODELS)
        with replacing_folder(store.model_path(self.results, spec)) as folder:
            yield folder

    def _made(self, spec: RunSpec, progress: Progress, keep: Path | None = None) -> Outcome:
        prepared = self.prepared
        seconds = prepared.options.checkpoint_seconds
        checkpoints = Checkpoints(unfinished.folder(self.results, spec), seconds) if seconds else None
        halvings = self.halvings + ranks.from_all(unfinished.halvings(self.results, spec))[0]
        conditions = Conditions(self.processes, keep, prepared.options.trackers, checkpoints, halvings)
        data, encoder = prepared.data[spec.task.name], prepared.encoder_of(spec)
        try:
            outcome, predictions = run(spec, data, encoder, prepared.cache, progress, conditions=conditions)
        except ShortageError as error:
            unfinished.halve(self.results, spec, error.halvings)
            said = f"{spec.path}: out of memory; the same command goes on with half as many rows at once"
            ranks.end(f"rank {ranks.number()}: {said}")
        return _agreed(spec, outcome, predictions) if self.processes > 1 else (outcome, predictions)

    def _tuned(self, spec: RunSpec, keep: Path | None) -> Outcome:
        """Makes the trials that are not stored yet and stores each, then the run with the best one's recipe."""
        assert spec.tuning is not None
        trials = tuning.trials(spec)
        tried: list[tuning.Tried] = []

        def progress(share: float) -> None:
            self.tell(Event(spec, (len(tried) + share) / (len(trials) + 1)))

        for trial in trials:
            outcome: RunResult | RunFailure | None = self._known(spec, trial.spec)
            if outcome is None:
                outcome, _ = self._made(trial.spec, progress)
                self._save(trial.spec, outcome, None)
            tried.append(tuning.Tried(trial, outcome))
        try:
            chosen = tuning.best(tried, spec.tuning.metric)
        except RuntimeError as error:
            return failure(spec, error, self.processes), None
        outcome, predictions = self._made(replace(spec, recipe=chosen.trial.spec.recipe), progress, keep)
        if isinstance(outcome, RunResult):
            outcome = outcome.model_copy(update={"tuning": tuning.record(spec, tried, chosen)})
        return outcome, predictions

    def _known(self, spec: RunSpec, trial: RunSpec) -> RunResult | None:
        """On every rank what the first one finds; by force, or where it can't be read, it is made anew."""
        found = None if self.prepared.options.force else _done(self.results, trial)
        return ranks.from_all(found)[0]


def made_since(prepared: Prepared, results: Path, spec: RunSpec) -> RunResult | None:
    """What has been stored of the run since it was planned, by whomever."""
    found = _done(results, spec)
    before = prepared.options.again.get(spec.path)
    return found if before is None or store.signature(results, spec) != before else None


def _done(results: Path, spec: RunSpec) -> RunResult | None:
    try:
        found = store.stored(results, spec)
    except UserError:
        return None
    return found if isinstance(found, RunResult) else None


@contextmanager
def _claimed(results: Path, spec: RunSpec, wait: bool) -> Iterator[bool]:
    """By the first rank, for all."""
    if ranks.is_first():
        with unfinished.claimed(results, spec, wait) as mine:
            yield ranks.from_all(mine)[0]
    else:
        yield ranks.from_all(False)[0]


def _agreed(spec: RunSpec, outcome: RunResult | RunFailure, predictions: Predictions | None) -> Outcome:
    """A run that failed on any rank has failed on all."""
    errors = ranks.from_all(outcome.error if isinstance(outcome, RunFailure) else None)
    if isinstance(outcome, RunFailure) or not any(errors):
        return outcome, predictions
    rank, error = next((rank, error) for rank, error in enumerate(errors) if error)
    said = f"rank {rank}: {error['type']}: {error['message']}"
    return failure(spec, RuntimeError(said), ranks.world_size()), None
