"""Which stored runs are a claim's: of its method, recipe, protocol and task, with its encoder or a stand-in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.definitions import changed, resolved_recipe
from benchmarks.leaderboard.made import Conditions, Made, kept
from benchmarks.leaderboard.rows import Seeds, grouped
from benchmarks.plan import recipe_identity
from benchmarks.recipes.vectors import named
from benchmarks.schema import Claim, Encoder, Other, Protocol, Recipe, RunFailure, RunResult, System, Task
from benchmarks.selection import encoder_named

OF_RUNS = ("seed", "fold", "limit")
"""Fields of a protocol that no claim pins."""


@dataclass(frozen=True)
class Wanted:
    """What a run must be to speak for one system of a claim. absent: a file that its recipe names and that is not here;
    no run is known to be of it.
    """

    task: str
    method: str
    recipe: dict[str, Any]
    protocol: dict[str, Any]
    encoder: Encoder | None
    absent: str | None = None

    @staticmethod
    def of(claim: Claim, side: Other, task: Task, systems: Mapping[str, System], vectors: Mapping[str, str]) -> Wanted:
        """side: one of the claim's; vectors: file that recipes name -> its sha256, of those that are here."""
        system = systems[side.system]
        encoder = encoder_named(claim.encoder, systems) if claim.encoder and system.encoder else system.encoder
        recipe = _recipe(side, task, systems)
        absent = next((name for name in named([recipe]) if name not in vectors), None)
        read = {} if absent else recipe_identity(recipe, task.type, vectors)
        return Wanted(task.name, system.method, read, _pinned(Protocol(**claim.protocol).identity()), encoder, absent)

    def majority(self) -> Wanted:
        """The same rows, without any system."""
        return Wanted(self.task, "majority", {}, self.protocol, None)

    def is_made_by(self, run: RunResult) -> bool:
        """Whatever its encoder is."""
        identity = run.identity_
        return (
            self.absent is None
            and run.task == self.task
            and not run.limited
            and not run.sample
            and "tuning" not in identity  # its recipe is another one for each run
            and (run.method, identity["recipe"]) == (self.method, self.recipe)
            and _pinned(identity["protocol"]) == self.protocol
        )


def recipes_of(claim: Claim, task: Task, systems: Mapping[str, System]) -> list[Recipe]:
    """Of each of its sides."""
    return [_recipe(side, task, systems) for side in claim.sides]


def _recipe(side: Other, task: Task, systems: Mapping[str, System]) -> Recipe:
    return resolved_recipe(changed(systems[side.system], side.recipe), task.type)


@dataclass(frozen=True)
class Matched:
    """The complete runs of one encoder under one definition of task, data and code. stand_in: the encoder's name where
    it is not the claim's.
    """

    stand_in: str | None
    conditions: Conditions
    seeds: tuple[tuple[Made, ...], ...]

    @property
    def newest(self) -> Made:
        """Its newest run."""
        return max((run for own in self.seeds for run in own), key=lambda run: run.created)


def matched(wanted: Wanted, runs: Iterable[RunResult | RunFailure], systems: Mapping[str, System]) -> list[Matched]:
    """The claim's own encoder first, then stand-ins by name; of each the newest conditions first. Of folds, only seeds
    that have all.
    """
    found: dict[tuple[str | None, Conditions], list[Made]] = {}
    for run in runs:
        if isinstance(run, RunResult) and wanted.is_made_by(run):
            record = kept(run)
            assert isinstance(record, Made)
            name = stand_in(run.system, run.identity_.get("encoder"), wanted.encoder, systems)
            found.setdefault((name, record.conditions), []).append(record)
    sets = [Matched(*key, _seeds(own, wanted.protocol.get("folds"))) for key, own in found.items()]
    newest_first = sorted((one for one in sets if one.seeds), key=lambda one: one.newest.created, reverse=True)
    return sorted(newest_first, key=lambda one: (one.stand_in is not None, one.stand_in or ""))


def one_an_encoder(found: Iterable[Matched]) -> list[Matched]:
    """Those under the newest conditions."""
    return [own[0] for own in grouped(found, lambda one: one.stand_in).values()]


def _seeds(runs: Sequence[Made], folds: int | None) -> tuple[tuple[Made, ...], ...]:
    """Of a seed and fold the newest run."""
    slots = grouped(runs, lambda run: (run.slot.seed, run.slot.fold))
    seeds = Seeds.of([max(same, key=lambda run: run.created) for same in slots.values()], folds)
    return seeds.runs if seeds.complete else ()


def _pinned(protocol: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in protocol.items() if name not in OF_RUNS and value not in (None, False)}


def stand_in(
    system: str, identity: Mapping[str, Any] | None, encoder: Encoder | None, systems: Mapping[str, System]
) -> str | None:
    """The name of a stored run's encoder where it is not this one, else None: of the first entry that has it, or the
    name that the user gave. identity: what the run's record says that its encoder was.
    """
    if encoder is None or _is(encoder, identity):
        return None
    name, _, changes = system.partition("[")
    settings = dict(part.partition("=")[::2] for part in changes.removesuffix("]").split(","))
    entries = (entry.name for entry in systems.values() if entry.encoder and _is(entry.encoder, identity))
    return next(entries, settings.get("encoder", name))


def _is(encoder: Encoder, identity: Mapping[str, Any] | None) -> bool:
    """Whatever the entry of that name says today."""
    if not identity:
        return False
    return identity.get("hub") == encoder.checkpoint or (
        encoder.sha256 is not None and identity.get("sha256") == encoder.sha256
    )
