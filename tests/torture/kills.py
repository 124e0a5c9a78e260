"""Kills suites at random moments and starts them again, until their grids are done: nothing may be lost or made twice.

    python -m torture.kills --kills 100 --seed 0

A grid of tiny encoders is made once undisturbed and then, by the same command, under kills: SIGKILL, SIGTERM or SIGINT
to all its processes or to the first one alone, after a random time or at a random operation on a file of the results.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

import make  # noqa: E402  beside this package
import tiny  # noqa: E402

from benchmarks import store  # noqa: E402

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LONGEST = 300.0
"""Seconds that a suite may take; one that takes longer hangs."""
OPERATIONS = 400
"""Operations on files that a grid needs, about."""
ENDS = {0, 130, *(-number for number in SIGNALS)}
"""Exit codes of a suite under a kill: done, interrupted, killed."""
GRIDS = {
    "one after the other": "--systems ./enc,tfidf-nb,majority --seeds 2 --set recipe.epochs=4",
    "side by side": "--systems ./enc,tfidf-nb,majority --seeds 2 --set recipe.epochs=4 --jobs 2",
    "with searches": "--systems ./enc,tfidf-svm --seeds 1 --tune 3 --tasks ./mine.yaml",
    "without training": "--systems tfidf-nb,majority --seeds 3",
    "frozen, with models kept": "--systems ./enc,bert-base-frozen --set encoder=./enc --seeds 1 --keep-models",
}
ALWAYS = "--tasks ./mine.yaml,./names.yaml --data-dir data --checkpoint-minutes 1e-9"


@dataclass
class Tally:
    """What was done to suites, and what that cost."""

    kills: Counter[str] = field(default_factory=Counter)
    grids: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    resumed: int = 0
    problems: list[str] = field(default_factory=list)


def prepared(folder: Path) -> Path:
    """Two tasks and a tiny encoder; the hook that strikes stands beside them."""
    make.text_task(folder)
    make.tag_task(folder)
    tiny.checkpoint(folder / "enc")
    shutil.copy(Path(__file__).with_name("strike.py"), folder / "sitecustomize.py")
    return folder


def command(grid: str, results: str) -> list[str]:
    flags = ALWAYS.split() + GRIDS[grid].split()
    if flags.count("--tasks") > 1:
        flags = flags[2:]
    return [sys.executable, str(TESTS.parent / "run_all.py"), *flags, "--results-dir", results]


def started(folder: Path, grid: str, results: str, strike: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(grid, results), cwd=folder, env={**environment(folder), "STRIKE": strike}, start_new_session=True,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=_listen_to_interrupts,
    )  # fmt: skip


def _listen_to_interrupts() -> None:
    """What a shell starts in the background ignores them, and so would all that it starts itself."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(folder), str(TESTS.parent)])
    own = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ENCODER_BENCH_CACHE": str(folder / "cache")}
    return {**os.environ, **own}


def records(results: Path) -> dict[str, bytes]:
    """Every record of a result that is stored; a failure is none."""
    found = {str(path.relative_to(results)): path.read_bytes() for path in results.glob("runs/*/*/[!.]*.json")}
    return {path: content for path, content in found.items() if json.loads(content)["status"] == "done"}


# -- one kill --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """strike: at which file operation; seconds: after what time; whole: all processes, or the first one alone."""

    number: signal.Signals
    strike: int | None
    seconds: float
    whole: bool

    def __str__(self) -> str:
        where = "at a file operation" if self.strike else "at a time"
        return f"{self.number.name} {where}{'' if self.whole or self.strike else ', the first process alone'}"


def drawn(draw: random.Random, seconds: float) -> Kill:
    """seconds: that the undisturbed grid takes. Early operations are as likely as late ones: a suite that goes on has
    few of them left.
    """
    strike = int(OPERATIONS ** draw.random()) if draw.random() < 0.5 else None
    return Kill(draw.choice(SIGNALS), strike, draw.uniform(0.1, seconds), draw.random() < 0.7)


def killed(folder: Path, grid: str, kill: Kill) -> tuple[int, str]:
    """The exit code of a suite under a kill, which may have ended before it, and what it said."""
    results = folder / "results"
    strike = f"{results}:{kill.number}:{kill.strike}" if kill.strike else ""
    suite = started(folder, grid, str(results), strike)
    try:
        said, _ = suite.communicate(timeout=LONGEST if kill.strike else kill.seconds)
    except subprocess.TimeoutExpired:
        if kill.strike:
            raise
        (os.killpg if kill.whole else os.kill)(suite.pid, kill.number)
        said, _ = suite.communicate(timeout=LONGEST)  # its workers' end, too: they hold its output
    return suite.returncode, said


