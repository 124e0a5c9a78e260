"""Scores of texts agree with scikit-learn to 1e-12, and with sums done by hand."""

import json
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from benchmarks.metrics.texts import measure, report

equal = partial(pytest.approx, abs=1e-12, rel=0)


def quiet(oracle, *args, **options):
    """scikit-learn warns where a ratio is 0/0; here that is part of what is compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle(*args, **options)


@st.composite
def rows(draw, min_k=2, max_k=6):
    """k, gold, predicted, scores: few and coarse scores, so that ties are frequent and classes missing."""
    k, n = draw(st.integers(min_k, max_k)), draw(st.integers(1, 30))
    ids = st.lists(st.integers(0, k - 1), min_size=n, max_size=n).map(np.array)
    values = st.lists(st.integers(-4, 4), min_size=n * k, max_size=n * k)
    return k, draw(ids), draw(ids), np.array(draw(values), dtype=float).reshape(n, k) / 4


def names(k):
    return [f"class {i}" for i in range(k)]


@given(rows())
def test_hard_metrics_equal_those_of_sklearn_for_any_number_of_classes(case):
    k, gold, predicted, _ = case
    found = measure(gold, predicted, None, names(k), None)
    f1 = partial(sk.f1_score, gold, predicted, zero_division=0)
    expected = {
        "accuracy": sk.accuracy_score(gold, predicted),
        "f1_micro": f1(average="micro"),
        "f1_macro": f1(average="macro"),
        "f1_weighted": f1(average="weighted"),
        "mcc": quiet(sk.matthews_corrcoef, gold, predicted),
    }
    assert {name: found[name] for name in expected} == equal(expected)


@given(rows(2, 2), st.integers(0, 1))
def test_metrics_of_the_positive_class_equal_those_of_sklearn_whichever_class_is_positive(case, positive):
    k, gold, predicted, scores = case
    found = measure(gold, predicted, scores, names(k), positive)
    is_gold, is_predicted = gold == positive, predicted == positive
    score = scores[:, positive] - scores[:, 1 - positive]
    expected = {
        "precision": sk.precision_score(is_gold, is_predicted, zero_division=0),
        "recall": sk.recall_score(is_gold, is_predicted, zero_division=0),
        "f1": sk.f1_score(is_gold, is_predicted, zero_division=0),
    }
    if is_gold.any():
        expected["average_precision"] = sk.average_precision_score(is_gold, score)
    if is_gold.any() and not is_gold.all():
        expected["roc_auc"] = sk.roc_auc_score(is_gold, score)
    of_positive = ("precision", "recall", "f1", "average_precision", "roc_auc")
    assert {name: found[name] for name in of_positive if name in found} == equal(expected)


@given(rows(2, 2), st.integers(0, 1))
def test_the_best_f1_is_the_top_of_sklearns_curve_and_is_reached_at_its_threshold(case, positive):
    k, gold, predicted, scores = case
    found, is_gold = measure(gold, predicted, scores, names(k), positive), gold == positive
    if not is_gold.any():
        assert "best_f1" not in found and "best_f1_threshold" not in found
        return
    score = scores[:, positive] - scores[:, 1 - positive]
    precision, recall, thresholds = sk.precision_recall_curve(is_gold, score)
    curve = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precision, recall, strict=True)][:-1]
    assert found["best_f1"] == equal(max(curve))
    assert sk.f1_score(is_gold, score >= found["best_f1_threshold"]) == equal(found["best_f1"])
    as_good = [t for t, f1 in zip(thresholds, curve, strict=True) if f1 > max(curve) - 1e-9]
    assert found["best_f1_threshold"] == max(as_good)


@given(rows(3, 6))
def test_macro_average_precision_equals_that_of_sklearn_over_the_classes_in_gold(case):
    k, gold, predicted, scores = case
    present = np.unique(gold)
    expected = sk.average_precision_score(gold[:, None] == present, scores[:, present], average="macro")
    found = measure(gold, predicted, scores, names(k), None)
    assert found["average_precision_macro"] == equal(expected)
    assert "average_precision" not in found and "f1" not in found


@given(rows())
def test_the_report_equals_sklearn_for_every_declared_label_and_is_ready_for_json(case):
    k, gold, predicted, _ = case
    found = json.loads(json.dumps(report(gold, predicted, names(k))))
    expected = sk.precision_recall_fscore_support(gold, predicted, labels=range(k), zero_division=0)
    keys = ("precision", "recall", "f1", "support")
    assert [[row[key] for key in keys] for row in found["per_class"].values()] == [
        equal(row) for row in np.transpose(expected).tolist()
    ]
    assert found["confusion"] == quiet(sk.confusion_matrix, gold, predicted, labels=range(k)).tolist()
    assert list(found["per_class"]) == found["labels"] == names(k)


@given(rows())
def test_no_metric_is_ever_nan(case):
    k, gold, predicted, scores = case
    assert np.isfinite(list(measure(gold, predicted, scores, names(k), None).values())).all()


def test_a_hand_computed_case_of_two_classes():
    gold, predicted = np.array([1, 1, 0, 0, 0]), np.array([1, 0, 1, 0, 0])
    scores = np.array([[0.1, 0.9], [0.7, 0.3], [0.4, 0.6], [0.8, 0.2], [0.9, 0.1]])
    found = measure(gold, predicted, scores, ["no", "yes"], 1)
    assert found["precision"] == found["recall"] == found["f1"] == 0.5
    assert found["accuracy"] == equal(3 / 5)
    assert found["f1_macro"] == equal((2 / 3 + 1 / 2) / 2)
    assert found["f1_weighted"] == equal((3 * 2 / 3 + 2 * 1 / 2) / 5)
    assert found["mcc"] == equal((1 * 2 - 1 * 1) / np.sqrt(2 * 2 * 3 * 3))
    # Ranking by score: yes, no, yes, no, no.
    assert found["average_precision"] == equal((1 / 1 + 2 / 3) / 2)
    assert found["roc_auc"] == equal(5 / 6)
    assert found["best_f1"] == equal(4 / 5)
    assert found["best_f1_threshold"] == equal(0.3 - 0.7)


def test_average_precision_comes_from_scores_and_is_not_there_for_hard_predictions():
    """Trap 3."""
    gold, predicted = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 1])
    scores = np.array([[9.0, 0.0], [0.0, 3.0], [0.0, 2.0], [0.0, 1.0]])
    assert "average_precision" not in measure(gold, predicted, None, ["no", "yes"], 1)
    found = measure(gold, predicted, scores, ["no", "yes"], 1)["average_precision"]
    assert found == 1.0
    assert found != sk.average_precision_score(gold, predicted)


def test_the_positive_class_is_the_second_label_unless_said_otherwise():
    gold, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 1])
    assert measure(gold, predicted, None, ["a", "b"], None)["f1"] == equal(1 / 2)
    assert measure(gold, predicted, None, ["a", "b"], 1)["f1"] == equal(1 / 2)
    assert measure(gold, predicted, None, ["a", "b"], 0)["f1"] == equal(2 / 3)


def test_metrics_not_defined_for_the_rows_are_left_out():
    scores = np.array([[0.2, 0.8], [0.6, 0.4]])
    no_positive = measure(np.array([0, 0]), np.array([0, 1]), scores, ["no", "yes"], 1)
    assert not {"average_precision", "roc_auc", "best_f1", "best_f1_threshold"} & set(no_positive)
    assert no_positive["f1"] == 0.0
    all_positive = measure(np.array([1, 1]), np.array([0, 1]), scores, ["no", "yes"], 1)
    assert "roc_auc" not in all_positive
    assert all_positive["average_precision"] == all_positive["best_f1"] == 1.0


def test_a_label_that_no_training_row_has_counts_all_the_same():
    """Trap 14: labels are declared; `fr` is in test only."""
    gold, predicted = np.array([0, 1, 2]), np.array([0, 1, 1])
    assert measure(gold, predicted, None, ["de", "en", "fr"], None)["f1_macro"] == equal((1 + 2 / 3 + 0) / 3)
    assert report(gold, predicted, ["de", "en", "fr"])["per_class"]["fr"] == {
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "support": 1,
    }


def test_a_declared_label_that_is_nowhere_does_not_lower_the_macro_average():
    gold = np.array([0, 1, 1])
    assert measure(gold, gold, None, ["de", "en", "fr"], None)["f1_macro"] == 1.0


def test_correlation_does_not_overflow_on_a_hundred_thousand_rows():
    gold = np.arange(100_000) % 2
    assert measure(gold, gold, None, ["a", "b"], 1)["mcc"] == 1.0
    assert measure(gold, 1 - gold, None, ["a", "b"], 1)["mcc"] == -1.0


@given(rows())
def test_no_rounding_gives_more_than_one(case):
    k, gold, predicted, scores = case
    for found in (measure(gold, predicted, scores, names(k), None), measure(gold, gold, np.eye(k)[gold], names(k), 1)):
        assert all(-(name == "mcc") <= value <= 1 for name, value in found.items() if name != "best_f1_threshold")


def test_predictions_that_are_all_right_score_exactly_one():
    """Two rounded roots give a correlation of 1.0000000000000002 here, a sum of recalls such an average precision."""
    for n in range(3, 60):
        for k in (2, 3):
            gold = np.minimum(np.arange(n) % 7, k - 1)
            found = measure(gold, gold, np.eye(k)[gold], names(k), 1)
            assert {value for name, value in found.items() if name != "best_f1_threshold"} == {1.0}
    gold = np.array([1] * 9 + [0] * 10)
    ranks = np.stack([np.zeros(19), 5.0 * gold + np.linspace(0, 1, 19)], axis=1)
    assert measure(gold, gold, ranks, names(2), 1)["average_precision"] == 1.0


def test_scores_in_half_precision_are_compared_in_64_bits():
    scores = np.array([[-1, 2048], [0, 2048]], dtype=np.float16)  # 2049 is no number of 16 bits
    found = measure(np.array([1, 0]), np.array([1, 1]), scores, ["no", "yes"], 1)
    assert found["best_f1_threshold"] == 2049.0
    assert found["roc_auc"] == 1.0


NONE = np.array([], dtype=int)


@pytest.mark.parametrize(
    ("gold", "predicted", "scores", "message"),
    [
        (NONE, NONE, None, "No rows to score"),
        (np.array([0, 1]), np.array([0]), None, r"gold \(2,\) and predicted \(1,\)"),
        (np.array([[0, 1]]), np.array([[0, 1]]), None, "one class id a row"),
        (np.array([0, 2]), np.array([0, 1]), None, "gold, row 1: 2 is no class id; there are 2 labels"),
        (np.array([0, 1]), np.array([-1, 1]), None, "predicted, row 0: -1 is no class id"),
        (np.array([0, 1]), np.array([0, 1]), np.zeros((2, 3)), r"scores are of shape \(2, 3\), expected \(2, 2\)"),
        (np.array([0, 1]), np.array([0, 1]), np.array([[0, 1], [0, np.nan]]), "scores, row 1: .* is not finite"),
    ],
)
def test_input_that_cannot_be_scored_is_refused_with_the_place_and_what_was_found(gold, predicted, scores, message):
    with pytest.raises(ValueError, match=message):
        measure(gold, predicted, scores, ["no", "yes"], 1)


def test_a_report_of_no_rows_is_refused():
    with pytest.raises(ValueError, match="No rows to score"):
        report(NONE, NONE, ["no", "yes"])
