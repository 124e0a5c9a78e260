"""IOB1 read as IOB2: every entity of the published tags is one of the table's."""

from __future__ import annotations

from datasets import concatenate_datasets
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from benchmarks.data.checks import label_counts
from benchmarks.data.iob import as_iob2
from benchmarks.data.tables import in_memory
from benchmarks.metrics.spans import spans
from benchmarks.schema import TAGS, Task

TASK = Task.model_validate({
    "name": "mine", "title": "t", "group": "g", "language": "en", "type": TAGS, "metric": "entity_f1",
    "labels": ["PER", "LOC"], "splits": {"train": "train", "test": "test"},
})  # fmt: skip
ROWS = st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=5)


def table_of(rows, task=TASK):
    return in_memory([{"row_id": str(n), "tokens": ["x"] * len(row), "tags": row} for n, row in enumerate(rows)], task)


@given(ROWS, ROWS)
def test_all_entities_that_seqeval_sees_are_there_and_each_begins_with_b(rows, more):
    table = concatenate_datasets([table_of(rows), table_of(more)])  # several chunks
    found, count = as_iob2(table, TASK)
    strays = 0
    for before, after in zip([*rows, *more], found["tags"][:], strict=True):
        names = [TASK.tags[tag] for tag in before]
        strict = spans([TASK.tags[tag] for tag in after], "IOB2", "strict")
        assert [(kind, start, end - 1) for kind, start, end in strict] == get_entities(names)
        strays += len(strict) - len(spans(names, "IOB2", "strict"))
    assert count == strays and (count > 0 or found is table)
    assert label_counts(found, TASK) == label_counts(table, TASK)


def test_a_part_of_a_table_is_read_as_that_part():
    rows = [[2], [1, 2], [4, 0], [], [0, 2]]
    chunk = table_of(rows).data.table.slice(2)
    found, count = as_iob2(type(table_of(rows))(chunk), TASK)
    assert found["tags"][:] == [[3, 0], [], [0, 1]] and count == 2


def test_io_tags_stay_as_they_are():
    io = TASK.model_copy(update={"scheme": "IO"})
    table = table_of([[1, 1, 2, 0]], io)
    assert as_iob2(table, io) == (table, 0)
