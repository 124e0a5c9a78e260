"""One run: whatever a method does becomes a result or a failure; the numbers are those of its predictions."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import make
import numpy as np
import pytest

from benchmarks import ranks, store
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_systems, load_task, resolved_recipe
from benchmarks.lock import Lock
from benchmarks.methods import Job
from benchmarks.metrics import tags
from benchmarks.runner import run
from benchmarks.schema import Predictions, Protocol, RunFailure, RunResult, RunSpec
from benchmarks.scoring import rescored

PROJECT = Path(__file__).parent.parent


def prepared(folder, write, system="majority", **protocol):
    task = load_task(write(folder))
    found = load_systems()[system]
    origin = origin_of(task, folder / "data", {})
    spec = RunSpec(task, found, resolved_recipe(found, task.type), Protocol(**protocol), {"task": task.identity()})
    return spec, load(task, origin, folder / "cache", Lock())


def always_right(job: Job) -> Predictions:
    gold = job.data.test["label"]
    return job.predictions(list(gold), np.eye(2)[gold])


def test_a_method_that_is_always_right_scores_one(tmp_path):
    spec, data = prepared(tmp_path, make.text_task)
    result, predictions = run(spec, data, None, tmp_path, method=always_right)
    assert isinstance(result, RunResult)
    assert all(result.metrics[name] == pytest.approx(1) for name in ("accuracy", "f1", "average_precision", "mcc"))
    assert predictions.row_ids[:2] == ["test:0", "test:1"]


def test_an_exception_in_a_method_is_a_failure_with_its_traceback(tmp_path):
    def broken(job: Job) -> Predictions:
        raise ValueError("out of luck")

    spec, data = prepared(tmp_path, make.text_task)
    result, predictions = run(spec, data, None, tmp_path, method=broken)
    assert isinstance(result, RunFailure)
    assert predictions is None
    assert (result.error["type"], result.error["message"]) == ("ValueError", "out of luck")
    assert "in broken" in result.error["traceback"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: Predictions(p.row_ids[1:], p.gold, p.predicted, p.scores),
        lambda p: Predictions(p.row_ids, p.gold, p.predicted[:-1], p.scores),
        lambda p: Predictions(p.row_ids, p.gold, p.predicted, p.scores[:, :1]),
        lambda p: Predictions(p.row_ids, p.gold, p.predicted, p.scores * np.nan),
        lambda p: Predictions(p.row_ids, p.gold, p.predicted, silhouettes=p.scores[1:, 0]),
        lambda p: Predictions(p.row_ids, p.gold, p.predicted, silhouettes=p.scores[:, 0] * np.nan),
    ],
)
def test_a_method_that_loses_doubles_or_spoils_rows_has_failed(tmp_path, spoil):
    spec, data = prepared(tmp_path, make.text_task)
    result, _ = run(spec, data, None, tmp_path, method=lambda job: spoil(always_right(job)))
    assert isinstance(result, RunFailure)
    assert result.error["type"] == "ValueError"


def test_a_row_that_a_method_doubles_is_named(tmp_path):
    def doubling(job: Job) -> Predictions:
        right = always_right(job)
        return Predictions([*right.row_ids[:-1], right.row_ids[7]], right.gold, right.predicted, right.scores)

    spec, data = prepared(tmp_path, make.text_task)
    result, _ = run(spec, data, None, tmp_path, method=doubling)
    assert (result.error["type"], result.error["message"]) == ("ValueError", "a row id stands twice: 'test:7'")


def test_an_interruption_is_no_failure_of_the_run(tmp_path):
    def interrupted(job: Job) -> Predictions:
        raise KeyboardInterrupt

    spec, data = prepared(tmp_path, make.text_task)
    with pytest.raises(KeyboardInterrupt):
        run(spec, data, None, tmp_path, method=interrupted)


def test_metrics_are_those_of_the_stored_predictions(tmp_path):
    noise = np.random.default_rng(0).normal(size=(60, 2))
    spec, data = prepared(tmp_path, make.text_task)
    result, predictions = run(
        spec, data, None, tmp_path, method=lambda job: job.predictions(noise.argmax(1).tolist(), noise)
    )
    store.save(tmp_path / "results", spec, result, predictions)
    assert rescored(tmp_path / "results", result) == result.metrics


def test_a_clustering_has_the_metrics_of_clusterings_alone_also_from_the_store(tmp_path):
    noise = np.random.default_rng(0).uniform(-1, 1, 60)
    spec, data = prepared(tmp_path, make.text_task)
    result, predictions = run(
        spec, data, None, tmp_path, method=lambda job: replace(always_right(job), scores=None, silhouettes=noise)
    )
    assert list(result.metrics) == ["silhouette", "v_measure", "adjusted_rand", "cluster_accuracy"]
    assert result.metrics["silhouette"] == pytest.approx(noise.mean())
    assert result.metrics[result.primary_metric] == 1.0
    assert "per_class" not in result.report
    store.save(tmp_path / "results", spec, result, predictions)
    assert rescored(tmp_path / "results", result) == result.metrics


def test_a_run_carries_what_its_task_says_of_the_data(tmp_path):
    said = {"licence": "MIT", "homepage": "https://example.org", "citation": "A. Author", "notes": "Half of the rows."}
    spec, data = prepared(tmp_path, lambda folder: make.text_task(folder, **said, offensive="true"))
    result, _ = run(spec, data, None, tmp_path)
    assert result.about == {"language": "en", **said, "offensive": True}
    spec, data = prepared(tmp_path / "unsaid", make.text_task)
    assert run(spec, data, None, tmp_path)[0].about == {"language": "en", "licence": "not stated"}


def test_majority_predicts_the_label_and_the_tag_that_most_training_rows_have(tmp_path):
    spec, data = prepared(tmp_path / "a", make.text_task)
    result, predictions = run(spec, data, None, tmp_path)
    assert set(predictions.predicted) == {0}
    assert result.metrics["accuracy"] == 0.5
    spec, data = prepared(tmp_path / "b", make.tag_task)
    result, predictions = run(spec, data, None, tmp_path)
    assert {spec.task.tags[tag] for row in predictions.predicted for tag in row} == {"O"}
    assert result.metrics["entity_f1"] == 0.0


def test_tfidf_equals_scikit_learns_own_pipeline(tmp_path):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    spec, data = prepared(tmp_path, make.text_task, "tfidf-svm", train_size=12)
    result, predictions = run(spec, data, None, tmp_path)
    from benchmarks.data.splits import select

    rows = select(data, spec.protocol)
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC(random_state=0))
    model.fit(list(rows.train["text"]), list(rows.train["label"]))
    assert predictions.predicted == model.predict(list(rows.test["text"])).tolist()
    assert np.allclose(predictions.scores[:, 1], model.decision_function(list(rows.test["text"])), rtol=1e-3)
    assert result.train_size == 12


def test_the_gold_of_a_tagging_run_is_every_word_of_the_data(tmp_path):
    spec, data = prepared(tmp_path, make.tag_task)
    _, predictions = run(spec, data, None, tmp_path)
    assert predictions.gold == [list(row) for row in data.splits["test"]["tags"]]
    names = [[spec.task.tags[tag] for tag in row] for row in predictions.gold]
    assert tags.measure(names, names, "IOB2")["entity_f1"] == 1.0


def test_costs_are_recorded_under_the_names_of_the_contract(tmp_path):
    spec, data = prepared(tmp_path, make.text_task, "tfidf-svm")
    result, _ = run(spec, data, None, tmp_path)
    assert list(result.cost) == [
        "train_seconds", "predict_seconds", "train_rows_per_second", "peak_memory_mb", "parameters",
        "trainable_parameters", "energy_kwh",
    ]  # fmt: skip
    assert result.cost["parameters"] > 0
    assert result.cost["peak_memory_mb"] > 10


ONE_OF_TWO = """
import torch.distributed
from benchmarks import ranks
ranks._launched = lambda: (0, 2)  # the group itself is of one: nobody else is waited for
with ranks.joined():
    group = torch.distributed.distributed_c10d._get_default_group()
    print(group._get_backend(torch.device("cpu")).options._timeout.total_seconds())
"""


def test_ranks_wait_for_each_other_as_long_as_a_run_on_one_of_them_may_take():
    """torch's own half an hour ends a launch whose first rank still fills a cache, or makes a run alone."""
    launched = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    environment = {**os.environ, **launched, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", ONE_OF_TWO], capture_output=True, text=True, check=True, env=environment
    )
    assert float(done.stdout) == ranks.LONGEST_WAIT.total_seconds() == 2 * 60 * 60
