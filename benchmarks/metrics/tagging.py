"""Rows of tags as numbers: a corpus has millions of tags, but few different ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tagging:
    """ids: (words,) row after row the place of each word's tag in `names`, some of which may have no word; lengths:
    (rows,) how many words each row has. Iterates as rows, each a list of tags.
    """

    ids: Ids
    lengths: Ids
    names: tuple[str, ...]

    @staticmethod
    def of(rows: Rows) -> Tagging:
        if isinstance(rows, Tagging):
            return rows
        flat = list(chain.from_iterable(rows))
        places = {tag: place for place, tag in enumerate(dict.fromkeys(flat))}
        return Tagging(_ids(map(places.__getitem__, flat)), _ids(map(len, rows)), tuple(places))

    @staticmethod
    def of_ids(rows: Sequence[Sequence[int]], names: Sequence[str]) -> Tagging:
        return Tagging(_ids(chain.from_iterable(rows)), _ids(map(len, rows)), tuple(names))

    @staticmethod
    def of_column(column: pa.ChunkedArray) -> Tagging:
        """Of Arrow's lists of strings, without gaps."""
        import pyarrow.compute as pc

        coded = column.combine_chunks().flatten().dictionary_encode()
        ids = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return Tagging(
            ids, pc.list_value_length(column).to_numpy().astype(np.int64), tuple(coded.dictionary.to_pylist())
        )

    @staticmethod
    def joined(parts: Sequence[Tagging]) -> Tagging:
        """One after the other."""
        names = tuple(dict.fromkeys(name for part in parts for name in part.names))
        ids = [part.among(names) for part in parts]
        return Tagging(np.concatenate(ids), np.concatenate([part.lengths for part in parts]), names)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[list[str]]:
        tags = map(self.names.__getitem__, self.ids.tolist())
        return (list(islice(tags, length)) for length in self.lengths.tolist())

    @property
    def present(self) -> set[str]:
        """The tags that a word has."""
        return {self.names[place] for place in np.flatnonzero(np.bincount(self.ids))}

    @property
    def row_of_word(self) -> Ids:
        return np.repeat(np.arange(len(self)), self.lengths)

    def among(self, names: Sequence[str]) -> Ids:
        """(words,) the place of each word's tag in these names, -1 where it is none of them."""
        places = {name: place for place, name in enumerate(names)}
        return _ids(places.get(name, -1) for name in self.names)[self.ids]

    def rows(self, places: Sequence[int]) -> Tagging:
        """Those at these places alone."""
        begins, lengths = (values[list(places)] for values in (np.cumsum(self.lengths) - self.lengths, self.lengths))
        words = np.repeat(begins - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        return Tagging(self.ids[words], lengths, self.names)

    def renamed(self, name_of: Callable[[str], str]) -> Tagging:
        """With other names, several of which may become one."""
        new = [name_of(name) for name in self.names]
        names = tuple(dict.fromkeys(new))
        return Tagging(_ids(map(names.index, new))[self.ids], self.lengths, names)


Rows = Sequence[Sequence[str]] | Tagging


def _ids(values: Iterator[int]) -> Ids:
    return np.fromiter(values, dtype=np.int64)
