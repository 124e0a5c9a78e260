"""The verb `run`: from flags to a checked plan, stored runs and leaderboards."""

from __future__ import annotations

import os
import signal
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import definitions, lock, needed, plan, ranks, selection, store
from benchmarks.cli import INTERRUPTED, SOME_FAILED
from benchmarks.cli.planned import print_plan
from benchmarks.cli.screen import Screen, print_summary
from benchmarks.data import foreseen
from benchmarks.errors import UserError
from benchmarks.history import History
from benchmarks.places import Places, search
from benchmarks.schema import Encoder, RunFailure, RunSpec, System, Task

if TYPE_CHECKING:
    from benchmarks.execute.prepare import Prepared


def run(arguments: Namespace) -> int:
    """Plans, checks everything, makes what is not stored, writes the leaderboards."""
    if arguments.list:
        from benchmarks.cli.verbs import list_all

        return list_all(arguments)
    if not arguments.tasks and not arguments.claims:
        raise UserError("--tasks: required, such as --tasks ner,news; `encoder-bench list` shows what there is.")
    check_results_dir(arguments.results_dir)
    if ranks.world_size() > 1 and arguments.jobs != 1:
        raise UserError(
            "--jobs: runs side by side are for one process; under a launcher each run is trained by all ranks."
        )
    locked = lock.read()
    grid, places = planned(arguments, locked)
    tasks = dict.fromkeys(spec.task.name for spec in grid.runs)
    history = History(run for task in tasks for run in store.read_runs(arguments.results_dir, task))
    todo = [spec for spec in grid.runs if arguments.force or not history.done(spec)]
    if arguments.dry_run:
        print_plan(grid, todo, history, places.without_commit())
        return 0
    ranks.join()
    todo, places = ranks.from_first((todo, places))  # stored runs and the Hub may have changed between their looks
    failures: list[RunFailure] = []
    with Screen(todo, grid, history) as screen:
        try:
            failures = _make(arguments, todo, places, locked, screen)
        except KeyboardInterrupt:
            screen.interrupted()
            return INTERRUPTED
    if not ranks.is_first():
        return 0  # a launcher stops every rank once one of them has failed; the first one tells
    print_summary(arguments.results_dir, grid, _write_leaderboards(arguments.results_dir), failures)
    return SOME_FAILED if failures else 0


def _make(
    arguments: Namespace, todo: Sequence[RunSpec], places: Places, locked: lock.Lock, screen: Screen
) -> list[RunFailure]:
    """Checks all that is needed, then makes the runs; the failures come back."""
    screen.checking()
    if not todo:
        return []
    from benchmarks.execute.prepare import prepare

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system's stop is an interruption like Ctrl-C
    prepared = prepare(todo, places.origins, places.checkpoints, cache_dir(), locked)
    screen.prepared(prepared)
    failures = _execute(arguments, prepared, screen)
    if ranks.is_first() and not (failures and arguments.fail_fast):
        _look_for_leaks(prepared, screen.grid, arguments.results_dir, screen)
    return failures


def _execute(arguments: Namespace, prepared: Prepared, screen: Screen) -> list[RunFailure]:
    """One run after the other in this process, over all ranks where there are several, or side by side in workers."""
    if arguments.jobs == 1:
        from benchmarks.execute import here

        return here.execute(prepared, arguments.results_dir, screen.tell, arguments.fail_fast, arguments.force)
    from benchmarks.execute import pool

    where = pool.places(arguments.jobs, len(prepared.runs))
    screen.abreast = len(where)
    return pool.execute(
        prepared, arguments.results_dir, screen.tell, where, screen.pace.estimate, arguments.fail_fast, arguments.force
    )


def _look_for_leaks(prepared: Prepared, grid: plan.Plan, results: Path, screen: Screen) -> None:
    """Of all protocols of the plan on the tasks that were loaded. It may take minutes: the leaderboards come first."""
    from benchmarks.data.leaks import look, missing

    for name, data in prepared.data.items():
        protocols = [spec.protocol for spec in grid.runs if spec.task.name == name and spec.protocol.limit is None]
        if missing(results, data, protocols):
            _write_leaderboards(results)
            screen.looking(name)
            look(results, data, protocols, prepared.cache)


def _write_leaderboards(results: Path) -> dict[str, str]:
    from benchmarks.leaderboard import write

    return write(results)


def check_results_dir(results: Path) -> None:
    if results.exists() and not results.is_dir():
        raise UserError(f"--results-dir {str(results)!r}: is a file, expected a folder.")
    if not os.access(next(parent for parent in (results, *results.absolute().parents) if parent.exists()), os.W_OK):
        raise UserError(f"--results-dir {str(results)!r}: can't be written to.")


def cache_dir() -> Path:
    """Where prepared data are kept between runs: $ENCODER_BENCH_CACHE, or ~/.cache/encoder-bench."""
    return Path(os.environ.get("ENCODER_BENCH_CACHE") or Path.home() / ".cache" / "encoder-bench")


# -- from flags to a plan --------------------------------------------------------------------------------------------


