"""The ranks of one launch (accelerate launch, torchrun): who writes, and what all must agree on."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from functools import cache
from typing import TypeVar

T = TypeVar("T")

# Ranks wait for each other while data load and models train; a rank that never comes must still end the job.
LONGEST_WAIT = datetime.timedelta(hours=2)


# What a launcher tells each rank; torch and accelerate go by it.
LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")


@cache  # as it was at the start: `leave` takes it out of the environment
def _launched() -> tuple[int, int]:
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def world_size() -> int:
    return _launched()[1]


def is_first() -> bool:
    """Whether this process prints and writes."""
    return _launched()[0] == 0


def join() -> None:
    """Meets the other ranks; a single process needs nobody."""
    if world_size() > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available(), timeout=LONGEST_WAIT)


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
    if world_size() == 1:
        return [value]
    from accelerate.utils import gather_object

    return list(gather_object([value]))


@contextlib.contextmanager
def first_goes_first() -> Iterator[None]:
    """Rank 0 runs the block before the others do: it downloads and fills caches, they find them."""
    if world_size() == 1:
        yield
        return
    from accelerate import PartialState

    with PartialState().main_process_first():
        yield
