"""YAML -> Claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.definitions.reading import PROJECT, read_yaml, validated
from benchmarks.definitions.systems import changed, resolved_recipe
from benchmarks.errors import MOST_PROBLEMS, UserError, nearest, one_of, problems, short, unknown
from benchmarks.metrics import METRICS
from benchmarks.recipes import RECIPES
from benchmarks.schema import TAGS, TEXTS, Claim, Protocol, Publication, System, Task, Value

PINNED = ("train_size", "test_size", "validation_size", "balanced", "folds")
"""Fields of a protocol that a claim can state; seeds are ours, and a limit is a smoke run's."""


class Reported(NamedTuple):
    """The claims of one or several files by name, and where they come from."""

    claims: dict[str, Claim]
    sources: dict[str, Publication]


class _File(Value):
    sources: dict[str, Publication]
    claims: dict[str, Any]


def load_claims(
    tasks: Mapping[str, Task], systems: Mapping[str, System], path: Path = PROJECT / "claims.yaml"
) -> Reported:
    """All claims of a file. Raises UserError with every problem of it at once."""
    content = validated(_File, read_yaml(path), path)
    claims, found = {}, []
    for name, entry in content.claims.items():
        try:
            claims[str(name)] = _claim(str(name), entry, content.sources, tasks, systems)
        except UserError as error:
            found.append(str(error))
        if len(found) == MOST_PROBLEMS:
            break
    if found:
        raise problems(path, found)
    return Reported(claims, content.sources)


def _claim(
    name: str, entry: Any, sources: Mapping[str, Publication], tasks: Mapping[str, Task], systems: Mapping[str, System]
) -> Claim:
    if not isinstance(entry, dict):
        raise UserError(f"{name}: holds {short(entry)}, expected fields such as 'reported: {{accuracy: 0.9}}'.")
    claim = validated(Claim, {**entry, "name": name}, name)
    if name in ("all", *sources):
        raise UserError(f"{name}: is the name of {'all claims' if name == 'all' else 'a source'}; rename the claim.")
    if claim.source not in sources:
        raise UserError(f"{name}.source: {unknown('source', claim.source, list(sources), one_of(sources).strip())}")
    if claim.task not in tasks:
        raise UserError(f"{name}.task: {unknown('task', claim.task, list(tasks))}")
    lines = [*_system_problems(claim, tasks[claim.task], systems), *_protocol_problems(claim)]
    lines += _metric_problems(claim, tasks[claim.task], systems)
    if lines:
        raise problems(name, lines)
    return claim


def _system_problems(claim: Claim, task: Task, systems: Mapping[str, System]) -> Iterator[str]:
    for place, side in zip(("", "above."), claim.sides, strict=False):
        if side.system not in systems:
            yield f"{place}system: {unknown('system', side.system, list(systems))}"
            continue
        system = systems[side.system]
        try:
            recipe = resolved_recipe(changed(system, side.recipe), task.type)
        except UserError as error:
            yield f"{place}recipe: {error}"
            continue
        if why := recipe.misfit(task):
            yield f"{place}system: {system.name!r}: {system.method} {why}."
    if claim.encoder:
        named = [side.system for side in claim.sides if side.system in systems]
        yield from _encoder_problems(claim.encoder, named, systems)


def _encoder_problems(encoder: str, named: Sequence[str], systems: Mapping[str, System]) -> Iterator[str]:
    having_one = [system.name for system in systems.values() if system.encoder]
    if encoder in systems and encoder not in having_one:
        yield f"encoder: system {encoder!r} has no encoder.{one_of(having_one)}"
    elif "/" not in encoder and encoder not in systems:
        yield f"encoder: {unknown('encoder', encoder, having_one)}"
    if named and not any(name in having_one for name in named):
        yield f"encoder: {encoder!r}, but {' and '.join(named)} read none."


def _protocol_problems(claim: Claim) -> Iterator[str]:
    for name in claim.protocol:
        if name not in PINNED:
            yield f"protocol.{name}: no such field.{nearest(name, PINNED) or one_of(PINNED)}"
            return
    try:
        validated(Protocol, claim.protocol, "protocol")
    except UserError as error:
        yield str(error)


def _metric_problems(claim: Claim, task: Task, systems: Mapping[str, System]) -> Iterator[str]:
    values = {**claim.reported, **claim.at_most}
    named = list(values) if claim.metric is None else [*values, claim.metric]
    allowed = [metric.name for metric in METRICS.values() if _fits(metric.name, claim, task, systems)]
    for name in named:
        if name not in allowed:
            yield f"metric {name!r}: not of such a system on {claim.task}.{nearest(name, allowed) or one_of(allowed)}"
    for name, value in values.items():
        if name in allowed and not METRICS[name].lowest <= value <= 1:
            yield f"{name}: {value}, expected a share of at most 1, such as 0.944."
    if claim.per_class and task.type == TAGS:
        yield f"per_class: of {TEXTS} alone, not of {task.type}."
    for label in claim.per_class if task.type == TEXTS else ():
        if label not in task.labels:
            yield f"per_class: {label!r} is no label.{nearest(label, task.labels) or one_of(task.labels)}"


def _fits(name: str, claim: Claim, task: Task, systems: Mapping[str, System]) -> bool:
    metric = METRICS[name]
    if claim.system in systems and RECIPES[systems[claim.system].method].clusters:
        return metric.clustering and metric.task_type == task.type
    return metric.scores(task.type, len(task.labels)) and metric.higher_is_better is not None
