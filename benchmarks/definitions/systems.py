"""YAML -> System."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.definitions.reading import PROJECT, named_problem, read_yaml, validated
from benchmarks.errors import MOST_PROBLEMS, UserError, one_of, problems, short, unknown
from benchmarks.recipes import RECIPES
from benchmarks.schema import Recipe, System, TaskType


def load_systems(path: Path = PROJECT / "systems.yaml") -> dict[str, System]:
    """All declared systems by name. Raises UserError with every problem of the file at once."""
    systems, found = {}, []
    entries = read_yaml(path)
    for name, entry in entries.items():
        try:
            systems[str(name)] = _system(str(name), entry, entries)
        except UserError as error:
            found.append(str(error))
        if len(found) == MOST_PROBLEMS:
            break
    if found:
        raise problems(path, found)
    return systems


def _system(name: str, entry: Any, entries: Mapping[str, Any]) -> System:
    if not isinstance(entry, dict):
        raise UserError(f"{name}: holds {short(entry)}, expected fields such as 'method: finetune'.")
    encoder = entry.get("encoder")
    if isinstance(encoder, str):
        entry = {**entry, "encoder": _encoder(name, encoder, entries)}
    system = validated(System, {**entry, "name": name}, name, named_problem(System, entry, name))
    if system.method not in RECIPES:
        raise UserError(f"{name}.method: {unknown('method', system.method, list(RECIPES), one_of(RECIPES).strip())}")
    if RECIPES[system.method].needs_encoder and system.encoder is None:
        raise UserError(f"{name}.encoder: required for method {system.method!r}, and not given.")
    if system.encoder and not RECIPES[system.method].needs_encoder:
        raise UserError(f"{name}.encoder: method {system.method!r} reads none.")
    for task_type in system.recipe_by_type:
        if task_type not in RECIPES[system.method].task_types:
            raise UserError(f"{name}.recipe_by_type: method {system.method!r} does no {task_type}.")
    for task_type in RECIPES[system.method].task_types:
        resolved_recipe(system, task_type)
    return system


def _encoder(of: str, name: str, entries: Mapping[str, Any]) -> Any:
    """The encoder of another entry by that entry's name, as --set encoder=NAME means it; else a checkpoint.

    of: the entry that asks for it. Raises UserError.
    """
    asked, encoder = {of}, name
    while encoder in entries:
        found = entries[encoder].get("encoder") if isinstance(entries[encoder], dict) else None
        if found is None or encoder in asked:
            raise UserError(f"{of}.encoder: system {encoder!r} has no encoder of its own.")
        if not isinstance(found, str):
            return found
        asked.add(encoder)
        encoder = found
    if "/" in encoder or folder_named(encoder):
        return {"checkpoint": encoder}
    having_one = [other for other, entry in entries.items() if isinstance(entry, dict) and "encoder" in entry]
    raise UserError(f"{of}.encoder: " + unknown("encoder", encoder, having_one))


def folder_named(checkpoint: str) -> Path | None:
    """The local folder that a checkpoint's name means, whether it exists or not; None for a Hub id ('org/name'), also
    where a folder of that name exists: an entry's row must never be what happens to lie in the working folder.
    """
    try:
        path = Path(checkpoint).expanduser()
    except RuntimeError:  # the home of nobody on this machine
        path = Path(checkpoint)
    return path if path.is_absolute() or checkpoint.startswith(".") or checkpoint.count("/") > 1 else None


def changed(system: System, changes: Mapping[str, Any]) -> System:
    """With these settings of its recipe, before which what it sets for one type of task gives way."""
    by_type = {
        task_type: {name: value for name, value in own.items() if name not in changes}
        for task_type, own in system.recipe_by_type.items()
    }
    return system.model_copy(update={"recipe": {**system.recipe, **changes}, "recipe_by_type": by_type})


def resolved_recipe(system: System, task_type: TaskType) -> Recipe:
    """The system's recipe for a type of task: the method's defaults, then the system's changes."""
    changes = {**system.recipe, **system.recipe_by_type.get(task_type, {})}
    return validated(RECIPES[system.method], changes, f"{system.name}.recipe")
