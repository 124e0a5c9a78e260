"""The verb `run`: makes what a plan asks for and is not stored, and writes the leaderboards."""

from __future__ import annotations

import gc
import os
from argparse import Namespace
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import lock, ranks, store
from benchmarks.cli import INTERRUPTED, SOME_FAILED, USUAL
from benchmarks.cli.grid import planned
from benchmarks.cli.planned import print_plan
from benchmarks.cli.screen import Screen
from benchmarks.environment import cache_dir
from benchmarks.errors import UserError
from benchmarks.history import History
from benchmarks.places import Places
from benchmarks.schema import RunFailure, RunSpec
from benchmarks.tracking import FOLDER, Trackers

if TYPE_CHECKING:
    from benchmarks.execute.prepare import Options, Prepared


def run(arguments: Namespace) -> int:
    """Plans, checks everything, makes what is not stored, writes the leaderboards."""
    if arguments.list:
        from benchmarks.cli.verbs import list_all

        return list_all(arguments)
    if not arguments.tasks and not arguments.claims:
        raise UserError("--tasks: required, such as --tasks ner,news; `encoder-bench list` shows what there is.")
    check_results_dir(arguments.results_dir)
    if ranks.world_size() > 1 and (arguments.jobs != 1 or arguments.timeout):
        raise UserError(
            "--jobs, --timeout: runs in workers are for one process; under a launcher each run is trained by all ranks."
        )
    if arguments.ray:
        _check_beside_ray(arguments)
    locked = lock.read()
    grid, places = planned(arguments, locked)
    tasks = dict.fromkeys(spec.task.name for spec in grid.runs)
    history = History(run for task in tasks for run in store.read_runs(arguments.results_dir, task))
    todo = [spec for spec in grid.runs if arguments.force or not _is_stored(spec, arguments, history)]
    again = {spec.path: found for spec in todo if (found := store.signature(arguments.results_dir, spec))}
    if arguments.dry_run:
        print_plan(grid, todo, history, places.without_commit(), _abreast(arguments.jobs, len(todo)))
        return 0
    trackers = Trackers(arguments.report_to, arguments.results_dir / FOLDER)
    if todo and ranks.is_first():
        trackers.check()
    with ranks.joined():
        todo, places = ranks.from_first((todo, places))  # stored runs and the Hub may have changed between their looks
        stored = {spec.path: again[spec.path] for spec in todo if history.done(spec) and spec.path in again}
        options = _options(arguments, trackers, stored)
        with Screen(todo, grid, history) as screen:
            try:
                return _followed(arguments, _made(arguments, todo, places, locked, options, screen), screen)
            except KeyboardInterrupt:
                screen.interrupted()
                return INTERRUPTED


def _check_beside_ray(arguments: Namespace) -> None:
    """Raises UserError."""
    from benchmarks.execute.connection import check_installed

    if ranks.world_size() > 1:
        raise UserError("--ray: is for one process; under a launcher each run is trained by all ranks.")
    if arguments.jobs != 1:
        raise UserError("--ray: as many runs at a time as the cluster holds; --jobs can't stand beside it.")
    if arguments.report_to:
        raise UserError("--ray: trackers would write where a run is made, on the nodes; leave --report-to away.")
    check_installed()


def _options(arguments: Namespace, trackers: Trackers, again: dict[str, store.Signature]) -> Options:
    from benchmarks.execute.prepare import Options

    return Options(
        force=arguments.force,
        fail_fast=arguments.fail_fast,
        keep_models=arguments.keep_models,
        trackers=trackers,
        checkpoint_seconds=arguments.checkpoint_minutes * 60,
        timeout_seconds=arguments.timeout * 60 if arguments.timeout else None,
        again=again,
    )


def _is_stored(spec: RunSpec, arguments: Namespace, history: History) -> bool:
    """With its model, where models are to be kept and this one can be; under whatever name."""
    if not history.done(spec) or not (arguments.keep_models and spec.recipe.keeps_model):
        return history.done(spec)
    name = history.twin(spec) or spec.system.name
    named = replace(spec, system=spec.system.model_copy(update={"name": name}))
    return store.model_path(arguments.results_dir, named).is_dir()


def _abreast(jobs: int | None, runs: int) -> int:
    """Runs at a time as far as a plan can tell: GPUs and free memory are asked when they are made."""
    from benchmarks.execute.shares import available_cores

    return max(1, min(jobs or len(available_cores()), runs))


class _Made(NamedTuple):
    """Of a plan's runs those that failed, and what all were made of; None where there was nothing to make."""

    failures: list[RunFailure]
    prepared: Prepared | None


def _made(
    arguments: Namespace,
    todo: Sequence[RunSpec],
    places: Places,
    locked: lock.Lock,
    options: Options,
    screen: Screen,
) -> _Made:
    """Checks all that is needed, then makes the runs."""
    screen.checking()
    if not todo:
        return _Made([], None)
    from benchmarks.execute.prepare import prepare

    gc.set_threshold(*USUAL)
    with _connected(arguments.ray):
        prepared = prepare(todo, places.origins, places.checkpoints, cache_dir(), locked, options)
        screen.prepared(prepared)
        return _Made(_execute(arguments, prepared, screen), prepared)


def _followed(arguments: Namespace, made: _Made, screen: Screen) -> int:
    """What is written and said of them, and the exit code."""
    if not ranks.is_first():
        return 0  # a launcher stops every rank once one of them has failed; the first one tells
    from benchmarks.cli.pages import write_pages  # its tables need pandas: not for a plan or a list
    from benchmarks.cli.summary import print_summary

    stopped = made.failures and arguments.fail_fast
    written = write_pages(arguments.results_dir, None if stopped else made.prepared, screen)
    screen.progress.stop()
    print_summary(arguments.results_dir, screen.grid, written, made.failures)
    return SOME_FAILED if made.failures else 0


def _connected(ray: str | None) -> AbstractContextManager[None]:
    """To the cluster, before data are loaded in vain."""
    if not ray:
        return nullcontext()
    from benchmarks.execute.connection import connected

    return connected(ray)


def _execute(arguments: Namespace, prepared: Prepared, screen: Screen) -> list[RunFailure]:
    """One run after the other in this process, over all ranks where there are several, or in workers: side by side, or
    one that can be stopped; or on a cluster.
    """
    if arguments.ray:
        from benchmarks.execute import cluster, sent

        terms = sent.terms(prepared)
        screen.on_nodes(terms.nodes, terms.abreast, terms.cpus)
        return cluster.execute(prepared, arguments.results_dir, screen.tell, terms, screen.pace.estimate)
    if arguments.jobs == 1 and not arguments.timeout:
        from benchmarks.execute import here

        return here.execute(prepared, arguments.results_dir, screen.tell)
    from benchmarks.execute import pool, shares

    where = shares.places(arguments.jobs, pool.estimates(prepared))
    screen.side_by_side(len(where), arguments.jobs)
    return pool.execute(prepared, arguments.results_dir, screen.tell, where, screen.pace.estimate)


def check_results_dir(results: Path, flag: str = "--results-dir") -> None:
    existing = next(folder for folder in (results, *results.absolute().parents) if folder.exists())
    if not existing.is_dir():
        which = "is" if existing == results else f"{str(existing)!r} is"
        raise UserError(f"{flag} {str(results)!r}: {which} a file, expected a folder.")
    if not os.access(existing, os.W_OK):
        raise UserError(f"{flag} {str(results)!r}: can't be written to.")
