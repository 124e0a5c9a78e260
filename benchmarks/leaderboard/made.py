"""What a leaderboard keeps of each stored run: a fraction of it, so that ten thousand fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.schema import RunFailure, RunResult, Stored, fingerprint

ProtocolKey = tuple[tuple[str, Any], ...]
"""What a protocol asks for but its seed and fold, as sorted pairs; empty is the whole training split."""


class Conditions(NamedTuple):
    """What two runs must share to stand in one table: our code's protocol number, the task's definition, the data."""

    code: int
    task: str
    data: str


class Machine(NamedTuple):
    """What a run was made on."""

    device: str
    precision: str
    processes: int


class Slot(NamedTuple):
    """The place of a run in the grid, whatever its definition was."""

    system: str
    protocol: ProtocolKey
    seed: int
    fold: int | None


@dataclass(frozen=True, slots=True)
class Made:
    """A run that is done. `definition`: fingerprint of its identity but the seed and fold; one row has one of them."""

    task: str
    title: str
    group: str
    sample: bool
    slot: Slot
    definition: str
    conditions: Conditions
    scheme: str | None
    created: str
    primary_metric: str
    metrics: dict[str, float]
    cost: dict[str, Any]
    place: str | None
    data: dict[str, Any]
    machine: Machine
    version: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A run that failed; `said` is the type and first line of its error."""

    task: str
    sample: bool
    slot: Slot
    conditions: Conditions
    created: str
    said: str


def kept(run: RunResult | RunFailure) -> Made | Failed:
    """The part of a stored run that tables are made of."""
    if isinstance(run, RunFailure):
        return _failed(run)
    data, task = _mapping(run.identity_, "data"), _mapping(run.identity_, "task")
    conditions = _conditions(run.identity_)
    return Made(
        task=run.task,
        title=run.title,
        group=run.group,
        sample=run.sample,
        slot=_slot(run),
        definition=_definition(run.identity_, conditions),
        conditions=conditions,
        scheme=task.get("scheme"),
        created=run.created,
        primary_metric=run.primary_metric,
        metrics=run.metrics,
        cost=run.cost,
        place=data.get("path") or data.get("corpus"),
        data=run.data,
        machine=_machine(run.environment),
        version=_version(run.environment),
    )


def _failed(run: RunFailure) -> Failed:
    message = run.error.get("message", "").strip().splitlines()
    said = ": ".join([run.error.get("type", "failed"), *message[:1]])
    return Failed(run.task, run.sample, _slot(run), _conditions(run.identity_), run.created, said)


def _slot(run: Stored) -> Slot:
    """A setting that is off is left out: a record made before it existed has the same key."""
    asked = {k: v for k, v in run.protocol.items() if k not in ("seed", "fold") and v is not None and v is not False}
    return Slot(run.system, tuple(sorted(asked.items())), run.seed, run.fold)


def _definition(identity: Mapping[str, Any], conditions: Conditions) -> str:
    protocol = {k: v for k, v in _mapping(identity, "protocol").items() if k not in ("seed", "fold")}
    # The task's text is long, and its fingerprint known: half of the time to read ten thousand runs would go here.
    return fingerprint({**identity, **conditions._asdict(), "protocol": protocol})


def _conditions(identity: Mapping[str, Any]) -> Conditions:
    task, data = (fingerprint(_mapping(identity, part)) for part in ("task", "data"))
    return Conditions(identity.get("code", 0), task, data)


def _mapping(identity: Mapping[str, Any], part: str) -> dict[str, Any]:
    found = identity.get(part)
    return found if isinstance(found, dict) else {}


def _machine(environment: Mapping[str, Any]) -> Machine:
    device = environment.get("device") or "unknown device"
    if device == "cpu":
        cores = environment.get("cores")
        device = f"{environment.get('processor') or 'CPU'}{f' ({cores} cores)' if cores else ''}"
    return Machine(device, environment.get("precision") or "unknown", environment.get("processes") or 1)


def _version(environment: Mapping[str, Any]) -> str:
    number, commit = environment.get("encoder_bench") or "of unknown version", environment.get("git")
    if not commit:
        return str(number)
    digits, plus, changes = str(commit).partition("+")
    return f"{number} at {digits[:12]}{plus}{changes}"