def planned(arguments: Namespace, locked: lock.Lock) -> tuple[plan.Plan, Places]:
    """The grid, and where its data and encoders are. Nothing is downloaded yet, but commits are known: a dry run alone
    asks no network, and leaves those unknown that neither lock nor cache knows. Raises UserError for sizes and folds
    that the declared rows can't give; a claim that asks for them is left out.
    """
    grid, places = _of_claims(arguments, locked) if arguments.claims else _of_grid(arguments, locked)
    if not grid.runs:
        raise UserError("nothing to run: " + "; ".join(f"{s.task} x {s.system}: {s.why}" for s in grid.skipped))
    return grid, places


def _of_grid(arguments: Namespace, locked: lock.Lock) -> tuple[plan.Plan, Places]:
    tasks = selection.select_tasks(arguments.tasks, definitions.load_tasks(), arguments.sample)
    variants, protocol_settings = _systems(arguments)
    protocols = [
        protocol
        for more in plan.combinations(protocol_settings)
        for protocol in plan.protocols(
            arguments.seeds, arguments.train_sizes or [None], arguments.folds, arguments.limit, more
        )
    ]
    places = _places(tasks, variants.systems, arguments, locked)
    pinned = frozenset(override.field for override in _overrides(arguments) if override.target == "recipe")
    search = plan.Search(arguments.tune, pinned) if arguments.tune else None
    grid = plan.plan(tasks, variants.systems, protocols, *_identities(places), variants.refused, search)
    foreseen.check(grid.runs, places.origins)
    return grid, places


_BESIDE_CLAIMS = {
    "tasks": "--tasks",
    "systems": "--systems",
    "train_sizes": "--train-sizes",
    "folds": "--folds",
    "tune": "--tune",
    "limit": "--limit",
    "sample": "--sample",
}


def _of_claims(arguments: Namespace, locked: lock.Lock) -> tuple[plan.Plan, Places]:
    for flag, given in _BESIDE_CLAIMS.items():
        if getattr(arguments, flag):
            raise UserError(f"--claims: says itself what is run; {given} can't stand beside it.")
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    names = [name for given in arguments.claims for name in given]
    asked = selection.select_claims(names, tasks, systems)
    wanted = needed.needed(asked.claims.values(), tasks, systems, arguments.seeds, _stand_in(arguments))
    named = dict.fromkeys(one.task.name for one in wanted)
    lacking = {name: why for name in named if (why := _no_data(tasks[name], arguments, locked))}
    there = [one for one in wanted if one.task.name not in lacking]
    places = _places([one.task for one in there], [s for one in there for s in one.systems], arguments, locked)
    return plan.joined([_of_claim(one, lacking.get(one.task.name), places) for one in wanted]), places


def _no_data(task: Task, arguments: Namespace, locked: lock.Lock) -> str | None:
    """Why a task's rows can't be had; None where they can."""
    try:
        _places([task], [], arguments, locked)
    except UserError as error:
        return str(error)
    return None


def _of_claim(one: needed.Needed, lacking: str | None, places: Places) -> plan.Plan:
    """The runs of one claim, or why there are none."""
    claim, why = one.claim, lacking
    if why is None and claim.needs and places.origins[one.task.name].not_comparable:
        why = f"needs {claim.needs}"
    if why is None:
        grid = plan.plan([one.task], one.systems, one.protocols, *_identities(places))
        try:
            foreseen.check(grid.runs, places.origins)
        except UserError as error:
            why = str(error)
    return grid if why is None else plan.Plan((), (plan.Skipped(one.task.name, claim.system, f"{claim.name}: {why}"),))


def _stand_in(arguments: Namespace) -> str | None:
    """What --set says beside --claims: an encoder in place of every claim's own."""
    overrides = _overrides(arguments)
    for override in overrides:
        if override.target != "encoder" or len(override.values) > 1:
            raise UserError(f"--set {override}: beside --claims one encoder=... alone; the rest is what they claim.")
    return overrides[0].values[0] if overrides else None


def _places(tasks: Iterable[Task], systems: Iterable[System], arguments: Namespace, locked: lock.Lock) -> Places:
    encoders = [system.encoder for system in systems if system.encoder]
    found = search({task.name: task for task in tasks}.values(), encoders, arguments.data_dir, arguments.sample)
    return found.places(locked, ask_hub=not arguments.dry_run)


def _identities(places: Places) -> tuple[dict[str, Mapping[str, Any]], dict[Encoder, plan.Weights]]:
    origins: dict[str, Mapping[str, Any]] = {name: origin.identity for name, origin in places.origins.items()}
    return origins, {encoder: plan.Weights(c.identity, c.labels()) for encoder, c in places.checkpoints.items()}


def _overrides(arguments: Namespace) -> list[plan.Override]:
    return plan.merged(plan.parse_override(text) for text in arguments.overrides)


def _systems(arguments: Namespace) -> tuple[plan.Variants, list[plan.Override]]:
    declared = definitions.load_systems()
    overrides = _overrides(arguments)
    names = {value for override in overrides if override.target == "encoder" for value in override.values}
    encoders = {name: selection.encoder_named(name, declared) for name in names}
    chosen = selection.select_systems(arguments.systems, declared, arguments.sample and not encoders)
    return plan.variants(chosen, overrides, encoders), [o for o in overrides if o.target == "protocol"]
