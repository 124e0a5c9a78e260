"""Spans agree with seqeval, tag by tag, in both modes and both schemes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB1, IOB2, Tokens

from benchmarks.metrics.spans import spans

IO_TAGS = ("O", "I-PER", "I-LOC", "I-LOC-deriv", "I")
IOB2_TAGS = (*IO_TAGS, "B-PER", "B-LOC", "B-LOC-deriv", "B")
# Odd but legal types: with hyphens at either end, where seqeval's two modes read them differently.
ODD = (*IOB2_TAGS, "B-x-", "I-x-", "B--x", "I--x", "B-x", "I-x")


def strict(tags: list[str], scheme: type) -> list[tuple[str, int, int]]:
    return [(entity.tag, entity.start, entity.end) for entity in Tokens(tags, scheme).entities]


@given(st.lists(st.sampled_from(ODD), max_size=12))
def test_strict_iob2_spans_are_those_of_seqeval(tags):
    assert spans(tags, "IOB2", "strict") == strict(tags, IOB2)


@given(st.lists(st.sampled_from(IO_TAGS), max_size=12))
def test_strict_io_spans_are_those_of_seqeval_with_iob1(tags):
    assert spans(tags, "IO", "strict") == strict(tags, IOB1)


@pytest.mark.parametrize(("scheme", "known"), [("IOB2", ODD), ("IO", IO_TAGS)])
def test_conlleval_spans_are_those_of_seqeval_by_default(scheme, known):
    @given(st.lists(st.sampled_from(known), max_size=12))
    def agree(tags):
        assert spans(tags, scheme, "conlleval") == [(t, start, last + 1) for t, start, last in get_entities(tags)]

    agree()


def test_an_entity_ends_before_the_next_b_of_its_own_type():
    assert spans(["B-PER", "I-PER", "B-PER", "O", "B-LOC"], "IOB2", "strict") == [
        ("PER", 0, 2),
        ("PER", 2, 3),
        ("LOC", 4, 5),
    ]


def test_a_stray_i_begins_an_entity_for_conlleval_and_none_when_read_strictly():
    tags = ["O", "I-PER", "I-PER", "B-LOC", "I-PER"]
    assert spans(tags, "IOB2", "strict") == [("LOC", 3, 4)]
    assert spans(tags, "IOB2", "conlleval") == [("PER", 1, 3), ("LOC", 3, 4), ("PER", 4, 5)]


def test_in_the_io_scheme_neighbouring_entities_of_one_type_are_one():
    assert spans(["I-PER", "I-PER", "I-LOC", "O", "I-LOC"], "IO", "strict") == [
        ("PER", 0, 2),
        ("LOC", 2, 3),
        ("LOC", 4, 5),
    ]


def test_a_row_without_tags_has_no_spans():
    assert spans([], "IOB2", "strict") == []


@pytest.mark.parametrize(
    ("tag", "scheme"), [("B-PER", "IO"), ("E-PER", "IOB2"), ("ORG", "IOB2"), ("PER", "IO"), ("B-", "IOB2"), ("", "IO")]
)
def test_a_tag_outside_of_the_scheme_is_refused_by_name_instead_of_being_read_as_o(tag, scheme):
    for mode in ("strict", "conlleval"):
        with pytest.raises(ValueError, match=f"'{tag}' is no {scheme} tag"):
            spans(["O", tag], scheme, mode)


@pytest.mark.parametrize(("scheme", "mode"), [("BILOU", "strict"), ("IOB2", "lenient")])
def test_an_unknown_scheme_or_mode_is_refused_with_what_is_allowed(scheme, mode):
    with pytest.raises(ValueError, match="one of IOB2, IO and one of strict, conlleval"):
        spans(["O"], scheme, mode)
