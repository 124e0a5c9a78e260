"""What each of several workers has of this machine: cores, threads, a GPU, and whether the memory holds them all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.errors import UserError

MOST_ON_A_GPU = 8
SHARE_OF_MEMORY = 0.9
FIRST_VERSION = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
SECOND_VERSION = ("memory.max", "memory.current", "inactive_file")
"""Of Linux' cgroups: a group's limit, what it uses, and what of that are files that nobody uses any more."""


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
    """Bytes that this machine can give, or the groups in which the process is: a container's, a batch job's."""
    import psutil

    free = [int(psutil.virtual_memory().available)]
    with suppress(OSError):  # not on macOS
        free += _left_in_groups(Path("/proc/self/cgroup").read_text(), Path("/sys/fs/cgroup"))
    return min(free)


def _left_in_groups(told: str, root: Path) -> Iterator[int]:
    """Bytes that each of the process' groups has left that has a limit, in either version of Linux' cgroups; told: its
    groups, as the system lists them. Where a container sees no group above its own, that one lies at the root.
    """
    for line in told.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top, names = (root / "memory", FIRST_VERSION) if controllers else (root, SECOND_VERSION)
        own = PurePosixPath(path.lstrip("/"))
        for group in (own, *own.parents):
            with suppress(OSError, ValueError, KeyError):  # no such group, or its limit is 'max'
                yield _left_in(top / group, *names)


def _left_in(group: Path, limit: str, usage: str, unused: str) -> int:
    most, used = (int((group / name).read_text()) for name in (limit, usage))
    statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return most - used + int(statistics[unused])  # files that were read make room
