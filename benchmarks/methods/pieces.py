"""Word pieces as padded batches, straight out of the table that they are kept in: no Python list stands for a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from benchmarks.methods.features import IGNORED, Features

if TYPE_CHECKING:
    import pyarrow as pa
    from transformers import PreTrainedTokenizerBase


class Column(NamedTuple):
    """Of one batch of a table: row i has values[starts[i] : starts[i + 1]]; starts is None where it has one value."""

    starts: np.ndarray | None
    values: np.ndarray

    @classmethod
    def of(cls, array: pa.Array) -> Column:
        if not hasattr(array, "offsets"):
            return cls(None, array.to_numpy())
        return cls(array.offsets.to_numpy(), array.values.to_numpy())

    @property
    def lengths(self) -> np.ndarray:
        """Of every row."""
        assert self.starts is not None
        lengths: np.ndarray = self.starts[1:] - self.starts[:-1]
        return lengths

    def row(self, number: int) -> Any:
        if self.starts is None:
            return self.values[number]
        return self.values[self.starts[number] : self.starts[number + 1]]


class Pieces:
    """The features of some rows; memory-mapped where their table is."""

    def __init__(self, features: Features) -> None:
        batches = features.table.data.table.to_batches()
        self._batches = [
            {name: Column.of(array) for name, array in zip(batch.schema.names, batch.columns, strict=True)}
            for batch in batches
        ]
        ends = np.cumsum([len(batch) for batch in batches])
        self._batch = np.searchsorted(ends, features.place, side="right")
        self._number = features.place - (ends - [len(batch) for batch in batches])[self._batch]
        lengths = [batch["input_ids"].lengths for batch in self._batches]
        self.lengths: np.ndarray = np.concatenate(lengths)[features.place]

    def __len__(self) -> int:
        return len(self._batch)

    @cached_property
    def occurring(self) -> np.ndarray:
        """The ids that occur in the rows, ascending."""
        found = [np.empty(0, np.int32)]
        for number, batch in enumerate(self._batches):
            column = batch["input_ids"]
            assert column.starts is not None
            is_a_row = np.zeros(len(column.lengths), bool)
            is_a_row[self._number[self._batch == number]] = True
            values = column.values[column.starts[0] : column.starts[-1]]
            found.append(np.unique(values[np.repeat(is_a_row, column.lengths)]))
        return np.unique(np.concatenate(found))

    def of(self, row: int, column: str) -> Any:
        """(pieces,) of a column that has one value a piece, else the value."""
        return self._batches[self._batch[row]][column].row(self._number[row])


MULTIPLE = 8
"""Of which a GPU's tensor cores want the sizes of products to be. On a processor a batch has rows enough for its units,
and the padding would be work for nothing.
"""


@dataclass(frozen=True)
class PieceCollator:
    """Rows by number -> a batch as transformers' own collators give it: (rows, longest) int64, padded as the tokenizer
    says, with labels for training rows, (rows,) or IGNORED on padding. multiple: what the length of a batch is padded
    to, but not beyond the longest row of all.
    """

    train: Pieces
    test: Pieces
    columns: dict[str, int]
    """What the encoder reads, each with the value of its padding."""
    left: bool
    multiple: int = 1

    @classmethod
    def of(
        cls, train: Features, test: Features, tokenizer: PreTrainedTokenizerBase, multiple: int | None = None
    ) -> PieceCollator:
        padding = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}
        columns = {name: padding.get(name, 0) for name in tokenizer.model_input_names}
        if multiple is None:
            multiple = MULTIPLE if torch.cuda.is_available() else 1
        return cls(Pieces(train), Pieces(test), columns, tokenizer.padding_side == "left", multiple)

    @cached_property
    def longest(self) -> int:
        """Pieces of the longest row of all."""
        return int(max(rows.lengths.max(initial=0) for rows in (self.train, self.test)))

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        numbers = [row["row"] for row in rows]
        trained = numbers[0] < len(self.train)  # a batch is of one kind
        pieces = self.train if trained else self.test
        numbers = numbers if trained else [number - len(self.train) for number in numbers]
        columns = {**self.columns, "labels": IGNORED} if trained else self.columns
        found = {name: [pieces.of(number, name) for number in numbers] for name in columns}
        return {name: self._padded(found[name], padding) for name, padding in columns.items()}

    def _padded(self, values: Sequence[Any], padding: int) -> torch.Tensor:
        if not np.ndim(values[0]):
            return torch.tensor(np.array(values))
        length = -(-max(map(len, values)) // self.multiple) * self.multiple
        padded = np.full((len(values), min(length, self.longest)), padding, dtype=np.int64)
        for place, row in zip(padded, values, strict=True):
            place[-len(row) if self.left else 0 : None if self.left else len(row)] = row
        return torch.from_numpy(padded)
