"""A metric of weighted rows is the metric of rows that are repeated so often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.metrics import METRICS, clustering, resampled, tags, texts
from benchmarks.metrics.resampled import exchanging, of_clusters, of_tags, of_texts

SEEDS = st.integers(0, 10_000)
TWO = [name for name, metric in METRICS.items() if metric.scores("text-classification", 2)]
MANY = [name for name, metric in METRICS.items() if metric.scores("text-classification", 4)]
TAGS = [name for name, metric in METRICS.items() if metric.scores("token-classification", 4)]
CLUSTERS = [name for name, metric in METRICS.items() if metric.clustering]


def samples(draw: np.random.Generator, n: int, b: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """(b, n) numbers of rows that were drawn, and how often each was."""
    rows = draw.integers(0, n, (b, n))
    return rows, np.stack([np.bincount(row, minlength=n) for row in rows]).astype(float)


def made_texts(draw: np.random.Generator, n: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gold = draw.integers(0, k, n)
    scores = draw.normal(size=(n, k)).round(1) + 2 * np.eye(k)[gold] * draw.random(n)[:, None]  # with ties
    return gold, scores.argmax(axis=1), scores


def agree(found: np.ndarray, expected: list[dict[str, float]], metric: str) -> None:
    values = [numbers.get(metric, np.nan) for numbers in expected]
    assert np.allclose(found, values, atol=1e-12, equal_nan=True)


@settings(max_examples=15)
@given(SEEDS, st.integers(2, 40))
@pytest.mark.parametrize(
    ("k", "metric"), [(2, name) for name in TWO if name != "best_f1_threshold"] + [(4, name) for name in MANY]
)
def test_every_metric_of_texts(k, metric, seed, n):
    draw = np.random.default_rng(seed)
    gold, predicted, scores = made_texts(draw, n, k)
    rows, weights = samples(draw, n)
    labels = [str(i) for i in range(k)]
    expected = [texts.measure(gold[some], predicted[some], scores[some], labels, 0) for some in rows]
    agree(of_texts(metric, gold, predicted, scores, k, 0)(weights), expected, metric)


@settings(max_examples=15)
@given(SEEDS, st.integers(1, 20))
@pytest.mark.parametrize("metric", TAGS)
def test_every_metric_of_tags(metric, seed, n):
    draw = np.random.default_rng(seed)
    names = np.array(["O", "O", "B-A", "I-A", "B-B", "I-B"])
    lengths = draw.integers(1, 6, n)
    gold, predicted = ([names[draw.integers(0, 6, length)].tolist() for length in lengths] for _ in range(2))
    predicted = [g if draw.random() < 0.5 else p for g, p in zip(gold, predicted, strict=True)]
    rows, weights = samples(draw, n)
    expected = [tags.measure([gold[i] for i in some], [predicted[i] for i in some], "IOB2") for some in rows]
    agree(of_tags(metric, gold, predicted, "IOB2")(weights), expected, metric)


@settings(max_examples=15)
@given(SEEDS, st.integers(2, 40))
@pytest.mark.parametrize(
    ("k", "metric"), [(2, "accuracy"), (2, "f1"), (2, "average_precision"), (4, "f1_macro"), (20, "f1_macro")]
)
def test_of_two_runs_whose_rows_are_exchanged_each_is_what_it_then_predicts(k, metric, seed, n):
    draw = np.random.default_rng(seed)
    gold, *first = made_texts(draw, n, k)
    _, *second = made_texts(draw, n, k)
    both = [np.concatenate(parts) for parts in zip(first, second, strict=True)]
    swaps = draw.integers(0, 2, (4, n))
    found = exchanging(of_texts(metric, np.tile(gold, 2), *both, k, 0))(swaps.astype(float))
    labels = [str(i) for i in range(k)]
    for values, (own, others) in zip(found, [(first, second), (second, first)], strict=True):
        rows = [[np.where(swap.reshape(-1, *[1] * (a.ndim - 1)), b, a) for a, b in zip(own, others, strict=True)]
                for swap in swaps]  # fmt: skip
        agree(values, [texts.measure(gold, *row, labels, 0) for row in rows], metric)


@settings(max_examples=15)
@given(SEEDS, st.integers(2, 40))
@pytest.mark.parametrize("metric", CLUSTERS)
def test_every_metric_of_clusterings(metric, seed, n):
    draw = np.random.default_rng(seed)
    gold, predicted, silhouettes = draw.integers(0, 3, n), draw.integers(0, 3, n), draw.normal(size=n)
    rows, weights = samples(draw, n)
    expected = [clustering.measure(gold[some], predicted[some], silhouettes[some]) for some in rows]
    agree(of_clusters(metric, gold, predicted, silhouettes)(weights), expected, metric)


def test_weights_need_not_be_whole_numbers():
    gold, predicted, scores = made_texts(np.random.default_rng(0), 30, 2)
    weights = np.linspace(0.1, 2, 30)[None]
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    rank = scores[:, 1] - scores[:, 0]
    for metric, expected in {
        "f1": f1_score(gold, predicted, sample_weight=weights[0]),
        "f1_macro": f1_score(gold, predicted, sample_weight=weights[0], average="macro"),
        "average_precision": average_precision_score(gold, rank, sample_weight=weights[0]),
        "roc_auc": roc_auc_score(gold, rank, sample_weight=weights[0]),
    }.items():
        assert of_texts(metric, gold, predicted, scores, 2, 1)(weights)[0] == pytest.approx(expected)


def test_a_metric_that_rows_cannot_give_is_named():
    gold = np.array([0, 1])
    with pytest.raises(KeyError, match="average_precision"):
        of_texts("average_precision", gold, gold, None, 2, 1)
    with pytest.raises(KeyError, match="entity_f1"):
        of_texts("entity_f1", gold, gold, np.eye(2), 2, 1)


def test_sums_of_rows_that_add_nothing_are_those_of_no_class():
    assert resampled.of_tags("token_f1_micro_no_o", [["O"]], [["O"]], "IOB2")(np.ones((1, 1))) == [0.0]
