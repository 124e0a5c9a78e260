"""What follows the runs: leaks, excerpts and leaderboards, written by one suite at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import plan, unfinished
from benchmarks.cli.screen import Screen
from benchmarks.files import PART
from benchmarks.leaderboard import Written, samples, write

if TYPE_CHECKING:
    from benchmarks.execute.prepare import Prepared

PAGES = ("leaderboards", "leaks", "excerpts", samples.FOLDER)


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
    for folder in (results, *(results / name for name in PAGES)):
        for left in folder.glob(f".*{PART}") if folder == results else folder.rglob(f".*{PART}"):
            left.unlink(missing_ok=True)


def _look_for_leaks(prepared: Prepared, grid: plan.Plan, results: Path, screen: Screen) -> None:
    """Of all protocols of the plan on the tasks that were loaded. It may take minutes: the leaderboards come first."""
    from benchmarks.data.leaks import look, missing

    for name, data in prepared.data.items():
        protocols = [spec.protocol for spec in grid.runs if spec.task.name == name and spec.protocol.limit is None]
        if missing(results, data, protocols):
            write(results)
            screen.looking(name)
            look(results, data, protocols, prepared.cache)


def _take_excerpts(prepared: Prepared, results: Path) -> None:
    """Of the rows that the report will show: it is made without the data."""
    from benchmarks.data import excerpts
    from benchmarks.report import wanted_excerpts

    for name, data in prepared.data.items():
        if rows := wanted_excerpts(results, name).get(data.fingerprints):
            excerpts.take(results, data, rows)
