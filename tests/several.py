"""A Ray cluster of several nodes on this machine, each with a core, a cache and a working folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.variables import variables

PROJECT = Path(__file__).parent.parent
MEMORY_OF_OBJECTS = 100 * 2**20
"""Bytes a node; about the least that Ray takes."""


@contextmanager
def environment() -> Iterator[None]:
    """What the nodes are started with."""
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    ray = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_prestart_worker_first_driver": "0", "RAY_AUTH_MODE": "disabled"}
    ray |= {"RAY_memory_monitor_refresh_ms": "0"}  # else a task is killed for what others take
    with variables({**own, **ray}):
        yield


class Nodes:
    """Two that make runs, and a head that makes none."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder, self.made = folder, 0
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY_OF_OBJECTS}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address = str(self.cluster.address)
        self.nodes = [self._another(), self._another()]

    def _another(self, **has: float):  # type: ignore[no-untyped-def]
        self.made += 1
        own = self.folder / f"node-{self.made}"
        (own / "work").mkdir(parents=True)
        told = {"ENCODER_BENCH_CACHE": str(own / "cache"), "ENCODER_BENCH_DATA": ""}
        with chdir(own / "work"):
            return self.cluster.add_node(num_cpus=1, object_store_memory=MEMORY_OF_OBJECTS, env_vars=told, **has)

    def add(self, **has: float) -> None:
        """One more, with resources of its own."""
        self.nodes.append(self._another(**has))

    def lose(self, number: int = 0, replaced: bool = True) -> None:
        """The whole node by SIGKILL, for which another one comes."""
        self.cluster.remove_node(self.nodes.pop(number), allow_graceful=False)
        if replaced:
            self.add()

    def at_work(self, name: str) -> list[psutil.Process]:
        """Processes of tasks whose runs have this in their path; on our own nodes, since others may test beside us."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                title = (process.cmdline() or [""])[0]
                if title.startswith("ray::") and name in title and process.ppid() in self._raylets():
                    found.append(process)
        return found

    def number_of(self, process: psutil.Process) -> int:
        """Of the node on which a task's process is."""
        return self._raylets().index(process.ppid())

    def _raylets(self) -> list[int]:
        return [node.all_processes["raylet"][0].process.pid for node in self.nodes]

    def caches(self) -> list[Path]:
        return sorted(self.folder.glob("node-*/cache"))

    def end(self) -> None:
        self.cluster.shutdown()
