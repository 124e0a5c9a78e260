"""What a task does on a node of a cluster: one run, from what the head sends, and back to it."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from benchmarks import shortage, unfinished
from benchmarks.environment import cache_dir, versions
from benchmarks.errors import UserError
from benchmarks.execute.making import SECONDS_BETWEEN_TELLINGS, Making, Outcome
from benchmarks.execute.parcels import Packed, encoder_folder, packed
from benchmarks.methods import Checkpoints
from benchmarks.runner import Conditions
from benchmarks.schema import RunFailure, RunResult, RunSpec
from benchmarks.shortage import ShortageError

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData

Reference: TypeAlias = Any
"""Of an object that the cluster keeps, or of an actor; ray gives its types no stubs that could be checked."""


@dataclass(frozen=True)
class Encoder:
    """A checkpoint: its checksum, and its files for a node that hasn't got it."""

    sha256: str
    files: Reference


@dataclass(frozen=True)
class Errand:
    """What a task gets beside the rows. number: of this try; trials: those of its search that are known, by path;
    versions: of the head.
    """

    number: int
    spec: RunSpec
    encoder: Encoder | None
    trials: Mapping[str, RunResult]
    versions: Mapping[str, str]
    ears: Reference
    halvings: int = 0
    keep: bool = False
    checkpoint_seconds: float = 0.0


@dataclass(frozen=True)
class Begun:
    """A task's first word; node: by its id."""

    node: str


@dataclass(frozen=True)
class Trial:
    """What a search has tried; the run goes on."""

    spec: RunSpec
    outcome: RunResult | RunFailure


Word: TypeAlias = Begun | float | Trial
"""A float: how much of the training is done."""


@dataclass(frozen=True)
class Made:
    """What comes back; model: the files of one that is to be kept."""

    outcome: Outcome
    model: Packed | None = None


class Ears:
    """The actor that hears all tasks, until the head asks it."""

    def __init__(self) -> None:
        self._said: list[tuple[int, Word]] = []
        self._something = asyncio.Event()

    async def tell(self, number: int, said: Word) -> None:
        self._said.append((number, said))
        self._something.set()

    async def wake(self) -> None:
        """Who waits hears what there is."""
        self._something.set()

    async def heard(self) -> list[tuple[int, Word]]:
        """Waits until there is something."""
        await self._something.wait()
        return await self.now()

    async def now(self) -> list[tuple[int, Word]]:
        said, self._said = self._said, []
        self._something.clear()
        return said


def make(errand: Errand, data: TaskData) -> Made | UserError:
    """The run, or what a person has to mend on this node before it can make any. data: the task's, which the cluster
    brings to the node before it begins this.
    """
    try:
        return _made(errand, data)
    except UserError as error:
        return UserError(f"node {_node()}: {error}")
    finally:
        shortage.give_back()


def _made(errand: Errand, data: TaskData) -> Made:
    _check_versions(errand.versions)
    spec, cache, telling = errand.spec, cache_dir(), _Telling(errand)
    making = Making(
        data,
        _encoder(errand.encoder, cache) if errand.encoder else None,
        cache,
        conditions=partial(_conditions, errand, cache),
        known=lambda trial: errand.trials.get(trial.path),
        hand_on=partial(_hand_on, telling, cache),
        short=_short,
        alone=partial(unfinished.claimed, cache, wait=True),
    )
    telling(Begun(_node_id()))  # before it may have to wait: that is seen, and ends with --timeout
    # A task that is lost to the head may still be there for a moment: its next try never writes the same checkpoints.
    with TemporaryDirectory() as kept, unfinished.claimed(cache, spec, wait=True):
        keep = Path(kept) if errand.keep else None
        outcome = making.make(spec, telling, keep)
        unfinished.clear(cache, spec)
        telling.wait()
        return Made(outcome, packed(keep) if keep else None)


def _hand_on(telling: _Telling, cache: Path, trial: RunSpec, outcome: RunResult | RunFailure) -> None:
    telling(Trial(trial, outcome))
    unfinished.clear(cache, trial)


def _conditions(errand: Errand, cache: Path, spec: RunSpec, keep: Path | None) -> Conditions:
    """Checkpoints are on this node's own disk: a run that comes here again goes on, elsewhere it begins anew."""
    seconds = errand.checkpoint_seconds
    checkpoints = Checkpoints(unfinished.folder(cache, spec), seconds) if seconds else None
    return Conditions(keep=keep, checkpoints=checkpoints, halvings=errand.halvings)


def _short(spec: RunSpec, error: ShortageError) -> NoReturn:
    raise AssertionError(f"{spec.path}: one process begins anew by itself") from error


class _Telling:
    """Words to the head, of a run's progress not every one. Nobody waits for an answer: while a task waits, Ray gives
    its cores to another one.
    """

    def __init__(self, errand: Errand) -> None:
        self.ears, self.number, self.told = errand.ears, errand.number, 0.0
        self.trials: list[Reference] = []

    def __call__(self, word: Word) -> None:
        now = time.monotonic()
        if isinstance(word, float) and now - self.told < SECONDS_BETWEEN_TELLINGS:
            return
        self.told = now
        on_its_way = self.ears.tell.remote(self.number, word)
        if isinstance(word, Trial):
            self.trials.append(on_its_way)

    def wait(self) -> None:
        """Until all trials have been heard: when the task is over, nobody listens any more."""
        import ray

        with suppress(ray.exceptions.RayError):
            ray.get(self.trials)


def _encoder(encoder: Encoder, cache: Path) -> Path:
    """Written once a machine; read again where it has changed there."""
    import ray

    return encoder_folder(encoder.sha256, lambda: ray.get(encoder.files), cache)


# -- the node --------------------------------------------------------------------------------------------------------


def gpu_memory() -> int:
    """Bytes of this process' GPU; 0 where torch sees none."""
    import torch

    return torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else 0


def _check_versions(head: Mapping[str, str]) -> None:
    """Raises UserError: another software gives other scores."""
    here = versions()
    if other := [f"{name} {here.get(name)}, on the head {head[name]}" for name in head if here.get(name) != head[name]]:
        raise UserError(f"other versions give other scores: {'; '.join(other)}. Install the head's there.")


def _node() -> str:
    """As people and Ray's own tools name it."""
    import ray

    return f"{ray.util.get_node_ip_address()} ({platform.node()}, {_node_id()[:8]})"


def _node_id() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())
