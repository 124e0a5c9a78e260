"""Paired tests agree with software that we didn't write, and reject as seldom as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from benchmarks.metrics.resampled import exchanging, of_texts
from benchmarks.stats.paired import holm, mcnemar, permutation_test


def accuracy_of_both(first: np.ndarray, second: np.ndarray):
    """The accuracy of two runs where some rows are exchanged; (n,) which rows each has right."""
    right = np.concatenate([first, second]).astype(int)
    return exchanging(of_texts("accuracy", np.ones(len(right), int), right, None, 2, 1))


def test_the_permutation_test_is_that_of_scipy():
    draw = np.random.default_rng(0)
    first, second = draw.random(60) < 0.85, draw.random(60) < 0.7
    expected = oracle.permutation_test(
        (first.astype(float), second.astype(float)),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        permutation_type="samples", n_resamples=20_000, vectorized=True, rng=np.random.default_rng(1),
    ).pvalue  # fmt: skip
    assert permutation_test([accuracy_of_both(first, second)], 60, 20_000) == pytest.approx(expected, abs=0.01)


def test_of_equal_systems_the_permutation_test_rejects_5_times_in_100():
    draw, rejected = np.random.default_rng(0), []
    for seed in range(600):
        rights = [draw.random(200) < 0.8 for _ in range(4)]  # two seeds of two systems
        metrics = [accuracy_of_both(rights[0], rights[1]), accuracy_of_both(rights[2], rights[3])]
        rejected.append(permutation_test(metrics, 200, 400, seed) < 0.05)
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.025)


def test_the_same_predictions_have_p_1_and_very_different_ones_the_least_that_there_is():
    right = np.arange(50) % 3 > 0
    assert permutation_test([accuracy_of_both(right, right)], 50, 500) == 1.0
    assert permutation_test([accuracy_of_both(np.ones(50), np.zeros(50))], 50, 999) == 1 / 1000


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_binomial_test_of_the_rows_that_differ(rows):
    first, second = (np.array(column) for column in zip(*rows, strict=True))
    table = [[sum(f and s for f, s in rows), sum(f and not s for f, s in rows)],
        [sum(s and not f for f, s in rows), sum(not f and not s for f, s in rows)]]  # fmt: skip
    n = table[0][1] + table[1][0]
    expected = min(1.0, 2 * oracle.binom.cdf(min(table[0][1], table[1][0]), n, 0.5)) if n else 1.0
    assert mcnemar(first, second) == pytest.approx(expected)


def test_holms_correction_is_the_one_done_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrected_p_keep_their_order_and_none_is_smaller(values):
    corrected = holm(values)
    assert all(value <= found <= 1 for value, found in zip(values, corrected, strict=True))
    order = np.argsort(values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
    assert corrected[order[0]] == pytest.approx(min(1.0, len(values) * values[order[0]]))
