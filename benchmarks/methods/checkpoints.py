"""A training's checkpoints: it goes on from the last one after an interruption, as if there had been none."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import Trainer, TrainerCallback

from benchmarks import ranks
from benchmarks.errors import UserError
from benchmarks.files import sha256, write_text
from benchmarks.methods import Job
from benchmarks.schema import fingerprint

WHOLE = "whole.json"
"""The last file of a checkpoint: the checksums of all others."""
SPARE = 2
"""So many times a checkpoint's size must be free before one is written: a full disk would cost the run."""


class Carried(Protocol):
    """What changes during a training and is no part of the model."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


def train(job: Job, trainer: Trainer, carried: Sequence[Carried] = ()) -> None:
    """Trains from the last whole checkpoint on where there is one; the job's meter is charged with what came before."""
    if job.checkpoints is None:
        trainer.train()
        return
    # A search may choose another recipe the next time, and as many ranks as wrote a checkpoint can go on from it.
    made_with = fingerprint({"recipe": job.recipe.model_dump(mode="json"), "ranks": len(ranks.from_all(None))})
    folder = job.checkpoints.folder / f"halved-{job.halvings}-{made_with[:8]}"
    last = ranks.from_all(_last(folder))[0]
    if not all(ranks.from_all(last is None or (last / WHOLE).is_file())):  # another machine's disk
        last = None
    callback = Checkpointing(folder, job.checkpoints.seconds, carried, last)
    trainer.args.output_dir = str(folder)
    trainer.add_callback(callback)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if callback.resumed:
        job.meter.charge("train", callback.before)
        job.meter.note(resumed=callback.resumed)


def _last(folder: Path) -> Path | None:
    """The newest checkpoint that is as it was written; on the first rank, which removes all others."""
    if not ranks.is_first():
        return None
    found = sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)
    last = next((one for one in found if _is_whole(one)), None)
    for other in found:
        if other != last:
            shutil.rmtree(other, ignore_errors=True)
    return last


def _step(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _is_whole(folder: Path) -> bool:
    try:
        written = json.loads((folder / WHOLE).read_text(encoding="utf-8"))
        return bool(written == _sums(folder))
    except (OSError, ValueError, UserError):  # a kill or a power cut came first
        return False


def _sums(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != WHOLE)
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


class Checkpointing(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for us
    """Asks the Trainer for a checkpoint when it is time, and keeps what the Trainer's own lacks.

    A sampler draws the order of an epoch when the epoch begins, from torch's generator or one of its own: a training
    that goes on in the middle of one draws it again from the same state, and skips what it has seen. Only where a loss
    has just been read, since the Trainer forgets those that it has summed up since. resumed: the updates after which it
    went on.
    """

    def __init__(self, folder: Path, seconds: float, carried: Sequence[Carried], last: Path | None) -> None:
        self.folder, self.seconds, self.carried = folder, seconds, carried
        self.before, self.resumed = 0.0, list[int]()
        self.epoch_began: list[torch.Tensor] = []
        self.kept = torch.load(last / self._name, weights_only=True) if last else None
        self.size: int | None = None

    @property
    def _name(self) -> str:
        return f"carried-{ranks.number()}.pt"

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.started = self.saved = time.monotonic()
        if self.kept:
            self.before, self.resumed = self.kept["seconds"], [*self.kept["resumed"], state.global_step]
            for one, state_dict in zip(self.carried, self.kept["carried"], strict=True):
                one.load_state_dict(state_dict)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.kept:
            in_the_middle = state.global_step % self.kept["steps_an_epoch"] != 0
            states = self.kept["epoch_began" if in_the_middle else "now"]
            for generator, one in zip(_generators(kwargs["train_dataloader"]), states, strict=True):
                generator.set_state(one)
            self.kept = None
        self.epoch_began = [generator.get_state() for generator in _generators(kwargs["train_dataloader"])]

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if control.should_log and state.global_step < state.max_steps:
            due = time.monotonic() - self.saved >= self.seconds and self._has_room(kwargs["model"])
            control.should_save = ranks.from_all(due)[0]

    def _has_room(self, model: torch.nn.Module) -> bool:
        """For fp32 weights and, of those that are trained, two moments."""
        size = sum(4 * (3 if weights.requires_grad else 1) * weights.numel() for weights in model.parameters())
        there = next(parent for parent in self.folder.absolute().parents if parent.is_dir())
        return shutil.disk_usage(there).free > SPARE * size

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Of every rank; the first one says that it is whole, and removes the one before."""
        self.saved = time.monotonic()
        folder = self.folder / f"checkpoint-{state.global_step}"
        kept = {
            "epoch_began": self.epoch_began,
            "now": [generator.get_state() for generator in _generators(kwargs["train_dataloader"])],
            "steps_an_epoch": -(-len(kwargs["train_dataloader"]) // args.gradient_accumulation_steps),
            "seconds": self.before + self.saved - self.started,
            "resumed": self.resumed,
            "carried": [one.state_dict() for one in self.carried],
        }
        folder.mkdir(parents=True, exist_ok=True)  # on this machine, where ranks are on several
        torch.save(kept, folder / self._name)
        ranks.from_all(None)  # all have written theirs
        if ranks.is_first():
            write_text(folder / WHOLE, json.dumps(_sums(folder)))
            os.sync()  # a power cut must not find the one before removed and this one unwritten
            _last(self.folder)


def _generators(loader: Any) -> list[torch.Generator]:
    """What the order of an epoch is drawn from: torch's own, and the sampler's where it has one, as it has on ranks."""
    own = loader.synchronized_generator or getattr(loader.batch_sampler, "generator", None)
    return [torch.default_generator, *([own] if own is not None else [])]
