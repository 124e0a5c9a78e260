"""Two systems on the same rows: the numbers are those of other software, and what can't be compared is told."""

from __future__ import annotations

from dataclasses import replace

import make
import numpy as np
import pytest
from kept import ROWS, Kept, flipped
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from benchmarks.cli import main
from benchmarks.errors import UserError
from benchmarks.schema import Predictions
from benchmarks.stats.paired import holm, mcnemar


@pytest.fixture
def kept(tmp_path) -> Kept:
    """good: wrong in rows 0 and 1 (seed 0) or 0 (seed 1); poor: in 1 and 20 more, or 21."""
    kept = Kept(tmp_path)
    for seed in (0, 1):
        kept.run("good", flipped(kept.gold, *range(2 - seed)), seed)
        kept.run("poor", flipped(kept.gold, 1, *range(30, 50 + seed)), seed)
    return kept


def test_values_and_their_difference_are_those_of_scikit_learn(kept):
    (found,) = kept.compared(metric="f1")
    gold = kept.gold
    for scored, wrong in ((found.first, [[0, 1], [0]]), (found.second, [[1, *range(30, 50)], [1, *range(30, 51)]])):
        expected = [f1_score(gold, flipped(gold, *rows)) for rows in wrong]
        assert list(scored.values.values()) == pytest.approx(expected)
        assert scored.mean == pytest.approx(np.mean(expected))
        assert scored.low < scored.mean < scored.high
    assert found.difference == pytest.approx(found.first.mean - found.second.mean)
    assert found.low < found.difference < found.high
    assert found.rows == ROWS


def test_a_large_difference_is_significant_and_none_is_not(kept):
    (found,) = kept.compared()
    assert found.p == found.corrected < 0.01
    assert found.low > 0
    assert found.exchanged < 0.001
    kept.run("twin", flipped(kept.gold, 0, 2), 0)
    kept.run("twin", flipped(kept.gold, 3), 1)
    (same,) = kept.compared("good", "twin")
    assert same.p > 0.5
    assert same.low < 0 < same.high
    assert same.exchanged > 0.5


def test_the_interval_of_a_difference_is_that_of_paired_rows(tmp_path):
    """Two systems that are wrong in the same hard rows vary much, and their difference little."""
    kept = Kept(tmp_path)
    hard = range(0, 40, 2)
    kept.run("good", flipped(kept.gold, *hard))
    kept.run("poor", flipped(kept.gold, *hard, 41, 43, 45))
    (found,) = kept.compared()
    errors = (np.isin(np.arange(ROWS), [*hard, 41, 43, 45]).astype(float) - np.isin(np.arange(ROWS), [*hard])).std()
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * errors / np.sqrt(ROWS), rel=0.1)
    assert found.high - found.low < 0.6 * (found.first.high - found.first.low)


def test_row_by_row_the_counts_are_right_and_mcnemar_is_the_binomial_test(kept):
    (found,) = kept.compared()
    first, second = found.seeds
    assert (first.both, first.only_first, first.only_second, first.neither, first.differing) == (38, 20, 1, 1, 21)
    assert first.p == pytest.approx(binomtest(20, 21).pvalue)
    assert (second.seed, second.only_first, second.only_second, second.neither) == (1, 22, 1, 0)


def test_examples_are_rows_that_one_has_right_and_the_other_wrong(kept):
    (found,) = kept.compared()
    gold = ["negative" if label == 0 else "positive" for label in kept.gold]
    shown = {example.row_id: (example.gold, example.first, example.second) for example in found.examples}
    assert list(shown) == ["test:30", "test:31", "test:0"]
    assert shown["test:30"][0] == shown["test:30"][1] == gold[30] != shown["test:30"][2]
    assert shown["test:0"][0] == shown["test:0"][2] == gold[0] != shown["test:0"][1]


def test_scores_of_different_scales_are_exchanged_by_their_ranks(tmp_path):
    kept = Kept(tmp_path)
    draw = np.random.default_rng(0)
    rank = kept.gold + draw.normal(0, 0.3, ROWS)
    noise = kept.gold + draw.normal(0, 3, ROWS)
    for system, values, scale in (("good", rank, 1.0), ("poor", noise, 0.01)):
        kept.run(system, values > 0.5, scores=np.stack([np.zeros(ROWS), scale * values], axis=1))
    (found,) = kept.compared(metric="average_precision")
    assert found.first.mean == pytest.approx(average_precision_score(kept.gold, rank), abs=1e-3)
    assert found.exchanged < 0.01
    (same,) = kept.compared("poor", "good", metric="average_precision")
    assert same.exchanged == pytest.approx(found.exchanged, abs=0.005)


