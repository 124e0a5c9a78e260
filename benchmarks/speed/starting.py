"""How long a command takes that needs no model: help, lists, plans, leaderboards."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn

WANTED: dict[str, tuple[list[str], float]] = {
    "--help": (["--help"], 0.5),
    "--list": (["run", "--list"], 0.5),
    "--dry-run": (["run", "--tasks", "ner,news", "--sample", "--dry-run"], 1.0),
}


def starting(rounds: int, tell: Callable[[str], None]) -> Measured:
    """Seconds of the whole process, Python's own start among them, after one that warmed the disk's cache."""
    ways = {name: partial(_seconds, command) for name, (command, _) in WANTED.items()}
    in_turn(ways, 1, lambda said: None)
    taken = in_turn({"python -c pass": partial(_seconds, None), **ways}, rounds, tell)
    goals = [
        Goal(f"`{name}`", wanted, Ratio.of(taken[name]), "seconds", at_most=True)
        for name, (_, wanted) in WANTED.items()
    ]
    lines = [[f"`{name}`", *(round(value, 2) for value in Ratio.of(of))] for name, of in taken.items()]
    return Measured(goals, [Table("Start", ["command", "seconds", "least", "most"], lines)])


def _seconds(command: Sequence[str] | None) -> float:
    script = "pass" if command is None else "import sys; from benchmarks.cli import main; sys.exit(main(sys.argv[1:]))"
    with tempfile.TemporaryDirectory() as results:
        more = ["--results-dir", str(Path(results))] if command and command[0] == "run" else []
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", script, *(command or ()), *more], capture_output=True, check=True)
        return time.perf_counter() - start
