"""Samples of rows: each row counts as if drawn with replacement, and in the same way whoever is scored on it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from benchmarks.stats.resampling import Run, replicates, samples

ROWS = [f"test:{i}" for i in range(400)]


def weights(rows, count=1000) -> np.ndarray:
    return np.concatenate(list(samples(rows, count)))


def test_a_row_counts_as_often_as_poisson_says():
    found = weights(ROWS).astype(int)
    shares = np.bincount(found.ravel(), minlength=5)[:5] / found.size
    assert shares == pytest.approx(poisson(1).pmf(np.arange(5)), abs=0.003)  # some five standard errors


def test_rows_and_samples_have_nothing_to_do_with_each_other():
    found = weights(ROWS, 2000)
    for correlations in (np.corrcoef(found[:, :60].T), np.corrcoef(found[:60])):
        others = correlations[~np.eye(len(correlations), dtype=bool)]
        assert np.abs(others).max() < 0.25
        assert abs(others.mean()) < 0.01


def test_a_row_is_sampled_in_the_same_way_whatever_stands_beside_it_and_however_many_are_drawn(monkeypatch):
    whole = weights(ROWS)
    assert (weights(ROWS[100:50:-1], 700) == whole[:700, 100:50:-1]).all()
    monkeypatch.setattr("benchmarks.stats.resampling.AT_ONCE", 400 * 7)
    assert (weights(ROWS) == whole).all()


def test_the_samples_of_a_row_do_not_change():
    """What is kept of older runs is set beside newer ones."""
    assert weights(["test:0", "train:17"], 12).T.astype(int).tolist() == SAMPLED


SAMPLED = [[2, 2, 0, 1, 2, 1, 2, 1, 1, 2, 1, 2], [2, 2, 0, 0, 2, 1, 1, 1, 0, 2, 1, 1]]


def test_each_run_is_scored_on_its_own_rows():
    means = Run(ROWS[:50], lambda weights: weights.mean(axis=1)), Run(ROWS, lambda weights: weights.mean(axis=1))
    found = replicates([*means, means[0]], 300)
    whole = weights(ROWS, 300)
    assert found[:, 0] == pytest.approx(whole[:, :50].mean(axis=1))
    assert found[:, 1] == pytest.approx(whole.mean(axis=1))
    assert (found[:, 2] == found[:, 0]).all()
