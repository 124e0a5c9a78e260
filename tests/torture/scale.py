"""What a head has to do for 100,000 runs on 1,000 GPUs: plan them, store what comes, read it again, write the tables.

    python -m torture.scale --runs 100000

The runs are made up: 200 tasks x 50 systems x 10 seeds, each with predictions for 200 test rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent)]

from benchmarks import plan, store  # noqa: E402  beside this package
from benchmarks.data.loading import load  # noqa: E402
from benchmarks.data.origins import origin_of  # noqa: E402
from benchmarks.history import History  # noqa: E402
from benchmarks.leaderboard import write  # noqa: E402
from benchmarks.lock import Lock  # noqa: E402
from benchmarks.runner import run  # noqa: E402
from benchmarks.schema import Predictions, Protocol, RunSpec, System  # noqa: E402
from benchmarks.speed.growth import TEST_ROWS, text_task  # noqa: E402

SYSTEMS, SEEDS = 50, 10


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into[name] = round(time.perf_counter() - start, 2)


def planned(folder: Path, runs: int) -> plan.Plan:
    task = text_task(folder, TEST_ROWS, ("negative", "positive"))
    tasks = [task.model_copy(update={"name": f"task{number:03}"}) for number in range(runs // (SYSTEMS * SEEDS))]
    systems = [System(name=f"system{number:02}", method="tfidf", recipe={"c": 1 + number}) for number in range(SYSTEMS)]
    protocols = [Protocol(seed=seed) for seed in range(SEEDS)]
    return plan.plan(tasks, systems, protocols, {task.name: {"sha256": "0"} for task in tasks}, {})


def stored(folder: Path, runs: list[RunSpec]) -> None:
    task = runs[0].task
    data = load(task, origin_of(task, folder, {}), folder / "cache", Lock())
    gold, draw = np.array(data.splits["test"]["label"]), np.random.default_rng(0)
    guessed = draw.normal(gold, 0.8)[:, None] * [-1, 1]
    first, _ = run(runs[0], data, None, folder / "cache", method=lambda job: job.likeliest(guessed))
    for spec in runs:
        scores = draw.normal(gold, 0.8)[:, None] * [-1, 1]
        predictions = Predictions(list(data.splits["test"]["row_id"]), gold.tolist(), scores.argmax(axis=1).tolist(),
                                  scores.astype(np.float32))  # fmt: skip
        own = {"task": spec.task.name, "system": spec.system.name, "seed": spec.protocol.seed, "key": spec.key,
               "fingerprint": spec.fingerprint, "identity_": spec.identity,
               "metrics": {**first.metrics, "accuracy": float((predictions.predicted == gold).mean())}}  # fmt: skip
        store.save(folder / "results", spec, first.model_copy(update=own), predictions)


def scale(folder: Path, runs: int) -> dict[str, float]:
    taken: dict[str, float] = {"runs": runs}
    with timed(taken, "plan (s)"):
        grid = planned(folder, runs)
    with timed(taken, "names and fingerprints (s)"):
        paths = {spec.path for spec in grid.runs}
    assert len(paths) == runs
    with timed(taken, "store (s)"):
        stored(folder, list(grid.runs))
    taken["stored a second"] = round(runs / taken["store (s)"], 1)
    with timed(taken, "what is left to do, of all that is stored (s)"):
        history = History(store.read_runs(folder / "results"))
        assert not [spec for spec in grid.runs if not history.done(spec)]
    for name in ("leaderboards, the first time (s)", "leaderboards, again (s)"):
        with timed(taken, name):
            write(folder / "results")
    taken["files (MB)"] = round(sum(path.stat().st_size for path in (folder / "results").rglob("*.*")) / 2**20)
    taken["peak memory (MB)"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(scale(Path(folder), asked.runs), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
