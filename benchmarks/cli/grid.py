"""From flags to a plan: which runs, and where their data and encoders are."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import definitions, lock, needed, plan, selection
from benchmarks.data import foreseen
from benchmarks.errors import UserError
from benchmarks.places import Places, search
from benchmarks.recipes import vectors
from benchmarks.schema import Encoder, System, Task


def planned(arguments: Namespace, locked: lock.Lock) -> tuple[plan.Plan, Places]:
    """The grid, and where its data and encoders are. Nothing is downloaded yet, but commits are known: a dry run alone
    asks no network, and leaves those unknown that neither lock nor cache knows. Raises UserError for sizes and folds
    that the declared rows can't give; a claim that asks for them is left out.
    """
    grid, places = _of_claims(arguments, locked) if arguments.claims else _of_grid(arguments, locked)
    if not grid.runs:
        raise UserError(f"nothing to run: {'; '.join(plan.left_out(grid.skipped))}")
    return grid, places


def _of_grid(arguments: Namespace, locked: lock.Lock) -> tuple[plan.Plan, Places]:
    tasks = selection.select_tasks(arguments.tasks, definitions.load_tasks(), arguments.sample)
    declared = definitions.load_systems()
    overrides = _overrides(arguments, declared)
    variants = _systems(arguments, declared, overrides)
    protocols = dict.fromkeys(  # a value that is given twice is one
        protocol
        for more in plan.combinations([override for override in overrides if override.target == "protocol"])
        for protocol in plan.protocols(
            arguments.seeds, arguments.train_sizes or [None], arguments.folds, arguments.limit, more
        )
    )
    places = _places(tasks, variants.systems, _vectors(tasks, variants.systems), arguments, locked)
    pinned = frozenset(override.field for override in overrides if override.target == "recipe")
    search = plan.Search(arguments.tune, pinned) if arguments.tune else None
    grid = plan.plan(
        tasks, variants.systems, list(protocols), *_identities(places), variants.refused, search, places.vectors
    )
    foreseen.check(grid.runs, places.origins)
    return grid, places


_BESIDE_CLAIMS = {
    "tasks": "--tasks",
    "systems": "--systems",
    "train_sizes": "--train-sizes",
    "folds": "--folds",
    "tune": "--tune",
    "precision": "--precision",
    "limit": "--limit",
    "sample": "--sample",
}


def _of_claims(arguments: Namespace, locked: lock.Lock) -> tuple[plan.Plan, Places]:
    for flag, given in _BESIDE_CLAIMS.items():
        if getattr(arguments, flag):
            raise UserError(f"--claims: says itself what is run; {given} can't stand beside it.")
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    names = [name for given in arguments.claims for name in given]
    asked = selection.select_claims(names if all(arguments.claims) else [selection.ALL], tasks, systems)
    wanted = needed.needed(asked.claims.values(), tasks, systems, arguments.seeds, _stand_in(arguments, systems))
    named = dict.fromkeys(one.task.name for one in wanted)
    no_data = {name: _no_data(tasks[name], arguments, locked) for name in named}
    lacking = {one.claim.name: no_data[one.task.name] or _no_vectors(one) for one in wanted}
    there = [one for one in wanted if lacking[one.claim.name] is None]
    files = [name for one in there for name in _vectors([one.task], one.systems)]
    places = _places([one.task for one in there], [s for one in there for s in one.systems], files, arguments, locked)
    return plan.joined([_of_claim(one, lacking[one.claim.name], places) for one in wanted]), places


def _no_data(task: Task, arguments: Namespace, locked: lock.Lock) -> str | None:
    """Why a task's rows can't be had; None where they can."""
    try:
        _places([task], [], [], arguments, locked)
    except UserError as error:
        return str(error)
    return None


def _no_vectors(one: needed.Needed) -> str | None:
    """Why a file of word vectors that a claim names can't be had; None where it names none, or all can."""
    try:
        for name in _vectors([one.task], one.systems):
            vectors.content(name)
    except UserError as error:
        return str(error)
    return None


def _of_claim(one: needed.Needed, lacking: str | None, places: Places) -> plan.Plan:
    """The runs of one claim, or why there are none."""
    claim, why = one.claim, lacking
    if why is None and claim.needs and places.origins[one.task.name].not_comparable:
        why = f"needs {claim.needs}"
    if why is None:
        grid = plan.plan([one.task], one.systems, one.protocols, *_identities(places), vectors=places.vectors)
        try:
            foreseen.check(grid.runs, places.origins)
        except UserError as error:
            why = str(error)
    return grid if why is None else plan.Plan((), (plan.Skipped(one.task.name, claim.system, f"{claim.name}: {why}"),))


def _stand_in(arguments: Namespace, declared: Mapping[str, System]) -> str | None:
    """What --set says beside --claims: an encoder in place of every claim's own."""
    overrides = _overrides(arguments, declared)
    for override in overrides:
        if override.target != "encoder" or len(override.values) > 1:
            raise UserError(f"--set {override}: beside --claims one encoder=... alone; the rest is what they claim.")
    return selection.typed(overrides[0].values[0], declared) if overrides else None


def _places(
    tasks: Iterable[Task], systems: Iterable[System], files: Iterable[str], arguments: Namespace, locked: lock.Lock
) -> Places:
    """files: of word vectors."""
    named = {task.name: task for task in tasks}.values()
    encoders = [system.encoder for system in systems if system.encoder]
    found = search(named, encoders, arguments.data_dir, arguments.sample, files)
    return found.places(locked, ask_hub=not arguments.dry_run)


def _vectors(tasks: Iterable[Task], systems: Sequence[System]) -> list[str]:
    """The files of word vectors that recipes name."""
    types = dict.fromkeys(task.type for task in tasks)
    return vectors.named(definitions.resolved_recipe(system, of) for of in types for system in systems)


def _identities(places: Places) -> tuple[dict[str, Mapping[str, Any]], dict[Encoder, plan.Weights]]:
    origins: dict[str, Mapping[str, Any]] = {name: origin.identity for name, origin in places.origins.items()}
    return origins, {encoder: plan.Weights(c.identity, c.labels()) for encoder, c in places.checkpoints.items()}


def _overrides(arguments: Namespace, declared: Mapping[str, System]) -> list[plan.Override]:
    if not arguments.overrides:
        return []
    chosen = None if arguments.claims else selection.select_systems(arguments.systems, declared, sample=False)
    return plan.merged(plan.parse_override(text, chosen) for text in arguments.overrides)


def _systems(arguments: Namespace, declared: Mapping[str, System], overrides: Sequence[plan.Override]) -> plan.Variants:
    names = {value for override in overrides if override.target == "encoder" for value in override.values}
    encoders = {name: selection.encoder_named(selection.typed(name, declared), declared) for name in names}
    chosen = selection.select_systems(arguments.systems, declared, arguments.sample and not encoders)
    return plan.variants(chosen, plan.merged([*overrides, *_precision(arguments, chosen, overrides)]), encoders)


def _precision(
    arguments: Namespace, chosen: Sequence[System], overrides: Iterable[plan.Override]
) -> list[plan.Override]:
    """--precision as an override, of those that train by gradient descent."""
    override = plan.Override("recipe", "precision", (arguments.precision,))
    given = [value for own in overrides if str(own) == str(override) for value in own.values]
    if arguments.precision and any(value != arguments.precision for value in given):
        raise UserError(f"--precision {arguments.precision}: --set recipe.precision=... says another thing; give one.")
    wanted = arguments.precision in ("fp32", "bf16") and any(plan.knows(system, override) for system in chosen)
    return [override] if wanted else []
