"""What an encoder reads at once of a row that is longer."""

from __future__ import annotations

import itertools

import pytest
import tiny

from benchmarks.encoders import load_tokenizer
from benchmarks.schema import TAGS, TEXTS
from benchmarks.windows import encoded

LENGTH = 34
WORDS = [["berlin", "is", "a", "good", "town"] * 20]


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_neighbouring_windows_of_words_share_a_quarter_and_cover_the_row(tmp_path, family):
    tokenizer = load_tokenizer(tiny.checkpoint(tmp_path / family, family), TAGS)
    found = encoded(tokenizer, WORDS, are_words=True, length=LENGTH)
    own = [ids[1:-1] for ids in found["input_ids"]]  # without special tokens
    whole = tokenizer(WORDS[0], is_split_into_words=True)["input_ids"][1:-1]
    shared = (LENGTH - 2) // 4
    assert len(own) > 3 and all(len(window) == LENGTH - 2 for window in own[:-1])
    assert all(after[:shared] == before[-shared:] for before, after in itertools.pairwise(own))
    assert [*own[0], *(piece for window in own[1:] for piece in window[shared:])] == whole


def test_windows_of_a_text_share_nothing(tmp_path):
    tokenizer = load_tokenizer(tiny.checkpoint(tmp_path / "bert"), TEXTS)
    text = " ".join(WORDS[0])
    own = [ids[1:-1] for ids in encoded(tokenizer, [text], are_words=False, length=LENGTH)["input_ids"]]
    assert [piece for window in own for piece in window] == tokenizer(text)["input_ids"][1:-1]
