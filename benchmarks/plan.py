"""tasks x systems x seeds x sizes x folds -> the runs to be made. Pure: what is where comes in as arguments."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from benchmarks.definitions import changed, read_scalar, resolved_recipe, validated
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.recipes import RECIPES
from benchmarks.schema import (
    CODE_PROTOCOL,
    Encoder,
    Protocol,
    Recipe,
    RunSpec,
    System,
    Task,
    TaskType,
    Tuning,
    fingerprint,
)

SETTABLE_PROTOCOL = ("balanced", "test_size", "validation_size")


@dataclass(frozen=True)
class Override:
    """One --set: what it sets ('recipe', 'encoder' or 'protocol'), the field, and the values that make a grid."""

    target: Literal["recipe", "encoder", "protocol"]
    field: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return self.field if self.target == "encoder" else f"{self.target}.{self.field}"


class Weights(NamedTuple):
    """What a plan knows of a checkpoint: what identifies it, and the labels that a head of its own gives (none: it has
    no head; None: not known before it is fetched).
    """

    identity: Mapping[str, Any]
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Skipped:
    """A task and system that are not run together, and why in a word."""

    task: str
    system: str
    why: str


def left_out(skipped: Iterable[Skipped]) -> list[str]:
    """Why a system is, once for all tasks of which it is for the same reason."""
    tasks: dict[tuple[str, str], list[str]] = {}
    for item in skipped:
        tasks.setdefault((item.system, item.why), []).append(item.task)
    return [f"{', '.join(dict.fromkeys(names))} x {system}: {why}" for (system, why), names in tasks.items()]


class Search(NamedTuple):
    """--tune: so many trials for each run, of every field of its recipe's space but those that the user has set."""

    trials: int
    pinned: frozenset[str] = frozenset()

    def tuning(self, recipe: Recipe, task: Task) -> Tuning | None:
        """None where there is nothing to search."""
        left_alone = self.pinned | recipe.unread(task.type)
        space = {name: choice for name, choice in recipe.space.items() if name not in left_alone}
        return Tuning(self.trials, space, task.metric) if space else None


@dataclass(frozen=True)
class Plan:
    runs: tuple[RunSpec, ...]
    skipped: tuple[Skipped, ...]


