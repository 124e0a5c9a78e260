"""One task's rows, verified against what is declared: checksums, row and label counts, no empty split, duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.data import checks
from benchmarks.data.origins import Origin, files_of, parts_of, sha256
from benchmarks.data.readers import READERS
from benchmarks.data.splits import Part, Rows, Split, declared
from benchmarks.data.tables import cached, encoded, in_memory, rows_of
from benchmarks.errors import UserError, problems
from benchmarks.schema import TAGS, File, Task

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class TaskData:
    """A task's rows as memory-mapped tables.

    Columns: `row_id` (string), and `text` (string) with `label` (int64, place in `task.labels`), or `tokens` (list of
    strings) with `tags` (list of int64, places in `task.tags`).

    tables: published part -> its rows in published order; rows: split -> which of them, before any protocol.
    provenance: the `data` field of a stored run.
    """

    task: Task
    origin: Origin
    tables: dict[str, Dataset]
    published: dict[str, Part]
    rows: Split
    duplicates: dict[str, Any]
    warnings: tuple[str, ...]
    provenance: dict[str, Any]

    @cached_property
    def splits(self) -> dict[str, Dataset]:
        """train, test and perhaps validation, as the task declares them."""
        return {name: self.table(rows) for name, rows in self.rows.items()}

    @property
    def parts(self) -> dict[str, int]:
        """Rows of every published part in use."""
        return {name: len(part) for name, part in self.published.items()}

    def table(self, rows: Rows) -> Dataset:
        table = self.tables[rows.part]
        return table if len(rows) == len(table) else table.select(rows.index)


def load(task: Task, origin: Origin, cache_dir: Path | None = None) -> TaskData:
    """The task's rows from its origin. Raises UserError where they are not what the task declares.

    `cache_dir` keeps the Arrow tables of read files; by default a folder in the cache of `datasets`.
    """
    tables, starts = _tables(task, origin, cache_dir or default_cache())
    published = {part: Part(_classes(tables[part], task), np.array(starts[part])) for part in tables}
    rows = declared(origin.splits, published, task.name)
    found = checks.duplicates(_hashes_by_split(tables, rows, task))
    warnings = tuple(_warnings(origin, tables, task, found))
    return TaskData(
        task=task,
        origin=origin,
        tables=tables,
        published=published,
        rows=rows,
        duplicates=found,
        warnings=warnings,
        provenance=_provenance(task, origin, rows, found, warnings),
    )


def default_cache() -> Path:
    from datasets import config

    return Path(config.HF_DATASETS_CACHE) / "encoder-bench"


# -- reading ---------------------------------------------------------------------------------------------------------


def _tables(task: Task, origin: Origin, cache: Path) -> tuple[dict[str, Dataset], dict[str, list[int]]]:
    """Per part: its table, and the rows on which its files begin."""
    if origin.kind == "files":
        _verify_checksums(task, origin)
        pairs = {part: _files_table(task, origin, part, cache) for part in parts_of(origin.splits)}
        return {part: pair[0] for part, pair in pairs.items()}, {part: pair[1] for part, pair in pairs.items()}
    make = _sample_table if origin.kind == "sample" else _hub_table
    tables = {part: make(task, origin, part, cache) for part in parts_of(origin.splits)}
    return tables, {part: [0] for part in tables}


def _verify_checksums(task: Task, origin: Origin) -> None:
    """The files are those of the plan: of the declared checksum, or, where none is declared, unchanged since then."""
    found: dict[str, str] = {}
    for file, expected in _files_in_use(task, origin):
        path = _path(origin, file)
        digest = found.setdefault(file.path, "") or sha256(path)
        found[file.path] = digest
        if digest != expected:
            which = "declared by the task" if file.sha256 else "of the file when the run was planned"
            raise UserError(f"{path}: not the published file: sha256 {digest}, expected {expected} ({which}).")


def _files_in_use(task: Task, origin: Origin) -> Iterator[tuple[File, str]]:
    """Every file with the checksum that the run's identity states."""
    for part, files in files_of(task, origin.splits).items():
        for file, (digest, *_) in zip(files, origin.identity["parts"][part], strict=True):
            yield file, digest


def _path(origin: Origin, file: File) -> Path:
    assert origin.folder is not None
    return origin.folder / file.path


