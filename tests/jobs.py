"""One job on a few rows, for tests that look at what a method does on its way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import make

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_task
from benchmarks.lock import Lock
from benchmarks.meter import Meter
from benchmarks.methods import Job
from benchmarks.schema import Protocol, Recipe

VOCABULARY = [" ".join((*make.GOOD, *make.BAD, *make.PEOPLE, *make.PLACES, *make.OTHER))]


def job(
    folder: Path, encoder: Path | None, recipe: Recipe, write: Callable[[Path], Path] = make.text_task, **protocol: int
) -> Job:
    """A job on the task that `write` writes to the folder."""
    task = load_task(write(folder))
    data = load(task, origin_of(task, folder / "data", {}), folder / "tables", Lock())
    wanted = Protocol(**protocol)
    return Job(task, recipe, wanted.seed, select(data, wanted), encoder, folder / "cache", Meter())


def few_positive(folder: Path) -> Path:
    """As make.text_task, and only every fourth training row is positive."""
    path = make.text_task(folder)
    file = folder / "data" / "mine" / "train.csv"
    head, *rows = file.read_text().splitlines()
    bad = rows[::2]
    rows = [row if i % 4 == 1 else bad[i // 2] for i, row in enumerate(rows)]
    file.write_text("\n".join([head, *rows]) + "\n")
    return path


def three_classes(folder: Path) -> Path:
    """As make.text_task, and every third row is about a place."""
    path = make.text_task(folder, labels="[negative, positive, place]", positive="null")
    for file in (folder / "data" / "mine").glob("*.csv"):
        head, *rows = file.read_text().splitlines()
        for i in range(0, len(rows), 3):
            rows[i] = f"{make.PLACES[i % 3]} {make.PLACES[i % 2]} the,place"
        file.write_text("\n".join([head, *rows]) + "\n")
    return path


def with_validation(folder: Path, rows: str) -> Path:
    """As make.text_task, with these rows ('text,label' each) as a validation split."""
    path = make.text_task(
        folder,
        splits="{train: train, validation: validation, test: test}",
        source="{folder: mine, format: csv, columns: {text: text, label: label}, files: {train: [{path: train.csv}], "
        "validation: [{path: validation.csv}], test: [{path: test.csv}]}}",
    )
    lines = [line for line in path.read_text().splitlines() if not line.startswith("  ")]
    path.write_text("\n".join(lines) + "\n")
    (folder / "data" / "mine" / "validation.csv").write_text(f"text,label\n{rows}\n")
    return path
