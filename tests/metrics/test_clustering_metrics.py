"""Scores of clusterings agree with scikit-learn to 1e-12, and with sums done by hand."""

import warnings
from functools import partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from benchmarks.metrics.clustering import AGREEMENT, counts, matched, measure, report, silhouettes

equal = partial(pytest.approx, abs=1e-12, rel=0)


@st.composite
def clusterings(draw, most=6):
    """gold, clusters: any numbers of classes and clusters, some of one row."""
    n = draw(st.integers(1, 30))
    ids = st.lists(st.integers(0, most - 1), min_size=n, max_size=n).map(np.array)
    return draw(ids), draw(ids)


def agreement(gold, clusters) -> dict[str, float]:
    table = counts(gold, clusters)
    return {name: score(table) for name, score in AGREEMENT.items()}


def quiet(oracle, *args):
    """scikit-learn warns where many classes have a row each; here that is part of what is compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle(*args)


@given(clusterings())
def test_the_agreement_with_gold_equals_that_of_sklearn(case):
    found = agreement(*case)
    assert found["v_measure"] == equal(quiet(sk.v_measure_score, *case))
    assert found["adjusted_rand"] == equal(quiet(sk.adjusted_rand_score, *case))
    assert all(value <= 1 for value in found.values())


@given(clusterings(most=4))
def test_the_accuracy_is_that_of_the_best_of_all_one_to_one_matchings(case):
    gold, clusters = case
    best = max(np.mean(np.array(classes)[clusters] == gold) for classes in permutations(range(4)))
    assert agreement(gold, clusters)["cluster_accuracy"] == equal(best)
    assert np.mean(matched(gold, clusters, 4) == gold) == equal(best)


@given(clusterings(most=5), st.permutations(range(5)))
def test_no_renaming_of_clusters_changes_a_metric(case, names):
    gold, clusters = case
    assert agreement(gold, np.array(names)[clusters]) == equal(agreement(gold, clusters))
    assert agreement(gold, matched(gold, clusters, 5)) == equal(agreement(gold, clusters))


@given(clusterings(most=5), st.integers(0, 2**32 - 1))
def test_the_silhouette_equals_that_of_sklearn(case, seed):
    gold, clusters = case
    vectors = np.random.default_rng(seed).normal(size=(len(gold), 3))
    values = silhouettes(vectors, clusters)
    if 1 < len(set(clusters)) < len(clusters):
        assert measure(gold, clusters, values)["silhouette"] == equal(sk.silhouette_score(vectors, clusters))
    else:
        assert np.isnan(values).all()


def test_scores_of_a_small_clustering_are_those_done_by_hand():
    """Six rows of two classes; the second cluster holds one of the first class.

    Pairs: 4 together in both, 6 by gold, 7 by cluster, of 15: (4 - 42/15) / (13/2 - 42/15).
    """
    gold, clusters = np.array([0, 0, 0, 1, 1, 1]), np.array([7, 7, 3, 3, 3, 3])
    found = measure(gold, clusters, np.array([0.5, 0.25, -0.25, 0.5, 0.5, 0.0]))
    assert found["silhouette"] == 0.25
    assert found["cluster_accuracy"] == equal(5 / 6)
    assert found["adjusted_rand"] == equal((4 - 42 / 15) / (13 / 2 - 42 / 15))
    entropy = lambda *shares: -sum(share * np.log(share) for share in shares)  # noqa: E731
    shared = np.log(2) + entropy(1 / 3, 2 / 3) - entropy(1 / 3, 1 / 6, 1 / 2)
    assert found["v_measure"] == equal(2 * shared / (np.log(2) + entropy(1 / 3, 2 / 3)))


def test_a_silhouette_done_by_hand():
    """On a line at 0, 1 and 4, 6: the first row is 1 from its neighbour, and 5 on average from the other cluster."""
    values = silhouettes(np.array([[0.0], [1.0], [4.0], [6.0]]), np.array([0, 0, 1, 1]))
    assert values[0] == pytest.approx((5 - 1) / 5)
    assert values[2] == pytest.approx((3.5 - 2) / 3.5)


def test_clusters_are_matched_to_classes_one_to_one_though_one_class_is_the_most_frequent_in_both():
    gold, clusters = np.array([0] * 8 + [1] * 2), np.array([0] * 5 + [1] * 3 + [1] * 2)
    assert matched(gold, clusters, 2).tolist() == [0] * 5 + [1] * 5
    assert matched(gold, 1 - clusters, 2).tolist() == [0] * 5 + [1] * 5


def test_a_clustering_of_a_hundred_thousand_rows_does_not_overflow():
    gold = np.arange(100_000) % 2
    assert agreement(gold, 1 - gold) == equal({"v_measure": 1.0, "adjusted_rand": 1.0, "cluster_accuracy": 1.0})
    assert agreement(gold, np.arange(100_000) // 50_000)["adjusted_rand"] == pytest.approx(0, abs=1e-4)


def test_a_report_holds_the_confusion_and_no_score_that_would_pass_for_a_classifications():
    found = report(np.array([0, 0, 1]), np.array([0, 1, 1]), ["a", "b"])
    assert found == {"labels": ["a", "b"], "confusion": [[1, 1], [0, 1]]}


@pytest.mark.parametrize(
    ("gold", "clusters", "values", "message"),
    [
        ([], [], [], "of some rows"),
        ([0, 1], [0], [0.1, 0.2], r"gold \(2,\) and predicted \(1,\)"),
        ([0, 1], [0, 1], [0.1], r"gold \(2,\) and silhouettes \(1,\)"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(gold, clusters, values, message):
    with pytest.raises(ValueError, match=message):
        measure(np.array(gold, dtype=int), np.array(clusters, dtype=int), np.array(values))