def _files_table(task: Task, origin: Origin, part: str, cache: Path) -> tuple[Dataset, list[int]]:
    from datasets import concatenate_datasets

    tables: list[Dataset] = []
    starts: list[int] = []
    for file, identity in zip(files_of(task, origin.splits)[part], origin.identity["parts"][part], strict=True):
        starts.append(sum(map(len, tables)))
        tables.append(_file_table(task, origin, part, file, identity, starts[-1], cache))
    return concatenate_datasets(tables) if len(tables) > 1 else tables[0], starts


def _file_table(
    task: Task, origin: Origin, part: str, file: File, identity: list[str | None], start: int, cache: Path
) -> Dataset:
    assert task.source
    path = _path(origin, file)
    rows = partial(_encoded_file, task, path, file, part, start)
    table = cached(rows, task, [task.source.identity(), identity, part, start], cache)
    if found := list(_miscounts(table, file, task)):
        raise problems(f"{path}: part {part!r}", found)
    return table


def _encoded_file(task: Task, path: Path, file: File, part: str, start: int) -> Iterator[dict[str, Any]]:
    assert task.source
    return encoded(READERS[task.source.format](path, file, task.source), task, part, start, path)


def _sample_table(task: Task, origin: Origin, part: str, cache: Path) -> Dataset:
    from benchmarks.data.sample import CORPORA

    assert task.sample
    records = CORPORA[task.sample].rows(part)
    return in_memory(encoded(rows_of(records), task, part, 0, f"sample {task.sample}, {part}"), task)


def _hub_table(task: Task, origin: Origin, part: str, cache: Path) -> Dataset:
    from benchmarks.data import hub

    commit = origin.identity["commit"]
    where = f"Hub {origin.identity['path']}, {part}"

    def rows() -> Iterator[dict[str, Any]]:
        return encoded(rows_of(hub.rows(task, part, commit)), task, part, 0, where)

    if commit is None:  # what the newest commit holds may change: never kept
        return in_memory(rows(), task)
    return cached(rows, task, [origin.identity, part], cache)


# -- counting --------------------------------------------------------------------------------------------------------


def _miscounts(table: Dataset, file: File, task: Task) -> Iterator[str]:
    if file.rows is not None and len(table) != file.rows:
        yield f"{len(table):,} rows, expected {file.rows:,}."
    if file.counts:
        found = checks.label_counts(table, task)
        for label in task.labels:
            if found[label] != file.counts.get(label, 0):
                kind = "entities" if task.type == TAGS else "rows"
                yield f"label {label!r}: {found[label]:,} {kind}, expected {file.counts.get(label, 0):,}."


def _classes(table: Dataset, task: Task) -> np.ndarray:
    """The class that a row's draw is stratified by: none for token classification."""
    if task.type == TAGS:
        return np.zeros(len(table), dtype=np.int64)
    classes: np.ndarray = table.data.column("label").to_numpy()
    return classes


def _hashes_by_split(tables: Mapping[str, Dataset], rows: Split, task: Task) -> dict[str, checks.Hashes]:
    by_part = {part: checks.hashes_of(table, task) for part, table in tables.items()}
    return {
        name: checks.Hashes(by_part[split.part].text[split.index], by_part[split.part].label[split.index])
        for name, split in rows.items()
    }


# -- what a reader must know -----------------------------------------------------------------------------------------


def _warnings(origin: Origin, tables: Mapping[str, Dataset], task: Task, found: Mapping[str, Any]) -> Iterator[str]:
    if origin.not_comparable:
        yield f"Not comparable with published scores: {origin.not_comparable}"
    yield from checks.in_words(found)
    for part, table in tables.items():
        if empty := checks.empty_texts(table, task):
            yield f"{empty:,} rows of {part} have an empty text."


def _provenance(
    task: Task, origin: Origin, rows: Split, found: dict[str, Any], warnings: tuple[str, ...]
) -> dict[str, Any]:
    sizes = {name: len(split) for name, split in rows.items()}
    what = {"rows": sizes, "duplicates": found, "notes": list(warnings)}
    if origin.kind == "files":
        return {
            "source": "files",
            "sha256": {file.path: digest for file, digest in _files_in_use(task, origin)},
            **what,
        }
    return {"source": origin.kind, "revision": origin.identity["commit" if origin.kind == "hub" else "version"], **what}
