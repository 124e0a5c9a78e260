"""Clusterings: of which vectors, as many clusters as classes, gold only to name them, metrics of clusterings alone."""

from __future__ import annotations

import jobs
import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.cluster import KMeans

from benchmarks import store
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_tasks
from benchmarks.embeddings import pooled
from benchmarks.encoders import parameters
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.methods.clustering import cluster
from benchmarks.recipes import SbertCluster
from benchmarks.runner import run
from benchmarks.schema import Protocol, RunResult, RunSpec, System
from benchmarks.scoring import rescored

SYSTEM = System(name="sbert-cluster", method="sbert-cluster")


def vectors_of(job) -> np.ndarray:
    """Of the test texts, by hand to length one."""
    vectors = pooled(job.data.test["text"][:], job.encoder, job.task.max_length, "mean", job.cache)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_sample_is_clustered_by_its_classes_stored_and_scored_again_from_the_store(tmp_path, bundled):
    task = load_tasks()["news-sample"]
    data = load(task, origin_of(task, None, {}), tmp_path, Lock())
    spec = RunSpec(task, SYSTEM, SbertCluster(), Protocol(test_size=200), {"task": task.identity()})
    result, predictions = run(spec, data, bundled, tmp_path)
    assert isinstance(result, RunResult), result.error["traceback"]
    assert list(result.metrics) == ["silhouette", "v_measure", "adjusted_rand", "cluster_accuracy"]
    assert result.metrics["adjusted_rand"] > 0.1
    gold, predicted = np.array(predictions.gold), np.array(predictions.predicted)
    assert result.metrics["cluster_accuracy"] == pytest.approx(np.mean(gold == predicted))
    assert result.metrics["v_measure"] == pytest.approx(sk.v_measure_score(gold, predicted))
    assert result.cost["train_seconds"] == 0
    store.save(tmp_path / "results", spec, result, predictions)
    assert rescored(tmp_path / "results", result) == result.metrics


def test_clusters_are_those_of_k_means_on_vectors_of_length_one_and_so_are_silhouettes(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertCluster(restarts=3), jobs.three_classes, seed=3)
    predictions, vectors = cluster(job), vectors_of(job)
    # of this seed's three starts, the first does not end in the tightest clusters
    clusters = KMeans(n_clusters=3, n_init=3, random_state=3).fit_predict(vectors)
    assert sk.adjusted_rand_score(clusters, predictions.predicted) == 1
    assert np.allclose(predictions.silhouettes, sk.silhouette_samples(vectors, clusters), atol=1e-6)
    assert job.meter.parameters == parameters(bert)
    assert job.meter.trainable_parameters == 0


def test_training_rows_move_nothing(tmp_path, bert):
    first, second = (
        cluster(jobs.job(tmp_path / str(size), bert, SbertCluster(), train_size=size)) for size in (10, 60)
    )
    assert first.predicted == second.predicted
    assert np.array_equal(first.silhouettes, second.silhouettes)


def test_a_long_row_moves_no_other_rows_vector(tmp_path, bert):
    """It may move the clusters: they are made of the test rows themselves."""
    plain, longer = (jobs.job(tmp_path / which, bert, SbertCluster()) for which in ("plain", "longer"))
    with (tmp_path / "longer" / "data" / "mine" / "test.csv").open("a", encoding="utf-8") as file:
        file.write(" ".join(["works"] * 60) + ",negative\n")
    longer = jobs.job(tmp_path / "longer", bert, SbertCluster(), write=lambda folder: folder / "mine.yaml")
    assert np.allclose(vectors_of(longer)[:-1], vectors_of(plain), atol=1e-6)
    assert len(cluster(longer).predicted) == 61
    assert longer.meter.notes["cut_rows"] == {"test": 1}


def test_gold_labels_name_the_clusters_and_do_not_make_them(tmp_path, bert):
    """The same texts with all labels swapped: the same clusters under swapped names."""
    first = cluster(jobs.job(tmp_path, bert, SbertCluster()))
    file = tmp_path / "data" / "mine" / "test.csv"
    swapped = {"negative": "positive", "positive": "negative"}
    head, *rows = file.read_text().splitlines()
    named = [f"{text},{swapped[label]}" for text, label in (row.split(",") for row in rows)]
    file.write_text("\n".join([head, *named]) + "\n")
    second = cluster(jobs.job(tmp_path, bert, SbertCluster(), write=lambda folder: folder / "mine.yaml"))
    assert second.predicted == [1 - label for label in first.predicted]


def test_the_same_seed_gives_the_same_clusters(tmp_path, bert):
    jobs_of = [jobs.job(tmp_path, bert, SbertCluster(), jobs.three_classes, seed=1) for _ in range(2)]
    first, second = map(cluster, jobs_of)
    assert first.predicted == second.predicted
    assert np.array_equal(first.silhouettes, second.silhouettes)


def test_fewer_rows_than_a_clustering_needs_are_a_users_error(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertCluster(), test_size=2)
    with pytest.raises(UserError, match="mine: 2 test rows can't be clustered into 2 classes: give more than 2"):
        cluster(job)
