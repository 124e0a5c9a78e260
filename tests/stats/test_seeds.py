"""Intervals agree with scipy's and cover what they say; equal values share a rank."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from benchmarks.stats.ranking import ranks
from benchmarks.stats.seeds import mean_interval

VALUES = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=2, max_size=12)


def test_the_interval_of_three_scores_is_the_one_done_by_hand():
    mean, half_width = mean_interval([0.87, 0.88, 0.89])
    assert mean == pytest.approx(0.88)
    assert half_width == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-6)  # t(0.975, 2) from a printed table


@given(VALUES.filter(lambda values: len(set(values)) > 1), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_scipy(values, level):
    mean, half_width = mean_interval(values, level)
    low, high = oracle.t.interval(level, len(values) - 1, loc=np.mean(values), scale=oracle.sem(values))
    assert (mean - half_width, mean + half_width) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_of_few_seeds_the_interval_holds_the_true_mean_95_times_in_100(seeds):
    draws = np.random.default_rng(0).normal(0.88, 0.004, size=(2000, seeds)).tolist()
    hits = sum(abs(mean - 0.88) <= half_width for mean, half_width in map(mean_interval, draws))
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)  # three standard errors of the share


def test_one_score_has_no_interval():
    assert mean_interval([0.88]) == (0.88, None)


@pytest.mark.parametrize("count", [2, 3, 7, 10])
def test_equal_scores_give_that_very_score_and_no_width(count):
    assert mean_interval([0.1] * count) == (0.1, 0.0)  # 0.1 * 3 / 3 would be 0.10000000000000002


def test_no_score_has_no_mean():
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


def test_equal_values_share_a_rank_and_the_next_one_counts_them():
    assert ranks([0.7, 0.9, 0.8, 0.8], higher_is_better=True) == [4, 1, 2, 2]


def test_lower_can_be_better():
    assert ranks([0.7, 0.9, 0.8, 0.8], higher_is_better=False) == [1, 4, 2, 2]


@given(VALUES, st.booleans())
def test_ranks_are_those_of_scipy(values, higher_is_better):
    signed = [-value if higher_is_better else value for value in values]
    assert ranks(values, higher_is_better) == oracle.rankdata(signed, method="min").astype(int).tolist()


def test_nothing_has_no_ranks():
    assert ranks([], higher_is_better=True) == []
