"""Excerpts of some test rows of a task, for the report."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from benchmarks import excerpts
from benchmarks.data.loading import TaskData


def take(results: Path, data: TaskData, wanted: Collection[str]) -> None:
    """Stores those of the rows that are wanted, and no others: what is stored follows what the report shows."""
    path = excerpts.path(results, data.task.name, *data.fingerprints)
    there = excerpts.read(path)
    found = {row: there[row] if row in there else excerpts.of(data.read(row)) for row in wanted}
    if found and found != there:
        excerpts.save(path, found)
