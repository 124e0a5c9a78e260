"""Claims -> what has to be run for them: their systems, recipes and rows, and the majority beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks.definitions import resolved_recipe
from benchmarks.plan import Override, protocols, variants
from benchmarks.schema import Claim, Encoder, Other, Protocol, System, Task
from benchmarks.selection import encoder_named

MAJORITY = "majority"


class Needed(NamedTuple):
    """The systems of one claim on its task, under the protocol of every seed."""

    claim: Claim
    task: Task
    systems: list[System]
    protocols: list[Protocol]


def needed(
    claims: Iterable[Claim],
    tasks: Mapping[str, Task],
    systems: Mapping[str, System],
    seeds: int,
    stand_in: str | None = None,
) -> list[Needed]:
    """What each claim needs.

    stand_in: an encoder in place of every claim's own. Raises UserError for one that is not known.
    """
    found = []
    for claim in claims:
        task = tasks[claim.task]
        chosen = sides(claim, task, systems, stand_in)
        if claim.kind == "score":
            chosen.append(systems[MAJORITY])
        pinned = dict(claim.protocol)
        sizes, folds = [pinned.pop("train_size", None)], pinned.pop("folds", None)
        found.append(Needed(claim, task, chosen, protocols(seeds, sizes, folds, None, pinned)))
    return found


def sides(claim: Claim, task: Task, systems: Mapping[str, System], stand_in: str | None = None) -> list[System]:
    """The systems that it is about, as its runs are made and named; raises UserError as `needed` does."""
    return [_variant(side, task, stand_in or claim.encoder, systems) for side in claim.sides]


def _variant(side: Other, task: Task, encoder: str | None, systems: Mapping[str, System]) -> System:
    """The system under the claim's changes, named by those that change anything."""
    system = systems[side.system]
    as_it_is = resolved_recipe(system, task.type)
    overrides = [Override("encoder", "encoder", (encoder,))] if encoder and system.encoder else []
    overrides += [
        Override("recipe", name, (value,)) for name, value in side.recipe.items() if getattr(as_it_is, name) != value
    ]
    encoders: dict[str, Encoder] = {encoder: encoder_named(encoder, systems)} if encoder else {}
    (found,) = variants([system], overrides, encoders).systems
    return found
