"""The `evaluate.Metric` faces work offline and say what the plain functions say."""

import socket

import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.metrics import METRICS, clustering, names_for, tags, texts
from benchmarks.metrics.modules import UnknownMetricError, load

GOLD = [["B-PER", "I-PER", "O"], [], ["O", "B-LOC"]]
PREDICTED = [["I-PER", "I-PER", "O"], [], ["O", "B-LOC"]]
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Trap 7: `evaluate.load` fetches its scripts; any attempt to connect fails the test."""

    def refuse(*_):
        raise AssertionError("network")

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def given_rows(name: str) -> tuple[dict[str, list], dict[str, float]]:
    """Input for the face of a metric, and what the plain functions make of it."""
    if METRICS[name].task_type == "token-classification":
        return {"predictions": PREDICTED, "references": GOLD}, tags.measure(GOLD, PREDICTED, "IOB2")
    if METRICS[name].clustering:
        return given_clusters(name)
    k = 3 if METRICS[name].classes == "many" else 2
    gold, predicted, scores = np.arange(12) % k, RNG.integers(0, k, 12), RNG.normal(size=(12, k))
    columns = {"predictions": predicted.tolist(), "references": gold.tolist()}
    columns |= {"scores": scores.tolist()} if METRICS[name].needs_scores else {}
    return columns, texts.measure(gold, predicted, scores, [str(i) for i in range(k)], None)


def given_clusters(name: str) -> tuple[dict[str, list], dict[str, float]]:
    gold, clusters, vectors = np.arange(12) % 3, RNG.integers(0, 4, 12), RNG.normal(size=(12, 5))
    given = {"embeddings": vectors.tolist()} if name == "silhouette" else {"references": gold.tolist()}
    values = clustering.silhouettes(vectors, clusters)
    return {"predictions": clusters.tolist(), **given}, clustering.measure(gold, clusters, values)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_face_that_computes_the_same_number(name):
    import evaluate

    metric, (columns, expected) = load(name), given_rows(name)
    assert isinstance(metric, evaluate.Metric)
    assert metric.name == name
    assert metric.compute(**columns) == {name: expected[name]}


@pytest.mark.parametrize(
    "name", ["entity_f1", "accuracy", "average_precision", "average_precision_macro", "v_measure", "silhouette"]
)
def test_batches_add_up_to_the_whole_and_a_face_can_be_used_again(name):
    metric, (columns, expected) = load(name), given_rows(name)
    for _ in range(2):
        for part in (slice(0, 2), slice(2, None)):
            metric.add_batch(**{key: column[part] for key, column in columns.items()})
        assert metric.compute() == {name: expected[name]}


def test_faces_combine_as_those_of_evaluate_do():
    import evaluate

    both = evaluate.combine([load("accuracy"), load("f1_macro")])
    assert both.compute(predictions=[0, 1], references=[0, 0]) == {"accuracy": 0.5, "f1_macro": pytest.approx(1 / 3)}


def test_the_positive_class_the_labels_and_the_scheme_can_be_given():
    rows = {"predictions": [0, 0, 0, 0, 1], "references": [0, 0, 1, 1, 1]}
    assert load("f1").compute(**rows, positive=0) == {"f1": pytest.approx(2 / 3)}
    assert load("accuracy").compute(**rows, labels=["a", "b"]) == {"accuracy": pytest.approx(3 / 5)}
    io = {"predictions": [["I-PER", "O"]], "references": [["I-PER", "O"]]}
    assert load("entity_f1").compute(**io, scheme="IO") == {"entity_f1": 1.0}
    assert load("entity_f1").compute(**io) == {"entity_f1": 0.0}


def test_a_metric_that_is_not_defined_for_the_rows_is_nan():
    rows = {"predictions": [0, 1], "references": [0, 0], "scores": [[0.5, 0.5], [0.1, 0.9]]}
    assert np.isnan(load("roc_auc").compute(**rows)["roc_auc"])
    assert np.isnan(load("silhouette").compute(predictions=[1, 1, 1], embeddings=[[0.0], [1.0], [2.0]])["silhouette"])


def test_a_metric_of_two_classes_refuses_three_and_one_of_many_refuses_two():
    with pytest.raises(ValueError, match="f1 is for two classes; there are 3 labels"):
        load("f1").compute(predictions=[0, 2], references=[0, 1])
    with pytest.raises(ValueError, match="average_precision_macro is for many classes; there are 2 labels"):
        load("average_precision_macro").compute(predictions=[0], references=[1], scores=[[0.5, 0.5]])


def test_a_metric_that_ranks_asks_for_its_scores():
    with pytest.raises(ValueError, match="scores"):
        load("average_precision").compute(predictions=[0, 1], references=[0, 1])


def test_a_face_works_again_after_input_that_it_refused():
    metric = load("entity_f1")
    with pytest.raises(ValueError, match="row 0"):
        metric.compute(predictions=[["O", "O"]], references=[["O"]])
    assert metric.compute(predictions=[["B-X"]], references=[["B-X"]]) == {"entity_f1": 1.0}


def test_a_face_keeps_its_rows_in_memory_so_that_no_lock_of_a_file_is_waited_for():
    metric = load("accuracy")
    metric.add_batch(predictions=[0, 1], references=[0, 1])
    assert metric.cache_file_name is None and metric.filelock is None
    assert metric.compute() == {"accuracy": 1.0}


def test_an_unknown_name_is_a_key_error_with_the_nearest_name_and_all_that_are_allowed():
    with pytest.raises(KeyError) as caught:
        load("f1-makro")
    assert isinstance(caught.value, UserError)
    assert str(caught.value).startswith("No metric 'f1-makro'. Did you mean 'f1_macro'? One of: accuracy, ")
    assert all(name in str(caught.value) for name in names_for("token-classification", 3))


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(UnknownMetricError) as caught:
        load("zzz")
    assert str(caught.value).startswith("No metric 'zzz'. One of: accuracy, ")
