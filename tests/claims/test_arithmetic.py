"""Reported scores are ratios of whole numbers: which numbers of rows they can be of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score, recall_score

from benchmarks.claims.arithmetic import Counts, implied, is_share

EXACT = dict.fromkeys(("accuracy", "precision", "recall"), 1e-9)


@pytest.mark.parametrize(
    ("value", "rows", "rounding", "possible"),
    [
        (0.91, 50, 0.005, False),  # 45 are 0.90, 46 are 0.92
        (0.91, 100, 0.005, True),
        (0.785, 172, 0.0005, True),  # 135 of 172
        (0.9985658676500717, 4881, 1e-12, True),
    ],
)
def test_a_share_is_a_whole_number_of_rows(value, rows, rounding, possible):
    assert is_share(value, rows, rounding) is possible


def test_a_source_with_50_stated_rows_gives_numbers_of_100():
    reported = {"accuracy": 0.91, "precision": 0.8656716417910447, "recall": 1.0}
    rounding = {"accuracy": 0.005, "precision": 1e-15, "recall": 0.005}
    assert implied(reported, rounding) == Counts(100, 58, 67, 58)


def test_without_all_three_or_with_none_found_nothing_is_said():
    assert implied({"accuracy": 0.9}, {"accuracy": 0.005}) is None
    assert implied({"accuracy": 0.9, "precision": 0.5, "recall": 0.0}, EXACT) is None
    assert implied({"accuracy": 1 / 3, "precision": 0.123456789, "recall": 0.987654321}, EXACT) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=120))
def test_scores_of_real_predictions_are_those_of_their_rows_or_of_a_divisor(rows):
    gold, predicted = zip(*rows, strict=True)
    values = {
        "accuracy": accuracy_score(gold, predicted),
        "precision": precision_score(gold, predicted, zero_division=0),
        "recall": recall_score(gold, predicted, zero_division=0),
    }
    found = implied(values, EXACT)
    if values["recall"] and values["accuracy"] < 1:
        assert found is not None
        assert len(rows) % found.rows == 0
