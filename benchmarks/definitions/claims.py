"""YAML -> Claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.definitions.reading import PROJECT, named_problem, read_yaml, validated
from benchmarks.definitions.systems import changed, resolved_recipe
from benchmarks.errors import MOST_PROBLEMS, UserError, nearest, one_of, problems, short, unknown
from benchmarks.metrics import METRICS
from benchmarks.recipes import RECIPES
from benchmarks.schema import LOSS, TAGS, TEXTS, Claim, Protocol, Publication, System, Task, Value

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
    claim = validated(Claim, {**entry, "name": name}, name, named_problem(Claim, entry, name))
    if name in ("all", *sources):
        raise UserError(f"{name}: is the name of {'all claims' if name == 'all' else 'a source'}; rename the claim.")
    if claim.source not in sources:
        raise UserError(f"{name}.source: {unknown('source', claim.source, list(sources), one_of(sources).strip())}")
    if claim.task not in tasks:
        raise UserError(f"{name}.task: {unknown('task', claim.task, list(tasks))}")
    lines = [*_system_problems(claim, tasks[claim.task], systems), *_protocol_problems(claim)]
    lines += [*_metric_problems(claim, tasks[claim.task], systems), *_rows_problems(claim, tasks[claim.task])]
    if lines:
        raise problems(name, lines)
    return claim


def _system_problems(claim: Claim, task: Task, systems: Mapping[str, System]) -> Iterator[str]:
    sides = []
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
        sides.append((system, recipe))
        if why := recipe.misfit(task):
            yield f"{place}system: {system.name!r}: {system.method} {why}."
    if len(sides) > 1 and sides[0] == sides[1]:
        yield f"above: is {claim.system} itself, under the same recipe."
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
    values = {f"reported.{name}": value for name, value in claim.reported.items()}
    values |= {f"at_most.{name}": value for name, value in claim.at_most.items()}
    named = {place: place.partition(".")[2] for place in values} | ({"metric": claim.metric} if claim.metric else {})
    allowed = [metric.name for metric in METRICS.values() if _fits(metric.name, claim, task, systems)]
    if claim.kind in ("order", "bound") and all(_has_loss(side.system, systems) for side in claim.sides):
        allowed.append(LOSS)
    for place, name in named.items():
        if name not in allowed:
            why = "not of such a system on" if len(claim.sides) < 2 else "not of two such systems on"
            yield f"{place}: {name!r} is {why} {claim.task}.{nearest(name, allowed) or one_of(allowed)}"
        elif name == LOSS:
            if place in values and values[place] <= 0:
                yield f"{place}: {values[place]}, expected a loss over 0."
        elif place in values and not METRICS[name].lowest <= values[place] <= 1:
            yield f"{place}: {values[place]}, expected a share of at most 1, such as 0.944."
    if claim.per_class and task.type == TAGS:
        yield f"per_class: of {TEXTS} alone, not of {task.type}."
    for label in claim.per_class if task.type == TEXTS else ():
        if label not in task.labels:
            yield f"per_class: {label!r} is no label.{nearest(label, task.labels) or one_of(task.labels)}"


def _fits(name: str, claim: Claim, task: Task, systems: Mapping[str, System]) -> bool:
    """Whether each side gives the metric."""
    metric = METRICS[name]
    for side in claim.sides:
        if side.system in systems and RECIPES[systems[side.system].method].clusters:
            fits = metric.clustering and metric.task_type == task.type
        else:
            fits = metric.scores(task.type, len(task.labels)) and metric.higher_is_better is not None
        if not fits:
            return False
    return True


def _has_loss(system: str, systems: Mapping[str, System]) -> bool:
    """Whether its training is told step by step; of an unknown system nothing else is to be said."""
    return system not in systems or "learning_rate" in RECIPES[systems[system].method].model_fields


def _rows_problems(claim: Claim, task: Task) -> Iterator[str]:
    """More rows than the task has, where it declares how many; and counts that contradict."""
    rows = _declared_rows(task, *(task.source.files if task.source else ()))
    train = _declared_rows(task, task.splits.train)
    asked = {"test_size": claim.test_size, **{f"protocol.{name}": claim.protocol.get(name) for name in PINNED[:3]}}
    for place, size in asked.items():
        if rows and isinstance(size, int) and size > rows:
            yield f"{place}: {size:,}, but {task.name} has {rows:,} rows in all."
        elif train and place == "protocol.train_size" and isinstance(size, int) and size > train:
            yield f"{place}: {size:,}, but the training part of {task.name} has {train:,} rows."
    counted = sum(found[-1] for found in claim.per_class.values())
    if claim.test_size and counted > claim.test_size:
        yield f"per_class: {counted:,} rows in all, but test_size is {claim.test_size:,}."


def _declared_rows(task: Task, *parts: str) -> int:
    """Of all these parts; 0 where one is no file, or a file doesn't say how many it has."""
    rows = [file.rows for part in parts for file in (task.source.files.get(part, ()) if task.source else ())]
    return sum(found or 0 for found in rows) if all(rows) else 0
