"""The verb leaks: test rows that resemble training rows, and what they do to the stored scores."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import definitions, lock, selection, store
from benchmarks.errors import UserError
from benchmarks.leaderboard import words
from benchmarks.leaks import Leaks
from benchmarks.places import search
from benchmarks.schema import Protocol, Task

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData

EXAMPLES = 3


def leaks(arguments: Namespace) -> int:
    """Looks where it was not looked yet, writes the leaderboards anew; what can't be looked at is told at the end."""
    from benchmarks.leaderboard import write

    tasks = selection.select_tasks(arguments.tasks or _stored(arguments.results_dir), definitions.load_tasks(), False)
    refused = []
    for task in tasks:
        try:
            for line in _looked(task, arguments):
                print(line, flush=True)
        except UserError as error:
            refused.append(str(error))
    if store.runs_folder(arguments.results_dir).is_dir():
        write(arguments.results_dir)
    if refused:
        raise UserError("\n".join([f"{words.counted(len(refused), 'task')} could not be looked at:", *refused]))
    return 0


def _stored(results: Path) -> list[str]:
    """The tasks that have runs and that the suite declares."""
    names = [name for name in definitions.load_tasks() if (store.runs_folder(results) / name).is_dir()]
    if not names:
        raise UserError(f"--results-dir {str(results)!r}: holds no run of a declared task; name the tasks to look at.")
    return names


def _looked(task: Task, arguments: Namespace) -> Iterator[str]:
    from benchmarks.cli.run import cache_dir
    from benchmarks.data.leaks import look
    from benchmarks.data.loading import load

    locked = lock.read()
    origin = search([task], [], arguments.data_dir).places(locked, ask_hub=True).origins[task.name]
    data = load(task, origin, cache_dir(), locked)
    runs = [run for run in store.read_runs(arguments.results_dir, task.name) if not run.limited]
    same = [run for run in runs if (run.identity_["task"], run.identity_["data"]) == (task.identity(), origin.identity)]
    found = look(arguments.results_dir, data, [Protocol(**run.protocol) for run in same] or [Protocol()], cache_dir())
    for protocol, leaks in found:
        yield f"{task.name}, {_protocol(protocol)}: {_counts(leaks)}"
    yield from _examples(data, [leaks for _, leaks in found])
    if others := len(runs) - len(same):
        yield f"  not looked at: {words.counted(others, 'run')} on other data or under another definition of the task"


def _protocol(protocol: Protocol) -> str:
    drawn = protocol.model_dump(exclude={"seed", "fold"}, exclude_none=True, exclude_defaults=True)
    fold = "" if protocol.fold is None else f" fold {protocol.fold + 1}"
    return f"{words.protocol(drawn).lower()}{f', seed {protocol.seed}{fold}' if drawn else ''}"


def _counts(leaks: Leaks) -> str:
    return (
        f"{len(leaks.rows):,} of {leaks.test:,} test rows leak ({100 * len(leaks.rows) / leaks.test:.1f} %), "
        f"{leaks.equal:,} of them with the same words as a training row"
    )


def _examples(data: TaskData, leaks: Iterable[Leaks]) -> Iterator[str]:
    """The least alike: what is called a near-duplicate. Not of offensive texts, which nobody asked to read."""
    if data.task.offensive:
        return
    pairs = {(row, *closest) for own in leaks for row, closest in own.rows.items() if closest.similarity < 1}
    for tested, trained, similarity in sorted(pairs, key=lambda pair: (pair[2], pair[0]))[:EXAMPLES]:
        yield f"  {tested} and {trained} ({similarity:.2f}):"
        yield from (f"    {words.shortened(data.text(row))}" for row in (tested, trained))