def test_folds_of_a_seed_are_compared_as_one(tmp_path):
    kept = Kept(tmp_path, rows=40)
    for system, wrong in (("good", 10), ("poor", 2)):
        for fold in range(2):

            def method(job, wrong=wrong):
                gold = np.array(job.data.test["label"])
                return job.predictions([int(1 - g if i % wrong == 0 else g) for i, g in enumerate(gold)])

            kept.run(system, method, folds=2, fold=fold)
    (found,) = kept.compared()
    pool = found.seeds[0].both + found.seeds[0].only_first + found.seeds[0].only_second + found.seeds[0].neither
    assert found.rows == pool == 40
    assert found.first.mean == pytest.approx(0.9, abs=0.02)
    assert found.second.mean == pytest.approx(0.5, abs=0.02)


def test_every_table_that_has_both_is_compared_and_p_is_corrected_for_their_number(kept, capsys):
    for system, wrong in (("good", range(3)), ("poor", range(10))):
        kept.run(system, flipped(kept.gold, *wrong), train_size=10)
    kept.run("good", kept.gold, train_size=20)
    found = kept.compared()
    assert [one.section.protocol for one in found] == [{}, {"train_size": 10}]
    assert found[0].corrected == pytest.approx(2 * found[0].p)
    assert found[1].corrected == pytest.approx(found[1].p)
    wrong = [((0, 1), (1, *range(30, 50))), ((0,), (1, *range(30, 51))), (range(3), range(10))]
    rows = np.arange(ROWS)
    alone = [mcnemar(np.isin(rows, one, invert=True), np.isin(rows, other, invert=True)) for one, other in wrong]
    assert [seed.p for one in found for seed in one.seeds] == pytest.approx(holm(alone))
    assert main(["compare", "good", "poor", "--task", "mine", "--results-dir", str(kept.results)]) == 0
    said = capsys.readouterr().out
    assert said.count("by Holm for 2 tables") == 4 and said.count("McNemar's p by Holm for all seeds and tables") == 2


def test_seeds_with_other_test_rows_are_compared_without_row_by_row(kept):
    kept.run("other", kept.gold[:30], 5, limit=None, test_size=30)
    with pytest.raises(UserError, match="in no table together"):
        kept.compared("good", "other")
    for seed in (7, 8):
        kept.run("late", flipped(kept.gold, 3), seed)
    (found,) = kept.compared("good", "late")
    assert found.seeds == found.examples == ()
    assert found.exchanged is None


