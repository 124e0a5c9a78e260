"""Stored predictions as they have to be: of a size that their file can hold, whole, and of the task's labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.errors import short
from benchmarks.schema import TAGS, tags_of

if TYPE_CHECKING:
    import pyarrow as pa

MOST_TIMES = 2000
"""A file's size, once it is in memory: row ids differ and take one or two bytes each; a bomb repeats one value."""
ALWAYS = 100_000_000
ROWS = 50_000
"""Read at a time. What a file says of its own size is not asked: Arrow ends the process where that is torn."""


def read_table(path: Path) -> pa.Table:
    """Raises ValueError for a file that would fill the memory, OSError or Arrow's errors for one that can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    left = ALWAYS + MOST_TIMES * path.stat().st_size
    with pq.ParquetFile(path) as file:
        batches = []
        for batch in file.iter_batches(ROWS):
            left -= batch.nbytes
            if left < 0:
                raise ValueError("holds more than such a small file can")
            batches.append(batch)
        return pa.Table.from_batches(batches, file.schema_arrow)


def check_content(table: pa.Table, task: Mapping[str, Any]) -> None:
    """Raises ValueError for columns that no run writes. task: its definition when the run was made."""
    import pyarrow as pa

    name = pa.list_(pa.string()) if task["type"] == TAGS else pa.string()
    types = {"row_id": pa.string(), "gold": name, "predicted": name}
    for column, expected in types.items():
        if column not in table.column_names:
            raise ValueError(f"has no column {column!r}")
        if (found := table.schema.field(column).type) != expected:
            raise ValueError(f"{column} is {found}, expected {expected}")
        _check_whole(column, table.column(column))
    allowed = tags_of(task["labels"], task["scheme"]) if task["type"] == TAGS else task["labels"]
    for column in ("gold", "predicted"):
        _check_names(column, table.column(column), allowed)
    if task["type"] == TAGS:
        _check_lengths(table)
    for column, shape in {"scores": pa.list_(pa.float16(), len(allowed)), "silhouette": pa.float32()}.items():
        if column in table.column_names:
            _check_numbers(column, table.column(column), shape)


def _check_whole(name: str, column: pa.ChunkedArray) -> None:
    import pyarrow as pa

    inner = column.combine_chunks().flatten() if pa.types.is_list(column.type) else column
    if column.null_count or inner.null_count:
        raise ValueError(f"{name} has gaps")
    column.validate(full=True)  # bytes that are no text


def _check_names(name: str, column: pa.ChunkedArray, allowed: Any) -> None:
    import pyarrow as pa

    inner = column.combine_chunks().flatten() if pa.types.is_list(column.type) else column
    if strange := set(inner.unique().to_pylist()) - set(allowed):
        raise ValueError(f"{name} {short(min(strange))} is no label of its task")


def _check_lengths(table: pa.Table) -> None:
    import pyarrow.compute as pc

    gold, predicted = (pc.list_value_length(table.column(name)) for name in ("gold", "predicted"))
    if not pc.all(pc.equal(gold, predicted)).as_py() and len(table):
        raise ValueError("a row has more tags in gold than in predicted, or fewer")


def _check_numbers(name: str, column: pa.ChunkedArray, expected: pa.DataType) -> None:
    import numpy as np
    import pyarrow as pa

    if column.type != expected:
        raise ValueError(f"{name} is {column.type}, expected {expected}")
    flat = column.combine_chunks().flatten() if pa.types.is_fixed_size_list(column.type) else column.combine_chunks()
    if column.null_count or flat.null_count or not np.isfinite(flat.to_numpy(zero_copy_only=False)).all():
        raise ValueError(f"{name} has gaps, or infinite numbers")
