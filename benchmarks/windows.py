"""What an encoder reads of rows at once: a text up to its length, the words of a row in windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

OVERLAP = 4
"""Neighbouring windows of words share this fraction (a quarter) of their length."""


def encoded(
    tokenizer: PreTrainedTokenizerBase, rows: Sequence[str] | Sequence[Sequence[str]], are_words: bool, length: int
) -> BatchEncoding:
    """All windows of all rows, of at most `length` pieces, special tokens included; those of texts don't overlap.

    Its `overflow_to_sample_mapping` says of which row each window is.
    """
    return tokenizer(
        rows,
        is_split_into_words=are_words,
        truncation=True,
        max_length=length,
        stride=(length - tokenizer.num_special_tokens_to_add()) // OVERLAP if are_words else 0,
        return_overflowing_tokens=True,
    )


def words_of(windows: BatchEncoding, number: int) -> list[int]:
    """The word of each piece of a window, -1 for special tokens."""
    return [-1 if word is None else word for word in windows.word_ids(number)]


def first_pieces(words: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Place and word of each word's first piece in a window, of which a window may begin inside."""
    return ((i, word) for i, word in enumerate(words) if word >= 0 and (i == 0 or words[i - 1] != word))


def furthest_from_an_edge(windows: Sequence[Sequence[int]]) -> dict[int, tuple[int, int]]:
    """Of each word in the windows of a row the window, and the place there of its first piece, where it has the most
    context. A word of which the tokenizer leaves nothing (a lone control character) is in none.
    """
    found: dict[int, tuple[int, int]] = {}
    room: dict[int, int] = {}
    for number, words in enumerate(windows):
        for place, word in first_pieces(words):
            from_edge = min(place, len(words) - 1 - place)
            if from_edge > room.get(word, -1):
                found[word], room[word] = (number, place), from_edge
    return found
