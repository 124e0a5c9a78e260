"""Where a task's rows come from: published files in a folder, the Hub at a commit, or the embedded sample.

An origin is found without reading rows. Every kind has the same members:

    identity        what a run's fingerprint holds of the data
    provenance      what a stored run says of their source
    summary         the same in words
    splits          the task's, or its fallback's where files are absent
    not_comparable  why scores on these data can't be set beside published ones, or None
    pieces(locked)  part -> how its rows are read, piece by piece; raises UserError where they are not the planned ones
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from benchmarks.data import hub as hub_data
from benchmarks.data.readers import READERS
from benchmarks.data.records import Row, TagRow, TextRow
from benchmarks.data.sample import CORPORA, SAMPLE_VERSION
from benchmarks.errors import UserError, one_of, unknown
from benchmarks.files import is_file, is_folder, sha256
from benchmarks.lock import Lock, Repo
from benchmarks.schema import File, Hub, Source, Splits, Task

HOW_TO_GIVE = "Give the folder that holds {folder!r} with --data-dir (or ENCODER_BENCH_DATA)."


@dataclass(frozen=True)
class Piece:
    """Rows that are read in one go.

    where: their place, for messages; content: all that they depend on, as JSON values, or None where they are cheap to
    make anew; declared: what is known of a file.
    """

    where: str
    rows: Callable[[], Iterator[Row]]
    content: Any = None
    declared: File | None = None


Pieces: TypeAlias = dict[str, list[Piece]]


# -- published files -------------------------------------------------------------------------------------------------


class Planned(NamedTuple):
    """A file and the checksum that it has to have: the declared one, else that of the file when the run was planned."""

    file: File
    sha256: str

    def identity(self) -> list[str | None]:
        return [self.sha256, self.file.label, self.file.member]


@dataclass(frozen=True)
class FilesOrigin:
    """Published files in a folder; `files`: part -> its files in order."""

    source: Source
    folder: Path
    files: dict[str, tuple[Planned, ...]]
    splits: Splits
    not_comparable: str | None
    is_fallback: bool

    @property
    def identity(self) -> dict[str, Any]:
        parts = {part: [planned.identity() for planned in files] for part, files in self.files.items()}
        own_splits = {"splits": self.splits.identity()} if self.is_fallback else {}
        return {"source": "files", "parts": parts, **own_splits}

    @property
    def provenance(self) -> dict[str, Any]:
        return {"source": "files", "sha256": {planned.file.path: planned.sha256 for planned in self._all()}}

    @property
    def summary(self) -> str:
        return f"files in {self.folder}{', fallback splits' if self.is_fallback else ''}"

    def pieces(self, locked: Lock) -> Pieces:
        """Verified by the checksums of the plan."""
        paths = dict.fromkeys(planned.file.path for planned in self._all())  # one archive may be several pieces
        found = {path: sha256(self.folder / path) for path in paths}
        for file, expected in self._all():
            if found[file.path] != expected:
                which = "declared by the task" if file.sha256 else "of the file when the run was planned"
                path, digest = self.folder / file.path, found[file.path]
                raise UserError(f"{path}: not the published file: sha256 {digest}, expected {expected} ({which}).")
        return {part: [self._piece(planned) for planned in files] for part, files in self.files.items()}

    def _piece(self, planned: Planned) -> Piece:
        path = self.folder / planned.file.path
        rows = partial(READERS[self.source.format], path, planned.file, self.source)
        return Piece(str(path), rows, [self.source.identity(), planned.identity()], planned.file)

    def _all(self) -> list[Planned]:
        return [planned for files in self.files.values() for planned in files]


# -- the Hub ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HubOrigin:
    """A data set on the Hub; `commit` is None as long as only the Hub knows it."""

    task: Task
    hub: Hub
    commit: str | None

    @property
    def repo(self) -> Repo:
        return hub_data.repo_of(self.hub)

    @property
    def splits(self) -> Splits:
        return self.task.splits

    @property
    def not_comparable(self) -> str | None:
        return self.task.not_comparable

    @property
    def identity(self) -> dict[str, Any]:
        parts = {part: self.hub.parts[part] for part in parts_of(self.splits)}
        return {"source": "hub", **self.hub.identity(), "parts": parts, "commit": self.commit}

    @property
    def provenance(self) -> dict[str, Any]:
        return {"source": "hub", "revision": self.commit}

    @property
    def summary(self) -> str:
        commit = self.commit[:12] if self.commit else "its newest commit, locked at download"
        return f"{hub_data.place(self.hub)} at {commit}"

    def pieces(self, locked: Lock) -> Pieces:
        """Fetched, and verified by the checksums of the lock, if it has any."""
        assert self.commit, "only a plan that is not run may do without: see Search.places"
        folder = hub_data.fetch(self.hub, self.commit, locked.entry(self.repo)).folder
        return {part: [self._piece(part, folder)] for part in parts_of(self.splits)}

    def _piece(self, part: str, folder: Path) -> Piece:
        rows = partial(hub_data.rows, self.task.name, self.task.type, self.hub, part, folder)
        return Piece(f"{hub_data.place(self.hub)}, {self.hub.parts[part]}", rows, [self.identity])


# -- the sample ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SampleOrigin:
    """An embedded corpus by its name."""

    corpus: str
    splits: Splits
    not_comparable: str | None

    @property
    def identity(self) -> dict[str, Any]:
        return {"source": "sample", "corpus": self.corpus, "version": SAMPLE_VERSION}

    @property
    def provenance(self) -> dict[str, Any]:
        return {"source": "sample", "revision": SAMPLE_VERSION}

    @property
    def summary(self) -> str:
        return f"embedded sample {self.corpus!r}, version {SAMPLE_VERSION}"

    def pieces(self, locked: Lock) -> Pieces:
        return {part: [self._piece(part)] for part in parts_of(self.splits)}

    def _piece(self, part: str) -> Piece:
        return Piece(f"sample {self.corpus}, {part}", lambda: _as_rows(CORPORA[self.corpus].rows(part)))


def _as_rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    for number, record in enumerate(records):
        if "tokens" in record:
            yield TagRow([number] * len(record["tokens"]), list(record["tokens"]), list(record["tags"]))
        else:
            yield TextRow(number, record["text"], str(record["label"]))


# -- finding it ------------------------------------------------------------------------------------------------------


Origin: TypeAlias = FilesOrigin | HubOrigin | SampleOrigin


def origin_of(task: Task, data_dir: Path | None, commits: Mapping[str, str]) -> Origin:
    """The first of: the sample that the task names, its files in `data_dir`, the Hub.

    `commits`: Hub path -> commit. Raises UserError that says what is missing and how to give it.
    """
    if task.sample:
        return _sample(task, task.sample)
    if data_dir is not None and not data_dir.is_dir():
        raise UserError(f"{data_dir}: {'not a folder' if data_dir.exists() else 'no such folder'} (--data-dir).")
    if task.source and data_dir and (found := _files(task, task.source, data_dir / task.source.folder)):
        return found
    if task.hub:
        return HubOrigin(task, task.hub, commits.get(task.hub.path))
    why = "\n  ".join(_why_nowhere(task, data_dir))
    raise UserError(f"Task {task.name!r}: no data: {why}")


def parts_of(splits: Splits) -> tuple[str, ...]:
    """The published parts that the splits are made of, each once: training first."""
    named = (splits.train, splits.validation, splits.test)
    return tuple(dict.fromkeys(part for part in named if isinstance(part, str)))


def _sample(task: Task, corpus: str) -> SampleOrigin:
    if corpus not in CORPORA:
        raise UserError(
            f"Task {task.name!r}: {unknown('sample corpus', corpus, list(CORPORA), one_of(CORPORA).strip())}"
        )
    return SampleOrigin(corpus, task.splits, task.not_comparable)


def _files(task: Task, source: Source, folder: Path) -> FilesOrigin | None:
    """The origin in the folder: the task's own splits, or its fallback's; None where files of both are absent."""
    if not _missing(source, task.splits, folder):
        files = _planned(source, task.splits, folder)
        return FilesOrigin(source, folder, files, task.splits, task.not_comparable, is_fallback=False)
    if task.fallback and not _missing(source, task.fallback.splits, folder):
        files = _planned(source, task.fallback.splits, folder)
        reasons = " ".join(filter(None, [task.not_comparable, task.fallback.not_comparable]))
        return FilesOrigin(source, folder, files, task.fallback.splits, reasons, is_fallback=True)
    return None


def _missing(source: Source, splits: Splits, folder: Path) -> list[str]:
    paths = dict.fromkeys(file.path for part in parts_of(splits) for file in source.files[part])
    return [path for path in paths if not is_file(folder / path)]


def _planned(source: Source, splits: Splits, folder: Path) -> dict[str, tuple[Planned, ...]]:
    return {
        part: tuple(Planned(file, file.sha256 or sha256(folder / file.path)) for file in source.files[part])
        for part in parts_of(splits)
    }


def _why_nowhere(task: Task, data_dir: Path | None) -> Iterator[str]:
    if task.source is None:
        yield "the task has no 'source', no 'hub' and no 'sample'."
        return
    if data_dir is None:
        yield "no folder of published files was given, and the task has no copy on the Hub."
    elif not is_folder(data_dir / task.source.folder):
        yield f"{data_dir / task.source.folder}: no such folder."
    else:
        folder = data_dir / task.source.folder
        for splits in [task.splits, *([task.fallback.splits] if task.fallback else [])]:
            absent, kind = _missing(task.source, splits, folder), "" if splits is task.splits else "fallback: "
            yield f"{kind}not in {folder}: {', '.join(absent)}."
    if task.homepage:
        yield f"The files come from {task.homepage}"
    yield HOW_TO_GIVE.format(folder=task.source.folder)
