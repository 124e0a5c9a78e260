"""Many runs: one after the other, side by side, in one command and in one process each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.errors import UserError
from benchmarks.execute.shares import available_cores
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios

RUNS, JOBS = 10, 2
ONE_BY_ONE, SIDE_BY_SIDE, PROCESSES = "one after the other", f"--jobs {JOBS}", f"{RUNS} processes, {JOBS} at a time"


class Taken(NamedTuple):
    """Seconds of the whole command; those of them in which something was trained or predicted, and those in which a run
    loaded its encoder and its tokens.
    """

    whole: float
    training: float
    preparing: float


def many_runs(
    command: Sequence[str], rounds: int, cache: Path, load: Callable[[], object], tell: Callable[[str], None]
) -> Measured:
    """command: the arguments of `run` for one system on one task, of which seeds make many runs; load: reads the task's
    rows as every such command does.
    """
    seeds = [*command, "--seeds", str(RUNS)]
    ways = {
        ONE_BY_ONE: lambda: seconds_of([seeds], cache),
        SIDE_BY_SIDE: lambda: seconds_of([[*seeds, "--jobs", str(JOBS)]], cache),
        PROCESSES: lambda: seconds_of([[*command, "--seeds", "1", *rate] for rate in _rates()], cache, JOBS),
    }
    taken = in_turn(ways, rounds, tell)
    whole = {way: [one.whole for one in of] for way, of in taken.items()}
    load()
    start = time.perf_counter()
    load()
    loading = time.perf_counter() - start
    prepared = Ratio.of([(loading + one.preparing) / one.whole for one in taken[ONE_BY_ONE]])
    rest = Ratio.of([1 - one.training / one.whole for one in taken[ONE_BY_ONE]])
    goals = [
        Goal(f"{RUNS} runs: {SIDE_BY_SIDE} against {ONE_BY_ONE}", 1.6, ratios(whole[ONE_BY_ONE], whole[SIDE_BY_SIDE])),
        Goal(f"{RUNS} runs in one command against {PROCESSES}", 1.5, ratios(whole[PROCESSES], whole[SIDE_BY_SIDE])),
        Goal(f"{RUNS} seeds: loading rows, tokens and the encoder", 0.02, prepared, "share", at_most=True),
    ]
    lines = [
        [way, round(Ratio.of(of).middle, 1), round(3600 * RUNS / Ratio.of(of).middle)] for way, of in whole.items()
    ]
    note = (
        f"Seconds of the whole of `run {' '.join(command)}`, Python's own start and imports among them; all that is "
        f"neither training nor predicting takes {rest.middle:.0%} of it, one after the other."
    )
    return Measured(goals, [Table(f"{RUNS} small runs", ["way", "seconds", "runs an hour"], lines, note)])


def _rates() -> Iterable[list[str]]:
    """Ten runs of one seed: a process can't be asked for the fourth seed alone."""
    return (["--set", f"recipe.learning_rate={1e-4 + i * 1e-6:.6f}"] for i in range(RUNS))


def seconds_of(commands: Sequence[Sequence[str]], cache: Path, abreast: int = 1) -> Taken:
    """All commands, so many at a time, each with its share of the cores. Raises UserError where one fails."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment["ENCODER_BENCH_CACHE"] = str(cache)
    if abreast > 1:
        environment["OMP_NUM_THREADS"] = str(max(1, len(available_cores()) // abreast))
    with tempfile.TemporaryDirectory() as results:
        folders = [Path(results, str(number)) for number in range(len(commands))]
        start = time.perf_counter()
        with ThreadPoolExecutor(abreast) as pool:
            list(pool.map(partial(_run, environment), commands, folders))
        whole = time.perf_counter() - start
        runs = [json.loads(path.read_text()) for path in Path(results).glob("*/runs/*/*/*.json")]
    training = sum(run["cost"]["train_seconds"] + run["cost"]["predict_seconds"] for run in runs)
    return Taken(whole, training, sum(run["training"].get("prepare_seconds", 0.0) for run in runs))


def _run(environment: Mapping[str, str], command: Sequence[str], results: Path) -> None:
    script = "import sys; from benchmarks.cli import main; sys.exit(main(sys.argv[1:]))"
    whole = [sys.executable, "-c", script, "run", *command, "--results-dir", str(results)]
    done = subprocess.run(whole, env=dict(environment), capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"run {' '.join(command)}: ended with exit code {done.returncode}: {done.stderr[-500:]}")