# -- what may not happen ---------------------------------------------------------------------------------------------


def check_whole(results: Path, before: dict[str, bytes], tally: Tally) -> dict[str, bytes]:
    """Every stored result is readable, and those of before are untouched."""
    try:
        now = records(results)
        for path in now:
            stored = store.parse(results / path)
            rows = store.read_predictions(results, stored).num_rows
            if rows != 60:
                tally.problems.append(f"torn: {path}: {rows} rows")
    except Exception as error:
        tally.problems.append(f"torn: {error}")
        return before
    tally.problems += [f"lost: {path}" for path in before.keys() - now.keys()]
    tally.problems += [f"made twice: {path}" for path in before.keys() & now.keys() if before[path] != now[path]]
    return now


def check_equal(results: Path, alone: Path, tally: Tally) -> None:
    """The finished store is that of the undisturbed grid: the same runs with the same numbers, and nothing beside."""
    found, expected = records(results), records(alone)
    if found.keys() != expected.keys():
        tally.problems.append(f"other runs: {sorted(found.keys() ^ expected.keys())}")
    for path in found.keys() & expected.keys():
        one, other = json.loads(found[path]), json.loads(expected[path])
        tally.resumed += bool(one["training"].get("resumed"))
        for name in ("metrics", "report", "recipe", "fingerprint"):
            if one[name] != other[name]:
                tally.problems.append(f"{path}: another {name}")
        if one["training"].get("losses") != other["training"].get("losses"):
            tally.problems.append(f"{path}: other losses")
        predictions = Path(path).with_suffix(".parquet")
        if (results / predictions).read_bytes() != (alone / predictions).read_bytes():
            tally.problems.append(f"{path}: other predictions")
    left = [path for path in results.rglob("*") if path.name.endswith((".part", ".lock", ".old"))]
    left += [path for path in (results / "unfinished").glob("*") if path.name != ".gitignore"]
    tally.problems += [f"left behind: {path.relative_to(results)}" for path in left]
    tally.runs += len(found)


# -- all -------------------------------------------------------------------------------------------------------------


def torture(folder: Path, kills: int, seed: int, grids: tuple[str, ...] = tuple(GRIDS)) -> Tally:
    """At least so many kills, each grid to its end."""
    draw, tally, seconds = random.Random(seed), Tally(), dict[str, float]()
    prepared(folder)
    while tally.kills.total() < kills and not tally.problems:
        grid = grids[tally.grids.total() % len(grids)]
        alone = folder / f"alone {grid}"
        begun = time.monotonic()
        if grid not in seconds:
            undisturbed(folder, grid, str(alone))
            seconds[grid] = time.monotonic() - begun
        _to_its_end(folder, grid, partial(drawn, draw, seconds[grid]), kills, tally)
        print(f"{grid}: done in {time.monotonic() - begun:.0f} s; {tally.kills.total()} kills", file=sys.stderr)
        check_equal(folder / "results", alone, tally)
        shutil.rmtree(folder / "results")
        tally.grids[grid] += 1
    return tally


def undisturbed(folder: Path, grid: str, results: str) -> None:
    suite = started(folder, grid, results)
    said, _ = suite.communicate(timeout=LONGEST)
    if suite.returncode:
        raise RuntimeError(f"{grid}: ends with {suite.returncode}: {said}")


def _to_its_end(folder: Path, grid: str, draw: Callable[[], Kill], kills: int, tally: Tally) -> None:
    """Started and killed until a suite ends by itself; after enough kills undisturbed."""
    before: dict[str, bytes] = {}
    while tally.kills.total() < kills:
        kill = draw()
        code, said = killed(folder, grid, kill)
        before = check_whole(folder / "results", before, tally)
        if code not in ENDS:
            tally.problems.append(f"{kill}: ends with {code}: {said[-4000:]}")
        if code == 0 or tally.problems:
            return
        tally.kills[str(kill)] += 1
    undisturbed(folder, grid, str(folder / "results"))
    check_whole(folder / "results", before, tally)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = torture(Path(folder), asked.kills, asked.seed)
    summary = {
        "kills": tally.kills.total(),
        "by kind": dict(sorted(tally.kills.items())),
        "grids finished": dict(tally.grids),
        "runs stored": tally.runs,
        "of these resumed from a checkpoint": tally.resumed,
        "problems": tally.problems,
        "seconds": round(time.monotonic() - begun),
    }
    print(json.dumps(summary, indent=1))
    return bool(tally.problems)


if __name__ == "__main__":
    sys.exit(main())
