"""What goes to another machine and back: rows and folders as bytes, which need no path of this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from benchmarks.encoders import checkpoint_files, sha256_of
from benchmarks.errors import UserError
from benchmarks.files import alone, replacing_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.data.loading import TaskData

Packed: TypeAlias = dict[str, np.ndarray]
"""Files by their path in a folder; bytes as arrays, which travel without being copied."""


def packed(folder: Path, files: Iterable[Path] | None = None) -> Packed:
    """These files of a folder, or all."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()] if files is None else files
    return {path.relative_to(folder).as_posix(): np.fromfile(path, np.uint8) for path in found}


def unpack(parcel: Mapping[str, np.ndarray], folder: Path) -> None:
    """Raises UserError where the disk takes no more."""
    try:
        for name, content in parcel.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            content.tofile(folder / name)
    except OSError as error:
        raise UserError(f"{folder}: can't be written: {error.strerror or error}.") from None


def packed_encoder(folder: Path) -> Packed:
    """All that can move a score: what `encoders.checkpoint_sha256` is the checksum of."""
    return packed(folder, checkpoint_files(folder))


def encoder_folder(sha256: str, files: Callable[[], Packed], cache: Path) -> Path:
    """The checkpoint of this checksum in the cache; written by one process a machine, where it isn't whole there.

    Raises UserError where it can't be.
    """
    folder = cache / "encoders" / sha256
    if not _is(folder, sha256):
        with alone(folder):
            if not _is(folder, sha256):
                with replacing_folder(folder) as temporary:
                    unpack(files(), temporary)
                if not _is(folder, sha256):
                    raise UserError(f"{folder}: an encoder was written, and can't be read back. Is the disk full?")
    return folder


def _is(folder: Path, sha256: str) -> bool:
    return sha256_of(checkpoint_files(folder)) == sha256


def without_paths(data: TaskData) -> TaskData:
    """The same rows in memory: a memory-mapped table travels as the path of its file."""
    from datasets import Dataset

    tables = {}
    for part, table in data.tables.items():
        data.content(part)  # once, not by every process that gets the rows
        tables[part] = Dataset(cast(Any, table.data.table), fingerprint=data.content(part))
    return replace(data, tables=tables)  # and without what has been cached of the mapped ones
