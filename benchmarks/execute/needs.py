"""What a run needs of a cluster, and how many such runs its nodes hold at a time. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.execute.shares import MOST_ON_A_GPU, SHARE_OF_MEMORY


@dataclass(frozen=True)
class Node:
    """One that is alive; memory in bytes, port: at which its raylet answers."""

    id: str
    address: str
    port: int
    cpus: float
    gpus: float
    memory: float

    @classmethod
    def of(cls, told: dict[str, Any]) -> Node:
        """As Ray tells of it."""
        has = told["Resources"]
        place = told["NodeID"], told["NodeManagerAddress"], told["NodeManagerPort"]
        return cls(*place, has.get("CPU", 0.0), has.get("GPU", 0.0), has.get("memory", 0.0))


@dataclass(frozen=True)
class Need:
    """Of one run; gpus: a part of one; memory: bytes beside its processor cores."""

    cpus: int
    gpus: float
    memory: int


def cores_of_a_run(nodes: Sequence[Node], runs: int, asked: str | None) -> int:
    """As OMP_NUM_THREADS asks for, else the cluster's shared out evenly: at least one, and not more than the smallest
    node has of those that have any.
    """
    there = [int(node.cpus) for node in nodes if node.cpus >= 1]
    wanted = (asked or "").split(",")[0]
    shared = int(wanted) if wanted.isdecimal() else sum(there) // max(1, runs)
    return max(1, min(shared, min(there, default=1)))


def part_of_a_gpu(taken: int, memory: int) -> float:
    """Of one with so many bytes, for a run that takes so many: never more than one GPU, nor so little that more than
    MOST_ON_A_GPU runs share one. memory: 0 where it isn't known.
    """
    part = taken / (SHARE_OF_MEMORY * memory) if memory else 1.0
    return math.floor(1000 * max(1 / MOST_ON_A_GPU, min(1.0, part))) / 1000  # Ray counts in thousandths and finer


def within(need: Need, nodes: Iterable[Node]) -> Need:
    """The same, with no more memory than the largest node has of those with such cores and GPUs: what is larger than
    any is tried there alone.
    """
    without_memory = Need(need.cpus, need.gpus, 0)
    largest = max((node.memory for node in nodes if _on(without_memory, node)), default=0.0)
    return Need(need.cpus, need.gpus, int(min(need.memory, largest)) if largest else need.memory)


def room(need: Need, nodes: Iterable[Node]) -> int:
    """So many such runs at a time."""
    return sum(_on(need, node) for node in nodes)


def _on(need: Need, node: Node) -> int:
    """Runs that share no GPU with a part of another: as many parts as fit into each."""
    most = min(node.cpus // need.cpus, node.memory // need.memory if need.memory else math.inf)
    return int(min(most, node.gpus * (1000 // round(1000 * need.gpus))) if need.gpus else most)  # as 1 // 0.2 is 4.0
