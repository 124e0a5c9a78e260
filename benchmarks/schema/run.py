"""A run to be made: task, system and protocol, and the identity over all that can move its score."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from benchmarks.schema.system import Between, Dimension, Recipe, System
from benchmarks.schema.task import Task
from benchmarks.schema.value import Neutral, Value, fingerprint, plain

LONGEST_FOLDER_NAME = 160  # bytes; file systems take 255, and a variant of a Hub id with many overrides is long

DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""What Windows takes for a device, in whatever folder."""

CODE_PROTOCOL = 1
"""Raised whenever our code changes in a way that can move scores: every stored run of a lower number is stale. Which
random numbers a seed stands for is no such way, as little as with another version of torch: it moves a single score as
another seed would, and their mean not at all. Until the first release it stays where no run in results/ is moved.
"""


class Protocol(Value):
    """Which rows are trained and scored, and the seed: what a claim pins."""

    seed: int = 0
    train_size: int | None = Field(None, ge=1)
    test_size: int | None = Field(None, ge=1)
    validation_size: Annotated[int | None, Neutral(None)] = Field(None, ge=1)
    balanced: bool = False
    folds: int | None = Field(None, ge=2)
    fold: int | None = Field(None, ge=0)
    limit: int | None = Field(None, ge=1)


def asked(protocol: Mapping[str, Any], without: Collection[str] = ("seed", "fold")) -> dict[str, Any]:
    """What a protocol asks for, but the fields that are left out: a setting that is off is none, a 0 is one."""
    return {k: v for k, v in protocol.items() if k not in without and v is not None and v is not False}


def seed_and_fold(seed: int, fold: int | None) -> str:
    """'seed 0', 'seed 0 fold 1': of people's folds the first one is 1."""
    return f"seed {seed}" if fold is None else f"seed {seed} fold {fold + 1}"


@dataclass(frozen=True)
class Tuning:
    """How a run chooses its recipe before it is made: among so many of this space, the first one being its own, by the
    task's metric.
    """

    trials: int
    space: Mapping[str, Dimension]
    metric: str

    def identity(self) -> dict[str, Any]:
        space = {k: v._asdict() if isinstance(v, Between) else plain(v) for k, v in self.space.items()}
        return {"trials": self.trials, "space": space, "metric": self.metric}


@dataclass(frozen=True)
class RunSpec:
    """One run to be made: names for people, `identity` for the fingerprint, the rest for whoever runs it.

    trial: it is scored on validation rows, for another run that chooses its recipe.
    """

    task: Task
    system: System
    recipe: Recipe
    protocol: Protocol
    identity: dict[str, Any]
    tuning: Tuning | None = None
    trial: bool = False

    # Computed once: they are asked for at every word of a run, among thousands of others.

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.identity)

    @cached_property
    def key(self) -> str:
        """The file's stem: readable, and unique by the fingerprint."""
        size = "all" if self.protocol.train_size is None else self.protocol.train_size
        fold = "" if self.protocol.fold is None else f"_fold{self.protocol.fold}of{self.protocol.folds}"
        limit = "" if self.protocol.limit is None else f"_limit{self.protocol.limit}"
        return f"seed{self.protocol.seed}_train-{size}{fold}{limit}_{self.fingerprint}"

    @cached_property
    def path(self) -> str:
        """Where the run is stored below RESULTS/runs, or RESULTS/trials, without suffix."""
        # Several searches may ask for one trial.
        made_by = self.system.method if self.trial else self.system.name
        return f"{folder_name(self.task.name)}/{folder_name(made_by)}/{self.key}"


def folder_name(name: str) -> str:
    """A name as one path component: Hub ids hold '/', and nothing may leave the results folder."""
    name = re.sub(r"[/\\]", "__", name).replace("\0", "").lstrip(".") or "_"
    name = "".join(sign if sign.isprintable() else "_" for sign in name)
    if DEVICE.fullmatch(name):
        name = f"_{name}"
    if len(name.encode()) <= LONGEST_FOLDER_NAME:
        return name
    return f"{name[: LONGEST_FOLDER_NAME // 8]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
