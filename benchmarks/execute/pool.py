"""Runs side by side on this machine: who makes which, and what becomes of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from benchmarks import store, unfinished
from benchmarks.errors import UserError
from benchmarks.execute.making import AGAIN, ELSEWHERE, Event, Tell, too_long
from benchmarks.execute.memory import estimate
from benchmarks.execute.prepare import Options, Prepared
from benchmarks.execute.shares import SHARE_OF_MEMORY, Place
from benchmarks.execute.storing import made_since
from benchmarks.execute.worker import Elsewhere, Order, Ready, Worker, hired
from benchmarks.runner import failure
from benchmarks.schema import RunFailure, RunSpec
from benchmarks.shortage import most_halvings


@dataclass
class _Pool:
    """Who does what. taken: bytes that each run may take; waiting: what nobody has begun, at the end what other
    processes are making; free: bytes on each GPU at the beginning.
    """

    hire: Callable[[Place], Worker]
    prepared: Prepared
    taken: Mapping[str, int]
    waiting: list[Order]
    workers: list[Worker] = field(default_factory=list)
    free: dict[str, int] = field(default_factory=dict)

    def begin(self, worker: Worker, said: Ready) -> None:
        """It is there, and gets what all runs need."""
        worker.ready = True
        if worker.place.gpu is not None and said.free is not None:
            self.free.setdefault(worker.place.gpu, said.free)
        worker.send(replace(self.prepared, runs=[]))  # it gets them one by one

    def hand_out(self) -> None:
        """The next run to every worker that has none, unless its GPU has no room for it beside what is there: a smaller
        one doesn't go before it, or the largest would be left for the end.
        """
        for worker in self.workers:
            if worker.ready and worker.order is None and self.waiting and self._has_room(worker.place):
                worker.order, worker.began = self.waiting.pop(0), None
                worker.send(worker.order)

    def _has_room(self, place: Place) -> bool:
        there = [worker.order for worker in self.workers if worker.order and worker.place.gpu == place.gpu]
        if place.gpu is None or not there:
            return True
        taken = sum(self.taken[order.run.path] for order in [*there, self.waiting[0]])
        return taken <= SHARE_OF_MEMORY * self.free[place.gpu]

    @property
    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.order]

    def renew(self, worker: Worker, at_once: bool = False) -> None:
        """What has failed may have left anything behind. at_once: it hangs, and would not listen."""
        self.dismiss(worker, at_once)
        if self.waiting:
            self.workers.append(self.hire(worker.place))

    def lost(self, worker: Worker) -> None:
        """It had no run. One that never began isn't replaced. Raises RuntimeError where none is left to do the rest."""
        if worker.ready:
            self.renew(worker)
        else:
            self.dismiss(worker)
        if not self.workers and self.waiting:
            raise RuntimeError(f"no worker could be started: the last one {worker.end}\n{worker.printed}")

    def dismiss(self, worker: Worker, at_once: bool = False) -> None:
        worker.dismiss(at_once)
        self.workers.remove(worker)


def execute(
    prepared: Prepared,
    results: Path,
    tell: Tell,
    where: Sequence[Place],
    seconds: Callable[[RunSpec], float],
) -> list[RunFailure]:
    """Makes every prepared run, longest first, and stores it; the failures come back.

    A run whose worker is killed begins anew with half as many rows at once: a system kills what runs out of memory. One
    whose worker ends otherwise, or takes too long, has failed. The others go on. Raises RuntimeError where no worker
    can be started, UserError or OSError where nothing can be stored any more.
    """
    taken = {spec.path: estimated for spec, estimated in zip(prepared.runs, estimates(prepared), strict=True)}
    waiting = [Order(spec) for spec in sorted(prepared.runs, key=seconds, reverse=True)]
    with tempfile.TemporaryDirectory() as printed:
        pool = _Pool(partial(hired, results=results, printed=Path(printed)), prepared, taken, waiting)
        try:
            pool.workers += map(pool.hire, where)
            return _followed(pool, results, tell)
        finally:
            for worker in pool.workers:
                worker.process.terminate()
            for worker in pool.workers:
                worker.dismiss()


