"""One task's rows, verified against what is planned and declared: checksums, row and label counts, duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.amounts import counted
from benchmarks.data import checks, iob
from benchmarks.data.origins import Origin, Piece
from benchmarks.data.splits import Part, Rows, Split, declared
from benchmarks.data.tables import cached, content_of, encoded, in_memory
from benchmarks.errors import UserError, problems
from benchmarks.lock import Lock
from benchmarks.schema import NOT_COMPARABLE, TAGS, File, Task, fingerprint

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
    warnings: tuple[str, ...]
    provenance: dict[str, Any]
    _contents: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def fingerprints(self) -> tuple[str, str]:
        """Of the task's definition and of its rows' identity."""
        return fingerprint(self.task.identity()), fingerprint(dict(self.origin.identity))

    @cached_property
    def splits(self) -> dict[str, Dataset]:
        """train, test and perhaps validation, as the task declares them."""
        return {name: self.table(rows) for name, rows in self.rows.items()}

    def table(self, rows: Rows) -> Dataset:
        table = self.tables[rows.part]
        return table if len(rows) == len(table) else table.select(rows.index)

    def content(self, part: str) -> str:
        """The sha256 of all that a published part says, row ids apart; computed once."""
        if part not in self._contents:
            self._contents[part] = content_of(self.tables[part])
        return self._contents[part]

    def read(self, row_id: str) -> str | list[str]:
        """The text of one row, or its tokens."""
        part, number = row_id.rsplit(":", 1)
        row = self.tables[part][int(number)]
        return list(row["tokens"]) if "tokens" in row else str(row["text"])

    def text(self, row_id: str) -> str:
        """Of one row, tokens with spaces between them."""
        said = self.read(row_id)
        return said if isinstance(said, str) else " ".join(said)


def load(task: Task, origin: Origin, cache_dir: Path, locked: Lock) -> TaskData:
    """The task's rows from its origin, fetched where they are on the Hub.

    `cache_dir` keeps the Arrow tables of what was read. Raises UserError where the rows can't be had, or are not what
    the plan, the task and the lock say.
    """
    read = {part: _read(pieces, task, part, cache_dir) for part, pieces in origin.pieces(locked).items()}
    begun = {part: iob.as_iob2(_joined(found), task) for part, found in read.items()}
    tables = {part: table for part, (table, _) in begun.items()}
    published = {part: Part(_classes(tables[part], task), _starts(found)) for part, found in read.items()}
    rows = declared(origin.splits, published, task.name)
    duplicates = checks.duplicates(_hashes_by_split(tables, rows, task))
    strays = {part: count for part, (_, count) in begun.items() if count}
    warnings = (*_warnings(origin, tables, task, duplicates), *_of_iob1(strays, tables, task))
    sizes = {name: len(split) for name, split in rows.items()}
    provenance = {**origin.provenance, "rows": sizes, "duplicates": duplicates, "notes": list(warnings)}
    return TaskData(task, origin, tables, published, rows, warnings, provenance)


# -- reading ---------------------------------------------------------------------------------------------------------


def _read(pieces: Sequence[Piece], task: Task, part: str, cache_dir: Path) -> list[Dataset]:
    """One table a piece, with the ids of rows that count on from piece to piece."""
    tables: list[Dataset] = []
    for piece in pieces:
        tables.append(_table(piece, task, part, sum(map(len, tables)), cache_dir))
    if not any(map(len, tables)):
        raise UserError(f"{', '.join(piece.where for piece in pieces)}: no rows for part {part!r} of {task.name}.")
    return tables


def _table(piece: Piece, task: Task, part: str, start: int, cache_dir: Path) -> Dataset:
    def rows() -> Iterator[dict[str, Any]]:
        return encoded(piece.rows(), task, part, start, piece.where)

    if piece.content is None:
        return in_memory(rows(), task)
    table = cached(rows, task, [*piece.content, part, start], cache_dir)
    if piece.declared and (found := list(_miscounts(table, piece.declared, task))):
        raise problems(f"{piece.where}: part {part!r}", found)
    return table


def _joined(tables: list[Dataset]) -> Dataset:
    from datasets import concatenate_datasets

    return concatenate_datasets(tables) if len(tables) > 1 else tables[0]


def _starts(tables: Sequence[Dataset]) -> np.ndarray:
    """The row on which each of them begins once they are joined."""
    return np.cumsum([0, *map(len, tables[:-1])])


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
        yield f"{NOT_COMPARABLE}: {origin.not_comparable}"
    yield from checks.in_words(found)
    for part, table in tables.items():
        if empty := checks.empty_texts(table, task):
            yield f"{counted(empty, 'row')} of {part} with an empty text."


def _of_iob1(strays: Mapping[str, int], tables: Mapping[str, Dataset], task: Task) -> Iterator[str]:
    for part, count in strays.items():
        entities = sum(checks.label_counts(tables[part], task).values())
        yield f"{count:,} or more of {entities:,} entities of {part} begin with I-, as in IOB1: read as IOB2, with B-."
