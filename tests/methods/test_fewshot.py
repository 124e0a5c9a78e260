"""A few rows of each class: which ones, what is trained on them, and what the regression says of the test rows."""

from __future__ import annotations

from dataclasses import replace

import jobs
import numpy as np
import pytest
import torch
from datasets import Dataset
from sklearn.linear_model import LogisticRegression

from benchmarks.meter import Meter
from benchmarks.methods.fewshot import fewshot, shots_of, trained_encoder
from benchmarks.methods.siamese import encoded, sentence_encoder
from benchmarks.recipes import SbertFewshot

QUICK = SbertFewshot(shots=4, iterations=3, learning_rate=3e-3, precision="fp32")


def test_it_learns_from_a_few_rows_of_each_of_three_classes(tmp_path, bert):
    job = jobs.job(tmp_path, bert, QUICK, jobs.three_classes)
    predictions = fewshot(job)
    assert np.mean(np.array(predictions.predicted) == predictions.gold) > 0.8
    assert predictions.scores.shape == (60, 3)
    assert np.allclose(np.exp(predictions.scores).sum(axis=1), 1)
    assert job.meter.notes["trained_rows"] == 12
    assert job.meter.notes["pairs"] == job.meter.rows["train"] == 12 * 3 * 2
    assert job.meter.notes["cut_rows"] == {"train": 0, "test": 0}


def test_exactly_so_many_training_rows_of_each_class_are_used_and_other_seeds_use_others(tmp_path, bert):
    drawn = []
    for seed in (0, 0, 1):
        job = jobs.job(tmp_path, bert, QUICK, jobs.three_classes, seed=seed)
        shots = shots_of(job, QUICK)
        assert np.bincount(shots["label"]).tolist() == [4, 4, 4]
        assert set(shots["row_id"]) <= set(job.data.train["row_id"])
        drawn.append(set(shots["row_id"]))
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_class_with_fewer_rows_gives_all_of_them(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertFewshot(shots=20), jobs.few_positive)
    assert np.bincount(shots_of(job, job.recipe)["label"]).tolist() == [20, 15]


def test_no_other_training_row_and_no_gold_label_of_a_test_row_moves_a_score(tmp_path, bert):
    job = jobs.job(tmp_path, bert, QUICK, jobs.three_classes)
    used = set(shots_of(job, QUICK)["row_id"])
    others = [
        row if row["row_id"] in used else {**row, "text": "counterproductive arguments"} for row in job.data.train
    ]
    wrong = [{**row, "label": 2 - row["label"]} for row in job.data.test]
    data = replace(job.data, train=Dataset.from_list(others), test=Dataset.from_list(wrong))
    changed = replace(job, data=data, meter=Meter())
    assert np.array_equal(fewshot(job).scores, fewshot(changed).scores)


def test_scores_are_those_of_scikit_learns_regression_on_the_trained_embeddings(tmp_path, bert):
    job = jobs.job(tmp_path, bert, QUICK)
    scores = fewshot(job).scores
    shots, model = shots_of(job, QUICK), trained_encoder(job, QUICK)[0]
    fitted = LogisticRegression(max_iter=1000).fit(encoded(job, model, shots["text"]).double(), shots["label"])
    expected = fitted.predict_log_proba(encoded(job, model, job.data.test["text"]).double())
    assert np.allclose(scores, expected, atol=1e-6)


def test_training_brings_rows_of_one_class_together_and_others_apart(tmp_path, bert):
    job = jobs.job(tmp_path, bert, QUICK.model_copy(update={"iterations": 8}))
    before = sentence_encoder(job, job.data.train)
    after, _ = trained_encoder(job, job.recipe)
    labels = np.array(job.data.test["label"])
    same = labels[:, None] == labels
    apart = []
    for model in (before, after):
        vectors = torch.nn.functional.normalize(encoded(job, model, job.data.test["text"]))
        cosines = (vectors @ vectors.T).cpu().numpy()
        apart.append(cosines[same].mean() - cosines[~same].mean())
    assert apart[1] > apart[0] + 0.3


def test_one_class_alone_is_a_failure_that_says_so(tmp_path, bert):
    job = jobs.job(tmp_path, bert, QUICK)
    one = job.data.train.select(np.flatnonzero(np.array(job.data.train["label"]) == 1))
    with pytest.raises(ValueError, match="all 4 training rows are of one class"):
        fewshot(replace(job, data=replace(job.data, train=one)))
