"""Raw rows -> memory-mapped Arrow tables of ids, written once for each content and used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmarks.data.records import Row, TagRow
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.files import alone, replacing
from benchmarks.schema import TAGS, Task

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset, Features

TABLES_VERSION = 2
"""Raised whenever a reader, or what is written here, gives another table of the same files: old tables are then unused.
A test holds what each format gives."""

BATCH = 1000
"""Rows in memory while a table is written."""


# -- ids -------------------------------------------------------------------------------------------------------------


def encoded(rows: Iterable[Row], task: Task, part: str, start: int, where: object) -> Iterator[dict[str, Any]]:
    """Rows with `row_id` and ids: {"row_id", "text", "label"} or {"row_id", "tokens", "tags"}.

    A row's id is its part and its number in it from 0, over the part's files in order and without rows of a dropped
    label; `start` is the first number.
    Raises UserError at a label that is none of the task's.
    """
    ids = _Ids(task)
    kept = (row for row in rows if isinstance(row, TagRow) or row.label not in task.dropped)
    for number, row in enumerate(kept, start):
        row_id = f"{part}:{number}"
        if isinstance(row, TagRow):
            published = _parted(row.tags, task.label_map) if task.scheme == "IOB2" else row.tags
            tags = [ids.of(tag, where, line) for tag, line in zip(published, row.lines, strict=True)]
            yield {"row_id": row_id, "tokens": row.tokens, "tags": tags}
        else:
            yield {"row_id": row_id, "text": row.text, "label": ids.of(row.label, where, row.place)}


def _parted(tags: list[str], renames: Mapping[str, str]) -> list[str]:
    """With B- for an I- behind another type that is renamed to the same: two entities of IOB1 would become one."""
    if not renames:
        return tags
    parted = list(tags)
    for at, (before, tag) in enumerate(pairwise(tags), 1):
        one, other = before[2:], tag[2:]
        if tag[:2] == "I-" and one and one != other and renames.get(one, one) == renames.get(other, other):
            parted[at] = f"B-{other}"
    return parted


class _Ids:
    """Published label or tag -> id, after the task's `label_map`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._ids = {name: number for number, name in enumerate(task.classes)}
        self._known: dict[str, int] = {}

    def of(self, published: str, where: object, place: object) -> int:
        if published not in self._known:
            self._known[published] = self._find(published, f"{where}:{place}")
        return self._known[published]

    def _find(self, published: str, where: str) -> int:
        name = self._renamed(published)
        if name not in self._ids:
            allowed = (*self._task.label_map, *self._ids)
            kind = "tag" if self._task.type == TAGS else "label"
            renamed = "" if name == published else f" (label_map: {name!r})"
            raise UserError(
                f"{where}: {published!r}{renamed} is no {kind} of {self._task.name}."
                f"{nearest(published, allowed)}{one_of(allowed)}"
            )
        return self._ids[name]

    def _renamed(self, published: str) -> str:
        renames = self._task.label_map
        if self._task.type != TAGS or published == "O":
            return renames.get(published, published)
        return published[:2] + renames.get(published[2:], published[2:])


# -- Arrow -----------------------------------------------------------------------------------------------------------


def features(task: Task) -> Features:
    from datasets import Features, List, Value

    if task.type == TAGS:
        return Features({"row_id": Value("string"), "tokens": List(Value("string")), "tags": List(Value("int64"))})
    return Features({"row_id": Value("string"), "text": Value("string"), "label": Value("int64")})


def in_memory(rows: Iterable[Mapping[str, Any]], task: Task) -> Dataset:
    """A small table that is made anew each time."""
    import pyarrow as pa
    from datasets import Dataset

    schema = features(task).arrow_schema
    return Dataset(cast(Any, pa.Table.from_batches(_batches(rows, schema), schema)))


def cached(rows: Callable[[], Iterable[Mapping[str, Any]]], task: Task, content: Any, cache_dir: Path) -> Dataset:
    """The memory-mapped table of `rows`, which are read only where no table of this content is in the folder.

    `content` is everything that the rows depend on beside the task's classes and our code, as JSON values.
    """
    schema = features(task).arrow_schema
    return kept(cache_dir / f"{_key(content, task)}.arrow", schema, lambda: _batches(rows(), schema))


def kept(path: Path, schema: pa.Schema, batches: Callable[[], Iterable[pa.RecordBatch]]) -> Dataset:
    """The memory-mapped table at the path, named by its content; written where it isn't there.

    Safe beside other processes: a table appears whole or not at all, and one of them alone makes it.
    Raises UserError where the folder can't be written.
    """
    if (table := _mapped(path)) is None:
        with alone(path):
            if (table := _mapped(path)) is None:
                _write(batches(), schema, path)
                table = _mapped(path)
    if table is None:
        raise UserError(f"{path}: written, and can't be read back. Is the disk full, or was the folder cleared?")
    return table


def _key(content: Any, task: Task) -> str:
    known: dict[str, Any] = {"type": task.type, "classes": list(task.classes), "label_map": task.label_map}
    if task.dropped:
        known["dropped"] = list(task.dropped)
    return hashlib.sha256(json.dumps([TABLES_VERSION, content, known], sort_keys=True).encode()).hexdigest()[:32]


def _mapped(path: Path) -> Dataset | None:
    import pyarrow as pa
    from datasets import Dataset

    if not path.is_file():
        return None
    try:
        return Dataset.from_file(str(path))
    except (OSError, pa.ArrowInvalid):  # not there, or cut off: to be written (again)
        return None


def _write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> None:
    import pyarrow as pa

    # Never half a table: a stream that is cut between two batches would read as a shorter one.
    with replacing(path) as temporary, temporary.open("wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _batches(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    left = iter(rows)
    while some := list(islice(left, BATCH)):
        yield pa.RecordBatch.from_pylist(some, schema=schema)


def content_of(table: Dataset) -> str:
    """sha256 over the rows of a whole table without their ids."""
    import pyarrow as pa

    digest = hashlib.sha256()
    named = table.data.table.drop_columns(["row_id"])
    for batch in named.to_batches(max_chunksize=BATCH):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, named.schema.remove_metadata()) as writer:
            writer.write_batch(batch.replace_schema_metadata(None))
        digest.update(sink.getvalue())
    return digest.hexdigest()
