"""What a leaderboard keeps of each stored run: a fraction of it, so that ten thousand fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.metrics import METRICS
from benchmarks.schema import RunFailure, RunResult, Stored, TaskType, asked, fingerprint

SETTING = re.compile(r"(\w+)=([^,\]]*)")

ProtocolKey = tuple[tuple[str, Any], ...]
"""What a protocol asks for but its seed and fold, as sorted pairs; empty is the whole training split."""


class Conditions(NamedTuple):
    """What two runs must share to stand in one table: our code's protocol number, the task's definition, the data."""

    code: int
    task: str
    data: str


class Machine(NamedTuple):
    """What a run was made on. precision: of the training; empty where the method has none."""

    device: str
    precision: str
    processes: int


class Positives(NamedTuple):
    """Test rows of the positive class, and all test rows."""

    label: str
    rows: int
    of: int


class Slot(NamedTuple):
    """The place of a run in the grid, whatever its definition was."""

    system: str
    protocol: ProtocolKey
    seed: int
    fold: int | None


@dataclass(frozen=True, slots=True)
class Made:
    """A run that is done. `definition`: fingerprint of its identity but the seed and fold; one row has one of them."""

    key: str
    task: str
    type: TaskType
    classes: int
    title: str
    group: str
    about: dict[str, Any]
    sample: bool
    slot: Slot
    method: str
    definition: str
    conditions: Conditions
    scheme: str
    created: str
    primary_metric: str
    metrics: dict[str, float]
    cost: dict[str, Any]
    place: str | None
    data: dict[str, Any]
    machine: Machine
    version: str
    encoder: str
    """What it is known by; empty where there is none."""
    settings: tuple[str, ...]
    """What the brackets in the system's name say, as the command line is told: 'recipe.epochs=4'."""
    trained_rows: int | None
    """Of the training rows that the protocol gives, where the method trains on fewer."""
    loss: float | None = None
    """The mean over the last steps of its training."""
    threshold: float | None = None
    """Of the scores, for the positive class, where the method chooses one on validation rows."""
    positives: Positives | None = None
    """Where it is ranked by their F1."""
    tuning: dict[str, Any] | None = None
    """How its recipe was chosen: by which metric, on how many validation rows, among how many that were tried and of
    which so many failed, in how many seconds; what the chosen one changes.
    """

    @property
    def clusters(self) -> bool:
        """Whether it is a clustering, which is compared with no classification."""
        return self.primary_metric in METRICS and METRICS[self.primary_metric].clustering


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
    data, task = run.identity_["data"], run.identity_["task"]
    conditions = _conditions(run.identity_)
    return Made(
        key=run.key,
        task=run.task,
        type=run.type,
        classes=len(task["labels"]),
        title=run.title,
        group=run.group,
        about=run.about,
        sample=run.sample,
        slot=_slot(run),
        method=run.method,
        definition=_definition(run.identity_, conditions),
        conditions=conditions,
        scheme=task["scheme"],
        created=run.created,
        primary_metric=run.primary_metric,
        metrics=run.metrics,
        cost=run.cost,
        place=data.get("path") or data.get("corpus"),
        data=run.data,
        machine=_machine(run.environment),
        version=_version(run.environment),
        encoder=fingerprint(own) if (own := run.identity_.get("encoder")) else "",
        settings=tuple(_settings(run)),
        trained_rows=run.training.get("trained_rows"),
        loss=run.training["losses"][-1][1] if run.training.get("losses") else None,
        threshold=run.training.get("threshold"),
        positives=_positives(run) if run.primary_metric == "f1" else None,
        tuning=run.tuning and _tuning(run.tuning),
    )


def _positives(run: RunResult) -> Positives | None:
    support = {label: own["support"] for label, own in run.report.get("per_class", {}).items()}
    positive = run.identity_["task"]["positive"] or run.identity_["task"]["labels"][1]
    return Positives(positive, support[positive], sum(support.values())) if positive in support else None


def _settings(run: RunResult) -> Iterator[str]:
    """A name shows values in short: those of a recipe's fields are in the record."""
    for name, value in SETTING.findall(run.system.partition("[")[2]):
        if name in run.recipe:
            yield f"recipe.{name}={json.dumps(run.recipe[name]).removesuffix('.0')}"
        else:
            yield f"{name}={value}"


def _tuning(record: Mapping[str, Any]) -> dict[str, Any]:
    tried = record["tried"]
    counts = {"tried": len(tried), "failed": sum("error" in one for one in tried)}
    seconds = sum(one.get("seconds", 0.0) for one in tried)
    return {**{k: record[k] for k in ("metric", "validation_rows", "chosen")}, **counts, "seconds": seconds}


def _failed(run: RunFailure) -> Failed:
    said = ": ".join([run.error["type"], *run.error["message"].strip().splitlines()[:1]])
    return Failed(run.task, run.sample, _slot(run), _conditions(run.identity_), run.created, said)


def _slot(run: Stored) -> Slot:
    """A setting that is off is left out: a record made before it existed has the same key."""
    return Slot(run.system, tuple(sorted(asked(run.protocol).items())), run.seed, run.fold)


def _definition(identity: Mapping[str, Any], conditions: Conditions) -> str:
    protocol = {k: v for k, v in identity["protocol"].items() if k not in ("seed", "fold")}
    # The task's text is long, and its fingerprint known: half of the time to read ten thousand runs would go here.
    return fingerprint({**identity, **conditions._asdict(), "protocol": protocol})


def _conditions(identity: Mapping[str, Any]) -> Conditions:
    return Conditions(identity["code"], fingerprint(identity["task"]), fingerprint(identity["data"]))


def _machine(environment: Mapping[str, Any]) -> Machine:
    device = environment["device"]
    if device == "cpu":
        device = f"{environment['processor'] or 'CPU'} ({environment['cores']} cores)"
    return Machine(device, environment["precision"] or "", environment["processes"])


def _version(environment: Mapping[str, Any]) -> str:
    number, commit = environment["encoder_bench"], environment["git"]
    if commit is None:
        return str(number)
    digits, plus, changes = commit.partition("+")
    return f"{number} at {digits[:12]}{plus}{changes}"
