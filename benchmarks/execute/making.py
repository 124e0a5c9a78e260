"""One run with its search, made: what is known of its trials is asked, and what a new one gives is handed on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from benchmarks import ranks, tuning
from benchmarks.amounts import duration
from benchmarks.meter import Progress
from benchmarks.runner import Conditions, failure, run
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec
from benchmarks.shortage import ShortageError

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData

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

SECONDS_BETWEEN_TELLINGS = 0.5
"""Of a run's progress, to another process."""
ELSEWHERE = "another process is making it: later"
AGAIN = "again, with half as many rows at once: a system kills what runs out of memory"


def too_long(seconds: float) -> TimeoutError:
    return TimeoutError(f"took longer than the {duration(seconds)} of --timeout")


@dataclass(frozen=True)
class Making:
    """What a run is made of, and what surrounds it. Nothing here knows where runs are stored.

    conditions: of the run or a trial, and the folder of its model; known: the result of a trial that was made before,
    or None; hand_on: takes what a new trial gave; short: is told where several processes together lack memory.
    """

    data: TaskData
    encoder: Path | None
    cache: Path
    conditions: Callable[[RunSpec, Path | None], Conditions]
    known: Callable[[RunSpec], RunResult | None]
    hand_on: Callable[[RunSpec, RunResult | RunFailure], None]
    short: Callable[[RunSpec, ShortageError], NoReturn]
    alone: Callable[[RunSpec], AbstractContextManager[Any]]

    def make(self, spec: RunSpec, progress: Progress, keep: Path | None = None) -> Outcome:
        """keep: an empty folder for the trained model."""
        return self._tuned(spec, progress, keep) if spec.tuning else self._made(spec, progress, keep)

    def _made(self, spec: RunSpec, progress: Progress, keep: Path | None = None) -> Outcome:
        conditions = self.conditions(spec, keep)
        try:
            outcome, predictions = run(spec, self.data, self.encoder, self.cache, progress, conditions=conditions)
        except ShortageError as error:
            self.short(spec, error)
        return _agreed(spec, outcome, predictions) if conditions.processes > 1 else (outcome, predictions)

    def _tuned(self, spec: RunSpec, progress: Progress, keep: Path | None) -> Outcome:
        """Makes the trials that are not known yet and hands each on, then the run with the best one's recipe. It has
        failed where a trial could not be tried: those before it are known to the next try.
        """
        assert spec.tuning is not None
        trials = tuning.trials(spec)
        tried: list[tuning.Tried] = []

        def of_all(share: float) -> None:
            progress((len(tried) + share) / (len(trials) + 1))

        for trial in trials:
            with self.alone(trial.spec):
                outcome: RunResult | RunFailure | None = self.known(trial.spec)
                if outcome is None:
                    outcome, _ = self._made(trial.spec, of_all)
                    self.hand_on(trial.spec, outcome)
                    if why := next(filter(None, ranks.from_all(tuning.hindrance(outcome))), None):
                        error = RuntimeError(f"trial {len(tried) + 1} of {len(trials)} could not be tried: {why}")
                        return failure(spec, error, self.conditions(spec, None).processes), None
            tried.append(tuning.Tried(trial, outcome))
        try:
            chosen = tuning.best(tried, spec.tuning.metric)
        except RuntimeError as error:
            return failure(spec, error, self.conditions(spec, None).processes), None
        outcome, predictions = self._made(replace(spec, recipe=chosen.trial.spec.recipe), of_all, keep)
        if isinstance(outcome, RunResult):
            outcome = outcome.model_copy(update={"tuning": tuning.record(spec, tried, chosen)})
        return outcome, predictions


def _agreed(spec: RunSpec, outcome: RunResult | RunFailure, predictions: Predictions | None) -> Outcome:
    """A run that failed on any rank has failed on all; where the others don't come to its end, it ends the launch."""
    own = outcome.error if isinstance(outcome, RunFailure) else None
    if not ranks.all_end(failed=own is not None) and own:
        said = f"{own['type']}: {own['message']}"
        ranks.end(f"rank {ranks.number()} has failed alone, and the others wait for it: {spec.path}: {said}")
    errors = ranks.from_all(own)
    if isinstance(outcome, RunFailure) or not any(errors):
        return outcome, predictions
    rank, error = next((rank, error) for rank, error in enumerate(errors) if error)
    said = f"rank {rank}: {error['type']}: {error['message']}"
    return failure(spec, RuntimeError(said), ranks.world_size()), None
