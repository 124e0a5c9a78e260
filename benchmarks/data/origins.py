"""Where a task's rows come from: published files in a folder, the Hub at a commit, or the embedded sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.errors import UserError, one_of, problems, unknown
from benchmarks.schema import File, Splits, Task

HOW_TO_GIVE = "Give the folder that holds {folder!r} with --data-dir (or ENCODER_BENCH_DATA)."


@dataclass(frozen=True)
class Origin:
    """One place of a task's rows, found without reading them.

    `identity` is what a run's fingerprint holds of the data; `splits` are the task's, or its fallback's where files are
    absent, and `not_comparable` is the reason why scores on them can't be set beside published ones.
    """

    kind: Literal["files", "hub", "sample"]
    folder: Path | None
    identity: dict[str, Any]
    summary: str
    splits: Splits
    not_comparable: str | None = None


def origin_of(task: Task, data_dir: Path | None, commits: Mapping[str, str]) -> Origin:
    """The first of: the sample that the task names, its files in `data_dir`, the Hub.

    `commits` is the lock: Hub path -> commit. Raises UserError that says what is missing and how to give it.
    """
    if task.sample:
        return _sample(task, task.sample)
    if data_dir is not None and not data_dir.is_dir():
        raise UserError(f"{data_dir}: {'not a folder' if data_dir.exists() else 'no such folder'} (--data-dir).")
    if origin := _files(task, data_dir):
        return origin
    if task.hub:
        return _hub(task, commits)
    raise _nowhere(task, data_dir)


def parts_of(splits: Splits) -> tuple[str, ...]:
    """The published parts that the splits are made of, each once: training first."""
    named = (splits.train, splits.validation, splits.test)
    return tuple(dict.fromkeys(part for part in named if isinstance(part, str)))


def files_of(task: Task, splits: Splits) -> dict[str, tuple[File, ...]]:
    """The published files of the parts in use."""
    return {part: task.source.files[part] for part in parts_of(splits)} if task.source else {}


# -- the three kinds -------------------------------------------------------------------------------------------------


def _sample(task: Task, corpus: str) -> Origin:
    from benchmarks.data.sample import CORPORA, SAMPLE_VERSION

    if corpus not in CORPORA:
        raise UserError(
            f"Task {task.name!r}: {unknown('sample corpus', corpus, list(CORPORA), one_of(CORPORA).strip())}"
        )
    identity = {"source": "sample", "corpus": corpus, "version": SAMPLE_VERSION}
    summary = f"embedded sample {corpus!r}, version {SAMPLE_VERSION}"
    return Origin("sample", None, identity, summary, task.splits, task.not_comparable)


def _files(task: Task, data_dir: Path | None) -> Origin | None:
    """The origin in the folder: the task's own splits, or its fallback's; None where files of both are absent."""
    if not (task.source and data_dir):
        return None
    folder = data_dir / task.source.folder
    if not _missing(task, task.splits, folder):
        identity = {"source": "files", "parts": _parts_identity(task, task.splits, folder)}
        return Origin("files", folder, identity, f"files in {folder}", task.splits, task.not_comparable)
    if task.fallback and not _missing(task, task.fallback.splits, folder):
        splits = task.fallback.splits
        identity = {"source": "files", "parts": _parts_identity(task, splits, folder), "splits": splits.identity()}
        reasons = [reason for reason in (task.not_comparable, task.fallback.not_comparable) if reason]
        return Origin("files", folder, identity, f"files in {folder}, fallback splits", splits, " ".join(reasons))
    return None


def _hub(task: Task, commits: Mapping[str, str]) -> Origin:
    assert task.hub
    commit = commits.get(task.hub.path)
    parts = {part: task.hub.parts[part] for part in parts_of(task.splits)}
    identity = {"source": "hub", **task.hub.identity(), "parts": parts, "commit": commit}
    config = f" ({task.hub.config})" if task.hub.config else ""
    summary = f"Hub {task.hub.path}{config} at {commit[:12] if commit else 'its newest commit, locked at download'}"
    return Origin("hub", None, identity, summary, task.splits, task.not_comparable)


# -- files -----------------------------------------------------------------------------------------------------------


def _missing(task: Task, splits: Splits, folder: Path) -> list[str]:
    paths = dict.fromkeys(file.path for files in files_of(task, splits).values() for file in files)
    return [path for path in paths if not (folder / path).is_file()]


def _parts_identity(task: Task, splits: Splits, folder: Path) -> dict[str, list[list[str | None]]]:
    """{part: [[sha256, label, member], ...]}: the declared checksum, which loading verifies, else the file's own."""
    return {
        part: [[file.sha256 or sha256(folder / file.path), file.label, file.member] for file in files]
        for part, files in files_of(task, splits).items()
    }


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None


def _nowhere(task: Task, data_dir: Path | None) -> UserError:
    return problems(f"Task {task.name!r}: no data", list(_why_nowhere(task, data_dir)))


def _why_nowhere(task: Task, data_dir: Path | None) -> Iterator[str]:
    if task.source is None:
        yield "the task has no 'source', no 'hub' and no 'sample'."
        return
    if data_dir is None:
        yield "no folder of published files was given, and the task has no copy on the Hub."
    elif not (data_dir / task.source.folder).is_dir():
        yield f"{data_dir / task.source.folder}: no such folder."
    else:
        folder = data_dir / task.source.folder
        for splits in [task.splits, *([task.fallback.splits] if task.fallback else [])]:
            absent, kind = _missing(task, splits, folder), "" if splits is task.splits else "fallback: "
            yield f"{kind}not in {folder}: {', '.join(absent)}."
    if task.homepage:
        yield f"The files come from {task.homepage}"
    yield HOW_TO_GIVE.format(folder=task.source.folder)
