"""A score at an end of its scale tells of those rows alone that could have moved it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.claims.verdicts import judged
from benchmarks.metrics import METRICS, confusion, effective, names_for, tags
from benchmarks.metrics.resampled import of_texts
from benchmarks.schema import TAGS, TEXTS
from benchmarks.scoring import Named, Scoring
from benchmarks.stats.resampling import Run, replicates
from benchmarks.stats.spread import Estimates, interval, prediction

TEXTS_OF = Scoring("text-classification", ("no", "yes"), "yes", "IOB2")
GOLD = ["yes"] * 3 + ["no"] * 7


@pytest.mark.parametrize(
    ("metric", "predicted", "rows"),
    [
        ("accuracy", GOLD, 10),
        ("f1_micro", GOLD, 10),
        ("mcc", GOLD, 10),
        ("f1_macro", GOLD, 6),  # twice the rarer class
        ("recall", GOLD, 3),
        ("precision", GOLD, 3),
        ("f1", GOLD, 3),
        ("f1", ["no"] * 10, 1.5),  # 3 of gold and none predicted
        ("precision", ["no"] * 10, 1),  # none: as little as there is
        ("average_precision", GOLD, 3),
        ("roc_auc", GOLD, 3),
    ],
)
def test_of_a_class_its_own_rows_count(metric, predicted, rows):
    end = 1.0 if predicted == GOLD else 0.0
    assert TEXTS_OF.effective_rows(Named(GOLD, predicted, None), metric, end) == rows


def test_between_the_ends_all_rows_count():
    assert TEXTS_OF.effective_rows(Named(GOLD, GOLD, None), "f1", 0.5) == 10
    assert TEXTS_OF.effective_rows(Named(GOLD, GOLD, None), "mcc", 0.0) == 10  # its scale begins at -1


def test_of_texts_another_class_than_the_positive_one_may_be_asked_for():
    assert TEXTS_OF.effective_rows(Named(GOLD, GOLD, None), "recall", 1.0, "no") == 7


@pytest.mark.parametrize(
    ("metric", "rows"),
    [
        ("entity_f1", 2),
        ("entity_f1_macro", 2),
        ("token_f1_micro_no_o", 3),
        ("token_f1_macro_no_o", 3),
        ("token_accuracy", 5),
        ("token_f1_macro", 4),  # four tags, the rarest of them once
        ("token_f1_macro_types", 3),  # A, C and O
    ],
)
def test_of_tags_entities_and_words_count_and_no_more_than_rows(metric, rows):
    gold = [["B-A", "I-A", "O"], ["B-C", "O"], ["O"], ["O", "O"], ["O"]]
    scoring = Scoring(TAGS, ("A", "C"), None, "IOB2")
    assert scoring.effective_rows(Named(gold, gold, None), metric, 1.0) == rows
    many = [["B-A", "B-A", "B-A"]] * 2
    assert effective.of_tags(metric, many, many, "IOB2") == 2


def test_a_mean_over_classes_tells_of_the_rarest_whatever_is_averaged():
    gold = [["B-A", "O"]] * 90 + [["B-C", "O"]] * 2
    found = {
        name: Scoring(TAGS, ("A", "C"), None, "IOB2").effective_rows(Named(gold, gold, None), name, 1.0)
        for name, metric in METRICS.items()
        if metric.task_type == TAGS
    }
    assert {name for name, rows in found.items() if rows < 92} == {name for name in found if "macro" in name}
    assert found["entity_f1_macro"] == found["token_f1_macro_no_o"] == 4
    assert found["token_f1_macro"] == found["token_f1_macro_types"] == 6


def test_a_metric_that_is_new_is_told_by_its_function_and_never_by_its_name(monkeypatch):
    gold = [["B-A", "O"]] * 90 + [["B-C", "O"]] * 2
    for name, table in (("of_each_type", tags.OF_TOKENS), ("of_each_type_without_b", tags.OF_TYPES)):
        monkeypatch.setitem(table, name, confusion.f1_macro)
        assert effective.of_tags(name, gold, gold, "IOB2") == 6
    monkeypatch.setitem(tags.OF_TOKENS, "macroscopic", confusion.accuracy)
    assert effective.of_tags("macroscopic", gold, gold, "IOB2") == 92
    monkeypatch.setitem(tags.OF_TOKENS, "geometric", lambda counts: counts)
    for name in ("geometric", "unheard_of"):
        with pytest.raises(KeyError):
            effective.of_tags(name, gold, gold, "IOB2")
    with pytest.raises(KeyError):
        effective.of_texts("unheard_of", np.array([0, 1]), np.array([0, 1]), 1)


def test_every_metric_that_can_be_resampled_tells_of_some_rows():
    gold = np.array([0, 1])
    scored = [name for k in (2, 3) for name in names_for(TEXTS, k) if METRICS[name].higher_is_better is not None]
    assert all(effective.of_texts(name, gold, gold, 1) > 0 for name in scored)


@pytest.mark.parametrize(
    ("metric", "rows", "positives", "recall"),
    [("recall", 400, 20, 0.95), ("f1", 306, 87, 0.02), ("f1", 1000, 30, 0.97)],
)
def test_on_few_positive_rows_a_perfect_score_or_none_is_no_certainty(metric, rows, positives, recall):
    """Of equally good systems no report is called above or below more often than 1 in 10, and 9 intervals in 10 hold
    the truth: with all rows counted, 1 in 5 was called wrong and some intervals held it in none of such cases.
    """
    draw = np.random.default_rng(0)
    gold = np.arange(rows) < positives
    names, truth = [f"{row}" for row in range(rows)], recall if metric == "recall" else 2 * recall / (1 + recall)
    wrong, held = [], []
    for _ in range(300):
        predicted = gold & (draw.random(rows) < recall)
        score = of_texts(metric, gold.astype(int), predicted.astype(int), None, 2, 1)
        value = float(score(np.ones((1, rows)))[0])
        found = Estimates.of([[value] * 3], [np.repeat(replicates([Run(names, score)], 200), 3, axis=1)])
        own = rows if 0 < value < 1 else effective.of_texts(metric, gold.astype(int), predicted.astype(int), 1)
        low, high = interval(value, found.spread(0), own)
        held.append(low <= truth <= high)
        theirs = draw.binomial(positives, recall)
        reported = theirs / positives if metric == "recall" else 2 * theirs / (positives + theirs)
        ends = prediction(value, found.another(0, rows, rows), own, round(own), (0.0, 1.0))
        wrong.append(judged(reported, 0.005, value, ends, 3, (0.0, 1.0)) != "reproduced")
    assert np.mean(wrong) < 0.1
    assert np.mean(held) > 0.9


def test_a_score_that_is_not_defined_decides_nothing():
    assert judged(0.8, 0.005, float("nan"), (float("nan"), float("nan")), 3, (0.0, 1.0)) == "undecided"
