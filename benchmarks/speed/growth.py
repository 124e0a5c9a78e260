"""How time and memory grow: with rows, stored runs, labels and the length of texts. Each size has its own process."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.meter import Meter
from benchmarks.speed.timing import Goal, Measured, Ratio, Table

ROWS = (1_000, 10_000, 100_000, 1_000_000)
RUNS = (10, 100, 1_000, 10_000)
LABELS = (2, 10, 100, 1_000)
PIECES = (16, 32, 64, 128, 256, 512)
WORDS = (
    "film",
    "story",
    "actor",
    "scene",
    "good",
    "bad",
    "long",
    "short",
    "plot",
    "the",
    "of",
    "and",
    "never",
    "again",
)
LEAST_GROWTH = 0.2
"""Beyond what every size takes, as a share of that: less is noise."""
TOO_LITTLE = "the time of the smaller sizes is nearly all of it what every size takes"
TEST_ROWS, SYSTEMS, SEEDS = 200, 50, 10


def growth(encoder: Path, tell: Callable[[str], None]) -> Measured:
    """Everything at every size."""
    goals, tables = [], []
    rows = _each("rows", ROWS, encoder, tell)
    note = (
        "Read from CSV, checked and tokenised, then read again. Own memory is what no file stands behind: pages of "
        "memory-mapped files, which the system takes back when it needs them, are in the last column alone."
    )
    tables.append(_table("Rows of a text task", "rows", rows, note))
    goals.append(_linear("a text task over its rows", rows, "seconds"))
    said = f"memory of their own that {ROWS[-1]:,} rows take more than {ROWS[0]:,}"
    own = [rows[size]["own MB"] for size in (ROWS[0], ROWS[-1])]
    grown = Ratio.of([own[1] - own[0]]) if all(own) else None
    goals.append(Goal(said, 500, grown, "MB", at_most=True, why="only Linux tells it"))
    runs = _each("runs", RUNS, encoder, tell)
    tables.append(
        _table(
            "Leaderboards of stored runs",
            "runs",
            runs,
            f"Of {TEST_ROWS} test rows each; {SEEDS} seeds of {SYSTEMS} systems a task.",
        )
    )
    most = runs[RUNS[-1]]
    goals.append(
        Goal(
            f"leaderboards of {RUNS[-1]:,} runs, written again", 5, Ratio.of([most["seconds"]]), "seconds", at_most=True
        )
    )
    goals.append(_linear("leaderboards over stored runs, the first time", runs, "first time (s)"))
    goals.append(Goal(f"their memory at {RUNS[-1]:,} runs", 500, Ratio.of([most["MB"]]), "MB", at_most=True))
    labels = _each("labels", LABELS, encoder, tell)
    tables.append(_table("Metrics over labels", "labels", labels, "Every metric and the report of 10,000 rows."))
    goals.append(_linear("metrics over labels", labels, "seconds"))
    lengths = _each("pieces", PIECES, encoder, tell)
    note = "A training of 64 rows. Attention grows with the square of the length, all else with the length."
    tables.append(_table("Length of texts", "word pieces", lengths, note))
    return Measured(goals, tables)


def _each(what: str, sizes: Sequence[int], encoder: Path, tell: Callable[[str], None]) -> dict[int, dict[str, float]]:
    found = {}
    for size in sizes:
        tell(f"{size:,} {what}")
        script = "import sys; from benchmarks.speed import growth; growth.once(*sys.argv[1:])"
        command = [sys.executable, "-c", script, what, str(size), str(encoder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{size:,} {what}: {done.stderr[-2000:]}")
        found[size] = json.loads(done.stdout.splitlines()[-1])
    return found


def _table(title: str, size: str, found: Mapping[int, Mapping[str, float]], note: str) -> Table:
    names = list(next(iter(found.values())))
    lines = [[f"{number:,}", *(round(of[name], 2) for name in names)] for number, of in found.items()]
    return Table(title, [size, *names], lines, note)


def _linear(what: str, found: Mapping[int, Mapping[str, float]], name: str) -> Goal:
    """How much more time the largest takes than the one before, each beyond the smallest's, beside how much larger it
    is: 1 is linear.
    """
    first, *_, before, last = found
    said = f"{what}: growth of the time beside that of the size"
    constant = found[first][name]  # imports and what else has nothing to do with the size
    until, after = found[before][name] - constant, found[last][name] - constant
    if until < LEAST_GROWTH * constant:
        grown = after / max(constant, until) / (last / before)  # at most as much: nothing is known of the smaller step
        return Goal(said, 1.2, Ratio.of([grown]) if grown <= 1.2 else None, at_most=True, why=TOO_LITTLE)
    return Goal(said, 1.2, Ratio.of([after / until / ((last - first) / (before - first))]), at_most=True)


# -- in a process of its own -----------------------------------------------------------------------------------------


def once(what: str, size: str, encoder: str) -> None:
    """Prints what one size took, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(SIZES[what](int(size), Path(folder), Path(encoder))))


