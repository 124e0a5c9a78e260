"""The list of metrics is that of the contract, and costs nothing to read."""

import subprocess
import sys

import numpy as np

from benchmarks.metrics import CLUSTERING_METRIC, METRICS, clustering, names_for, primary_for, tags, texts

ANY = ("accuracy", "f1_micro", "f1_macro", "f1_weighted", "mcc")
TWO = ("precision", "recall", "f1", "average_precision", "roc_auc", "best_f1", "best_f1_threshold")
MANY = ("average_precision_macro",)
NER = (
    "entity_f1",
    "entity_f1_macro",
    "entity_f1_conlleval",
    "token_f1_micro",
    "token_f1_macro",
    "token_f1_micro_no_o",
    "token_f1_macro_no_o",
    "token_f1_weighted",
    "token_accuracy",
    "token_f1_micro_types",  # these two are ours
    "token_f1_macro_types",
)
CLUSTERING = ("silhouette", "v_measure", "adjusted_rand", "cluster_accuracy")


def test_the_metrics_are_those_of_the_contract_in_its_order():
    assert tuple(METRICS) == (*ANY, *TWO, *MANY, *NER, *CLUSTERING)
    assert all(name == metric.name for name, metric in METRICS.items())


def test_two_classes_add_the_metrics_of_a_positive_class_and_more_add_the_macro_average_precision():
    assert names_for("text-classification", 2) == ANY + TWO
    assert names_for("text-classification", 3) == ANY + MANY
    assert names_for("text-classification", 1) == ANY


def test_the_number_of_labels_does_not_matter_for_tags():
    assert names_for("token-classification", 2) == names_for("token-classification", 25) == NER


def test_a_place_on_a_scale_of_scores_can_rank_nothing_and_is_no_primary_metric():
    assert set(names_for("text-classification", 2)) - set(primary_for("text-classification", 2)) == {
        "best_f1_threshold"
    }
    assert primary_for("text-classification", 3) == ANY + MANY
    assert primary_for("token-classification", 3) == NER


def test_the_metrics_of_a_clustering_are_those_of_no_task_and_one_of_them_ranks_clusterings():
    assert {name for name in METRICS if METRICS[name].clustering} == set(CLUSTERING)
    assert not any(set(names_for("text-classification", k)) & set(CLUSTERING) for k in (1, 2, 3))
    assert CLUSTERING_METRIC in CLUSTERING


def test_no_two_metrics_of_a_task_share_a_header():
    for names in (names_for("text-classification", 2), names_for("text-classification", 3), NER, CLUSTERING):
        assert len({METRICS[name].header for name in names}) == len(names)


def test_texts_measures_exactly_the_names_listed_for_two_and_for_more_classes():
    for k in (2, 4):
        ids, scores = np.arange(8) % k, np.random.default_rng(0).normal(size=(8, k))
        measured = texts.measure(ids, ids, scores, [str(i) for i in range(k)], 1)
        assert tuple(measured) == names_for("text-classification", k)


def test_metrics_that_need_scores_are_those_missing_without_scores():
    for k in (2, 4):
        names = names_for("text-classification", k)
        measured = texts.measure(np.arange(8) % k, np.arange(8) % k, None, [str(i) for i in range(k)], 1)
        assert tuple(measured) == tuple(name for name in names if not METRICS[name].needs_scores)


def test_tags_measures_exactly_the_names_listed():
    assert tuple(tags.measure([["B-PER"]], [["O"]], "IOB2")) == NER


def test_a_clustering_is_measured_by_exactly_the_names_listed():
    ids = np.arange(6) % 2
    assert tuple(clustering.measure(ids, ids, np.ones(6))) == CLUSTERING


def test_every_entity_metric_names_its_mode_and_the_strict_ones_their_scheme():
    for name in ("entity_f1", "entity_f1_macro"):
        assert "strict" in METRICS[name].summary and "scheme" in METRICS[name].summary
    assert "seqeval's default mode" in METRICS["entity_f1_conlleval"].summary


def test_reading_the_names_imports_neither_numpy_nor_sklearn_and_measuring_never_imports_torch():
    code = """
import sys, benchmarks.metrics
assert not {"numpy", "sklearn", "torch", "evaluate"} & set(sys.modules), "names"
import benchmarks.metrics.texts, benchmarks.metrics.tags, benchmarks.metrics.modules
assert not {"sklearn", "torch", "evaluate"} & set(sys.modules), "modules"
import numpy as np
ids = np.array([0, 1, 1])
benchmarks.metrics.texts.measure(ids, ids, np.eye(2)[ids], ["a", "b"], 1)
benchmarks.metrics.tags.measure([["B-X"]], [["O"]], "IOB2")
assert not {"torch", "evaluate", "seqeval"} & set(sys.modules), "measuring"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
