"""Rows -> what an encoder reads: texts cut at the longest input, words in overlapping windows and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import tokenizers
import transformers
from datasets import Dataset

from benchmarks import windows
from benchmarks.data.tables import kept
from benchmarks.encoders import tokenizer_sha256
from benchmarks.errors import UserError
from benchmarks.methods import Job, SplitName
from benchmarks.schema import TAGS, TEXTS, TaskType

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of what takes no part in the loss: further pieces of a word, special tokens, padding."""
OUTSIDE = 0
"""The id of the tag 'O'."""
BATCH = 1000
"""Rows that are tokenised at a time, by as many threads as there are."""
FEW = 20
"""Rows of which one is wanted: then the others aren't tokenised for it."""
FEATURES_VERSION = 2
"""Raised whenever other features are made here of the same rows: kept ones are then unused."""


@dataclass(frozen=True)
class Features:
    """One for each text, or for each window of a word sequence.

    table: of all that were tokenised together; place: (n,) where these are in it; row: (n,) the place of its text or
    sequence among the rows; cut_rows: how many are over the length.
    """

    table: Dataset
    place: np.ndarray
    row: np.ndarray
    cut_rows: int

    @property
    def features(self) -> Dataset:
        """A table of these alone."""
        return self.table if len(self.place) == len(self.table) else self.table.select(self.place)


def tokenized(job: Job, split: SplitName, tokenizer: PreTrainedTokenizerBase, length: int) -> Features:
    """The features of the rows that are trained, or tested. What was published with them is tokenised as a whole, once
    for each tokenizer and length, and kept on the disk: seeds, folds, sizes and systems share it. A few rows of many
    are tokenised alone, and so are all where nothing can be kept.
    """
    assert job.encoder is not None
    rows, data = job.data.rows[split], job.data.of
    table = data.tables[rows.part]
    if len(rows) * FEW < len(table):
        return features_of(data.table(rows), tokenizer, length)
    said = [tokenizer_sha256(job.encoder), length, tokenizers.__version__, transformers.__version__]
    content = json.dumps([FEATURES_VERSION, job.task.type, data.content(rows.part), *said])
    path = job.cache / "tokens" / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.arrow"
    try:
        whole = kept(path, _schema(job.task.type, tokenizer), partial(_batches, table, tokenizer, length))
    except UserError:  # a cache that can only be read
        return features_of(data.table(rows), tokenizer, length)
    return _selected(whole, rows.index)


def features_of(rows: Dataset, tokenizer: PreTrainedTokenizerBase, length: int) -> Features:
    """Of all rows, in memory: columns input_ids, attention_mask (token_type_ids) and labels. Texts longer than `length`
    pieces lose their end.

    Rows of words have a column words, too (word index of each piece, -1 for special tokens). A sequence over `length`
    pieces becomes several windows that overlap by a quarter, so that every word is trained and predicted; the first
    piece of each word carries its tag, the others IGNORED.
    """
    table = pa.Table.from_batches(_batches(rows, tokenizer, length), _schema(_type_of(rows), tokenizer))
    return _selected(Dataset(cast(Any, table)), np.arange(len(rows)))


def _type_of(rows: Dataset) -> TaskType:
    return TEXTS if "text" in rows.column_names else TAGS


def _selected(whole: Dataset, index: np.ndarray) -> Features:
    """The features of some rows, ascending, of all that were tokenised."""
    row, count = (whole.data.column(name).to_numpy() for name in ("row", "windows"))
    place = np.minimum(np.searchsorted(index, row), len(index) - 1)
    found = np.flatnonzero(index[place] == row)
    cut = np.unique(row[found][count[found] > 1])
    return Features(whole.remove_columns(["row", "windows"]), found, place[found], len(cut))


# -- word pieces -----------------------------------------------------------------------------------------------------


def _schema(task_type: TaskType, tokenizer: PreTrainedTokenizerBase) -> pa.Schema:
    """row: of a feature; windows: how many its row has."""
    inputs = {name: pa.list_(pa.int32()) for name in tokenizer.model_input_names}
    labels = {"labels": pa.int64()}
    if task_type == TAGS:
        labels = {"labels": pa.list_(pa.int64()), "words": pa.list_(pa.int32())}
    return pa.schema({**inputs, **labels, "row": pa.int64(), "windows": pa.int32()})


def _batches(rows: Dataset, tokenizer: PreTrainedTokenizerBase, length: int) -> Iterator[pa.RecordBatch]:
    """The features of all rows, some rows at a time."""
    task_type = _type_of(rows)
    schema, features = _schema(task_type, tokenizer), _of_texts if task_type == TEXTS else _of_words
    for start in range(0, len(rows), BATCH):
        columns = features(rows[start : start + BATCH], tokenizer, length)
        columns["row"] += start
        yield pa.RecordBatch.from_pydict(columns, schema)


def _of_texts(rows: dict[str, list[Any]], tokenizer: PreTrainedTokenizerBase, length: int) -> dict[str, Any]:
    """Of the windows of a text the first one."""
    found = windows.encoded(tokenizer, rows["text"], False, length)
    row, first, count = np.unique(found["overflow_to_sample_mapping"], return_index=True, return_counts=True)
    inputs = {name: [found[name][i] for i in first] for name in tokenizer.model_input_names}
    return {**inputs, "labels": rows["label"], "row": row, "windows": count}


def _of_words(rows: dict[str, list[Any]], tokenizer: PreTrainedTokenizerBase, length: int) -> dict[str, Any]:
    found = windows.encoded(tokenizer, rows["tokens"], True, length)
    row = np.array(found["overflow_to_sample_mapping"])
    words = [windows.words_of(found, i) for i in range(len(row))]
    labels = [_piece_labels(pieces, rows["tags"][i]) for pieces, i in zip(words, row, strict=True)]
    inputs = {name: found[name] for name in tokenizer.model_input_names}
    return {**inputs, "labels": labels, "words": words, "row": row, "windows": np.bincount(row)[row]}


def _piece_labels(words: Sequence[int], tags: Sequence[int]) -> list[int]:
    """A word's tag on its first piece; in a window that begins inside of a word, on its first piece there."""
    labels = [IGNORED] * len(words)
    for place, word in windows.first_pieces(words):
        labels[place] = tags[word]
    return labels


def join_windows(outputs: np.ndarray, features: Features, tokens: Sequence[Sequence[str]]) -> list[list[int]]:
    """Tag ids of every word of every row, from (windows, pieces) predicted tag ids; of a word in two windows that of
    the one where it stands further from an edge, and 'O' of one of which the tokenizer leaves nothing.
    """
    predicted = [[OUTSIDE] * len(row) for row in tokens]
    words, numbers = list(features.features["words"]), range(len(features.row))
    for row, group in groupby(numbers, key=features.row.__getitem__):
        of_row = list(group)
        for word, (window, place) in windows.furthest_from_an_edge([words[i] for i in of_row]).items():
            predicted[row][word] = int(outputs[of_row[window]][place])
    return predicted
