"""Runs one after the other in this process; under several ranks each run is one DDP training over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import ranks
from benchmarks.environment import machine
from benchmarks.execute.making import Event, Tell
from benchmarks.execute.prepare import Prepared
from benchmarks.execute.storing import Storing
from benchmarks.recipes import RECIPES
from benchmarks.schema import RunFailure, RunSpec

ELSEWHERE = "another process is making it: later"


def execute(prepared: Prepared, results: Path, tell: Tell) -> list[RunFailure]:
    """Makes and stores every prepared run; the failures come back.

    Methods that don't train over ranks come last, on rank 0 alone: the other ranks have left by then and wait for
    nobody, so that nothing of theirs can time out.
    """
    machine()  # the commit that runs now, not the one that is checked out when the runs are over
    together: list[RunSpec] = []
    alone: list[RunSpec] = []
    for spec in prepared.runs:
        (together if ranks.world_size() == 1 or RECIPES[spec.system.method].over_ranks else alone).append(spec)
    failures: list[RunFailure] = []
    for failed in _failures(together, Storing(prepared, results, tell, ranks.world_size())):
        failures.append(failed)
        if prepared.options.fail_fast:
            return failures
    ranks.leave()
    for failed in _failures(alone if ranks.is_first() else [], Storing(prepared, results, tell)):
        failures.append(failed)
        if prepared.options.fail_fast:
            break
    return failures


def _failures(runs: Iterable[RunSpec], storing: Storing) -> Iterator[RunFailure]:
    """Those of runs that are made one after the other, the last ones being what other processes are making."""
    elsewhere = []
    for spec in runs:
        outcome = storing.make(spec, wait=False)
        if outcome is None:
            storing.tell(Event(spec, said=ELSEWHERE))
            elsewhere.append(spec)
        elif isinstance(outcome, RunFailure):
            yield outcome
    for spec in elsewhere:
        if isinstance(outcome := storing.make(spec), RunFailure):
            yield outcome
