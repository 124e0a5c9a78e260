"""Files of vectors: each row is known by the hash of its text, each file by that of its content."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from benchmarks.errors import UserError
from benchmarks.files import checksum, replacing

if TYPE_CHECKING:
    import pyarrow as pa

NAME = 32
"""Hex digits of a file's name."""
GIVEN_BACK_AFTER = 1000
"""Rows; their pages stay in the system's cache, and count as nobody's."""

Row: TypeAlias = str | Sequence[str]
"""A text, or its words."""


class Vectors(NamedTuple):
    """What is kept of a row. values: (tokens, width); cut: it was longer than the encoder reads at once."""

    key: bytes
    cut: bool
    seconds: float
    values: np.ndarray


class File(NamedTuple):
    """Columns of a memory-mapped file; the values of its row i are values[starts[i] : starts[i + 1]]."""

    cut: np.ndarray
    seconds: np.ndarray
    starts: np.ndarray
    values: np.ndarray
    mapped: mmap.mmap

    def give_back(self) -> None:
        """Else all that was read of it counts as the process' memory."""
        if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            self.mapped.madvise(mmap.MADV_DONTNEED)


class Place(NamedTuple):
    """A row of a file."""

    file: File
    number: int

    @property
    def values(self) -> np.ndarray:
        """Of all tokens, one after the other."""
        return self.file.values[self.file.starts[self.number] : self.file.starts[self.number + 1]]

    @property
    def cut(self) -> bool:
        return bool(self.file.cut[self.number])

    @property
    def seconds(self) -> float:
        return float(self.file.seconds[self.number])


class Sequences:
    """The vectors of each row, (tokens, width), in memory-mapped files: as good as no memory, however many rows."""

    def __init__(self, places: Sequence[Place], width: int, length: int) -> None:
        """length: pieces that the encoder reads at once."""
        self._places = places
        self._files = {id(place.file): place.file for place in places}.values()
        self._read = 0
        self.width = width
        self.length = length

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: int) -> np.ndarray:
        self._read += 1
        if self._read % GIVEN_BACK_AFTER == 0:
            for file in self._files:
                file.give_back()
        return self._places[row].values.reshape(-1, self.width)

    @property
    def cut_rows(self) -> int:
        return sum(place.cut for place in self._places)


def key_of(row: Row) -> bytes:
    """16 bytes that tell texts, or sequences of words, apart."""
    return hashlib.blake2b(json.dumps(row).encode(), digest_size=16).digest()


# -- reading ---------------------------------------------------------------------------------------------------------


def find(wanted: Collection[bytes], folder: Path) -> dict[bytes, Place]:
    """Where the rows of these keys are, of those that any whole file has."""
    found: dict[bytes, Place] = {}
    for path in sorted(folder.glob("*.arrow")):
        opened = _opened(path)
        if opened is None:
            continue
        batch, mapped = opened
        rows = {key: number for number, key in enumerate(batch.column("key").to_pylist()) if key in wanted}
        if rows and _is_whole(path):
            file = _columns(batch, mapped)
            found.update((key, Place(file, number)) for key, number in rows.items())
    return found


def _opened(path: Path) -> tuple[pa.RecordBatch, mmap.mmap] | None:
    import pyarrow as pa

    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return pa.ipc.open_file(pa.py_buffer(mapped)).get_batch(0), mapped
    except (OSError, ValueError, pa.ArrowException):  # gone, empty, or cut off
        return None


def _columns(batch: pa.RecordBatch, mapped: mmap.mmap) -> File:
    cut, seconds, vectors = (batch.column(name) for name in ("cut", "seconds", "vectors"))
    bits_as_bytes = cut.to_numpy(zero_copy_only=False)
    return File(bits_as_bytes, seconds.to_numpy(), vectors.offsets.to_numpy(), vectors.values.to_numpy(), mapped)


def _is_whole(path: Path) -> bool:
    """Whether the file is as it was written: its name is the hash of its content."""
    try:
        return checksum(path)[:NAME] == path.stem
    except UserError:  # gone
        return False


# -- writing ---------------------------------------------------------------------------------------------------------


def write(rows: Sequence[Vectors], folder: Path) -> None:
    """A file appears whole or not at all; that of another process that computes the same rows does no harm.

    Raises UserError.
    """
    content = _as_file(rows)
    name = hashlib.sha256(content).hexdigest()[:NAME]
    with replacing(folder / f"{name}.arrow") as temporary:
        temporary.write_bytes(content)


def _as_file(rows: Sequence[Vectors]) -> pa.Buffer:
    import pyarrow as pa

    starts = np.cumsum([0, *(row.values.size for row in rows)])
    columns = {
        "key": pa.array([row.key for row in rows], pa.binary(16)),
        "cut": pa.array([row.cut for row in rows]),
        "seconds": pa.array([row.seconds for row in rows]),
        "vectors": pa.LargeListArray.from_arrays(starts, np.concatenate([row.values.ravel() for row in rows])),
    }
    batch = pa.RecordBatch.from_pydict(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()
