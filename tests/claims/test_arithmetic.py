"""Reported scores are ratios of whole numbers: which numbers of rows they can be of."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from benchmarks.claims.arithmetic import SCORES, Counts, can_be_asked, fewest, is_share, of_rows

OF_50 = {"accuracy": 0.91, "precision": 0.8656716417910447, "recall": 1.0, "f1": 0.928}
ROUNDING = {"accuracy": 0.005, "precision": 5e-17, "recall": 0.005, "f1": 0.0005}


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


def test_a_source_with_50_stated_rows_gives_numbers_of_95_or_more():
    assert list(of_rows(50, OF_50, ROUNDING)) == []
    assert list(of_rows(100, OF_50, ROUNDING)) == [Counts(100, 58, 67, 58)]
    assert fewest(OF_50, ROUNDING) == Counts(95, 58, 67, 58)  # 86 right of 95 are 0.905


def test_without_all_three_nothing_is_asked_and_where_none_fits_nothing_is_found():
    assert not can_be_asked({"accuracy": 0.9})
    assert not can_be_asked({"accuracy": 0.9, "precision": 0.5, "recall": 0.0})
    assert fewest({"accuracy": 0.5, "precision": 0.999, "recall": 0.001}, dict.fromkeys(SCORES, 1e-6)) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=120), st.integers(2, 16))
def test_scores_of_real_predictions_are_never_called_impossible(rows, decimals):
    gold, predicted = zip(*rows, strict=True)
    scores = [metric(gold, predicted) for metric in (accuracy_score, precision_score, recall_score, f1_score)
        if any(g and p for g, p in rows)]  # fmt: skip
    assume(scores)
    values = {name: round(score, decimals) for name, score in zip(SCORES, scores, strict=True)}
    assume(can_be_asked(values))
    rounding = dict.fromkeys(SCORES, 0.5 * 10.0**-decimals)
    true = Counts(len(rows), sum(g and p for g, p in rows), sum(predicted), sum(gold))
    assert true in of_rows(len(rows), values, rounding)
    assert fewest(values, rounding).rows <= len(rows)
