"""All that a plan needs, loaded and checked before the first minute of training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.encoders import Checkpoint, fetch
from benchmarks.errors import UserError
from benchmarks.execute import ranks
from benchmarks.lock import Lock
from benchmarks.schema import Encoder, RunSpec

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData
    from benchmarks.data.origins import Origin


@dataclass(frozen=True)
class Prepared:
    """Data by task name, the encoders' local folders, and the folder of what is kept between runs."""

    data: dict[str, TaskData]
    encoders: dict[Encoder, Path]
    cache: Path

    def encoder_of(self, spec: RunSpec) -> Path | None:
        return self.encoders[spec.system.encoder] if spec.system.encoder else None


def prepare(
    runs: Iterable[RunSpec],
    origins: Mapping[str, Origin],
    checkpoints: Mapping[Encoder, Checkpoint],
    cache: Path,
    locked: Lock,
) -> Prepared:
    """Downloads, verifies against the lock, loads and checks data, protocols and encoders of all runs.

    Raises UserError; trains and writes nothing.
    """
    from benchmarks.data.loading import load
    from benchmarks.data.splits import select

    runs = list(runs)
    needed = dict.fromkeys(spec.system.encoder for spec in runs if spec.system.encoder)
    with ranks.first_goes_first():
        folders = {encoder: fetch(checkpoints[encoder], locked) for encoder in needed}
        tasks = {spec.task.name: spec.task for spec in runs}
        loaded = {name: load(task, origins[name], cache, locked) for name, task in tasks.items()}
    for spec in _one_a_protocol(runs):
        select(loaded[spec.task.name], spec.protocol)
    _check_batches(runs)
    _check_labels(runs, folders)
    return Prepared(loaded, {encoder: found.folder for encoder, found in folders.items() if found.folder}, cache)


def _one_a_protocol(runs: list[RunSpec]) -> list[RunSpec]:
    """One run for each (task, sizes, folds): seeds and systems can't change whether the rows suffice."""
    return list({(spec.task.name, spec.protocol.model_copy(update={"seed": 0})): spec for spec in runs}.values())


def _check_batches(runs: Iterable[RunSpec]) -> None:
    size = ranks.world_size()
    for spec in runs:
        batch = spec.recipe.global_batch if spec.recipe.over_ranks else None
        if batch and batch % size:
            raise UserError(
                f"{spec.system.name}: recipe.batch_size: {batch} rows can't be shared evenly by {size} ranks. "
                f"Give a multiple of {size}, such as --set recipe.batch_size={size * 8}."
            )


def _check_labels(runs: Iterable[RunSpec], checkpoints: Mapping[Encoder, Checkpoint]) -> None:
    """Of checkpoints that the plan could not look into, since they were still to be fetched."""
    for spec in runs:
        labels = checkpoints[spec.system.encoder].labels() if spec.system.encoder else None
        if labels is not None and (lacks := spec.recipe.misses(labels)):
            raise UserError(f"{spec.system.name}: {spec.system.method} {lacks}.")
