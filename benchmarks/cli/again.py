"""The verb `again`: a row of the overall leaderboard is made anew and set beside the stored one."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import definitions, leaderboard, selection
from benchmarks.cli import SOME_FAILED
from benchmarks.cli.run import check_results_dir
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.leaderboard import words
from benchmarks.leaderboard.across import Column, columns
from benchmarks.leaderboard.again import commands
from benchmarks.leaderboard.rows import Row


def again(arguments: Namespace) -> int:
    """Makes the runs of the row by the commands that stand below its tables; prints the scores of both."""
    results, into = arguments.results_dir, arguments.into
    if into.resolve() == results.resolve():
        raise UserError(f"--into {str(into)!r}: is the folder of the stored runs, where nothing would be made.")
    check_results_dir(into)
    stored = _stored(arguments)
    codes = [_made(column, row, arguments) for column, row in stored]
    lines, outside = zip(*(_beside(column, row, arguments) for column, row in stored), strict=True)
    _print(arguments.system, lines)
    return SOME_FAILED if any(outside) else max(codes)


def _stored(arguments: Namespace) -> list[tuple[Column, Row]]:
    """The tables that the system stands in, one a task, and its row. Raises UserError where there are none."""
    system, results = arguments.system, arguments.results_dir
    shown = columns([page for page in leaderboard.read(results, sample=False) if not page.sample])
    rows = [(column, row) for column in shown for row in column.ranked]
    names = sorted({row.system for _, row in rows})
    if system not in names:
        raise UserError(
            f"No row of {system!r} in the leaderboard of {results}.{nearest(system, names) or one_of(names)}"
        )
    wanted = _tasks(arguments)
    found = [(c, row) for c, row in rows if row.system == system and (c.page.task in wanted or not arguments.tasks)]
    if not found:
        raise UserError(f"--tasks {', '.join(arguments.tasks)}: no row of {system!r} in the leaderboard of {results}.")
    return found


def _tasks(arguments: Namespace) -> Mapping[str, str]:
    """The names of the tasks that were given, and what `run` is told of each: its name, or the file of one's own."""
    declared = definitions.load_tasks()
    return {
        task.name: task.name if task.name in declared else given
        for given in arguments.tasks or ()
        for task in selection.select_tasks([given], declared, sample=False)
    }


def _made(column: Column, row: Row, arguments: Namespace) -> int:
    """The exit code of `run`."""
    from benchmarks.cli.arguments import parse

    task = column.page.task
    (command,) = commands(task, replace(column.section, rows=(row,), clusterings=()))
    given = shlex.split(command)[1:]
    given[given.index("--tasks") + 1] = _tasks(arguments).get(task, task)
    given[given.index("--results-dir") + 1] = str(arguments.into)
    if "--data-dir" in given:
        at = given.index("--data-dir")
        given[at : at + 2] = ["--data-dir", str(arguments.data_dir)] if arguments.data_dir else []
    parsed = parse([*given, "--jobs", str(arguments.jobs or "auto")])
    return int(parsed.verb(parsed))


def _beside(column: Column, stored: Row, arguments: Namespace) -> tuple[list[str], bool]:
    """What is told of both, and whether the new score lies outside of the stored one's interval, or is none."""
    page, protocol = column.page, column.section.protocol
    made = _row(arguments.into, page.task, protocol, stored.system)
    told = [
        page.task,
        words.protocol(protocol),
        page.metric or "",
        _score(stored),
        "" if made is None else _score(made),
    ]
    if made is None or made.score is None or stored.score is None:
        return [*told, "not made"], True
    of_seeds, now = (dict(zip(_seeds(row), row.values, strict=True)) for row in (stored, made))
    if all(seed in now and abs(now[seed] - value) < 1e-9 for seed, value in of_seeds.items()):
        return [*told, "the same"], False
    (kept,) = [row for row in _rows(arguments.results_dir, page.task, protocol, True) if row.system == stored.system]
    low, high = kept.interval or (stored.score, stored.score)
    inside = low <= made.score <= high
    where = f"{'inside' if inside else 'outside'} of {words.interval(low, high)}"
    return [*told, f"{made.score - stored.score:+.4f}, {where}"], not inside


def _row(results: Path, task: str, protocol: Mapping[str, object], system: str) -> Row | None:
    return next((row for row in _rows(results, task, protocol, False) if row.system == system), None)


def _rows(results: Path, task: str, protocol: Mapping[str, object], sample: bool) -> Iterator[Row]:
    for page in leaderboard.read(results, task, sample):
        for section in page.sections:
            if section.protocol == protocol and not page.sample:
                yield from section.rows


def _seeds(row: Row) -> list[int]:
    return [runs[0].slot.seed for runs in row.made]


def _score(row: Row) -> str:
    return words.NOTHING if row.score is None else f"{row.score:.4f} ({words.counted(row.seeds, 'seed')})"


def _print(system: str, lines: Sequence[Sequence[str]]) -> None:
    from tabulate import tabulate

    headers = ["task", "table", "metric", "stored", "again", "difference"]
    print(f"\n{system}, stored and made again:\n\n{tabulate(lines, headers, disable_numparse=True)}")
