"""A published file's bytes, unpacked where they are packed, and never more of them than a text can be packed into."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.errors import UserError
from benchmarks.files import is_file

PACKED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open, b"\x5d\x00\x00\x80": lzma.open,
}  # fmt: skip
"""How a file begins -> what unpacks it, whatever its name."""
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What a file that is cut or damaged raises while it is read."""

MOST_TIMES = 200
"""A packed file's size, once it is unpacked: texts take 3 to 20 times it, a bomb of zeros a thousand and more."""
ALWAYS = 12 * 1024 * 1024
"""Bytes that any packed file may hold."""
CHUNK = 1024 * 1024


class Opened(io.RawIOBase):
    """The bytes of a file. left: how many may still be read; who sets it says why there can't be more."""

    def __init__(self, path: Path, stream: IO[bytes], packed: bool) -> None:
        self._path, self._stream, self.packed = path, stream, packed
        self.left = float("inf")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        self.left -= len(found)
        if self.left < 0:
            raise UserError(f"{self._path}: the archive has a header larger than 1 MiB; refused.")
        return len(found)

    def close(self) -> None:
        self._stream.close()
        super().close()


def opened(path: Path) -> Opened:
    """Raises UserError where it can't be opened, or unpacks to more than a text would."""
    try:
        if path.exists() and not is_file(path):  # a pipe would be waited for
            raise UserError(f"{path}: can't be read: is no file.")
        with path.open("rb") as stream:
            begins = stream.read(6)
        unpack = next((unpack for sign, unpack in PACKED.items() if begins.startswith(sign)), None)
        if unpack is None:
            return Opened(path, path.open("rb"), packed=False)
        _check_size(path, unpack)
        return Opened(path, cast(IO[bytes], unpack(path)), packed=True)
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None


def _check_size(path: Path, unpack: Callable[[Path], Any]) -> None:
    """Before any row is made of it, which takes a hundred times as long."""
    left = max(ALWAYS, MOST_TIMES * path.stat().st_size)
    with contextlib.suppress(*DAMAGED), unpack(path) as stream:  # damage is told where the rows end
        while left >= 0 and (found := stream.read(CHUNK)):
            left -= len(found)
    if left < 0:
        raise UserError(f"{path}: unpacks to more than {MOST_TIMES} times its size, as no text does.")