@pytest.mark.parametrize(
    ("names", "metric", "said"),
    [
        (("good", "por"), None, r"No system 'por'\. Did you mean 'poor'\? Stored for mine: good, poor\."),
        (("good", "good"), None, "good: compared with itself"),
        (("good", "poor"), "average_precision", "--metric average_precision: its predictions have no scores"),
        (
            ("good", "poor"),
            "entity_f1",
            r"^--metric entity_f1: does not score mine \(text-classification, 2 labels\)\..* One of: accuracy",
        ),
        (
            ("good", "poor"),
            "average_precision_macro",
            r"does not score mine .*\. Did you mean 'average_precision'\? One of: accuracy",
        ),
        (("good", "poor"), "f1-makro", r"does not score mine .*\. Did you mean 'f1_macro'\?"),
        (
            ("good", "poor"),
            "best_f1_threshold",
            r"^--metric best_f1_threshold: ranks nothing: neither direction of it is better\. One of: .*, best_f1\.$",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(kept, names, metric, said):
    with pytest.raises(UserError, match=said):
        kept.compared(*names, metric=metric)


@pytest.mark.parametrize("metric", ["f1", "precision", "roc_auc", "average_precision", "best_f1", "silhouette"])
def test_a_metric_of_two_classes_does_not_compare_systems_on_three(tmp_path, capsys, metric):
    kept = Kept(tmp_path, labels="[negative, positive, neither]", positive="null")
    scores = np.eye(3, dtype=np.float32)[kept.gold]
    for system, predicted in (("good", kept.gold), ("poor", flipped(kept.gold, 1, 3))):
        kept.run(system, predicted, scores=scores)
    assert kept.compared(metric="average_precision_macro")[0].difference == 0
    code, out, err = printed(kept, capsys, "good", "poor", "--metric", metric)
    assert (code, out) == (2, "")
    assert err.startswith(f"--metric {metric}: does not score mine (text-classification, 3 labels).")
    assert "One of: accuracy, f1_micro, f1_macro" in err and err.count("\n") == 1


def clustered(kept, system, wrong, **protocol) -> None:
    """Stores a clustering with so many of its rows in the other cluster."""

    def method(job) -> Predictions:
        gold = np.array(job.data.test["label"])
        found = job.predictions(flipped(gold, *range(wrong)).tolist())
        return replace(found, silhouettes=np.linspace(-1, 1, len(gold)))

    kept.run(system, method, **protocol)


def test_clusterings_are_compared_by_metrics_of_clusterings(tmp_path):
    kept = Kept(tmp_path)
    clustered(kept, "good", 1)
    clustered(kept, "poor", 20)
    assert kept.compared()[0].metric == "v_measure"
    assert kept.compared(metric="silhouette")[0].difference == 0
    said = r"does not score mine \(clusterings\)\. Did you mean 'cluster_accuracy'\? One of: silhouette, v_measure"
    with pytest.raises(UserError, match=said):
        kept.compared(metric="accuracy")


def test_folds_of_clusterings_are_not_compared_as_one(tmp_path):
    kept = Kept(tmp_path, rows=40)
    for system, wrong in (("good", 1), ("poor", 8)):
        for fold in range(2):
            clustered(kept, system, wrong, folds=2, fold=fold)
    with pytest.raises(UserError, match="mine: good has no score of all folds together: each fold is clustered by its"):
        kept.compared()
    clustered(kept, "good", 1)
    clustered(kept, "poor", 8)
    assert [one.section.protocol for one in kept.compared()] == [{}]


def test_predictions_that_are_gone_are_named(kept):
    next(kept.results.glob("runs/mine/poor/seed1*.parquet")).unlink()
    with pytest.raises(UserError, match="poor: the predictions of seed 1 are not stored"):
        kept.compared()


# -- what is printed -------------------------------------------------------------------------------------------------


def printed(kept, capsys, *arguments: str) -> tuple[int, str, str]:
    code = main(["compare", *arguments, "--task", "mine", "--results-dir", str(kept.results)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_says_who_is_better_and_by_how_much(kept, capsys):
    code, out, _ = printed(kept, capsys, "good", "poor")
    gold = kept.gold
    mean = np.mean([accuracy_score(gold, flipped(gold, 0, 1)), accuracy_score(gold, flipped(gold, 0))])
    assert code == 0
    assert "Whole training split: accuracy on 60 rows\n" in out
    assert f"  good         {mean:.4f}  [" in out
    assert "good has the higher accuracy\n" in out
    assert "\n  permutation test over rows (these trained models only): p " in out
    assert "of this pair alone" not in out
    kept.run("fair", flipped(kept.gold, 1, 2, 3))
    assert (
        "of this pair alone: the leaderboard, which corrects for all of its 3 systems"
        in printed(kept, capsys, "good", "poor")[1]
    )
    assert (
        "seed 0: they differ in 21 of 60 rows; both right 38, only good 20, only poor 1, neither 1 (McNemar p " in out
    )
    assert "    test:30  gold " in out


def test_the_command_says_that_one_seed_is_one_seed(tmp_path, capsys):
    kept = Kept(tmp_path)
    kept.run("good", flipped(kept.gold, 0))
    kept.run("poor", flipped(kept.gold, 1))
    _, out, _ = printed(kept, capsys, "good", "poor")
    assert ": not significant\n" in out
    assert "one seed of a system says nothing of how far another seed would be" in out


def test_tags_are_shown_word_by_word(tmp_path, capsys):
    kept = Kept(tmp_path, make.tag_task)
    gold = kept.data.splits["test"]["tags"]
    kept.run("good", lambda job: job.predictions(list(gold)))
    kept.run("poor", lambda job: job.predictions([[0] * len(row) for row in gold]))
    code = main(["compare", "good", "poor", "--task", kept.task.name, "--results-dir", str(kept.results)])
    out = capsys.readouterr().out
    assert code == 0
    assert "entity_f1 on" in out
    assert "  word " in out
    assert " gold B-" in out


def test_a_wrong_name_ends_with_exit_code_2_and_one_message(kept, capsys):
    code, out, err = printed(kept, capsys, "good", "por")
    assert (code, out) == (2, "")
    assert err == "No system 'por'. Did you mean 'poor'? Stored for mine: good, poor.\n"


def test_a_part_of_a_name_is_answered_by_the_names_that_hold_it(kept, capsys):
    for name in ("tfidf-svm", "tfidf-nb"):
        kept.run(name, kept.gold)
    assert printed(kept, capsys, "good", "tfidf")[2].endswith("Stored for mine: tfidf-nb, tfidf-svm.\n")


@pytest.mark.parametrize(("asked", "said"), [("mime", " Did you mean 'mine'? Stored: mine."), ("x", " Stored: mine.")])
def test_a_task_of_which_nothing_is_stored_is_told_with_those_that_are(kept, capsys, asked, said):
    code = main(["compare", "good", "poor", "--task", asked, "--results-dir", str(kept.results)])
    assert (code, capsys.readouterr().err) == (2, f"--task {asked}: no stored runs of it.{said}\n")
