"""What follows the runs: leaks, excerpts and leaderboards, written by one suite at a time."""

from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import excerpts, plan, unfinished
from benchmarks.cli.screen import Screen
from benchmarks.files import PART, put_back
from benchmarks.leaderboard import Written, samples, write
from benchmarks.schema import Protocol

if TYPE_CHECKING:
    from benchmarks.execute.prepare import Prepared

PAGES = ("leaderboards", "leaks", excerpts.FOLDER, samples.FOLDER)


def write_pages(results: Path, prepared: Prepared | None, screen: Screen) -> Written:
    """The leaderboards, and of the tasks that were loaded what else is shown of their rows. Who writes last has read
    last, also where two suites end together.
    """
    with unfinished.alone(results):
        _sweep(results)
        unfinished.sweep_done(results)
        if prepared:
            _look_for_leaks(prepared, screen.grid, results, screen)
            _take_excerpts(prepared, results)
        return write(results)


def _sweep(results: Path) -> None:
    """What killed suites left of pages, and of the samples that they keep."""
    put_back(results / excerpts.FOLDER.parent)  # a report, before excerpts are written into its folder
    found = [folder.glob(f".*{PART}") for folder in (results, results / unfinished.FOLDER)]
    found += [(results / name).rglob(f".*{PART}") for name in PAGES]
    for left in chain(*found):
        if left.is_dir():  # of a report
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _look_for_leaks(prepared: Prepared, grid: plan.Plan, results: Path, screen: Screen) -> None:
    """Of all protocols of the plan on the tasks that were loaded. It may take minutes: the leaderboards come first."""
    from benchmarks.data.leaks import look, missing

    protocols: dict[str, list[Protocol]] = {}
    for spec in grid.runs:
        if spec.protocol.limit is None:
            protocols.setdefault(spec.task.name, []).append(spec.protocol)
    data = {name: prepared.data[name] for name in protocols if name in prepared.data}
    wanted = [name for name, own in data.items() if missing(results, own, protocols[name])]
    if wanted:
        write(results)
    for name in wanted:
        screen.looking(name)
        look(results, data[name], protocols[name], prepared.cache)


def _take_excerpts(prepared: Prepared, results: Path) -> None:
    """Of the rows that the report will show: it is made without the data."""
    from benchmarks.data.excerpts import take
    from benchmarks.report import wanted_excerpts

    for name, data in prepared.data.items():
        if rows := wanted_excerpts(results, name).get(data.fingerprints):
            take(results, data, rows)
