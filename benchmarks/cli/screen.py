"""What a person sees of a plan and of its runs: a live panel on a terminal, one line an event elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import estimate, plan, store
from benchmarks.execute import ranks
from benchmarks.lock import Repo
from benchmarks.schema import RunFailure, RunResult, RunSpec

if TYPE_CHECKING:
    from benchmarks.execute.here import Event
    from benchmarks.execute.prepare import Prepared

# -- the plan --------------------------------------------------------------------------------------------------------


def print_plan(grid: plan.Plan, todo: Sequence[RunSpec], stored: Sequence[RunResult], results: Path) -> None:
    """Counts and estimated time of every (task, system), what is skipped, and which stored runs are stale."""
    from tabulate import tabulate

    rows = []
    pairs = dict.fromkeys((spec.task.name, spec.system.name) for spec in grid.runs)
    for task, system in pairs:
        runs = [spec for spec in grid.runs if (spec.task.name, spec.system.name) == (task, system)]
        open_runs = [spec for spec in todo if (spec.task.name, spec.system.name) == (task, system)]
        rows.append([task, system, len(runs), len(runs) - len(open_runs), len(open_runs), _time(open_runs, stored)])
    print(f"{len(grid.runs)} runs: {len(grid.runs) - len(todo)} stored, {len(todo)} to make, {_time(todo, stored)}\n")
    print(tabulate(rows, ["task", "system", "runs", "stored", "to make", "time"], disable_numparse=True))
    if any(not estimate.seconds(spec, stored)[1] for spec in todo):
        print("\n(?) a guess: no stored run to learn from")
    _print_skipped(grid.skipped)
    _print_stale(todo, results)


def _time(runs: Sequence[RunSpec], stored: Sequence[RunResult]) -> str:
    estimates = [estimate.seconds(spec, stored) for spec in runs]
    guess = "" if all(known for _, known in estimates) else " (?)"
    return f"about {estimate.in_words(sum(seconds for seconds, _ in estimates))}{guess}" if runs else "-"


def _print_skipped(skipped: Sequence[plan.Skipped]) -> None:
    if skipped:
        print("\nLeft out:")
    for item in skipped:
        print(f"  {item.task} x {item.system}: {item.why}")


def _print_stale(todo: Sequence[RunSpec], results: Path) -> None:
    reasons: dict[tuple[str, str, str], int] = {}
    for spec in todo:
        for old in store.stale_runs(results, spec):
            changes = "; ".join(plan.changed_fields(old.identity_, spec.identity))
            reasons[spec.task.name, spec.system.name, changes] = (
                reasons.get((spec.task.name, spec.system.name, changes), 0) + 1
            )
    if reasons:
        print("\nStored, but made otherwise:")
    for (task, system, changes), count in reasons.items():
        print(f"  {task} x {system}: {count} runs; changed: {changes}")


def print_without_commit(repos: Sequence[Repo]) -> None:
    """What a dry run, which asks no network, can't know of a plan's identity."""
    for repo in repos:
        print(f"\n{repo}: commit not known yet: resolved at download. Until then its stored runs can't be told apart.")


# -- the runs --------------------------------------------------------------------------------------------------------


SECONDS_BETWEEN_LINES = 60.0
SHARE_WITH_A_PACE = 0.02


class Screen:
    """Told of every event; only rank 0 shows anything."""

    def __init__(
        self, todo: Sequence[RunSpec], stored: int, skipped: Sequence[plan.Skipped], history: Sequence[RunResult]
    ) -> None:
        self.console = Console(quiet=not ranks.is_first(), highlight=False, markup=False, soft_wrap=True)
        self.total, self.stored, self.skipped = len(todo), stored, skipped
        self.estimates = {spec.path: estimate.seconds(spec, history)[0] for spec in todo}
        self.pace = 1.0  # how much slower than estimated the runs so far were
        self.done = self.spent = self.planned = 0.0
        self.started = self.told = time.monotonic()
        self.progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(), console=self.console, disable=not self.console.is_terminal, transient=True,
        )  # fmt: skip
        self.bar = self.progress.add_task("checking", total=1.0, left="")

    def __enter__(self) -> Screen:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def checking(self) -> None:
        self.console.print(f"{self.total + self.stored} runs: {self.stored} stored, {self.total} to make")
        for item in self.skipped:
            self.console.print(f"left out: {item.task} x {item.system}: {item.why}")

    def prepared(self, prepared: Prepared) -> None:
        for name, data in prepared.data.items():
            rows = ", ".join(f"{split} {len(rows):,}" for split, rows in data.splits.items())
            self.console.print(f"data: {name}: {rows} ({data.origin.summary})")
            for warning in data.warnings:
                self.console.print(f"  note: {warning}")

    def tell(self, event: Event) -> None:
        label = f"[{int(self.done) + 1}/{self.total}] {_label(event.spec)}"
        if event.outcome is not None:
            self._finished(event.spec, event.outcome, label)
            return
        if event.share == 0.0:
            self.started = time.monotonic()
        left = self._left(event.spec, event.share)
        self.progress.update(self.bar, description=label, completed=event.share, left=left)
        if not self.console.is_terminal and (
            event.share == 0.0 or time.monotonic() - self.told > SECONDS_BETWEEN_LINES
        ):
            self.told = time.monotonic()
            said = f"{event.share:.0%} done" if event.share else "started"
            self.console.print(", ".join(filter(None, [f"{label}: {said}", left])))

    def _finished(self, spec: RunSpec, outcome: RunResult | RunFailure, label: str) -> None:
        took = time.monotonic() - self.started
        self.done, self.spent = self.done + 1, self.spent + took
        self.planned += self.estimates.pop(spec.path, 0.0)
        self.pace = self.spent / self.planned if self.planned else 1.0
        if isinstance(outcome, RunFailure):
            said = f"FAILED: {outcome.error['type']}: {outcome.error['message']}"
        else:
            said = f"{outcome.primary_metric} {outcome.metrics[outcome.primary_metric]:.4f}"
        self.console.print(f"{label}: {said} in {estimate.in_words(took)}")

    def _left(self, spec: RunSpec, share: float) -> str:
        """The rest of this run by its own pace once it has one, the others by the pace of those that are done."""
        elapsed, here = time.monotonic() - self.started, self.estimates.get(spec.path, 0.0)
        others = (sum(self.estimates.values()) - here) * self.pace
        own = elapsed * (1 - share) / share if share > SHARE_WITH_A_PACE else here * self.pace
        return f"about {estimate.in_words(own + others)} left" if own + others >= 1 else ""

    def interrupted(self) -> None:
        left = self.total - int(self.done)
        self.console.print(f"interrupted: {int(self.done)} runs made and stored, {left} left; the same command goes on")


def _label(spec: RunSpec) -> str:
    parts = [spec.task.name, spec.system.name, f"seed {spec.protocol.seed}"]
    if spec.protocol.train_size:
        parts.append(f"{spec.protocol.train_size:,} rows")
    if spec.protocol.fold is not None:
        parts.append(f"fold {spec.protocol.fold + 1} of {spec.protocol.folds}")
    return " ".join(parts)


def print_summary(results: Path, grid: plan.Plan, tables: Mapping[str, str], failures: Sequence[RunFailure]) -> None:
    """The leaderboards of the plan's tasks, where everything lies, and what failed."""
    for name in dict.fromkeys(spec.task.name for spec in grid.runs):
        if name in tables:
            print(f"\n{tables[name]}")
    if any(spec.protocol.limit for spec in grid.runs):
        print("\nRuns under --limit are stored, and kept out of the leaderboards.")
    print(f"\nLeaderboards: {results / 'LEADERBOARD.md'}   Runs: {results / 'runs'}")
    if failures:
        print(f"\n{len(failures)} of {len(grid.runs)} runs failed; the same command tries them again:", file=sys.stderr)
    for failed in failures:
        print(
            f"  {failed.task} {failed.system} seed {failed.seed}: {failed.error['type']}: {failed.error['message']}",
            file=sys.stderr,
        )
