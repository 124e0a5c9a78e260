"""Which stored runs are a claim's: of its method, recipe, protocol and task, with its encoder or a stand-in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.definitions import claimed_recipe
from benchmarks.errors import UserError
from benchmarks.leaderboard.made import Made, kept
from benchmarks.leaderboard.rows import Seeds, grouped
from benchmarks.plan import recipe_identity
from benchmarks.schema import Claim, Encoder, Protocol, RunFailure, RunResult, System, Task
from benchmarks.selection import encoder_named

OF_RUNS = ("seed", "fold", "limit")
"""Fields of a protocol that no claim pins."""


@dataclass(frozen=True)
class Wanted:
    """What a run must be to speak for one system of a claim."""

    task: str
    method: str
    recipe: dict[str, Any]
    protocol: dict[str, Any]
    encoder: Encoder | None

    @staticmethod
    def of(claim: Claim, task: Task, systems: Mapping[str, System], other: bool = False) -> Wanted:
        """other: the system that an order names second."""
        named = claim.above if other and claim.above else claim
        system = systems[named.system]
        encoder = encoder_named(claim.encoder, systems) if claim.encoder and system.encoder else system.encoder
        recipe = recipe_identity(claimed_recipe(system, named.recipe, task), task.type)
        return Wanted(task.name, system.method, recipe, _pinned(Protocol(**claim.protocol).identity()), encoder)

    def majority(self) -> Wanted:
        """The same rows, without any system."""
        return Wanted(self.task, "majority", {}, self.protocol, None)

    def is_made_by(self, run: RunResult) -> bool:
        """Whatever its encoder is."""
        identity = run.identity_
        return (
            run.task == self.task
            and not run.limited
            and not run.sample
            and (run.method, identity["recipe"]) == (self.method, self.recipe)
            and _pinned(identity["protocol"]) == self.protocol
        )


@dataclass(frozen=True)
class Matched:
    """The runs of one encoder under the newest conditions. stand_in: its name where it is not the claim's encoder."""

    stand_in: str | None
    seeds: tuple[tuple[Made, ...], ...]

    @property
    def newest(self) -> Made:
        return max((run for own in self.seeds for run in own), key=lambda run: run.created)


def matched(wanted: Wanted, runs: Iterable[RunResult | RunFailure], systems: Mapping[str, System]) -> list[Matched]:
    """The claim's own encoder first, then stand-ins by name. Of folds, only seeds that have all."""
    found = [run for run in runs if isinstance(run, RunResult) and wanted.is_made_by(run)]
    by_encoder = grouped(found, lambda run: stand_in(run.system, wanted.encoder, systems))
    sets = [
        Matched(name, _newest(list(map(_made, own)), wanted.protocol.get("folds"))) for name, own in by_encoder.items()
    ]
    return sorted((one for one in sets if one.seeds), key=lambda one: (one.stand_in is not None, one.stand_in or ""))


def _made(run: RunResult) -> Made:
    record = kept(run)
    assert isinstance(record, Made)
    return record


def _newest(runs: Sequence[Made], folds: int | None) -> tuple[tuple[Made, ...], ...]:
    """Of several definitions of task, data or code the newest, and of a seed and fold the newest run."""
    newest = max(runs, key=lambda run: run.created)
    alike = [run for run in runs if run.conditions == newest.conditions]
    slots = grouped(alike, lambda run: (run.slot.seed, run.slot.fold))
    seeds = Seeds.of([max(same, key=lambda run: run.created) for same in slots.values()], folds)
    return seeds.runs if seeds.complete else ()


def _pinned(protocol: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in protocol.items() if name not in OF_RUNS and value not in (None, False)}


def stand_in(system: str, encoder: Encoder | None, systems: Mapping[str, System]) -> str | None:
    """The name of a stored system's encoder where it is not this one, else None: of the first entry that has it, or the
    name that the user gave.
    """
    if encoder is None:
        return None
    name, _, changes = system.partition("[")
    settings = dict(part.partition("=")[::2] for part in changes.removesuffix("]").split(","))
    named = settings.get("encoder", name)
    try:
        found = encoder_named(named, systems)
    except UserError:  # a folder or an entry that is not there any more
        return named
    if found == encoder:
        return None
    return next((entry.name for entry in systems.values() if entry.encoder == found), named)
