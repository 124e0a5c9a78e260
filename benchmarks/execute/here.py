"""Runs one after the other in this process; under several ranks each run is one DDP training over all of them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks import ranks
from benchmarks.environment import machine
from benchmarks.execute import pool, shares
from benchmarks.execute.making import ELSEWHERE, Event, Tell
from benchmarks.execute.prepare import Prepared
from benchmarks.execute.storing import Storing
from benchmarks.recipes import RECIPES
from benchmarks.schema import RunFailure, RunSpec


def execute(prepared: Prepared, results: Path, tell: Tell) -> list[RunFailure]:
    """Makes and stores every prepared run; the failures come back: to fail fast, the first one."""
    machine()  # the commit that runs now, not the one that is checked out when the runs are over
    most = 1 if prepared.options.fail_fast else None
    return list(islice(_all_failures(prepared, results, tell), most))


def _all_failures(prepared: Prepared, results: Path, tell: Tell) -> Iterator[RunFailure]:
    """Methods that don't train over ranks come last, on rank 0 alone: the other ranks have left by then and wait for
    nobody, so that nothing of theirs can time out.
    """
    together: list[RunSpec] = []
    alone: list[RunSpec] = []
    for spec in prepared.runs:
        (together if ranks.world_size() == 1 or RECIPES[spec.system.method].over_ranks else alone).append(spec)
    yield from _failures(together, Storing(prepared, results, tell, ranks.world_size()))
    ranks.leave()
    yield from _failures(alone if ranks.is_first() else [], Storing(prepared, results, tell))


def _failures(runs: Sequence[RunSpec], storing: Storing) -> Iterator[RunFailure]:
    """Those of runs that are made one after the other, the last ones being what other processes are making."""
    left = deque((spec, False) for spec in runs)  # and whether to wait
    while left:
        spec, wait = left.popleft()
        outcome = storing.make(spec, wait)
        if outcome is None:
            storing.tell(Event(spec, said=ELSEWHERE))
            left.append((spec, True))
        elif isinstance(outcome, RunFailure):
            yield outcome
            if left and gpu_is_lost():
                yield from _without_this_process(spec, [spec for spec, _ in left], storing)
                return


# -- a GPU that is lost ----------------------------------------------------------------------------------------------


def gpu_is_lost() -> bool:
    """Whether each further use of the GPU by this process fails, as after an assert in one of its kernels."""
    torch = sys.modules.get("torch")
    if not torch or not torch.cuda.is_initialized():
        return False
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return True
    return False


def _without_this_process(failed: RunSpec, left: list[RunSpec], storing: Storing) -> list[RunFailure]:
    """Makes what is left in a worker, a fresh process to which the GPU answers. Of ranks none can be renewed alone."""
    if storing.processes > 1:
        ranks.end(
            f"rank {ranks.number()}: {failed.path} has failed, and the GPU answers nothing any more. "
            "All runs before it are stored; the same command begins with this one again."
        )
    storing.tell(Event(failed, said="the GPU answers nothing to this process any more: a new one makes the rest"))
    rest = replace(storing.prepared, runs=left)
    where = shares.places(1, pool.estimates(rest))
    return pool.execute(rest, storing.results, storing.tell, where, lambda spec: 0.0)  # in this order
