"""What a person reads when a plan is done: the tables, what won and whether that is more than chance, what failed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.leaderboard import Page, Written, words
from benchmarks.leaderboard.across import columns
from benchmarks.plan import Plan
from benchmarks.schema import RunFailure, asked, seed_and_fold


def print_summary(results: Path, grid: Plan, written: Written, failures: Sequence[RunFailure]) -> None:
    """The leaderboards of the plan's tasks, where everything lies, what won, and what failed."""
    tasks = dict.fromkeys((spec.task.name, spec.task.sample is not None) for spec in grid.runs)
    for name in dict.fromkeys(name for name, _ in tasks):
        if name in written.texts:
            print(f"\n{written.texts[name]}")
    if any(spec.protocol.limit for spec in grid.runs):
        print("\nRuns under --limit are stored, and kept out of the leaderboards.")
    if won := list(_won([page for page in written.pages if (page.task, page.sample) in tasks], results)):
        print("\n" + "\n".join(won))
    print(f"\nLeaderboards: {results / 'LEADERBOARD.md'}   Runs: {results / 'runs'}")
    print(f"A page of all this: encoder-bench report{_of(results)}")
    if failures:
        print(f"\n{len(failures)} of {len(grid.runs)} runs failed; the same command tries them again:", file=sys.stderr)
    for failed in failures:
        print(f"  {_named(failed)}: {failed.error['type']}: {failed.error['message']}", file=sys.stderr)


def _named(failed: RunFailure) -> str:
    """What tells it from the plan's other runs."""
    drawn = asked(failed.protocol, without=("seed", "fold", "limit"))
    of_rows = f" ({words.protocol(drawn).lower()})" if drawn else ""
    return f"{failed.task} {failed.system} {seed_and_fold(failed.seed, failed.fold)}{of_rows}"


def _of(results: Path) -> str:
    return "" if results == Path("results") else f" --results-dir {shlex.quote(str(results))}"


def _won(pages: Sequence[Page], results: Path) -> Iterator[str]:
    """One line a task that has several systems, by the table that stands for it."""
    found = [column for column in columns(pages) if column.compared]
    for column in found:
        yield f"{column.page.task} ({words.protocol(column.section.protocol).lower()}): {column.first}"
    tied = [column for column in found if len(column.best) > 1]
    if tied:
        first, second = tied[0].best[:2]
        names = f"{shlex.quote(first)} {shlex.quote(second)} --task {shlex.quote(tied[0].page.task)}"
        yield f"Two systems side by side: encoder-bench compare {names}{_of(results)}"