def plan(
    tasks: Sequence[Task],
    systems: Sequence[System],
    protocols: Sequence[Protocol],
    origins: Mapping[str, Mapping[str, Any]],
    checkpoints: Mapping[Encoder, Weights],
    refused: Mapping[str, str] = MappingProxyType({}),
    search: Search | None = None,
    vectors: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Every run of the grid, task by task, system by system, seed by seed; origins: task name -> identity of its data;
    refused: systems that are left out of every task, and why; vectors: file that a recipe names -> its sha256. A system
    whose recipe is searched is a variant.

    A system that would train and score exactly what one before it does (two BERTs under one encoder=...) is left out.
    """
    runs: list[RunSpec] = []
    skipped: list[Skipped] = []
    for task in tasks:
        skipped += (Skipped(task.name, name, why) for name, why in refused.items())
        entries = [_Entry.of(task, system, checkpoints, search) for system in systems]
        identities = [entry.identity(origins[task.name], vectors) for entry in entries]
        names = _one_a_run(systems, identities)
        for entry, identity in zip(entries, identities, strict=True):
            name = entry.system.name
            if why := entry.misfit():
                skipped.append(Skipped(task.name, name, why))
            elif (twin := names[fingerprint(identity)]) != name:
                skipped.append(Skipped(task.name, name, f"the same run as {twin}"))
            else:
                runs += (entry.run(protocol, identity) for protocol in protocols)
    return Plan(tuple(runs), tuple(skipped))


def joined(plans: Sequence[Plan]) -> Plan:
    """One after the other; a run that two of them ask for is made once, under the first one's name."""
    runs: dict[str, RunSpec] = {}
    for spec in itertools.chain.from_iterable(plan.runs for plan in plans):
        runs.setdefault(spec.fingerprint, spec)
    return Plan(tuple(runs.values()), tuple(dict.fromkeys(item for plan in plans for item in plan.skipped)))


def _one_a_run(systems: Sequence[System], identities: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Fingerprint -> the first system of it, one under its own name before a variant of another."""
    names: dict[str, str] = {}
    for system, identity in sorted(zip(systems, identities, strict=True), key=lambda pair: is_variant(pair[0].name)):
        names.setdefault(fingerprint(identity), system.name)
    return names


def is_variant(system: str) -> bool:
    """Whether the name is that of a system with changes, which it shows in brackets."""
    return system.endswith("]")


@dataclass(frozen=True)
class _Entry:
    """A system on a task, its recipe resolved once for all of its runs. weights: None of one without an encoder."""

    task: Task
    system: System
    recipe: Recipe
    weights: Weights | None
    tuning: Tuning | None

    @staticmethod
    def of(task: Task, system: System, checkpoints: Mapping[Encoder, Weights], search: Search | None) -> _Entry:
        recipe = resolved_recipe(system, task.type)
        weights = checkpoints[system.encoder] if system.encoder else None
        return _Entry(task, system, recipe, weights, search.tuning(recipe, task) if search else None)

    def misfit(self) -> str | None:
        """Why they are not run together; None where they are."""
        labels = self.weights.labels if self.weights else None
        why = self.recipe.misfit(self.task) or (None if labels is None else self.recipe.misses(labels))
        return why and f"{self.system.method} {why}"

    def identity(self, data: Mapping[str, Any], vectors: Mapping[str, str]) -> dict[str, Any]:
        """All of a run's identity but its protocol."""
        return {
            "code": CODE_PROTOCOL,
            "task": self.task.identity(),
            "data": dict(data),
            "method": self.system.method,
            "encoder": dict(self.weights.identity) if self.weights else None,
            "recipe": recipe_identity(self.recipe, self.task.type, vectors),
            **({"tuning": self.tuning.identity()} if self.tuning else {}),
        }

    def run(self, protocol: Protocol, identity: Mapping[str, Any]) -> RunSpec:
        """identity: all but the protocol's."""
        system, tuning = self.system, self.tuning
        if tuning:
            system = system.model_copy(update={"name": _named(system.name, f"tune={tuning.trials}")})
        return RunSpec(self.task, system, self.recipe, protocol, {**identity, "protocol": protocol.identity()}, tuning)


def recipe_identity(
    recipe: Recipe, task_type: TaskType, vectors: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """What a run reads of its recipe: two values of what it doesn't are one run. vectors: file that the recipe names ->
    its sha256, which stands in its place; raises KeyError where that one is not given.
    """
    read = {name: value for name, value in recipe.identity().items() if name not in recipe.unread(task_type)}
    return {**read, "vectors": vectors[read["vectors"]]} if read.get("vectors") is not None else read


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


def parse_override(text: str, systems: Iterable[System] | None = None) -> Override:
    """'recipe.learning_rate=1e-5,2e-5' -> Override; systems: whose fields are proposed in place of an unknown one (none
    given: all methods'). Raises UserError for an unknown target or field.
    """
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
    methods = RECIPES.keys() if systems is None else {system.method for system in systems}
    had = sorted({field for method in methods for field in RECIPES[method].model_fields})
    read = ["encoder"] if any(RECIPES[method].needs_encoder for method in methods) else []
    names = [*read, *(f"recipe.{field}" for field in had), *(f"protocol.{field}" for field in SETTABLE_PROTOCOL)]
    last = {known.rpartition(".")[2]: known for known in names}  # 'recipe.' in both would make any two alike
    near = re.sub(r"'(.*)'", lambda match: repr(last[match[1]]), nearest(name.rpartition(".")[2], last))
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


class Variants(NamedTuple):
    """Systems as they are to be run, and by name those that can't be, with the reason."""

    systems: list[System]
    refused: dict[str, str]


def variants(systems: Sequence[System], overrides: Sequence[Override], encoders: Mapping[str, Encoder]) -> Variants:
    """Every system under every combination of the overrides that it knows; a variant's name shows them.

    encoders: what a name after 'encoder=' stands for. A combination that a system's recipe refuses is left out, unless
    all of them refuse: then a UserError is raised, as for a recipe field that no selected system has.
    """
    changes = [override for override in overrides if override.target != "protocol"]
    for override in changes:
        if not any(knows(system, override) for system in systems):
            names = ", ".join(system.name for system in systems)
            raise UserError(f"--set {override}: none of the selected systems has it ({names}).")
    found: dict[str, System] = {}
    refused: dict[str, str] = {}
    accepted: list[tuple[Override, Any]] = []
    for system in systems:
        own = sorted((override for override in changes if knows(system, override)), key=_in_order(system))
        for values in itertools.product(*(override.values for override in own)):
            settings = list(zip(own, values, strict=True))
            try:
                variant = _variant(system, settings, encoders)
            except UserError as error:
                refused[_variant_name(system, settings)] = str(error)
                continue
            accepted += settings
            if found.setdefault(variant.name, variant) != variant:
                raise UserError(f"--set: two different variants would be named {variant.name!r}.")
    if refused and any((override, value) not in accepted for override in changes for value in override.values):
        raise UserError(next(iter(refused.values())))
    return Variants(list(found.values()), refused)


def _in_order(system: System) -> Callable[[Override], int]:
    """The encoder, then the recipe's fields as it has them: in whatever order flags stand, a variant has one name."""
    fields = ["encoder", *RECIPES[system.method].model_fields]
    return lambda override: fields.index(override.field)


def knows(system: System, override: Override) -> bool:
    """Whether the system has what is overridden."""
    recipe = RECIPES[system.method]
    return recipe.needs_encoder if override.target == "encoder" else override.field in recipe.model_fields


def _variant(system: System, settings: Sequence[tuple[Override, Any]], encoders: Mapping[str, Encoder]) -> System:
    shown, encoder, recipe = [], system.encoder, {}
    for override, value in settings:
        if override.target == "encoder":
            if encoders[value] == system.encoder:
                continue  # the encoder that it has: no variant
            encoder = encoders[value]
        else:
            recipe[override.field] = value
        shown.append((override, value))
    if not shown:
        return system
    variant = changed(system, recipe).model_copy(update={"encoder": encoder})
    checked, *_ = [resolved_recipe(variant, task_type) for task_type in RECIPES[system.method].task_types]
    read = {field: getattr(checked, field) for field in recipe}  # '1e-4' and 0.0001 are one value
    settings = [(override, read.get(override.field, value)) for override, value in shown]
    return changed(variant, read).model_copy(update={"name": _variant_name(system, settings)})


def _variant_name(system: System, settings: Sequence[tuple[Override, Any]]) -> str:
    return _named(system.name, *(f"{override.field}={_in_a_name(value)}" for override, value in settings))


def _named(system: str, *changes: str) -> str:
    """A name with what is changed in brackets at its end, after what is there already."""
    name, _, before = system.removesuffix("]").partition("[")
    return f"{name}[{','.join(filter(None, [before, *changes]))}]"


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
