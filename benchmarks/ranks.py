"""The ranks of one launch (accelerate launch, torchrun): who writes, and what all must agree on."""

from __future__ import annotations

import contextlib
import datetime
import os
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count, islice
from typing import NoReturn, TypeVar

from benchmarks.errors import UserError

K = TypeVar("K")
T = TypeVar("T")

# Ranks wait for each other while data load and models train; a rank that never comes must still end the job.
LONGEST_WAIT = datetime.timedelta(hours=2)
LONGEST_APART = datetime.timedelta(minutes=5)
"""Between the ends of a run on two ranks where it has failed on one."""

_ends = count()
"""Of runs, on each rank the same."""

# What a launcher tells each rank; torch and accelerate go by it.
LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")


@cache  # as it was at the start: `leave` takes it out of the environment
def _launched() -> tuple[int, int]:
    return _number("RANK", 0), _number("WORLD_SIZE", 1)


def _number(variable: str, least: int) -> int:
    """Of the environment; without it, the least. Raises UserError."""
    found = os.environ.get(variable, str(least))
    number = int(found[:20]) if found.isascii() and found.isdigit() else -1
    if number < least:
        raise UserError(f"{variable}={found!r}: expected a whole number from {least}, as a launcher sets it.")
    return number


def world_size() -> int:
    return _launched()[1]


def number() -> int:
    """This process' own, from 0."""
    return _launched()[0]


def is_first() -> bool:
    """Whether this process prints and writes."""
    return number() == 0


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Meets the other ranks, for the length of the block; a single process needs nobody.

    A process that ends while its group's threads still run may be aborted by them, after all is done.
    """
    if world_size() > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available(), timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        leave()


def leave() -> None:
    """After this, each rank is on its own, also for a Trainer that is made then."""
    if world_size() > 1:
        import torch.distributed
        from accelerate.state import AcceleratorState

        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        AcceleratorState._reset_state(reset_partial_state=True)
        for name in LAUNCHED:
            os.environ.pop(name, None)


def end(why: str) -> NoReturn:
    """Ends this process at once, and with it the launch: the other ranks wait in the middle of what it can't go on."""
    print(why, file=sys.stderr, flush=True)
    os._exit(1)


def all_end(failed: bool) -> bool:
    """Called by each rank at the end of a run. Where it has failed, whether the others soon end it, too: they
    may wait for this rank in the middle of an update.
    """
    if not connected():
        return True
    from torch.distributed.distributed_c10d import _get_default_store  # what ranks can tell each other without waiting

    store, run = _get_default_store(), next(_ends)
    store.set(f"ended/{run}/{number()}", "")
    everyone = [f"ended/{run}/{rank}" for rank in range(world_size())]
    latest = time.monotonic() + LONGEST_APART.total_seconds()
    while failed and not store.check(everyone):
        if time.monotonic() > latest:
            return False
        time.sleep(0.1)
    return True


def from_first(value: T) -> T:
    """Rank 0's value, on every rank."""
    if world_size() == 1:
        return value
    from accelerate.utils import broadcast_object_list

    box = [value]
    broadcast_object_list(box, from_process=0)
    return box[0]


def from_all(value: T) -> list[T]:
    """Every rank's value, on every rank."""
    if not connected():
        return [value]
    from torch.distributed import all_gather_object, get_world_size

    found: list[T] = [value] * get_world_size()
    all_gather_object(found, value)
    return found


@contextlib.contextmanager
def first_goes_first() -> Iterator[None]:
    """Rank 0 runs the block before the others do: it downloads and fills caches, they find them.

    Where it fails there, all fail: accelerate's own main_process_first would leave the others waiting.
    """
    if world_size() == 1:
        yield
        return
    if not is_first():
        _raise_first(from_all(None))
    with _meeting_at_the_end() if is_first() else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def all_or_none() -> Iterator[None]:
    """Every rank runs the block and waits for the others at its end; where one fails, all do."""
    with _meeting_at_the_end() if connected() else contextlib.nullcontext():
        yield


def share(items: Mapping[K, T]) -> dict[K, T]:
    """This rank's part of what all ranks have: all of it where there is but one."""
    if not connected():
        return dict(items)
    from torch.distributed import get_rank, get_world_size

    return dict(islice(items.items(), get_rank(), None, get_world_size()))


def connected() -> bool:
    """Whether this process can speak to other ranks now; loads nothing."""
    torch = sys.modules.get("torch")
    return bool(torch and torch.distributed.is_available() and torch.distributed.is_initialized())


@contextlib.contextmanager
def _meeting_at_the_end() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        from_all(error if isinstance(error, UserError) else RuntimeError(f"{type(error).__name__}: {error}"))
        raise
    _raise_first(from_all(None))


def _raise_first(errors: list[Exception | None]) -> None:
    for rank, error in enumerate(errors):
        if isinstance(error, UserError):
            raise error
        if error:
            raise RuntimeError(f"rank {rank}: {error}")
