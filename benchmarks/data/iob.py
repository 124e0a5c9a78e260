"""Tags of IOB1, where B- only parts neighbours of one type, as IOB2, where every entity begins with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from benchmarks.schema import TAGS, Task

if TYPE_CHECKING:
    from datasets import Dataset


def as_iob2(table: Dataset, task: Task) -> tuple[Dataset, int]:
    """The table with B- for every I- that continues no entity of its type, and how many these were.

    Read strictly, such an entity is none: nobody would be asked to find it. A table without any is given back as it is.
    """
    if task.type != TAGS or task.scheme != "IOB2":
        return table, 0
    chunks = [_flat(chunk) for chunk in table.data.column("tags").chunks]
    strays = [_strays(*flat) for flat in chunks]
    count = sum(int(found.sum()) for found in strays)
    if count == 0:
        return table, 0
    begun = [(tags - found, begins) for (tags, begins), found in zip(chunks, strays, strict=True)]
    return _with_tags(table, begun), count


def _flat(chunk: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of an Arrow array of lists: the tags of all words, and where each row begins among them; last, where all end."""
    offsets = chunk.offsets.to_numpy()
    return chunk.flatten().to_numpy(zero_copy_only=False), offsets - offsets[0]


def _strays(tags: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Which words: bool, shape (words,). The id of O is 0, of a B- odd, and one more of its I-."""
    before = np.roll(tags, 1)
    before[begins[begins < len(tags)]] = 0
    found: np.ndarray = (tags > 0) & (tags % 2 == 0) & (before != tags) & (before != tags - 1)
    return found


def _with_tags(table: Dataset, chunks: list[tuple[np.ndarray, np.ndarray]]) -> Dataset:
    """Those tags are in memory, all else stays where it is."""
    import pyarrow as pa
    from datasets import Dataset

    old = table.data.table
    place = old.schema.get_field_index("tags")
    field = old.schema.field(place)
    lists = [pa.ListArray.from_arrays(pa.array(begins), pa.array(tags), type=field.type) for tags, begins in chunks]
    begun = old.set_column(place, field, pa.chunked_array(lists, type=field.type))
    return Dataset(cast(Any, begun), fingerprint=f"{table._fingerprint}-iob2")  # else all of it is hashed
