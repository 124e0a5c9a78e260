"""All that a plan needs, loaded and checked before the first minute of training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import ranks, store
from benchmarks.encoders import Checkpoint, depth, fetch
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.plan import Skipped, left_out
from benchmarks.schema import Encoder, RunSpec
from benchmarks.tracking import NOBODY, Trackers

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData
    from benchmarks.data.origins import Origin


@dataclass(frozen=True)
class Options:
    """How runs are made, as the user asks; none of it moves a score.

    again: the signatures of stored runs that are to be made once more, by path, as they were when that was planned;
    checkpoint_seconds: how often a training writes what it can go on from, 0: never; timeout_seconds: how long a run
    may take, where it is made by a worker.
    """

    force: bool = False
    fail_fast: bool = False
    keep_models: bool = False
    trackers: Trackers = NOBODY
    checkpoint_seconds: float = 0.0
    timeout_seconds: float | None = None
    again: Mapping[str, store.Signature] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """The runs that can be made, and what is left out only now; data by task name, the encoders' local folders, and the
    folder of what is kept between runs.
    """

    runs: list[RunSpec]
    left_out: list[Skipped]
    data: dict[str, TaskData]
    encoders: dict[Encoder, Path]
    cache: Path
    options: Options = Options()

    def encoder_of(self, spec: RunSpec) -> Path | None:
        return self.encoders[spec.system.encoder] if spec.system.encoder else None


def prepare(
    runs: Iterable[RunSpec],
    origins: Mapping[str, Origin],
    checkpoints: Mapping[Encoder, Checkpoint],
    cache: Path,
    locked: Lock,
    options: Options = Options(),
) -> Prepared:
    """Downloads, verifies against the lock, loads and checks data, protocols and encoders of all runs.

    Raises UserError, also where no run is left; trains and writes nothing.
    """
    from benchmarks.data.loading import load
    from benchmarks.data.splits import select

    runs = list(runs)
    needed = dict.fromkeys(spec.system.encoder for spec in runs if spec.system.encoder)
    with ranks.first_goes_first():
        fetched = {encoder: fetch(checkpoints[encoder], locked) for encoder in needed}
        tasks = {spec.task.name: spec.task for spec in runs}
        loaded = {name: load(task, origins[name], cache, locked) for name, task in tasks.items()}
    for spec in _one_a_protocol(runs):
        select(loaded[spec.task.name], spec.protocol)
    for spec in _one_a_protocol([spec for spec in runs if spec.tuning]):
        select(loaded[spec.task.name], spec.protocol, trial=True)
    _check_batches(runs)
    _check_layers(runs, fetched)
    lacking = [(spec, _lacks_labels(spec, fetched)) for spec in runs]
    skipped = list(dict.fromkeys(Skipped(spec.task.name, spec.system.name, why) for spec, why in lacking if why))
    makeable = [spec for spec, why in lacking if not why]
    if not makeable:
        raise UserError(f"nothing to run: {'; '.join(left_out(skipped))}")
    return Prepared(
        makeable,
        skipped,
        loaded,
        {encoder: found.folder for encoder, found in fetched.items() if found.folder},
        cache,
        options,
    )


def _one_a_protocol(runs: list[RunSpec]) -> list[RunSpec]:
    """One run for each (task, sizes, folds): seeds and systems can't change whether the rows suffice."""
    return list({(spec.task.name, spec.protocol.model_copy(update={"seed": 0})): spec for spec in runs}.values())


def _check_batches(runs: Iterable[RunSpec]) -> None:
    size = ranks.world_size()
    for spec in runs:
        batches = [spec.recipe.global_batch, *(spec.tuning.space.get("batch_size", ()) if spec.tuning else ())]
        for batch in batches if spec.recipe.over_ranks else ():
            if not batch or batch % size == 0:
                continue
            raise UserError(
                f"{spec.system.name}: recipe.batch_size: {batch} rows can't be shared evenly by {size} ranks. "
                f"Give a multiple of {size}, such as --set recipe.batch_size={size * 8}."
            )


def _check_layers(runs: Iterable[RunSpec], checkpoints: Mapping[Encoder, Checkpoint]) -> None:
    for spec in runs:
        folder = checkpoints[spec.system.encoder].folder if spec.system.encoder else None
        asked, there = getattr(spec.recipe, "frozen_layers", 0), depth(folder) if folder else None
        if there is not None and asked > there:
            raise UserError(f"{spec.system.name}: recipe.frozen_layers: {asked}, but the encoder has {there} layers.")


def _lacks_labels(spec: RunSpec, checkpoints: Mapping[Encoder, Checkpoint]) -> str | None:
    """Of a checkpoint that the plan could not look into, since it was still to be fetched."""
    labels = checkpoints[spec.system.encoder].labels() if spec.system.encoder else None
    lacks = None if labels is None else spec.recipe.misses(labels)
    return lacks and f"{spec.system.method} {lacks}"
