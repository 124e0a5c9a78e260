"""A process that makes one run after the other on its own part of the machine, and says how they go."""

from __future__ import annotations

import faulthandler
import gc
import os
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

from benchmarks.environment import machine
from benchmarks.errors import UserError
from benchmarks.execute.making import SECONDS_BETWEEN_TELLINGS, Event
from benchmarks.execute.prepare import Prepared
from benchmarks.execute.shares import Place
from benchmarks.execute.storing import Storing
from benchmarks.schema import RunSpec
from benchmarks.variables import variables

SECONDS_TO_LEAVE = 10.0
MOST_PRINTED = 4000
"""Bytes that are kept of what a worker printed during a run: the last ones; of a crash as many before and after it."""

_CRASH = b"Fatal Python error: "  # what faulthandler's report begins with
_MOST_OF_A_CRASH = 1 << 20  # at most 100 frames of each of 100 threads, then every extension module's name

_spawned = get_context("spawn")  # a forked process would share torch's threads and the GPU's state, which breaks both


class Ready(NamedTuple):
    """A worker's first word; free: bytes on its GPU, None where it has none."""

    free: int | None


class Order(NamedTuple):
    """A run to be made, how often memory has run out, and whether to wait while another process makes it."""

    run: RunSpec
    halvings: int = 0
    wait: bool = False


class Elsewhere(NamedTuple):
    """A worker's word on an order that it leaves alone: another process is making that run."""


@dataclass
class Worker:
    """The other end of it, and what it is doing. output: the file that it prints to; began: when it began its run, by
    time.monotonic; stuck: whether it had to be killed in order to leave.
    """

    place: Place
    process: SpawnProcess
    connection: Connection
    output: Path
    ready: bool = False
    order: Order | None = None
    began: float | None = None
    stuck: bool = False

    @property
    def end(self) -> str:
        """How it ended, waited for."""
        code = self._code()
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    @property
    def killed(self) -> bool:
        """By somebody who doesn't ask, as the kernel when memory is short; waited for."""
        return self._code() == -signal.SIGKILL and not self.stuck

    def _code(self) -> int:
        self.process.join(SECONDS_TO_LEAVE)
        if self.process.is_alive():  # it speaks no more, and doesn't leave either
            self.stuck = True
            self.process.kill()
            self.process.join()
        return self.process.exitcode or 0

    @property
    def printed(self) -> str:
        """The last of what it printed during its run; of a crash its beginning, however many frames follow."""
        with suppress(OSError), self.output.open("rb") as file:
            file.seek(max(0, self.output.stat().st_size - MOST_PRINTED - _MOST_OF_A_CRASH))
            before, crash, report = file.read().rpartition(_CRASH)
            kept = before[-MOST_PRINTED:] + crash + report[:MOST_PRINTED] if crash else report[-MOST_PRINTED:]
            return kept.decode(errors="replace")
        return ""

    def send(self, what: Prepared | Order) -> None:
        with suppress(OSError):  # it has died: that is heard next
            self.connection.send(what)

    def dismiss(self, at_once: bool = False) -> None:
        """at_once: it hangs, and would not listen."""
        self.connection.close()
        if not at_once:
            self.process.terminate()
            self.process.join(SECONDS_TO_LEAVE)
        self.process.kill()
        self.process.join()


def hired(place: Place, results: Path, printed: Path) -> Worker:
    """Started: it will say that it is ready, wait for what is prepared, and then for orders. printed: a folder for what
    workers print.
    """
    ours, theirs = _spawned.Pipe()
    output = printed / secrets.token_hex(4)
    process = _spawned.Process(target=_work, args=(theirs, place, results, output), name="encoder-bench run")
    with _as_in(place):
        process.start()
    theirs.close()  # theirs alone is open now: it closes when they die
    return Worker(place, process, ours, output)


@contextmanager
def _as_in(place: Place) -> Iterator[None]:
    """What a process is started with: its cores and threads, which numerical libraries look at once, when they are
    loaded, its GPU, and no interrupts: Ctrl-C reaches every process of a terminal, and this one ends the others.
    """
    own = {"OMP_NUM_THREADS": str(place.threads), "RAYON_NUM_THREADS": str(place.threads)}
    if place.gpu is not None:
        own["CUDA_VISIBLE_DEVICES"] = place.gpu
    with _blocked(signal.SIGINT), _kept_to(place.cores), variables(own):
        yield


@contextmanager
def _blocked(number: signal.Signals) -> Iterator[None]:
    """It comes when the block is over; a process that is started inside never gets it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _kept_to(cores: Sequence[int]) -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):  # not on macOS
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# -- in the worker's own process -------------------------------------------------------------------------------------


def _work(connection: Connection, place: Place, results: Path, output: Path) -> None:
    """Makes one run after the other, until the pool has no more or is gone. Told to end, it does so in order, and
    leaves no temporary file and no semaphore behind.
    """
    _print_to(output)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    machine()  # the commit that runs now, not the one that is checked out when a run is over
    connection.send(Ready(_freed(place)))
    with suppress(EOFError):  # the pool is gone
        prepared = connection.recv()
        while True:
            order = connection.recv()
            os.truncate(output, 0)
            storing = Storing(prepared, results, _Telling(connection), halvings=order.halvings)
            try:
                if storing.make(order.run, order.wait) is None:
                    connection.send(Elsewhere())
            except (UserError, OSError) as error:  # such as a full disk: nothing can be stored any more
                error.add_note(traceback.format_exc())  # which would stay here
                connection.send(error)
            _freed(place)


def _print_to(output: Path) -> None:
    """All that this process prints, also its last words when a segmentation fault ends it."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)
    faulthandler.enable()


def _freed(place: Place) -> int | None:
    """Gives the GPU's memory back, which torch keeps for its own next run; bytes that are free there."""
    if place.gpu is None:
        return None
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    return int(torch.cuda.mem_get_info()[0])


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
