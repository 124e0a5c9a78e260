"""Rows -> what an encoder reads: texts cut at the longest input, words in overlapping windows and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of what takes no part in the loss: further pieces of a word, special tokens, padding."""
OUTSIDE = 0
"""The id of the tag 'O'."""
OVERLAP = 4
"""Neighbouring windows share this fraction (a quarter) of their length."""


@dataclass(frozen=True)
class Features:
    """One row of `features` for each text, or for each window of a word sequence; cut_rows: rows over the length."""

    features: Dataset
    cut_rows: int


def text_features(rows: Dataset, tokenizer: PreTrainedTokenizerBase, length: int) -> Features:
    """Columns input_ids, attention_mask (token_type_ids), labels; texts longer than `length` pieces lose their end."""

    def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        encoded = tokenizer(batch["text"], truncation=True, max_length=length, return_overflowing_tokens=True)
        first = _firsts(encoded["overflow_to_sample_mapping"])
        kept = {name: [encoded[name][i] for i in first] for name in tokenizer.model_input_names}
        windows = np.bincount(encoded["overflow_to_sample_mapping"], minlength=len(batch["text"]))
        return {**kept, "labels": batch["label"], "windows": windows.tolist()}

    encoded = _mapped(rows, encode)
    return Features(encoded.remove_columns("windows"), sum(count > 1 for count in encoded["windows"]))


def word_features(rows: Dataset, tokenizer: PreTrainedTokenizerBase, length: int) -> Features:
    """Columns as above plus row (index into rows) and words (word index of each piece, -1 for special tokens).

    A sequence over `length` pieces becomes several windows that overlap by a quarter, so that every word is trained
    and predicted; the first piece of each word carries its tag, the others IGNORED.
    """

    def encode(batch: dict[str, list[Any]], indices: list[int]) -> dict[str, list[Any]]:
        encoded = tokenizer(
            batch["tokens"],
            is_split_into_words=True,
            truncation=True,
            max_length=length,
            stride=(length - tokenizer.num_special_tokens_to_add()) // OVERLAP,
            return_overflowing_tokens=True,
        )
        sources = encoded["overflow_to_sample_mapping"]
        words = [[-1 if word is None else word for word in encoded.word_ids(i)] for i in range(len(sources))]
        labels = [_piece_labels(piece_words, batch["tags"][i]) for piece_words, i in zip(words, sources, strict=True)]
        kept = {name: encoded[name] for name in tokenizer.model_input_names}
        return {**kept, "labels": labels, "words": words, "row": [indices[i] for i in sources]}

    windows = _mapped(rows, encode, with_indices=True)
    return Features(windows, int((np.bincount(windows["row"]) > 1).sum()))


def _mapped(rows: Dataset, encode: Any, with_indices: bool = False) -> Dataset:
    return rows.map(
        encode,
        batched=True,
        with_indices=with_indices,
        remove_columns=rows.column_names,
        keep_in_memory=True,
        load_from_cache_file=False,
    )


def _firsts(sources: Sequence[int]) -> list[int]:
    """The position of each row's first window."""
    return [i for i, source in enumerate(sources) if i == 0 or sources[i - 1] != source]


def _piece_labels(words: Sequence[int], tags: Sequence[int]) -> list[int]:
    """A word's tag on its first piece; in a window that begins inside of a word, on its first piece there."""
    return [tags[word] if word >= 0 and (i == 0 or words[i - 1] != word) else IGNORED for i, word in enumerate(words)]


def join_windows(outputs: np.ndarray, windows: Dataset, tokens: Sequence[Sequence[str]]) -> list[list[int]]:
    """Tag ids of every word of every row, from (windows, pieces) predicted tag ids.

    A word in two windows takes its tag from the one where it stands further from an edge; a word of which the
    tokenizer leaves nothing (a lone control character) is 'O'.
    """
    predicted = [[OUTSIDE] * len(row) for row in tokens]
    context = [[-1] * len(row) for row in tokens]
    for row, words, tags in zip(windows["row"], windows["words"], outputs, strict=True):
        for i, word in enumerate(words):
            room = min(i, len(words) - 1 - i)
            if word >= 0 and (i == 0 or words[i - 1] != word) and room > context[row][word]:
                predicted[row][word], context[row][word] = int(tags[i]), room
    return predicted
