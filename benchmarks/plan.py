"""tasks x systems x seeds x sizes x folds -> the runs to be made. Pure: what is where comes in as arguments."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.definitions import read_scalar, resolved_recipe, validated
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.recipes import RECIPES
from benchmarks.schema import CODE_PROTOCOL, Encoder, Protocol, RunSpec, System, Task

SETTABLE_PROTOCOL = ("balanced", "test_size")


@dataclass(frozen=True)
class Override:
    """One --set: what it sets ('recipe', 'encoder' or 'protocol'), the field, and the values that make a grid."""

    target: Literal["recipe", "encoder", "protocol"]
    field: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return self.field if self.target == "encoder" else f"{self.target}.{self.field}"


@dataclass(frozen=True)
class Skipped:
    """A task and system that don't go together, and why in a word."""

    task: str
    system: str
    why: str


@dataclass(frozen=True)
class Plan:
    runs: tuple[RunSpec, ...]
    skipped: tuple[Skipped, ...]


def plan(
    tasks: Sequence[Task],
    systems: Sequence[System],
    protocols: Sequence[Protocol],
    origins: Mapping[str, Mapping[str, Any]],
    checkpoints: Mapping[Encoder, Mapping[str, Any]],
) -> Plan:
    """Every run of the grid, task by task, system by system, seed by seed.

    origins: task name -> identity of its data; checkpoints: encoder -> identity of its weights.
    """
    pairs = list(itertools.product(tasks, systems))
    able = [(task, system) for task, system in pairs if task.type in RECIPES[system.method].task_types]
    return Plan(
        tuple(_run_spec(*pair, protocol, origins, checkpoints) for pair in able for protocol in protocols),
        tuple(_skipped(*pair) for pair in pairs if pair not in able),
    )


def _skipped(task: Task, system: System) -> Skipped:
    return Skipped(task.name, system.name, f"{system.method} does no {task.type}")


def _run_spec(
    task: Task,
    system: System,
    protocol: Protocol,
    origins: Mapping[str, Mapping[str, Any]],
    checkpoints: Mapping[Encoder, Mapping[str, Any]],
) -> RunSpec:
    recipe = resolved_recipe(system, task.type)
    identity = {
        "code": CODE_PROTOCOL,
        "task": task.identity(),
        "data": dict(origins[task.name]),
        "method": system.method,
        "encoder": dict(checkpoints[system.encoder]) if system.encoder else None,
        "recipe": recipe.identity(),
        "protocol": protocol.identity(),
    }
    return RunSpec(task, system, recipe, protocol, identity)


def protocols(
    seeds: int, train_sizes: Iterable[int | None], folds: int | None, limit: int | None, more: Mapping[str, Any]
) -> list[Protocol]:
    """Every combination of size, seed and fold."""
    parts = range(folds) if folds else [None]
    return [
        validated(
            Protocol,
            {"seed": seed, "train_size": size, "folds": folds, "fold": fold, "limit": limit, **more},
            "protocol",
        )
        for size, seed, fold in itertools.product(train_sizes, range(seeds), parts)
    ]


def combinations(overrides: Sequence[Override]) -> list[dict[str, Any]]:
    """The grid of protocol settings: one dictionary a combination, and one empty one where nothing is set."""
    grid = itertools.product(*(override.values for override in overrides))
    return [dict(zip((override.field for override in overrides), values, strict=True)) for values in grid]


# -- overrides -------------------------------------------------------------------------------------------------------


def parse_override(text: str) -> Override:
    """'recipe.learning_rate=1e-5,2e-5' -> Override. Raises UserError for an unknown target or field."""
    name, equals, values = text.partition("=")
    target, _, inner = name.strip().partition(".")
    known = sorted({field for recipe in RECIPES.values() for field in recipe.model_fields})
    if not equals or not values.strip():
        raise UserError(f"--set {text}: expected NAME=VALUE[,VALUE...], such as recipe.learning_rate=1e-5,2e-5.")
    if target == "encoder" and not inner:
        return Override("encoder", "encoder", tuple(_split(values)))
    if target == "recipe" and inner in known:
        return Override("recipe", inner, tuple(read_scalar(value) for value in _split(values)))
    if target == "protocol" and inner in SETTABLE_PROTOCOL:
        return Override("protocol", inner, tuple(read_scalar(value) for value in _split(values)))
    names = ["encoder", *(f"recipe.{field}" for field in known), *(f"protocol.{field}" for field in SETTABLE_PROTOCOL)]
    near = f" Did you mean 'recipe.{name}'?" if name in known else nearest(name, names)
    raise UserError(f"--set {name}: no such setting.{near or one_of(names)}")


def merged(overrides: Iterable[Override]) -> list[Override]:
    """One override a setting: values of a setting that is given twice are one grid."""
    values: dict[tuple[Any, str], list[Any]] = {}
    for override in overrides:
        values.setdefault((override.target, override.field), []).extend(override.values)
    return [Override(target, field, tuple(given)) for (target, field), given in values.items()]


def _split(values: str) -> list[str]:
    """At commas outside of brackets: ngrams=[1,1],[1,2] are two values."""
    parts, depth = [""], 0
    for character in values:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def variants(systems: Sequence[System], overrides: Sequence[Override], encoders: Mapping[str, Encoder]) -> list[System]:
    """Every system under every combination of the overrides that it knows; a variant's name shows them.

    encoders: what a name after 'encoder=' stands for. Raises UserError for a recipe field that no selected system has.
    """
    changes = [override for override in overrides if override.target != "protocol"]
    for override in changes:
        if not any(_knows(system, override) for system in systems):
            names = ", ".join(system.name for system in systems)
            raise UserError(f"--set {override}: none of the selected systems has it ({names}).")
    found: dict[str, System] = {}
    for system in systems:
        own = [override for override in changes if _knows(system, override)]
        for values in itertools.product(*(override.values for override in own)):
            variant = _variant(system, list(zip(own, values, strict=True)), encoders)
            if found.setdefault(variant.name, variant) != variant:
                raise UserError(f"--set: two different variants would be named {variant.name!r}.")
    return list(found.values())


def _knows(system: System, override: Override) -> bool:
    recipe = RECIPES[system.method]
    return recipe.needs_encoder if override.target == "encoder" else override.field in recipe.model_fields


def _variant(system: System, settings: Sequence[tuple[Override, Any]], encoders: Mapping[str, Encoder]) -> System:
    shown, encoder, recipe = [], system.encoder, dict(system.recipe)
    by_type = {task_type: dict(changes) for task_type, changes in system.recipe_by_type.items()}
    for override, value in settings:
        if override.target == "encoder":
            if encoders[value] == system.encoder:
                continue  # the encoder that it has: no variant
            encoder = encoders[value]
        else:
            recipe[override.field] = value
            for changes in by_type.values():
                changes.pop(override.field, None)
        shown.append((override, value))
    if not shown:
        return system
    changed = system.model_copy(update={"encoder": encoder, "recipe": recipe, "recipe_by_type": by_type})
    checked, *_ = [resolved_recipe(changed, task_type) for task_type in RECIPES[system.method].task_types]
    words = [
        f"{o.field}={_in_a_name(value if o.target == 'encoder' else getattr(checked, o.field))}" for o, value in shown
    ]
    return changed.model_copy(update={"name": f"{system.name}[{','.join(words)}]"})


def _in_a_name(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "") -> list[str]:
    """What differs between two identities, as 'recipe.epochs: 3 -> 4': why a stored run is stale."""
    lines = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            lines += changed_fields(before, after, f"{where}{name}.")
        elif before != after:
            lines.append(f"{where}{name}: {before} -> {after}")
    return lines