@contextmanager
def _timed(into: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into[name] = time.perf_counter() - start


def _rows(size: int, folder: Path, encoder: Path) -> dict[str, float]:
    from benchmarks.data.loading import load
    from benchmarks.data.origins import origin_of
    from benchmarks.data.splits import select
    from benchmarks.encoders import load_tokenizer
    from benchmarks.lock import Lock
    from benchmarks.methods import Job
    from benchmarks.methods.features import tokenized
    from benchmarks.recipes import Finetune
    from benchmarks.schema import Protocol

    task = text_task(folder, size, ("negative", "positive"))
    origin = origin_of(task, folder, {})
    tokenizer = load_tokenizer(encoder, task.type)
    taken: dict[str, float] = {}
    meter = Meter()
    with _own_memory() as own:
        for again in ("", " again"):
            with _timed(taken, f"load{again} (s)"):
                data = load(task, origin, folder / "cache", Lock())
            job = Job(task, Finetune(), 0, select(data, Protocol()), encoder, folder / "cache", Meter())
            with _timed(taken, f"tokenise{again} (s)"):
                tokenized(job, "train", tokenizer, task.max_length)
    first = taken["load (s)"] + taken["tokenise (s)"]
    return {"seconds": first, **taken, "own MB": max(own), "MB": meter.cost()["peak_memory_mb"]}


@contextmanager
def _own_memory() -> Iterator[list[float]]:
    """Looks every 20 ms how much memory of this process no file stands behind (MB); Linux alone tells it."""
    seen, over = [0.0], threading.Event()

    def look() -> None:
        status = Path("/proc/self/status")
        while status.is_file() and not over.wait(0.02):
            found = next((line for line in status.read_text().splitlines() if line.startswith("RssAnon")), "- 0")
            seen.append(int(found.split()[1]) / 2**10)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def _runs(size: int, folder: Path, encoder: Path) -> dict[str, float]:
    """Of the command, as a user waits for it."""
    _store(size, folder)
    script = (
        "import sys; from benchmarks.cli import main; from benchmarks.meter import Meter\n"
        "meter = Meter(); main(sys.argv[1:]); print(meter.cost()['peak_memory_mb'])"
    )
    command = [sys.executable, "-c", script, "leaderboard", "--results-dir", str(folder / "results")]
    taken: dict[str, float] = {}
    for name in ("first time (s)", "seconds"):
        with _timed(taken, name):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {**taken, "MB": float(done.stdout.splitlines()[-1])}


def _labels(size: int, folder: Path, encoder: Path) -> dict[str, float]:
    from benchmarks.schema import Predictions
    from benchmarks.scoring import Named, Scoring

    task = text_task(folder, 10, tuple(f"label{number:04}" for number in range(size)))
    draw = np.random.default_rng(0)
    gold, predicted = (draw.integers(size, size=10_000) for _ in range(2))
    scores = draw.random((10_000, size), np.float32)
    ids = [f"test:{number}" for number in range(10_000)]
    named = Named.of(Predictions(ids, gold.tolist(), predicted.tolist(), scores), task.classes)
    taken: dict[str, float] = {}
    meter = Meter()
    with _timed(taken, "seconds"):
        Scoring.of(task).measure(named)
        Scoring.of(task).report(named)
    return {**taken, "MB": meter.cost()["peak_memory_mb"]}


def _pieces(size: int, folder: Path, encoder: Path) -> dict[str, float]:
    from benchmarks.data.loading import load
    from benchmarks.data.origins import origin_of
    from benchmarks.lock import Lock
    from benchmarks.recipes import Finetune
    from benchmarks.speed.loops import Work, ours

    task = text_task(folder, 64, ("negative", "positive"), words=size, max_length=size)
    data = load(task, origin_of(task, folder, {}), folder / "cache", Lock())
    found = ours(Work(data, encoder, Finetune(epochs=1), 64, folder / "cache"))
    return {"seconds": found.seconds, "ms a word piece": 1000 * found.seconds / (64 * size), "MB": found.peak_mb}


SIZES: dict[str, Callable[[int, Path, Path], dict[str, float]]] = {
    "rows": _rows,
    "runs": _runs,
    "labels": _labels,
    "pieces": _pieces,
}


def text_task(folder: Path, rows: int, labels: tuple[str, ...], words: int = 10, max_length: int = 64) -> Any:
    """A task of made-up texts, with a test split of its own."""
    from benchmarks.schema import Task

    draw = random.Random(0)  # no secret
    for part, count in (("train", rows), ("test", TEST_ROWS)):
        with (folder / f"{part}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["text", "label"])
            writer.writerows((" ".join(draw.choices(WORDS, k=words)), labels[i % len(labels)]) for i in range(count))
    files = {part: [{"path": f"{part}.csv"}] for part in ("train", "test")}
    source = {"folder": ".", "format": "csv", "columns": {"text": "text", "label": "label"}, "files": files}
    return Task.model_validate({
        "name": "growth", "title": "Growth", "group": "growth", "language": "en", "type": "text-classification",
        "metric": "accuracy", "labels": labels, "positive": labels[0] if len(labels) == 2 else None,
        "max_length": max_length, "splits": {"train": "train", "test": "test"}, "source": source,
    })  # fmt: skip


def _store(size: int, folder: Path) -> None:
    """So many runs: ten seeds of each of fifty systems on a task, then on the next; right on a share of the rows."""
    from benchmarks import store
    from benchmarks.data.loading import load
    from benchmarks.data.origins import origin_of
    from benchmarks.lock import Lock
    from benchmarks.recipes import Majority
    from benchmarks.runner import run
    from benchmarks.schema import Predictions, Protocol, RunSpec, System

    task = text_task(folder, TEST_ROWS, ("negative", "positive"))
    data = load(task, origin_of(task, folder, {}), folder / "cache", Lock())
    gold = np.array(data.splits["test"]["label"])
    draw = np.random.default_rng(0)

    def guess(job: Any) -> Predictions:
        scores = draw.normal(gold, 0.8)[:, None] * [-1, 1]
        return job.likeliest(scores)  # type: ignore[no-any-return]

    for number in range(size):
        on, rest = divmod(number, SYSTEMS * SEEDS)
        named = task.model_copy(update={"name": f"growth{on:02}"})
        system = System(name=f"system{rest // SEEDS:02}", method="majority")
        protocol = Protocol(seed=rest % SEEDS)
        identity = {"code": 1, "task": task.identity(), "data": {}, "method": "majority", "system": system.name,
                    "encoder": None, "recipe": {}, "protocol": protocol.identity()}  # fmt: skip
        spec = RunSpec(named, system, Majority(), protocol, identity)
        outcome, predictions = run(spec, data, None, folder / "cache", method=guess)
        store.save(folder / "results", spec, outcome, predictions)
