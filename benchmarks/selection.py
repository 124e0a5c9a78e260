"""What --tasks, --systems and --claims mean: names, groups, tags, sources, files, Hub ids, 'all'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.definitions import SUFFIXES, Reported, folder_named, load_claims, load_task
from benchmarks.errors import UserError, one_of, unknown
from benchmarks.schema import Claim, Encoder, Publication, System, Task

ALL = "all"


# -- tasks -----------------------------------------------------------------------------------------------------------


def select_tasks(names: Iterable[str], declared: Mapping[str, Task], sample: bool) -> list[Task]:
    """Tasks by name, group, YAML path or 'all'. With `sample`, the embedded corpus of each one's group in its place; of
    'all', those that there are.
    """
    chosen: dict[str, Task] = {}
    for name in names:
        found = _tasks_named(name, declared)
        for task in _stand_ins(name, found, declared) if sample else found:
            if chosen.setdefault(task.name, task) != task:
                raise UserError(f"--tasks: two different tasks are named {task.name!r}; rename one file.")
    return list(chosen.values())


def _tasks_named(name: str, declared: Mapping[str, Task]) -> list[Task]:
    if name in declared:
        return [declared[name]]
    if name.endswith(SUFFIXES) or "/" in name or "\\" in name:
        task = load_task(Path(name))
        if task.name in declared:
            raise UserError(f"{name}: {task.name!r} is the name of a task of the suite; rename the file.")
        return [task]
    real = [task for task in declared.values() if task.sample is None]
    found = [task for task in real if name in (ALL, task.group)]
    if not found:
        raise UserError(unknown("task", name, [*declared, *dict.fromkeys(task.group for task in real), ALL]))
    return found


def _stand_ins(name: str, tasks: Sequence[Task], declared: Mapping[str, Task]) -> list[Task]:
    """Raises UserError where there is none, but for one of 'all'."""
    corpora = {task.group: task for task in declared.values() if task.sample is not None}
    groups = f"Groups: {', '.join(corpora)}."
    found = []
    for task in tasks:
        if task.sample is None and task.name not in declared:  # another's rows would be scored under its group's name
            raise UserError(f"--sample: {name!r} is a task of your own, and only embedded corpora are read. {groups}")
        if task.sample is not None or task.group in corpora:
            found.append(task if task.sample is not None else corpora[task.group])
        elif name != ALL:
            raise UserError(f"--sample: no embedded corpus for {task.name!r} (group {task.group!r}). {groups}")
    return found


# -- systems ---------------------------------------------------------------------------------------------------------


def select_systems(names: Sequence[str] | None, declared: Mapping[str, System], sample: bool) -> list[System]:
    """Systems by name, tag, Hub id, local checkpoint folder or 'all'; without names, the default set.

    With `sample` the default set, 'all' and tags hold what needs no encoder but the bundled one.
    """
    offered = {name: system for name, system in declared.items() if not sample or needs_no_network(system)}
    if names is None:
        return [system for system in offered.values() if system.default]
    chosen: dict[str, System] = {}
    for name in names:
        for system in _systems_named(name, declared, offered, chosen):
            chosen[system.name] = system
    return list(chosen.values())


def needs_no_network(system: System) -> bool:
    return system.encoder is None or system.encoder.package is not None


def _systems_named(
    name: str, declared: Mapping[str, System], offered: Mapping[str, System], chosen: Mapping[str, System]
) -> list[System]:
    """A declared name is taken at its word; 'all' and tags are what is offered."""
    if name in declared:
        return [declared[name]]
    if tagged := [system for system in offered.values() if name in (ALL, *system.tags)]:
        return tagged
    if "/" in (checkpoint := typed(name, declared)):
        _check_revision(checkpoint, f"--systems {name}")
        return [from_checkpoint(checkpoint, [*declared, *chosen])]
    tags = dict.fromkeys(tag for system in declared.values() for tag in system.tags)
    if name in tags:
        raise UserError(f"--systems {name}: none of them is on this machine; with --sample add --set encoder=minilm.")
    raise UserError(unknown("system", name, [*declared, *tags, ALL]))


def from_checkpoint(checkpoint: str, taken: Sequence[str] = ()) -> System:
    """A Hub id or a local folder, fine-tuned with the default recipe; named by its id or folder name."""
    name = checkpoint
    if folder := folder_named(checkpoint):
        parts = folder.resolve().parts
        names = ["/".join(parts[-length:]) for length in range(1, len(parts) + 1)]
        name = next(candidate for candidate in names if candidate not in taken)
    return System(name=name, method="finetune", encoder=Encoder(checkpoint=checkpoint), tags=("command-line",))


def typed(name: str, declared: Mapping[str, System]) -> str:
    """An encoder as a user types it: of no entry's name, an existing folder is that folder, as for transformers."""
    return name if name in declared or folder_named(name) or not Path(name).is_dir() else f"./{name}"


def _check_revision(checkpoint: str, flag: str) -> None:
    hub_id, at, _ = checkpoint.partition("@")
    if at and not folder_named(checkpoint):
        raise UserError(
            f"{flag}: a revision can't be given with @; it stands in encoder-bench.lock. "
            f"`encoder-bench fetch --systems {hub_id}` writes the commit in use there, and docs/how-to.md says how to "
            "pin another one."
        )


def encoder_named(name: str, declared: Mapping[str, System]) -> Encoder:
    """The encoder of the system of that name, a Hub id or a local folder. Raises UserError for another name."""
    if name in declared:
        if encoder := declared[name].encoder:
            return encoder
        raise UserError(f"--set encoder={name}: system {name!r} has no encoder.")
    if "/" in name or folder_named(name):
        _check_revision(name, f"--set encoder={name}")
        return Encoder(checkpoint=name)
    having_one = [system.name for system in declared.values() if system.encoder]
    raise UserError("--set encoder: " + unknown("encoder", name, having_one))


# -- claims ----------------------------------------------------------------------------------------------------------


def select_claims(
    names: Iterable[str], tasks: Mapping[str, Task], systems: Mapping[str, System], files: Iterable[Path] = ()
) -> Reported:
    """Claims by name, source, YAML path or 'all', in the order in which they are named; files: of which claims can be
    named, too, beside the suite's.
    """
    names = list(names)
    own = {name: load_claims(tasks, systems, Path(name)) for name in names if name.endswith(SUFFIXES)}
    known = _together([load_claims(tasks, systems), *(load_claims(tasks, systems, path) for path in files)])
    sources = _together([known, *own.values()]).sources
    chosen: dict[str, Claim] = {}
    for name in names:
        chosen |= own[name].claims if name in own else _claims_named(name, known)
    return Reported(chosen, sources)


def _together(reported: Iterable[Reported]) -> Reported:
    """Raises UserError where a name means two things."""
    claims: dict[str, Claim] = {}
    sources: dict[str, Publication] = {}
    for one in reported:
        for claim in one.claims.values():
            if claims.setdefault(claim.name, claim) != claim:
                raise UserError(f"--claims: two different claims are named {claim.name!r}; rename one.")
        for name, source in one.sources.items():
            if sources.setdefault(name, source) != source:
                raise UserError(f"--claims: two different sources are named {name!r}; rename one.")
    return Reported(claims, sources)


def _claims_named(name: str, known: Reported) -> dict[str, Claim]:
    chosen = {claim.name: claim for claim in known.claims.values() if name in (ALL, claim.name, claim.source)}
    if not chosen:
        where = f"Sources:{one_of(known.sources).removeprefix(' One of:')} `encoder-bench claims` shows all claims."
        raise UserError(unknown("claim", name, [*known.claims, *known.sources, ALL], where))
    return chosen
