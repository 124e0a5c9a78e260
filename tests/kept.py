"""Stored runs of made-up systems on a small task's real files."""

from __future__ import annotations

from pathlib import Path

import make
import numpy as np

from benchmarks import store
from benchmarks.compare import compared
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_task
from benchmarks.lock import Lock
from benchmarks.plan import recipe_identity
from benchmarks.recipes import RECIPES, vectors
from benchmarks.runner import run
from benchmarks.schema import Predictions, Protocol, RunSpec, System

ROWS = 60


class Kept:
    """A results folder with runs of made-up systems on the 60 test rows of a small task."""

    def __init__(self, folder: Path, write=make.text_task, **task) -> None:
        self.results, self.folder = folder / "results", folder
        self.task = load_task(write(folder, **task))
        self.data = load(self.task, origin_of(self.task, folder / "data", {}), folder / "tables", Lock())

    @property
    def gold(self) -> np.ndarray:
        return np.array(self.data.splits["test"]["label"])

    def run(self, system, predicted, seed=0, scores=None, method="majority", recipe=None, **protocol) -> None:
        """Stores a run of a system that says this; predicted: (rows,), or a function of the job. method, recipe, and
        encoder and code among the rest: what its record says that it is.
        """

        def says(job) -> Predictions:
            return predicted(job) if callable(predicted) else job.predictions(list(map(int, predicted)), scores)

        encoder, code = protocol.pop("encoder", None), protocol.pop("code", 1)
        made_by = RECIPES[method](**(recipe or {}))
        identity = {"code": code, "task": self.task.identity(), "data": dict(self.data.origin.identity)}
        identity |= {
            "system": system,
            "method": method,
            "encoder": encoder,
            "recipe": recipe_identity(
                made_by, self.task.type, {f: vectors.content(f) for f in vectors.named([made_by])}
            ),
        }
        spec = RunSpec(
            self.task, System(name=system, method=method), made_by, Protocol(seed=seed, **protocol), identity
        )
        spec.identity["protocol"] = spec.protocol.identity()
        result, predictions = run(spec, self.data, None, self.folder / "cache", method=says)
        assert result.status == "done", result.error["traceback"]
        store.save(self.results, spec, result, predictions)

    def compared(self, first: str = "good", second: str = "poor", metric: str | None = None):
        return compared(self.results, self.task.name, first, second, metric)


def flipped(gold: np.ndarray, *rows: int) -> np.ndarray:
    predicted = gold.copy()
    predicted[list(rows)] = 1 - gold[list(rows)]
    return predicted
