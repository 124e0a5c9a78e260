"""Rows of tags as numbers are the rows of names that they were made of."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.metrics.tagging import Tagging

ROWS = st.lists(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC"]), max_size=5), max_size=6)


@given(ROWS, st.data())
def test_rows_come_back_however_they_are_made_chosen_and_joined(rows, data):
    column = pa.chunked_array([pa.array(part, pa.list_(pa.string())) for part in (rows[:2], rows[2:])])
    names = ("I-PER", "O", "B-LOC", "B-PER", "B-ORG")
    ids = [[names.index(tag) for tag in row] for row in rows]
    places = data.draw(st.lists(st.sampled_from(range(len(rows))))) if rows else []
    for tags in (
        Tagging.of(rows),
        Tagging.of_ids(ids, names),
        Tagging.of_column(column),
        Tagging.of_column(column[1:]),
    ):
        expected = rows[1:] if len(tags) < len(rows) else rows
        assert list(tags) == expected and len(tags) == len(expected)
        assert tags.present == {tag for row in expected for tag in row}
        assert [names[place] for place in tags.among(names)] == [tag for row in expected for tag in row]
        assert tags.row_of_word.tolist() == [place for place, row in enumerate(expected) for _ in row]
        assert list(Tagging.joined([tags, Tagging.of(rows)])) == [*expected, *rows]
    assert list(Tagging.of(rows).rows(places)) == [rows[place] for place in places]


def test_names_may_become_one_and_one_that_is_none_of_those_asked_has_no_place():
    tags = Tagging.of([["B-PER", "I-PER"], [], ["O", "B-LOC"]])
    assert list(tags.renamed(lambda tag: tag[2:] or tag)) == [["PER", "PER"], [], ["O", "LOC"]]
    assert tags.renamed(lambda tag: tag[2:] or tag).names == ("PER", "O", "LOC")
    assert np.array_equal(tags.among(["O", "I-PER"]), [-1, 1, 0, -1])
