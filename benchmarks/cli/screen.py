"""What a person sees of the runs: a live panel on a terminal, one line an event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmarks import ranks
from benchmarks.amounts import counted, duration
from benchmarks.cli.planned import twins
from benchmarks.history import History, Pace
from benchmarks.plan import Plan, Skipped, left_out
from benchmarks.schema import RunFailure, RunResult, RunSpec

if TYPE_CHECKING:
    from benchmarks.execute.making import Event
    from benchmarks.execute.prepare import Prepared

SECONDS_BETWEEN_LINES = 60.0
SECONDS_BETWEEN_COUNTS = 1.0
"""Of what all runs do together: with a thousand of them each second brings hundreds of words."""


@dataclass
class Running:
    """A run that is being made, and its bar. rows: training rows over all epochs."""

    spec: RunSpec
    label: str
    bar: TaskID
    rows: float
    share: float = 0.0
    started: float = field(default_factory=lambda: time.monotonic())

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    @property
    def speed(self) -> float:
        """Training rows a second since its start."""
        return self.share * self.rows / max(self.elapsed, 1e-3)


class Screen:
    """Told of every event; only rank 0 shows anything."""

    def __init__(self, todo: Sequence[RunSpec], grid: Plan, history: History) -> None:
        self.console = Console(quiet=not ranks.is_first(), highlight=False, markup=False, soft_wrap=True)
        self.todo, self.grid, self.pace, self.twins = todo, grid, Pace(todo, history), twins(grid.runs, history)
        self.abreast = 1
        self.done = self.failed = 0
        self.force = False
        self.sizes: dict[str, int] = {}
        self.told = time.monotonic()
        self.left, self.counted = "", -SECONDS_BETWEEN_COUNTS
        self.running: dict[str, Running] = {}
        self.progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(), console=self.console, disable=not self.console.is_terminal, transient=True,
        )  # fmt: skip
        self.overall = self.progress.add_task("checking", total=None, told="")

    def __enter__(self) -> Screen:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def checking(self) -> None:
        total = len(self.grid.runs)
        self.console.print(f"{counted(total, 'run')}: {total - len(self.todo)} stored, {len(self.todo)} to make")
        for said in self.twins:
            self.console.print(f"stored under another name: {said}")
        self._left_out(self.grid.skipped)

    def _left_out(self, skipped: Iterable[Skipped]) -> None:
        for said in left_out(skipped):
            self.console.print(f"left out: {said}")

    def prepared(self, prepared: Prepared) -> None:
        self._left_out(prepared.left_out)
        self.todo, self.force = prepared.runs, prepared.options.force
        self.sizes = {name: len(data.splits["train"]) for name, data in prepared.data.items()}
        for name, data in prepared.data.items():
            rows = ", ".join(f"{split} {len(rows):,}" for split, rows in data.splits.items())
            self.console.print(f"data: {name}: {rows} ({data.origin.summary})")
            for warning in data.warnings:
                self.console.print(f"  note: {warning}")

    def side_by_side(self, count: int, asked: int | None) -> None:
        """So many runs at a time; asked: how many the user wanted, None where we choose."""
        self.abreast = count
        fewer = asked is not None and count < min(asked, len(self.todo))
        why = f", not {asked}: together the largest might take more memory than there is" if fewer else ""
        self.console.print(f"{count} at a time{why}")

    def on_nodes(self, nodes: int, count: int, cores: int) -> None:
        """Of a cluster, as it is at the beginning."""
        self.abreast = count
        of_nodes = f"{nodes} node{'s' * (nodes != 1)}"
        self.console.print(f"a cluster of {of_nodes}: {count} at a time, each on {cores} core{'s' * (cores != 1)}")

    def tell(self, event: Event) -> None:
        path = event.spec.path
        if event.said:
            if begun := self.running.pop(path, None):
                self.progress.remove_task(begun.bar)
            self.console.print(f"{_label(event.spec)}: {event.said}")
            return
        if begins := path not in self.running:
            label = f"[{self.done + len(self.running) + 1}/{len(self.todo)}] {_label(event.spec)}"
            bar = self.progress.add_task(label, total=1.0, told="")
            self.running[path] = Running(event.spec, label, bar, _rows(event.spec, self.sizes))
        run = self.running[path]
        if event.outcome is not None:
            del self.running[path]
            self._finished(run, event.outcome)
            return
        run.share = event.share
        speed = f"{run.speed:,.0f} rows/s" if run.share else ""
        self.progress.update(run.bar, completed=run.share, told=speed)
        self._count_again(begins)
        quiet_since = time.monotonic() - self.told
        if not self.console.is_terminal and (event.share == 0.0 or quiet_since > SECONDS_BETWEEN_LINES):
            self.told = time.monotonic()
            said = f"{event.share:.0%} done" if event.share else "started"
            self.console.print(", ".join(filter(None, [f"{run.label}: {said}", self.left])))

    def _count_again(self, begins: bool) -> None:
        """After a while, and at each beginning how many there are."""
        now = time.monotonic()
        if now - self.counted >= SECONDS_BETWEEN_COUNTS:
            self.counted = now
            running = ((run.spec, run.share, run.elapsed) for run in self.running.values())
            seconds = self.pace.left(running, self.abreast)
            self.left = f"about {duration(seconds)} left" if seconds >= 1 else ""
        elif not begins:
            return
        self._count()

    def _count(self) -> None:
        """How many runs are where, and how fast they all go together."""
        made, speed = self.done - self.failed, sum(run.speed for run in self.running.values())
        queued = len(self.todo) - self.done - len(self.running)
        counts = {"done": made, "failed": self.failed, "running": len(self.running), "queued": queued}
        said = [f"{count} {what}" for what, count in counts.items() if count]
        left = self.left if self.running else ""
        told = ", ".join(filter(None, [f"{speed:,.0f} rows/s" if speed and len(self.running) > 1 else "", left]))
        done = self.done + sum(run.share for run in self.running.values())
        self.progress.update(
            self.overall, description=" · ".join(said), total=len(self.todo), completed=done, told=told
        )

    def _finished(self, run: Running, outcome: RunResult | RunFailure) -> None:
        self.progress.remove_task(run.bar)
        self.done += 1
        self.failed += isinstance(outcome, RunFailure)
        self.pace.finished(run.spec, run.elapsed)
        if isinstance(outcome, RunFailure):
            said = f"FAILED: {outcome.error['type']}: {outcome.error['message']}"
        else:
            score = outcome.metrics.get(outcome.primary_metric)
            said = f"{outcome.primary_metric} {'is not defined on these rows' if score is None else f'{score:.4f}'}"
        style = "red" if isinstance(outcome, RunFailure) else None
        self.console.print(f"{run.label}: {said} in {duration(run.elapsed)}", style=style)
        self._count()

    def looking(self, task: str) -> None:
        said = f"{task}: looking for near-duplicates of test rows"
        self.progress.update(self.overall, description=said, total=None, told="")
        if not self.console.is_terminal:
            self.console.print(said)

    def interrupted(self) -> None:
        left = len(self.todo) - self.done
        goes_on = "--force begins anew; without it what is stored stays" if self.force else "the same command goes on"
        then = f"{left} left; {goes_on}" if left else "none left; `encoder-bench leaks` looks for leaks"
        self.console.print(f"interrupted: {counted(self.done, 'run')} made and stored, {then}")


def _rows(spec: RunSpec, sizes: Mapping[str, int]) -> float:
    """Rows that a run's training looks at, those of its search among them."""
    protocol = spec.protocol
    published = sizes.get(spec.task.name, 0) * (1 - 1 / protocol.folds if protocol.folds else 1)
    trainings = spec.tuning.trials + 1 if spec.tuning else 1
    return spec.recipe.seen(round(protocol.train_size or published), len(spec.task.labels)) * trainings


def _label(spec: RunSpec) -> str:
    parts = [spec.task.name, spec.system.name, f"seed {spec.protocol.seed}"]
    if spec.protocol.train_size:
        parts.append(f"{spec.protocol.train_size:,} rows")
    if spec.protocol.fold is not None:
        parts.append(f"fold {spec.protocol.fold + 1} of {spec.protocol.folds}")
    return " ".join(parts)