def estimates(prepared: Prepared) -> list[int]:
    """Bytes that each prepared run may take."""
    return [estimate(spec, prepared.encoder_of(spec)) for spec in prepared.runs]


def _followed(pool: _Pool, results: Path, tell: Tell) -> list[RunFailure]:
    """Hands out all runs and hears what becomes of them."""
    failures: list[RunFailure] = []
    while (pool.waiting or pool.busy) and not (failures and pool.prepared.options.fail_fast):
        pool.hand_out()
        for worker, said in _heard(pool.workers, pool.prepared.options):
            event = _event(pool, worker, said, results)
            if event is None:
                continue
            tell(event)
            if event.outcome is not None:
                worker.order = None
            if isinstance(event.outcome, RunFailure):
                failures.append(event.outcome)
            if isinstance(said, _Ended) or isinstance(event.outcome, RunFailure):
                pool.renew(worker, at_once=isinstance(said, _Ended))
    return failures


# -- what is heard ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ended:
    """Nothing more will be heard of a worker: it is dead, or has hung for so many seconds."""

    hung: float | None = None


def _heard(workers: Sequence[Worker], options: Options) -> Iterator[tuple[Worker, Any]]:
    """What workers say, waited for until the first one's run takes too long."""
    most = options.timeout_seconds
    at_work = [worker for worker in workers if worker.began is not None]
    left = [worker.began + most - time.monotonic() for worker in at_work] if most else []  # type: ignore[operator]
    by_connection = {worker.connection: worker for worker in workers}
    for connection in wait(list(by_connection), max(0.0, min(left)) if left else None):
        worker = by_connection[connection]  # type: ignore[index]
        try:
            yield worker, worker.connection.recv()
        except (EOFError, OSError):
            yield worker, _Ended()
    for worker in at_work:
        if most and worker.began is not None and time.monotonic() - worker.began >= most:
            yield worker, _Ended(hung=most)


def _event(pool: _Pool, worker: Worker, said: Any, results: Path) -> Event | None:
    """What a worker's word means for its run; None where it has none. Raises the error that it tells of."""
    if isinstance(said, (UserError, OSError)):
        raise said
    if isinstance(said, Ready):
        pool.begin(worker, said)
        return None
    if isinstance(said, Elsewhere):
        return _later(pool, worker)
    if isinstance(said, Event):
        if worker.began is None:
            worker.began = time.monotonic()
        if said.outcome is not None:
            worker.began = None
        return said
    if worker.order is None:
        pool.lost(worker)
        return None
    return _ended(pool, worker, said, results)


def _later(pool: _Pool, worker: Worker) -> Event:
    """Its run is being made elsewhere: the others come first, then somebody waits for that."""
    assert worker.order is not None
    order, worker.order = worker.order, None
    pool.waiting.append(order._replace(wait=True))
    return Event(order.run, said=ELSEWHERE)


def _ended(pool: _Pool, worker: Worker, said: _Ended, results: Path) -> Event:
    """What becomes of the run of a worker that has ended: it may have stored it, and could not say so any more."""
    assert worker.order is not None
    if said.hung:
        worker.dismiss(at_once=True)  # else it might store its run after we have looked
    order, worker.began = worker.order, None
    if made := made_since(pool.prepared, results, order.run):
        return Event(order.run, 1.0, made)
    error: Exception
    if said.hung:
        error = too_long(said.hung)
    elif worker.killed and order.halvings < most_halvings(order.run):
        worker.order = None
        pool.waiting.insert(0, order._replace(halvings=order.halvings + 1))
        return Event(order.run, said=f"its worker {worker.end}: {AGAIN}")
    else:
        hint = ", as a system does that runs out of memory: fewer --jobs take less" if worker.killed else ""
        error = RuntimeError(f"its worker {worker.end}{hint}")
    outcome = failure(order.run, error, printed=worker.printed)
    with unfinished.claimed(results, order.run, wait=False) as mine:  # what the worker left of its files goes
        if mine:  # else another suite is making it
            store.save(results, order.run, outcome, None)
    return Event(order.run, 1.0, outcome)
