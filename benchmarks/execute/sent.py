"""What a cluster gets before the first run, and on which terms runs are made there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.encoders import checkpoint_sha256
from benchmarks.errors import UserError
from benchmarks.execute.memory import beside_a_gpu, estimate
from benchmarks.execute.needs import Need, Node, cores_of_a_run, part_of_a_gpu, room
from benchmarks.execute.parcels import packed_encoder, without_paths
from benchmarks.execute.prepare import Prepared
from benchmarks.execute.remote import Ears, Encoder, Reference, gpu_memory
from benchmarks.recipes import Word2vecRecurrent
from benchmarks.schema import Encoder as Named
from benchmarks.schema import RunSpec

SECONDS_TO_LOOK = 60.0
"""At a GPU: where all are taken by others, it may be long until one is free."""
LIBRARIES = (
    "HF_HUB_DISABLE_PROGRESS_BARS",
    "HF_DATASETS_DISABLE_PROGRESS_BARS",
    "TRANSFORMERS_VERBOSITY",
    "TOKENIZERS_PARALLELISM",
)


@dataclass(frozen=True)
class Terms:
    """What each run gets, by its path, and how many are made at a time; cpus: cores of each, and its threads."""

    cpus: int
    abreast: int
    nodes: int
    needs: Mapping[str, Need]


def terms(prepared: Prepared) -> Terms:
    """Of the cluster as it is now. Raises UserError for a run that reads what is not sent."""
    _check_sent(prepared)
    there = nodes()
    cpus = cores_of_a_run(there, len(prepared.runs), os.environ.get("OMP_NUM_THREADS"))
    gpu = _smallest_gpu(there)
    needs = {spec.path: _need(prepared, cpus, gpu, spec) for spec in prepared.runs}
    abreast = min(len(needs), max(room(need, there) for need in needs.values()))
    return Terms(cpus, max(1, abreast), sum(node.cpus >= 1 for node in there), needs)


def _check_sent(prepared: Prepared) -> None:
    for spec in prepared.runs:
        if isinstance(spec.recipe, Word2vecRecurrent) and spec.recipe.file:
            raise UserError(
                f"--ray: {spec.system.name}: recipe.vectors: {spec.recipe.vectors}: files of word vectors are not sent "
                "to nodes. Leave that system out, or make its runs without --ray."
            )


def _need(prepared: Prepared, cpus: int, gpu: int | None, spec: RunSpec) -> Need:
    """gpu: bytes of the smallest one, 0 where they aren't known, None where there is none."""
    encoder = prepared.encoder_of(spec)
    taken = estimate(spec, encoder)
    if gpu is None or not spec.recipe.on_gpu():
        return Need(cpus, 0.0, taken)
    return Need(cpus, part_of_a_gpu(taken, gpu), beside_a_gpu(encoder))


@dataclass(frozen=True)
class Sent:
    """What the cluster keeps for all tasks, each part once a node: rows by task; environment: of the tasks."""

    rows: Mapping[str, Reference]
    encoders: Mapping[Named, Encoder]
    environment: Mapping[str, Any]


def send(prepared: Prepared, agreed: Terms) -> Sent:
    import ray

    threads = {"OMP_NUM_THREADS": str(agreed.cpus), "RAYON_NUM_THREADS": str(agreed.cpus)}
    quiet = {name: os.environ[name] for name in LIBRARIES if name in os.environ}
    return Sent(
        {name: ray.put(without_paths(data)) for name, data in prepared.data.items()},
        {
            encoder: Encoder(checkpoint_sha256(folder), ray.put(packed_encoder(folder)))
            for encoder, folder in prepared.encoders.items()
        },
        {"env_vars": {**threads, **quiet, "HF_HUB_OFFLINE": "1"}},  # all that they need is sent
    )


# -- the cluster -----------------------------------------------------------------------------------------------------


def nodes() -> list[Node]:
    """Those that are alive."""
    import ray

    return [Node.of(told) for told in ray.nodes() if told["Alive"]]


def ears() -> Reference:
    """An actor beside this process: a node that is lost doesn't take it along."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Ears).options(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)
    return actor.remote()


def _smallest_gpu(there: Sequence[Node]) -> int | None:
    """Bytes; 0 where a GPU is told of that can't be asked, None where there is none."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = [
        ray.remote(max_calls=1)(gpu_memory)
        .options(num_cpus=0, num_gpus=0.001, scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False))
        .remote()
        for node in there
        if node.gpus
    ]
    try:
        return min(ray.get(asked, timeout=SECONDS_TO_LOOK), default=None)
    except ray.exceptions.RayError:
        return 0
