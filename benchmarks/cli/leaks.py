"""The verb leaks: test rows that resemble training rows, and what they do to the stored scores."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from benchmarks import amounts, definitions, lock, selection, store, unfinished
from benchmarks.errors import UserError
from benchmarks.leaderboard import words
from benchmarks.leaks import Leaks
from benchmarks.places import search
from benchmarks.schema import CODE_PROTOCOL, Protocol, Stored, Task, asked, seed_and_fold

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData

EXAMPLES = 3


def leaks(arguments: Namespace) -> int:
    """Looks where it was not looked yet, writes the leaderboards anew; what can't be looked at is told at the end."""
    from benchmarks.leaderboard import write

    names = arguments.tasks or _stored(arguments.results_dir)
    tasks = selection.select_tasks(names, definitions.load_tasks(), sample=False)
    refused = []
    for task in tasks:
        try:
            for line in _looked(task, arguments):
                print(line, flush=True)
        except UserError as error:
            refused.append(str(error))
    if store.runs_folder(arguments.results_dir).is_dir():
        with unfinished.alone(arguments.results_dir):
            write(arguments.results_dir)
    if refused:
        raise UserError("\n".join([f"{amounts.counted(len(refused), 'task')} could not be looked at:", *refused]))
    return 0


def _stored(results: Path) -> list[str]:
    """The tasks that have runs and that the suite declares; others are said to be left out."""
    declared = definitions.load_tasks()
    found = sorted({path.parts[-3] for path in store.records(results)})
    names = [name for name in found if name in declared]
    if not names:
        raise UserError(f"--results-dir {str(results)!r}: holds no run of a declared task; name the tasks to look at.")
    for name in found:
        if name not in declared:
            print(f"{name}: left out: no task of the suite; name its YAML file to look at it")
    return names


def _looked(task: Task, arguments: Namespace) -> Iterator[str]:
    from benchmarks.data.leaks import look
    from benchmarks.data.loading import load
    from benchmarks.environment import cache_dir

    locked = lock.read()
    origin = search([task], [], arguments.data_dir).places(locked, ask_hub=True).origins[task.name]
    data = load(task, origin, cache_dir(), locked)
    runs = [run for run in store.read_runs(arguments.results_dir, task.name) if not run.limited]
    same = [protocol for run in runs if (protocol := _of_same_rows(run, task, origin.identity))]
    with unfinished.alone(arguments.results_dir):  # a suite that ends meanwhile removes what is half written
        found = look(arguments.results_dir, data, same or [Protocol()], cache_dir())
    for protocol, leaks in found:
        yield f"{task.name}, {_protocol(protocol)}: {_counts(leaks)}"
    yield from _examples(data, [leaks for _, leaks in found])
    if others := len(runs) - len(same):
        yield f"  not looked at: {amounts.counted(others, 'run')} on other data or under another definition of the task"


def _of_same_rows(run: Stored, task: Task, data: Mapping[str, Any]) -> Protocol | None:
    """The run's protocol, unless its rows may be others: of other data, or under another definition or code."""
    identity = run.identity_
    if (identity["task"], identity["data"], identity["code"]) != (task.identity(), data, CODE_PROTOCOL):
        return None
    try:
        return Protocol(**run.protocol)
    except ValidationError:  # a field of a newer version
        return None


def _protocol(protocol: Protocol) -> str:
    drawn = asked(protocol.model_dump())
    return f"{words.protocol(drawn).lower()}{f', {seed_and_fold(protocol.seed, protocol.fold)}' if drawn else ''}"


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
