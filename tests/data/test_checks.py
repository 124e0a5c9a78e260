"""Duplicates, conflicting labels and label counts, on cases small enough to count by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.data.checks import duplicates, empty_texts, hashes, hashes_of, in_words, label_counts
from benchmarks.data.tables import in_memory
from benchmarks.schema import Task

TRAIN = hashes(["a b", "a  b", "a b ", "c", "d", "A b"], [0, 1, 0, 0, 0, 0])
TEST = hashes(["a\tb", "c", "c", "e"], [0, 1, 1, 0])
VALIDATION = hashes(["e", "f"], [0, 0])


def task(labels: list[str], scheme: str | None = None) -> Task:
    fields = {"title": "t", "group": "g", "language": "en", "metric": "accuracy", "splits": {"train": "a", "test": "a"}}
    kind = {"type": "token-classification", "scheme": scheme} if scheme else {"type": "text-classification"}
    return Task.model_validate({"name": "mine", "labels": labels, **kind, **fields})


def test_duplicates_are_counted_within_and_across_splits_after_folding_white_space():
    assert duplicates({"train": TRAIN, "validation": VALIDATION, "test": TEST}) == {
        "within": {"train": 2, "validation": 0, "test": 1},
        "across": {"test in train": 3, "validation in train": 0, "test in validation": 1},
        "conflicting": 2,
    }


def test_splits_that_are_not_there_are_not_counted():
    found = duplicates({"train": TRAIN, "test": TEST})
    assert found["across"] == {"test in train": 3}
    assert in_words(found) == [
        "3 rows of test also occur in train.", "2 rows of train repeat an earlier one.",
        "1 row of test repeats an earlier one.", "2 texts with more than one labelling.",
    ]  # fmt: skip


def test_case_punctuation_and_no_break_spaces_tell_texts_apart():
    apart = hashes(["a b", "A b", "a b.", "a\xa0b", "ab"], [0] * 5)
    assert len(set(apart.text.tolist())) == 5


def test_tokens_are_compared_token_by_token():
    apart = hashes([["a", "b"], ["a b"], ["ab"], ["a", "b", ""]], [[0, 0], [0], [0], [0, 0, 0]])
    assert len(set(apart.text.tolist())) == 4
    two = hashes([["a", "b"], ["a", "b"]], [[0, 1], [0, 2]])
    assert duplicates({"train": two})["conflicting"] == 1


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), min_size=1), st.lists(st.sampled_from("abcxyz"))
)
def test_duplicates_agree_with_plain_python(train, test):
    texts = [text for text, _ in train]
    found = duplicates({"train": hashes(texts, [label for _, label in train]), "test": hashes(test, [0] * len(test))})
    assert found["within"]["train"] == sum(count - 1 for count in Counter(texts).values())
    assert found["across"]["test in train"] == sum(text in texts for text in test)
    labels = [{label for text, label in [*train, *((text, 0) for text in test)] if text == key} for key in texts + test]
    by_text = dict(zip(texts + test, labels, strict=True))
    assert found["conflicting"] == sum(len(seen) > 1 for seen in by_text.values())


def test_hashing_a_table_is_hashing_its_rows():
    texts = [f"text {i % 1500}" for i in range(2500)]
    table = in_memory(({"row_id": str(i), "text": text, "label": 0} for i, text in enumerate(texts)), task(["x", "y"]))
    assert np.array_equal(hashes_of(table, task(["x", "y"])).text, hashes(texts, [0] * 2500).text)


def test_empty_texts_are_those_of_white_space_alone():
    rows = [{"row_id": str(i), "text": text, "label": 0} for i, text in enumerate(["", " \t", "a", " b "])]
    assert empty_texts(in_memory(rows, task(["x", "y"])), task(["x", "y"])) == 2


def tags_table(rows: list[list[str]], of: Task):
    ids = [[of.tags.index(tag) for tag in row] for row in rows]
    return in_memory(
        [{"row_id": str(i), "tokens": ["w"] * len(row), "tags": row} for i, row in enumerate(ids)],
        of,
    )


@pytest.mark.parametrize(
    "scheme, rows, expected",
    [
        ("IOB2", [["B-X", "I-X", "B-X", "O", "B-Y"], ["I-X"]], {"X": 3, "Y": 1}),
        ("IOB2", [["O", "I-X", "I-Y", "I-Y"], ["I-Y"]], {"X": 1, "Y": 2}),
        ("IO", [["I-X", "I-X", "I-Y", "O", "I-X"], ["I-X"]], {"X": 3, "Y": 1}),
        ("IO", [["O"], [], ["I-Y"]], {"X": 0, "Y": 1}),
    ],
)
def test_entities_are_runs_of_one_type_that_a_beginning_ends_too(scheme, rows, expected):
    of = task(["X", "Y"], scheme)
    assert label_counts(tags_table(rows, of), of) == expected


@given(st.lists(st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]), max_size=8), max_size=30))
def test_entity_counts_agree_with_seqevals_default_mode(rows):
    entities = pytest.importorskip("seqeval.metrics.sequence_labeling").get_entities
    of = task(["X", "Y"], "IOB2")
    found = Counter(entity[0] for row in rows for entity in entities(row))
    assert label_counts(tags_table(rows, of), of) == {"X": found["X"], "Y": found["Y"]}
