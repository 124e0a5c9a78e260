"""What a table holds: its labels, empty texts, and duplicates within and across splits.

Two rows are duplicates where their texts (or token sequences) are equal once runs of ASCII white space are one space;
case, punctuation and no-break spaces count. A 64-bit hash stands for each: 8 bytes a row, and a false duplicate among a
million rows has a probability of 3 in 100 million.

How they are counted: *within* a split, every row after the first of its kind; *across*, every row of the one split
whose kind occurs in the other; *conflicting*, the distinct texts with more than one label (or tagging) in the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.amounts import counted
from benchmarks.metrics.spans import entities
from benchmarks.metrics.tagging import Tagging
from benchmarks.schema import TAGS, Task

if TYPE_CHECKING:
    from datasets import Dataset

ACROSS = (("test", "train"), ("validation", "train"), ("test", "validation"))


# -- counts ----------------------------------------------------------------------------------------------------------


def label_counts(table: Dataset, task: Task) -> dict[str, int]:
    """Rows of each label; of token classification, entities of each type: runs of one type, which B- ends too."""
    counts: Counter[str] = Counter()
    for chunk in table.data.column("tags" if task.type == TAGS else "label").chunks:
        names, ids = _entity_types(chunk, task) if task.type == TAGS else (task.labels, chunk.to_numpy())
        counts.update(dict(zip(names, np.bincount(ids, minlength=len(names)).tolist(), strict=True)))
    return {label: counts[label] for label in task.labels}


def _entity_types(chunk: Any, task: Task) -> tuple[Sequence[str], np.ndarray]:
    """Names, and the place among them of the type of every entity in an Arrow array of tag lists."""
    tags = Tagging(chunk.flatten().to_numpy(), np.diff(chunk.offsets.to_numpy()), task.tags)
    found = entities(tags, task.scheme, "conlleval")
    return found.names, found.types


def empty_texts(table: Dataset, task: Task) -> int:
    """Rows of white space alone."""
    import pyarrow.compute as pc

    if task.type == TAGS:
        return 0  # an item ends at a blank line, so none is empty
    return sum(pc.sum(pc.equal(pc.utf8_trim_whitespace(c), "")).as_py() or 0 for c in table.data.column("text").chunks)


# -- duplicates ------------------------------------------------------------------------------------------------------


class Hashes(NamedTuple):
    """uint64, shape (rows,): one of each row's text, one of its label or tags."""

    text: np.ndarray
    label: np.ndarray


def hashes(texts: Iterable[str | list[str]], labels: Iterable[Any]) -> Hashes:
    """The hashes of a table, row by row."""
    return Hashes(
        np.fromiter(map(_hash_of_text, texts), dtype=np.uint64),
        np.fromiter((_hash(repr(label).encode()) for label in labels), dtype=np.uint64),
    )


def _hash_of_text(text: str | list[str]) -> int:
    if isinstance(text, str):
        return _hash(_folded(text))
    return _hash(b"\n".join(map(_folded, text)))  # no folded token holds a line end


def _folded(text: str) -> bytes:
    """With one space for every run of ASCII white space: bytes know no other."""
    return b" ".join(text.encode().split())


def _hash(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def hashes_of(table: Dataset, task: Task) -> Hashes:
    """Batch by batch: no more than one batch of texts is in memory."""
    text, label = ("tokens", "tags") if task.type == TAGS else ("text", "label")

    def values(column: str) -> Iterator[Any]:
        return (value for chunk in table.data.column(column).chunks for value in chunk.to_pylist())

    return hashes(values(text), values(label))


def repeated(rows: np.ndarray) -> int:
    """Rows after the first of their kind."""
    return len(rows) - len(np.unique(rows))


def shared(rows: np.ndarray, others: np.ndarray) -> int:
    """Rows of the first that also occur in the second."""
    return int(np.isin(rows, others).sum())


def conflicting(text: np.ndarray, label: np.ndarray) -> int:
    """Distinct texts with more than one label."""
    pairs = np.unique(np.stack([text, label]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())


def duplicates(splits: Mapping[str, Hashes]) -> dict[str, Any]:
    """{"within": {split: n}, "across": {"test in train": n, ...}, "conflicting": n}."""
    return {
        "within": {name: repeated(rows.text) for name, rows in splits.items()},
        "across": {f"{a} in {b}": shared(splits[a].text, splits[b].text) for a, b in _pairs(splits)},
        "conflicting": conflicting(*(np.concatenate(column) for column in zip(*splits.values(), strict=True))),
    }


def _pairs(splits: Mapping[str, Hashes]) -> Iterator[tuple[str, str]]:
    return ((a, b) for a, b in ACROSS if a in splits and b in splits)


def in_words(found: Mapping[str, Any]) -> list[str]:
    """One sentence for each kind, for people: "1,121 rows of test also occur in train."."""
    said = [(n, f" of {pair.replace(' in ', ' also occur{} in ')}.") for pair, n in found["across"].items()]
    said += [(n, f" of {split} repeat{{}} an earlier one.") for split, n in found["within"].items()]
    rows = [counted(n, "row") + rest.format("s" if n == 1 else "") for n, rest in said if n]
    texts = found["conflicting"]
    return [*rows, *([f"{counted(texts, 'text')} with more than one labelling."] if texts else [])]
