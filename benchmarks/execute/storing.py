"""One run from its claim to the store: nobody else makes it meanwhile, and its search comes first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from benchmarks import card, ranks, store, unfinished
from benchmarks.errors import UserError
from benchmarks.execute.making import Event, Making, Tell
from benchmarks.execute.prepare import Prepared
from benchmarks.files import ignored_by_git, replacing_folder, write_text
from benchmarks.methods import Checkpoints
from benchmarks.recipes import RECIPES
from benchmarks.runner import Conditions
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec
from benchmarks.shortage import ShortageError


@dataclass(frozen=True)
class Storing:
    """Makes runs in this process, and stores them. processes: how many train together; halvings: how often the batch
    was halved because memory ran out.
    """

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
        with model_folder(self.prepared, self.results, spec) as keep:
            outcome, predictions = self._making(spec).make(spec, lambda share: self.tell(Event(spec, share)), keep)
            furnish(spec, outcome, keep)
        save(self.results, spec, outcome, predictions)  # a record that is there is complete, with its model
        return outcome

    def _making(self, spec: RunSpec) -> Making:
        prepared = self.prepared
        return Making(
            prepared.data[spec.task.name],
            prepared.encoder_of(spec),
            prepared.cache,
            conditions=self._conditions,
            known=lambda trial: ranks.from_all(known(prepared, self.results, trial))[0],  # what the first rank finds
            hand_on=lambda trial, outcome: save(self.results, trial, outcome, None),
            short=self._short,
            alone=lambda trial: _claimed(self.results, trial, wait=True),  # of several searches that have it
        )

    def _conditions(self, spec: RunSpec, keep: Path | None) -> Conditions:
        options, results = self.prepared.options, self.results
        seconds = options.checkpoint_seconds
        checkpoints = Checkpoints(unfinished.folder(results, spec), seconds) if seconds else None
        halvings = self.halvings + max(ranks.from_all(unfinished.halvings(results, spec)))
        return Conditions(self.processes, keep, options.trackers, checkpoints, halvings)

    def _short(self, spec: RunSpec, error: ShortageError) -> NoReturn:
        """Of ranks none can begin anew alone: all end."""
        unfinished.halve(self.results, spec, error.halvings)
        said = f"{spec.path}: out of memory; the same command goes on with half as many rows at once"
        ranks.end(f"rank {ranks.number()}: {said}")


# -- what the store knows --------------------------------------------------------------------------------------------


def made_since(prepared: Prepared, results: Path, spec: RunSpec) -> RunResult | None:
    """What has been stored of the run since it was planned, by whomever."""
    found = _done(results, spec)
    before = prepared.options.again.get(spec.path)
    return found if before is None or store.signature(results, spec) != before else None


def known(prepared: Prepared, results: Path, trial: RunSpec) -> RunResult | None:
    """What is stored of a trial; by force, or where it can't be read, it is made anew."""
    return None if prepared.options.force else _done(results, trial)


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


# -- what goes into it -----------------------------------------------------------------------------------------------


def keeps_model(prepared: Prepared, spec: RunSpec) -> bool:
    return prepared.options.keep_models and spec.recipe.keeps_model


@contextmanager
def model_folder(prepared: Prepared, results: Path, spec: RunSpec) -> Iterator[Path | None]:
    """Where the run's model is to be written, which is then stored; None where none is kept, or by another rank."""
    if not (keeps_model(prepared, spec) and ranks.is_first()):
        yield None
        return
    ignored_by_git(results / store.MODELS)
    with replacing_folder(store.model_path(results, spec)) as folder:
        yield folder


def furnish(spec: RunSpec, outcome: RunResult | RunFailure, keep: Path | None) -> None:
    """The card of the model in `keep`; there is no model of a run that has failed."""
    if isinstance(outcome, RunFailure) and keep:
        shutil.rmtree(keep, ignore_errors=True)  # where another rank has failed
    elif isinstance(outcome, RunResult) and keep and keep.is_dir():
        own_head = not getattr(RECIPES[outcome.method](**outcome.recipe), "own_head", True)
        write_text(keep / card.NAME, card.card(outcome, spec.system.encoder, own_head))


def save(results: Path, spec: RunSpec, outcome: RunResult | RunFailure, predictions: Predictions | None) -> None:
    """By the first rank: there is nothing left to go on from."""
    if not ranks.is_first():
        return
    store.save(results, spec, outcome, predictions)
    unfinished.clear(results, spec)
