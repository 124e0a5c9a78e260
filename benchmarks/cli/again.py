"""The verb `again`: a row of the overall leaderboard is made anew and set beside the stored one."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import amounts, definitions, leaderboard, lock, ranks, selection
from benchmarks.cli import INTERRUPTED, SOME_FAILED
from benchmarks.cli.grid import planned
from benchmarks.cli.run import check_results_dir, run
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.leaderboard import words
from benchmarks.leaderboard.across import Column, columns
from benchmarks.leaderboard.commands import commands
from benchmarks.leaderboard.rows import Row
from benchmarks.stats.seeds import mean, noise


def again(arguments: Namespace) -> int:
    """Makes the runs of the row by the commands that stand below its tables; prints the scores of both."""
    if ranks.world_size() > 1:
        raise UserError("again: is for one process; under a launcher use the commands that stand below the tables.")
    results, into = arguments.results_dir, arguments.into
    if into.resolve() == results.resolve():
        raise UserError(f"--into {str(into)!r}: is the folder of the stored runs, where nothing would be made.")
    check_results_dir(into, "--into")
    tasks = _tasks(arguments.tasks or [])
    stored = _stored(arguments, tasks)
    asked = [_asked(column, row, tasks, arguments) for column, row in stored]
    for one in asked:
        planned(one, lock.read())  # what can't be run is told before the first training
    codes = []
    for one in asked:
        codes.append(run(one))
        if codes[-1] == INTERRUPTED:
            return INTERRUPTED
    beside = [_beside(column, row, into) for column, row in stored]
    _print(arguments.system, [told for told, _ in beside])
    return max(codes) or (0 if all(same for _, same in beside) else SOME_FAILED)


def _tasks(given: Sequence[str]) -> dict[str, str]:
    """The names of the tasks that were given, and what `run` is told of each: its name, or the file of one's own."""
    declared = definitions.load_tasks()
    found = [(task.name, one) for one in given for task in selection.select_tasks([one], declared, sample=False)]
    return {name: name if name in declared else one for name, one in found}


def _stored(arguments: Namespace, tasks: Mapping[str, str]) -> list[tuple[Column, Row]]:
    """The tables that the system stands in, one a task, and its row. Raises UserError where there are none."""
    system, results = arguments.system, arguments.results_dir
    shown = columns([page for page in leaderboard.read(results, intervals=False) if not page.sample])
    rows = [(column, row) for column in shown for row in column.ranked]
    names = sorted({row.system for _, row in rows})
    if system not in names:
        near = nearest(system, names) or one_of(names)
        raise UserError(f"No row of {system!r} in the leaderboard of {results}.{near}")
    found = [(column, row) for column, row in rows if row.system == system and (not tasks or column.page.task in tasks)]
    if not found:
        raise UserError(f"--tasks {', '.join(arguments.tasks)}: no row of {system!r} in the leaderboard of {results}.")
    return found


def _asked(column: Column, row: Row, tasks: Mapping[str, str], arguments: Namespace) -> Namespace:
    """What `run` is asked for. Raises UserError for a task that is neither the suite's nor given: a record of a
    stranger's names no file.
    """
    from benchmarks.cli.arguments import parse

    name = column.page.task
    if name not in tasks and name not in definitions.load_tasks():
        raise UserError(f"{name}: is no task of the suite; name its file, as in --tasks ./mine.yaml.")
    alone = replace(column.section, rows=(row,), clusterings=())
    (command,) = commands(tasks.get(name, name), alone, str(arguments.into), str(arguments.data_dir or ""))
    return parse([*shlex.split(command)[1:], "--jobs", str(arguments.jobs or "auto")])


def _beside(column: Column, stored: Row, into: Path) -> tuple[list[str], bool]:
    """What is told of both, over the seeds that both have, and whether no more than seeds' noise parts them."""
    page, protocol, metric = column.page, words.protocol(column.section.protocol), column.page.metric or ""
    then, now = _by_seed(stored), _again(column, stored, into)
    seeds = [seed for seed in then if seed in now]
    first, second = [then[seed] for seed in seeds], [now[seed] for seed in seeds]
    told = [page.task, protocol, metric, _mean(first or list(then.values())), _mean(second)]
    if len(seeds) < len(then):
        made = f"{len(seeds)} of {amounts.counted(len(then), 'seed')} made"
        return [*told, f"{made} of the same data and definitions"], False
    if all(abs(a - b) < 1e-9 for a, b in zip(first, second, strict=True)):
        return [*told, "the same"], True
    difference, allowed = mean(second) - mean(first), noise(first, second)
    if allowed is None:
        return [*told, f"{difference:+.4f}; one seed says nothing of noise"], False
    within = abs(difference) <= allowed
    return [*told, f"{difference:+.4f}, {'within' if within else 'beyond'} the noise of seeds"], within


def _again(column: Column, stored: Row, into: Path) -> dict[int, float]:
    """The new scores by seed: of the same data and definitions, under whatever name."""
    for page in leaderboard.read(into, column.page.task, intervals=False):
        for row in (row for section in page.sections for row in section.rows):
            if page.metric == column.page.metric and row.made[0][0].definition == stored.made[0][0].definition:
                return _by_seed(row)
    return {}


def _by_seed(row: Row) -> dict[int, float]:
    return dict(zip([runs[0].slot.seed for runs in row.made], row.values, strict=False))


def _mean(values: Sequence[float]) -> str:
    return f"{mean(values):.4f} ({amounts.counted(len(values), 'seed')})" if values else words.NOTHING


def _print(system: str, lines: Sequence[Sequence[str]]) -> None:
    from tabulate import tabulate

    headers = ["task", "table", "metric", "stored", "again", "difference"]
    print(f"\n{system}, stored and made again:\n\n{tabulate(lines, headers, disable_numparse=True)}")
