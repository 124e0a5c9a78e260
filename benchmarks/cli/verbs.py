"""The verbs that look at what is there: list, validate, leaderboard."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks import definitions, lock, selection, store, unfinished
from benchmarks.data import foreseen
from benchmarks.errors import UserError, unknown
from benchmarks.errors import problems as told_together
from benchmarks.files import is_file
from benchmarks.metrics import METRICS
from benchmarks.places import search
from benchmarks.schema import Protocol, System, Task


def list_all(arguments: Namespace) -> int:
    """Prints the declared tasks, systems and metrics; of tasks and systems those that are named, where any are."""
    from tabulate import tabulate

    what = getattr(arguments, "what", None)
    tasks, systems = _chosen(arguments)
    if what in (None, "tasks"):
        tasks = sorted(tasks, key=lambda task: (task.sample is not None, task.group))
        rows = [[task.name, task.group, task.language, len(task.labels), task.metric, task.title] for task in tasks]
        print(tabulate(rows, ["task", "group", "language", "labels", "metric", "title"]), end="\n\n")
    if what in (None, "systems"):
        marked = [[s.name + (" *" if s.default else ""), s.method, ", ".join(s.tags), s.summary] for s in systems]
        print(tabulate(marked, ["system", "method", "tags", "summary"]))
        print("* runs without --systems; any Hub id or checkpoint folder is a system, too\n")
    if what in (None, "metrics"):
        metrics = [[metric.name, metric.task_type, metric.summary] for metric in METRICS.values()]
        print(tabulate(metrics, ["metric", "task type", "summary"]))
    return 0


def _chosen(arguments: Namespace) -> tuple[Iterable[Task], Iterable[System]]:
    """By the flags of `run --list`; all where there are none. Raises UserError."""
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    of_tasks, of_systems = (getattr(arguments, name, None) for name in ("tasks", "systems"))
    sample = getattr(arguments, "sample", False)
    return (
        selection.select_tasks(of_tasks, tasks, sample) if of_tasks else tasks.values(),
        selection.select_systems(of_systems, systems, sample) if of_systems else systems.values(),
    )


def validate(arguments: Namespace) -> int:
    """Checks definitions and, with a data folder, the data behind them; every problem of every file is told."""
    problems: list[str] = []
    systems: dict[str, System] = {}
    try:
        systems = definitions.load_systems()
        print(f"systems.yaml: {len(systems)} systems, fine")
    except UserError as error:
        problems.append(str(error))
    for path in [definitions.PROJECT / "claims.yaml", *arguments.claims] if systems else []:
        try:
            print(f"{path.name}: {_checked_claims(path, systems)} claims, fine")
        except UserError as error:
            problems.append(str(error))
    for path in _task_paths(arguments.files):
        try:
            task = definitions.load_task(path)
            print(f"{path.name}: fine{data_checked(task, arguments.data_dir) if arguments.data_dir else ''}")
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    return 0


def _checked_claims(path: Path, systems: Mapping[str, System]) -> int:
    """How many there are. Raises UserError, also for a protocol that asks for more rows than a task declares."""
    tasks = definitions.load_tasks()
    found = definitions.load_claims(tasks, systems, path).claims
    too_large = []
    for claim in found.values():
        try:
            foreseen.check_declared(tasks[claim.task], Protocol(**claim.protocol))
        except UserError as error:
            too_large.append(f"{claim.name}.protocol: {error}")
    if too_large:
        raise told_together(path, too_large)
    return len(found)


def _task_paths(names: list[str]) -> list[Path]:
    declared = definitions.task_files()
    if not names:
        return list(declared.values())
    for name in names:
        if name not in declared and not is_file(Path(name)):
            raise UserError(unknown("task or file", name, list(declared)))
    return [declared.get(name, Path(name)) for name in names]


def data_checked(task: Task, data_dir: Path | None) -> str:
    """Loads its rows, of files or of the Hub, and says how many there are. Raises UserError."""
    from benchmarks.data.loading import load
    from benchmarks.environment import cache_dir

    locked = lock.read()
    places = search([task], [], data_dir).places(locked, ask_hub=True)
    data = load(task, places.origins[task.name], cache_dir(), locked)
    rows = ", ".join(f"{split} {len(rows):,}" for split, rows in data.splits.items())
    return "".join([f"; data: {rows}", *(f"\n  note: {warning}" for warning in data.warnings)])


def leaderboard(arguments: Namespace) -> int:
    """Writes the leaderboards from stored runs, prints them."""
    from benchmarks.leaderboard import write

    if not store.runs_folder(arguments.results_dir).is_dir():
        raise UserError(f"--results-dir {str(arguments.results_dir)!r}: holds no stored runs.")
    with unfinished.alone(arguments.results_dir):
        written = write(arguments.results_dir)
    for table in written.texts.values():
        print(f"{table}\n")
    return 0
