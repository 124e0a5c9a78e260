"""What frozen encoders gave, computed once and cached by content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from benchmarks import ranks
from benchmarks.embeddings import store
from benchmarks.embeddings.encoding import POOLINGS, Frozen, Kind, computed
from benchmarks.embeddings.store import Row, Sequences
from benchmarks.errors import UserError
from benchmarks.files import alone

__all__ = ["Embedded", "Pooling", "Sequences", "Tell", "of_padded", "of_pieces", "of_words", "pooled"]

Pooling: TypeAlias = Literal["cls", "mean", "mean_last_four"]


@dataclass(frozen=True)
class Embedded:
    """What is known of rows that were embedded.

    length: pieces that the encoder reads at once; cut_rows: how many rows are longer; rows: how many differ; computed:
    how many of these this process had to compute; seconds: what computing all of them took, whenever that was.
    """

    length: int
    cut_rows: int
    rows: int
    computed: int
    seconds: float


Tell: TypeAlias = Callable[[Embedded], None]


def pooled(
    texts: Sequence[str],
    encoder: Path,
    length: int,
    pooling: Pooling,
    cache: Path,
    tell: Tell = lambda embedded: None,
) -> np.ndarray:
    """(n, width) float32: the first token ('cls'), the mean of all tokens, or the mean of all tokens over the last four
    layers. Texts of more than `length` pieces lose their end.
    """
    rows = _embedded("pooled", texts, encoder, length, cache, tell)
    vectors = np.empty((len(rows), rows.width), np.float32)
    for number in range(len(rows)):
        vectors[number] = rows[number][POOLINGS.index(pooling)]
    return vectors


def of_pieces(
    texts: Sequence[str], encoder: Path, length: int, cache: Path, tell: Tell = lambda embedded: None
) -> Sequences:
    """float16, one vector a word piece, special tokens included; texts of more than `length` pieces lose their end."""
    return _embedded("pieces", texts, encoder, length, cache, tell)


def of_padded(
    texts: Sequence[str], encoder: Path, length: int, cache: Path, tell: Tell = lambda embedded: None
) -> Sequences:
    """float16, `length` vectors a text: those of its pieces, then what the encoder gives for padding."""
    return _embedded("padded", texts, encoder, length, cache, tell)


def of_words(
    rows: Sequence[Sequence[str]], encoder: Path, length: int, cache: Path, tell: Tell = lambda embedded: None
) -> Sequences:
    """float16, one vector a word: its first piece; zeros where the tokenizer leaves nothing of a word.

    Rows of more than `length` pieces are read in windows that overlap by a quarter; a word in two windows has its
    vector from the one where it stands further from an edge.
    """
    return _embedded("words", rows, encoder, length, cache, tell)


def _embedded(kind: Kind, rows: Sequence[Row], encoder: Path, length: int, cache: Path, tell: Tell) -> Sequences:
    frozen = Frozen.of(kind, encoder, length)
    folder = _folder(cache, frozen)
    known_by = [store.key_of(row) for row in rows]
    differing = dict(zip(known_by, rows, strict=True))
    places = store.find(differing, folder)
    made = 0
    if ranks.connected():
        with ranks.all_or_none():
            made = _compute(frozen, ranks.share(differing), places, cache)
        places = store.find(differing, folder)
    if len(places) < len(differing):  # under ranks: what others wrote on a disk that this machine doesn't see
        with nullcontext() if ranks.connected() else alone(_one_pass(cache, frozen) / _digest(differing)):
            made += _compute(frozen, differing, store.find(differing, folder), cache)
        places = store.find(differing, folder)
    if len(places) < len(differing):
        raise UserError(f"{folder}: written, and can't be read back. Is the disk full, or was the folder cleared?")
    sequences = Sequences([places[key] for key in known_by], frozen.width, frozen.length)
    seconds = round(sum(place.seconds for place in places.values()), 3)
    tell(Embedded(frozen.length, sequences.cut_rows, len(differing), made, seconds))
    return sequences


def _folder(cache: Path, frozen: Frozen) -> Path:
    return cache / "embeddings" / frozen.key


def _one_pass(cache: Path, frozen: Frozen) -> Path:
    """One folder for both kinds that a pass over texts gives."""
    return _folder(cache, replace(frozen, kind="pooled") if frozen.kind == "pieces" else frozen)


def _digest(keys: Iterable[bytes]) -> str:
    """Processes that want the same rows wait for each other, those that want others do not."""
    return hashlib.sha256(b"".join(sorted(keys))).hexdigest()[:32]


def _compute(frozen: Frozen, rows: Mapping[bytes, Row], places: Container[bytes], cache: Path) -> int:
    """The rows that have no place yet; gives how many."""
    missing = {key: row for key, row in rows.items() if key not in places}
    there: dict[Kind, Container[bytes]] = {}
    for some in computed(frozen, missing):
        for kind, vectors in some.items():
            folder = _folder(cache, replace(frozen, kind=kind))
            if kind not in there:  # what is not asked for may be there
                there[kind] = () if kind == frozen.kind else store.find(missing, folder)
            if new := [vector for vector in vectors if vector.key not in there[kind]]:
                store.write(new, folder)
    return len(missing)
