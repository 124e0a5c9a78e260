"""Pairs for siamese training: every row has its turn, partners are of the class that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.data.splits import generator
from benchmarks.methods.pairs import contrasts, of_each_class, partners

classes_of_rows = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array)


@given(classes_of_rows, st.integers(0, 9))
def test_a_partner_of_the_same_class_is_another_row_and_every_row_is_one_once(classes, seed):
    found = partners(classes, True, generator(seed, 1))
    assert (classes[found] == classes).all()
    assert sorted(found) == list(range(len(classes)))
    alone = np.bincount(classes)[classes] == 1
    assert ((found == np.arange(len(classes))) == alone).all()


@given(classes_of_rows.filter(lambda classes: len(set(classes)) > 1), st.integers(0, 9))
def test_a_partner_of_another_class_is_of_another_class(classes, seed):
    assert (classes[partners(classes, False, generator(seed, 1))] != classes).all()


def test_partners_of_another_class_come_from_all_others():
    classes = np.repeat([0, 1, 2], 200)
    found = partners(classes, False, generator(0, 1))[:200]
    assert 60 < (classes[found] == 1).sum() < 140
    assert len(set(found.tolist())) > 100


def test_rows_of_one_class_have_no_partner_of_another():
    with pytest.raises(ValueError, match="all 3 training rows are of one class"):
        partners(np.zeros(3, dtype=int), False, generator(0, 1))


@given(classes_of_rows.filter(lambda classes: len(set(classes)) > 1), st.integers(1, 4))
def test_contrasts_begin_with_every_row_as_often_in_either_kind(classes, iterations):
    first, second, same = contrasts(classes, iterations, generator(0, 1))
    assert ((classes[first] == classes[second]) == same).all()
    for kind in (0.0, 1.0):
        assert (np.bincount(first[same == kind], minlength=len(classes)) == iterations).all()


def test_pairs_differ_between_iterations():
    first, second, same = contrasts(np.arange(40) % 2, 5, generator(0, 1))
    assert len({*zip(first[same == 1], second[same == 1], strict=True)}) > 150


@given(classes_of_rows, st.integers(1, 10), st.integers(0, 9))
def test_of_each_class_come_as_many_rows_as_asked_or_all_that_there_are(classes, count, seed):
    drawn = list(of_each_class(classes, count, generator(seed, 1)))
    assert [set(classes[rows]) for rows in drawn] == [{label} for label in np.unique(classes)]
    sizes = np.bincount(classes)
    assert [len(set(rows)) for rows in drawn] == [min(count, size) for size in sizes if size]


def test_draws_follow_the_seed():
    classes = np.arange(100) % 2
    draws = [np.concatenate(list(of_each_class(classes, 8, generator(seed, 1)))).tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
