"""The verb report: excerpts of the rows that systems get wrong, where their data are at hand, and the page."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks import definitions, files, lock, selection, store, unfinished
from benchmarks.environment import cache_dir
from benchmarks.errors import UserError
from benchmarks.places import search
from benchmarks.report import Declared, places, wanted_excerpts, write
from benchmarks.schema import Task


def report(arguments: Namespace) -> int:
    """Writes RESULTS/index.html; tells where it is."""
    results = arguments.results_dir
    if not store.runs_folder(results).is_dir():
        raise UserError(f"--results-dir {str(results)!r}: holds no stored runs.")
    with unfinished.alone(results):
        files.put_back(results / places.FOLDER)  # before excerpts are written into it
        written = _written(arguments)
    print(f"The page to open: {written.resolve().as_uri()}")
    return 0


def _written(arguments: Namespace) -> Path:
    results = arguments.results_dir
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    stored = [path.name for path in sorted(store.runs_folder(results).iterdir()) if path.name in tasks]
    for task in selection.select_tasks(arguments.tasks or stored, tasks, sample=False):
        if task.sample or arguments.data_dir:
            for line in take_excerpts(task, arguments.data_dir, results):
                print(line)
    reported = selection.select_claims([selection.ALL], tasks, systems)
    return write(results, Declared(tasks, systems, reported), cache_dir())


def take_excerpts(task: Task, data_dir: Path | None, results: Path) -> list[str]:
    """Of the rows that the task's error browser shows; gives what is to be said of it."""
    wanted = wanted_excerpts(results, task.name)
    if not wanted:
        return []
    from benchmarks.data import excerpts
    from benchmarks.data.loading import load
    from benchmarks.data.origins import HubOrigin

    locked = lock.read()
    try:
        origin = search([task], [], data_dir).places(locked, ask_hub=False).origins[task.name]
        if isinstance(origin, HubOrigin):  # a page is not worth a download
            return [f"{task.name}: no excerpts: its files are not in {data_dir}"]
        data = load(task, origin, cache_dir(), locked)
        if data.fingerprints not in wanted:
            return [f"{task.name}: no excerpts: its runs are on other data, or under another definition"]
        excerpts.take(results, data, wanted[data.fingerprints])
    except UserError as error:
        return [f"{task.name}: no excerpts: {error}"]
    return []
