"""Runs side by side on this machine: worker processes that live for many runs, each with its own cores, or on a GPU."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import store
from benchmarks.execute.here import Event, Tell, make
from benchmarks.execute.memory import estimate
from benchmarks.execute.prepare import Prepared
from benchmarks.runner import failure
from benchmarks.schema import RunFailure, RunSpec

MOST_ON_A_GPU = 8
SHARE_OF_MEMORY = 0.9
SECONDS_BETWEEN_TELLINGS = 0.5
SECONDS_TO_LEAVE = 10.0

_spawned = get_context("spawn")  # a forked process would share torch's threads and the GPU's state, which breaks both


@dataclass(frozen=True)
class Place:
    """What a worker has of the machine: cores, and one GPU by its name in CUDA_VISIBLE_DEVICES where there are any."""

    cores: tuple[int, ...]
    gpu: str | None = None

    @property
    def device(self) -> str:
        return self.gpu or "cpu"

    @property
    def threads(self) -> int:
        """Of a run: as the user says it for every program, or one a core."""
        return int(os.environ.get("OMP_NUM_THREADS") or len(self.cores))


def places(jobs: int | None, runs: int) -> list[Place]:
    """Of as many workers as are asked for, and not more than there are runs; None: one a core, and on GPUs at most
    MOST_ON_A_GPU each. Cores are shared out evenly, and GPUs in turn.
    """
    cores, gpus = _cores(), _gpus()
    most = len(cores) if not gpus else min(len(cores), MOST_ON_A_GPU * len(gpus))
    count = max(1, min(most if jobs is None else jobs, runs))
    shares = [cores[i * len(cores) // count : (i + 1) * len(cores) // count] for i in range(count)]
    return [
        Place(tuple(share or cores[i % len(cores) :][:1]), gpus[i % len(gpus)] if gpus else None)
        for i, share in enumerate(shares)
    ]


def _cores() -> list[int]:
    """Those that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _gpus() -> list[str]:
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in named.split(",")] if named else map(str, range(torch.cuda.device_count()))
    return list(names)[: torch.cuda.device_count()]


# -- the pool --------------------------------------------------------------------------------------------------------


class Ready(NamedTuple):
    """A worker's first word; free: bytes on its device."""

    free: int


@dataclass
class _Worker:
    place: Place
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    run: RunSpec | None = None


@dataclass
class _Pool:
    """Who does what. waiting: what nobody has begun; free: bytes on each device at the beginning."""

    hire: Callable[[Place], _Worker]
    taken: Mapping[str, int]
    waiting: list[RunSpec]
    workers: list[_Worker] = field(default_factory=list)
    free: dict[str, int] = field(default_factory=dict)

    def hand_out(self) -> None:
        idle = (worker for worker in self.workers if worker.ready and worker.run is None)
        for worker in idle:
            if (place := self._next(worker.place.device)) is not None:
                worker.run = self.waiting.pop(place)
                with suppress(OSError):  # it has died: that is heard next
                    worker.connection.send(worker.run)

    def _next(self, device: str) -> int | None:
        """The first for which the device has room beside what it has; any, where it has nothing."""
        there = [worker.run for worker in self.workers if worker.run and worker.place.device == device]
        room = SHARE_OF_MEMORY * self.free[device] - sum(self.taken[spec.path] for spec in there)
        fitting = (i for i, spec in enumerate(self.waiting) if not there or self.taken[spec.path] <= room)
        return next(fitting, None)

    @property
    def busy(self) -> list[_Worker]:
        return [worker for worker in self.workers if worker.run]

    def renew(self, worker: _Worker) -> None:
        """What has failed may have left anything behind."""
        _dismiss(worker)
        self.workers[self.workers.index(worker)] = self.hire(worker.place)


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
    taken = {spec.path: estimate(spec, prepared.encoder_of(spec)) for spec in prepared.runs}
    waiting = sorted(prepared.runs, key=seconds, reverse=True)
    pool = _Pool(partial(_hired, prepared=prepared, results=results, force=force), taken, waiting)
    failures: list[RunFailure] = []
    try:
        pool.workers += map(pool.hire, where)
        while (pool.waiting or pool.busy) and not (failures and fail_fast):
            pool.hand_out()
            for worker, said in _heard(pool.workers):
                if isinstance(said, Ready):
                    worker.ready = True
                    pool.free.setdefault(worker.place.device, said.free)
                    continue
                event = said or _died(worker, results)
                tell(event)
                if event.outcome is not None:
                    worker.run = None
                if isinstance(event.outcome, RunFailure):
                    failures.append(event.outcome)
                    pool.renew(worker)
    finally:
        for worker in pool.workers:
            worker.process.terminate()
        for worker in pool.workers:
            _dismiss(worker)
    return failures


def _heard(workers: Sequence[_Worker]) -> Iterator[tuple[_Worker, Any]]:
    """What workers say, waited for; None of one that is dead."""
    by_connection = {worker.connection: worker for worker in workers}
    for connection in wait(list(by_connection)):
        worker = by_connection[connection]  # type: ignore[index]
        try:
            yield worker, worker.connection.recv()
        except (EOFError, OSError):
            yield worker, None


def _died(worker: _Worker, results: Path) -> Event:
    """A failure of what it was doing. Raises RuntimeError where it did nothing yet."""
    worker.process.join()
    code = worker.process.exitcode or 0
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    if worker.run is None:
        raise RuntimeError(f"a worker was {how} before it had any run")
    hint = ", as a system does that runs out of memory: fewer --jobs take less" if code == -signal.SIGKILL else ""
    outcome = failure(worker.run, RuntimeError(f"its worker was {how}{hint}"))
    store.save(results, worker.run, outcome, None)
    return Event(worker.run, 1.0, outcome)


def _hired(place: Place, prepared: Prepared, results: Path, force: bool) -> _Worker:
    ours, theirs = _spawned.Pipe()
    process = _spawned.Process(target=_work, args=(theirs, place, prepared, results, force), name="encoder-bench run")
    with _ignoring_interrupts():  # Ctrl-C reaches every process of a terminal: this one ends the others
        process.start()
    theirs.close()  # theirs alone is open now: it closes when they die
    return _Worker(place, process, ours)


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """What is ignored when a process starts is ignored by it, too."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _dismiss(worker: _Worker) -> None:
    worker.connection.close()
    worker.process.terminate()
    worker.process.join(SECONDS_TO_LEAVE)
    worker.process.kill()
    worker.process.join()


# -- in a worker -----------------------------------------------------------------------------------------------------


def _work(connection: Connection, place: Place, prepared: Prepared, results: Path, force: bool) -> None:
    """Makes one run after the other, until the pool has no more or is gone."""
    _settle(place)
    connection.send(Ready(_free_memory(place)))
    while True:
        try:
            spec = connection.recv()
        except EOFError:
            return
        make(spec, prepared, results, _Telling(connection), 1, force)


def _settle(place: Place) -> None:
    """Takes its place, before torch and tokenizers are loaded: they look at these once. Told to end, it does so in
    order, and leaves no temporary file and no semaphore behind.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, place.cores)
    os.environ["OMP_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = str(place.threads)
    if place.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = place.gpu


def _free_memory(place: Place) -> int:
    if place.gpu is not None:
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return int(psutil.virtual_memory().available)


class _Telling:
    """Events to the pool, of a run's progress not every one; without a pool there is nothing left to do."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.told = 0.0

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if 0.0 < event.share < 1.0 and event.outcome is None and now - self.told < SECONDS_BETWEEN_TELLINGS:
            return
        self.told = now
        try:
            self.connection.send(event)
        except OSError:
            os._exit(1)
