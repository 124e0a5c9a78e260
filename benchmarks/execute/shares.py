"""What each of several workers has of this machine: cores, threads, a GPU, and whether the memory holds them all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UserError

MOST_ON_A_GPU = 8
SHARE_OF_MEMORY = 0.9


@dataclass(frozen=True)
class Place:
    """What a worker has of the machine: cores, and one GPU by its name in CUDA_VISIBLE_DEVICES where there are any."""

    cores: tuple[int, ...]
    gpu: str | None = None

    @property
    def threads(self) -> int:
        """Of a run: one a core, or fewer where the user says so for every program."""
        said = os.environ.get("OMP_NUM_THREADS") or str(len(self.cores))
        return min(int(said.split(",")[0]), len(self.cores))


def places(jobs: int | None, taken: Sequence[int]) -> list[Place]:
    """Of as many workers as are asked for, and not more than there are runs; None: one a core, and on GPUs at most
    MOST_ON_A_GPU each. On a processor not more than the memory has room for, if the largest runs meet.

    taken: bytes that each run may take. Cores are shared out evenly, and GPUs in turn. Raises UserError where
    OMP_NUM_THREADS is no number.
    """
    if not (os.environ.get("OMP_NUM_THREADS") or "1").split(",")[0].isdecimal():
        raise UserError(f"OMP_NUM_THREADS: {os.environ['OMP_NUM_THREADS']!r}, expected a whole number.")
    cores, gpus = available_cores(), _gpus()
    most = len(cores) if not gpus else min(len(cores), MOST_ON_A_GPU * len(gpus))
    count = max(1, min(most if jobs is None else jobs, len(taken)))
    if not gpus:
        room = SHARE_OF_MEMORY * _free_memory()
        largest = itertools.accumulate(sorted(taken, reverse=True)[:count])
        count = max(1, sum(together <= room for together in largest))
    shares = [cores[i * len(cores) // count : (i + 1) * len(cores) // count] for i in range(count)]
    return [
        Place(tuple(share or cores[i % len(cores) :][:1]), gpus[i % len(gpus)] if gpus else None)
        for i, share in enumerate(shares)
    ]


def available_cores() -> list[int]:
    """Those that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _gpus() -> list[str]:
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in named.split(",")] if named else map(str, range(torch.cuda.device_count()))
    return list(names)[: torch.cuda.device_count()]


def _free_memory() -> int:
    """Bytes that this machine can give, or the container in which the process is."""
    import psutil

    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError, KeyError):  # no such group, or its limit is 'max'
        most, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        free = min(free, most - used + int(statistics["inactive_file"]))  # files that were read make room
    return free
