"""Files: what is in them, their checksum, and writing them whole or not at all."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedReader
from pathlib import Path

from benchmarks.errors import UserError

PART = ".part"
OLD = ".old"


def is_file(path: Path) -> bool:
    """As pathlib has it from Python 3.14 on: also False for a name that is too long, or in a folder that is closed."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """See `is_file`."""
    try:
        return path.is_dir()
    except OSError:
        return False


@contextmanager
def opened(path: Path, most: float = float("inf")) -> Iterator[BufferedReader]:
    """The bytes of a regular file of at most so many: a pipe or a device has no end. Raises UserError, also for what is
    raised while it is read.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{path}: can't be read: is {'a folder' if path.is_dir() else 'no regular file'}.")
        if found.st_size > most:
            raise UserError(f"{path}: {found.st_size:,} bytes; such a file has at most {most:,}.")
        with path.open("rb") as stream:
            yield stream
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UserError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes. Raises UserError."""
    with opened(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksum(path: Path) -> str:
    """The same, read once a process for each state of the file: weights and vectors take gigabytes. Its size and its
    times tell states apart; the time of its last change nobody can set.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return sha256(path)  # which says why
    return _sha256_at(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@cache
def _sha256_at(path: Path, *state: int) -> str:
    return sha256(path)


def read_bytes(path: Path, most: float) -> bytes:
    """The content of a file of at most so many bytes. Raises UserError."""
    with opened(path, most) as stream:
        return stream.read()


def read_text(path: Path, most: float) -> str:
    """The same of UTF-8."""
    try:
        path.stat()
        return read_bytes(path, most).decode()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None


def write_text(path: Path, text: str) -> None:
    """The whole text or nothing, also when the process is killed in the middle."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """No other process of this machine is in such a block for the same path of a cache: it waits, and finds what this
    one made.

    The lock ends with its process, however that ends; the file stays, since on a network file system those who wait
    would have the lock of a file that is gone. Raises UserError where it can't be written.
    """
    from filelock import FileLock

    # A cache may be shared by a group; a soft lock would not end with its process.
    lock = FileLock(path.with_name(f".{path.name[:40]}.lock"), mode=0o666, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:  # the last one of a file system that knows no locks
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path.parent}: the cache folder can't be written: {reason}") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` that takes its place once the block has filled it; not where it is empty then, or
    gone. Where it can't, the old one stays. No other process may do the same: what killed ones left is removed, but an
    old one that nothing has replaced (see `put_back`). Raises UserError where none can be made there, or put in place.
    """
    temporary = path.with_name(f"{_beginning(path)}{secrets.token_hex(4)}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        put_back(path)
        for left in path.parent.glob(f"{glob.escape(_beginning(path))}*"):
            shutil.rmtree(left, ignore_errors=True)
        temporary.mkdir()
    except OSError as error:
        raise UserError(f"{path.absolute()}: can't be written: {error.strerror or error}.") from error
    try:
        yield temporary
        if temporary.is_dir() and any(temporary.iterdir()):
            _put_in_place(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_in_place(temporary: Path, path: Path) -> None:
    """The old folder has the temporary one's name then, to be removed."""
    before = temporary.with_suffix(OLD)
    try:
        if path.is_dir():
            path.replace(before)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path.absolute()}: can't be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):  # else whoever comes next does it
            if not os.path.lexists(path):
                before.replace(path)
    with suppress(OSError):
        if before.is_symlink():  # the folder that it leads to is somebody's
            before.unlink()
        else:
            before.replace(temporary)  # half removed under its own name, it would once be put back


def put_back(path: Path) -> None:
    """Where nothing is: the folder that was there until a process was killed that was about to replace it. Raises
    OSError.
    """
    if not os.path.lexists(path):
        for before in path.parent.glob(f"{glob.escape(_beginning(path))}*{OLD}"):
            if before.is_dir() and not before.is_symlink():
                before.replace(path)
                return


def ignored_by_git(folder: Path) -> None:
    """Makes the folder one whose files no commit takes along."""
    if not (folder / ".gitignore").is_file():
        write_text(folder / ".gitignore", "*\n")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside `path` that takes its place once the block has filled it and it is on the disk.

    Where the block fails nothing is left of it. Other processes may do the same at the same time: the last one wins.
    Raises UserError where the disk is full, or nobody may write there.
    """
    with _beside(path) as temporary:
        yield temporary
        _sync(temporary)
        temporary.replace(path)


@contextmanager
def replacing_two(first: Path, second: Path) -> Iterator[tuple[Path, Path]]:
    """As `replacing` of two files, of which the second vouches for the first: it never stands beside another one's.

    The old ones stay until both new ones are on the disk. A kill or an error between the three steps leaves no second
    file.
    """
    with _beside(second) as of_second, _beside(first) as of_first:
        yield of_first, of_second
        _sync(of_first)
        _sync(of_second)
        second.unlink(missing_ok=True)
        of_first.replace(first)
        of_second.replace(second)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """An empty file that is to take the path's place; see `replacing`."""
    temporary = path.with_name(f"{_beginning(path)}{secrets.token_hex(4)}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)  # with the rights that the umask leaves, as tempfile's would not have
        yield temporary
    except OSError as error:
        raise UserError(f"{path.absolute()}: can't be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):  # where the folder is no folder, or gone
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def sweep(path: Path) -> None:
    """Removes what killed processes left of `path`; not while another one may be writing it."""
    for left in path.parent.glob(f"{glob.escape(_beginning(path))}*{PART}"):
        left.unlink(missing_ok=True)


def _beginning(path: Path) -> str:
    """Of the names of what is to take its place; of no other one's."""
    return f".{path.name[:40]}-{hashlib.sha256(path.name.encode()).hexdigest()[:8]}-"
