"""RESULTS/unfinished, what runs leave while they are made: a lock that their process holds, and their checkpoints."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks import store
from benchmarks.errors import UserError
from benchmarks.files import ignored_by_git, sweep, write_text
from benchmarks.schema import RunResult, RunSpec

FOLDER = "unfinished"
HALVED = "without-memory-"
TRIAL = "trial-"


def folder(results: Path, spec: RunSpec) -> Path:
    """Of the run's checkpoints."""
    return results / FOLDER / (f"{TRIAL}{spec.key}" if spec.trial else spec.key)


def halvings(results: Path, spec: RunSpec) -> int:
    """How often the run has been without the memory, as `halve` remembers it."""
    return len(list(folder(results, spec).glob(f"{HALVED}*")))


def halve(results: Path, spec: RunSpec, times: int) -> None:
    """The next try of the run computes half as many rows at once."""
    write_text(folder(results, spec) / f"{HALVED}{times}", "")


def clear(results: Path, spec: RunSpec) -> None:
    """It has an outcome: there is nothing to go on from."""
    shutil.rmtree(folder(results, spec), ignore_errors=True)


def sweep_done(results: Path) -> None:
    """Removes what is left of runs that a killed process had stored already."""
    for name in {path.name.removesuffix(".lock") for path in (results / FOLDER).glob("*seed*")}:
        if _is_done(results, name):
            with _locked(results, name, wait=False) as mine:
                if mine:
                    shutil.rmtree(results / FOLDER / name, ignore_errors=True)


def _is_done(results: Path, name: str) -> bool:
    key, where = name.removeprefix(TRIAL), results / "trials" if name.startswith(TRIAL) else store.runs_folder(results)
    with suppress(UserError):
        return any(isinstance(store.parse(path), RunResult) for path in where.glob(f"*/*/{glob.escape(key)}.json"))
    return False


@contextmanager
def claimed(results: Path, spec: RunSpec, wait: bool) -> Iterator[bool]:
    """Whether this process may make the run: until the block ends, no other one that writes to these results does.

    wait: until the other is done. The lock ends with its process, however that ends; what a killed one left of the
    run's files is removed. Raises UserError where the folder can't be written.
    """
    with _locked(results, folder(results, spec).name, wait) as mine:
        for left in (
            (store.path_of(results, spec), store.path_of(results, spec).with_suffix(".parquet")) if mine else ()
        ):
            sweep(left)
        yield mine


@contextmanager
def alone(results: Path) -> Iterator[None]:
    """No other process is in such a block for the same results: it waits."""
    with _locked(results, "leaderboards", wait=True):
        yield


@contextmanager
def _locked(results: Path, name: str, wait: bool) -> Iterator[bool]:
    from filelock import FileLock, Timeout

    path = results / FOLDER / f"{name}.lock"
    try:
        ignored_by_git(path.parent)
        lock = FileLock(path, fallback_to_soft=False)  # a soft one would not end with its process
        lock.acquire(blocking=wait)
    except Timeout:
        yield False
        return
    except (OSError, NotImplementedError) as error:  # the last one of a file system that knows no locks
        raise UserError(f"{path}: can't be written: {getattr(error, 'strerror', None) or error}.") from None
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)  # while it is held: whoever waits for this file sees that it is gone
        lock.release()
