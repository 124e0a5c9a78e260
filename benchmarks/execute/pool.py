"""Runs side by side on this machine: who makes which, and what becomes of it."""

from __future__ import annotations

import datetime
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from benchmarks import store
from benchmarks.execute.here import Event, Tell
from benchmarks.execute.memory import estimate
from benchmarks.execute.prepare import Prepared
from benchmarks.execute.shares import SHARE_OF_MEMORY, Place
from benchmarks.execute.worker import Ready, Worker, hired
from benchmarks.runner import failure
from benchmarks.schema import RunFailure, RunResult, RunSpec


@dataclass
class _Pool:
    """Who does what. taken: bytes that each run may take; waiting: what nobody has begun; free: bytes on each GPU at
    the beginning.
    """

    hire: Callable[[Place], Worker]
    prepared: Prepared
    taken: Mapping[str, int]
    waiting: list[RunSpec]
    workers: list[Worker] = field(default_factory=list)
    free: dict[str, int] = field(default_factory=dict)

    def begin(self, worker: Worker, said: Ready) -> None:
        """It is there, and gets what all runs need."""
        worker.ready = True
        if worker.place.gpu is not None and said.free is not None:
            self.free.setdefault(worker.place.gpu, said.free)
        worker.send(self.prepared)

    def hand_out(self) -> None:
        """The next run to every worker that has none, unless its GPU has no room for it beside what is there: a smaller
        one doesn't go before it, or the largest would be left for the end.
        """
        for worker in self.workers:
            if worker.ready and worker.run is None and self.waiting and self._has_room(worker.place):
                worker.run, worker.began = self.waiting.pop(0), _now()
                worker.send(worker.run)

    def _has_room(self, place: Place) -> bool:
        there = [worker.run for worker in self.workers if worker.run and worker.place.gpu == place.gpu]
        if place.gpu is None or not there:
            return True
        taken = sum(self.taken[spec.path] for spec in [*there, self.waiting[0]])
        return taken <= SHARE_OF_MEMORY * self.free[place.gpu]

    @property
    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.run]

    def renew(self, worker: Worker) -> None:
        """What has failed may have left anything behind."""
        self.dismiss(worker)
        if self.waiting:
            self.workers.append(self.hire(worker.place))

    def lost(self, worker: Worker) -> None:
        """It had no run. One that never began isn't replaced. Raises RuntimeError where none is left to do the rest."""
        if worker.ready:
            self.renew(worker)
        else:
            self.dismiss(worker)
        if not self.workers and self.waiting:
            raise RuntimeError(f"no worker could be started: the last one {worker.end}")

    def dismiss(self, worker: Worker) -> None:
        worker.dismiss()
        self.workers.remove(worker)


def execute(
    prepared: Prepared,
    results: Path,
    tell: Tell,
    where: Sequence[Place],
    seconds: Callable[[RunSpec], float],
    fail_fast: bool = False,
    force: bool = False,
) -> list[RunFailure]:
    """Makes every prepared run, longest first, and stores it; the failures come back.

    A run whose worker dies has failed; the others go on. Raises RuntimeError where no worker can be started.
    """
    taken = {spec.path: estimated for spec, estimated in zip(prepared.runs, estimates(prepared), strict=True)}
    waiting = sorted(prepared.runs, key=seconds, reverse=True)
    pool = _Pool(partial(hired, results=results, force=force), prepared, taken, waiting)
    try:
        pool.workers += map(pool.hire, where)
        return _followed(pool, results, tell, fail_fast)
    finally:
        for worker in pool.workers:
            worker.process.terminate()
        for worker in pool.workers:
            worker.dismiss()


def estimates(prepared: Prepared) -> list[int]:
    """Bytes that each prepared run may take."""
    return [estimate(spec, prepared.encoder_of(spec)) for spec in prepared.runs]


def _followed(pool: _Pool, results: Path, tell: Tell, fail_fast: bool) -> list[RunFailure]:
    """Hands out all runs and hears what becomes of them."""
    failures: list[RunFailure] = []
    while (pool.waiting or pool.busy) and not (failures and fail_fast):
        pool.hand_out()
        for worker, said in _heard(pool.workers):
            if isinstance(said, Ready):
                pool.begin(worker, said)
            elif said is None and worker.run is None:
                pool.lost(worker)
            else:
                event = said or _died(worker, results)
                tell(event)
                if event.outcome is not None:
                    worker.run = None
                if isinstance(event.outcome, RunFailure):
                    failures.append(event.outcome)
                if said is None or isinstance(event.outcome, RunFailure):
                    pool.renew(worker)
    return failures


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _heard(workers: Sequence[Worker]) -> Iterator[tuple[Worker, Any]]:
    """What workers say, waited for; None of one that is dead."""
    by_connection = {worker.connection: worker for worker in workers}
    for connection in wait(list(by_connection)):
        worker = by_connection[connection]  # type: ignore[index]
        try:
            yield worker, worker.connection.recv()
        except (EOFError, OSError):
            yield worker, None


def _died(worker: Worker, results: Path) -> Event:
    """A failure of what it was doing, unless it had stored that already and could not say so any more."""
    assert worker.run is not None
    hint = ", as a system does that runs out of memory: fewer --jobs take less"
    said = f"its worker {worker.end}{hint if worker.process.exitcode == -signal.SIGKILL else ''}"
    outcome = failure(worker.run, RuntimeError(said))
    made = store.stored(results, worker.run)
    if isinstance(made, RunResult) and made.created >= worker.began:
        return Event(worker.run, 1.0, made)
    store.save(results, worker.run, outcome, None)
    return Event(worker.run, 1.0, outcome)
