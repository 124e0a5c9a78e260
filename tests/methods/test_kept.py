"""What a kept model says of texts is what its run said of them."""

from __future__ import annotations

import json
from dataclasses import replace

import jobs
import make
import numpy as np
import pytest
import tiny

from benchmarks.methods.finetune import finetune
from benchmarks.methods.kept import of_texts, of_words
from benchmarks.recipes import Finetune
from benchmarks.schema import RunResult
from benchmarks.scoring import Named

RECIPE = {"learning_rate": 1e-3, "epochs": 13, "batch_size": 8, "precision": "fp32"}


def kept(folder, encoder, recipe, write=make.text_task):
    """The job, its predictions, and what a stored run would say of its model."""
    job = jobs.job(folder, encoder, recipe, write)
    model = folder / "model"
    model.mkdir()
    predictions = finetune(replace(job, keep=model))
    run = RunResult.model_construct(
        type=job.task.type, method="finetune", recipe=recipe.model_dump(mode="json"),
        identity_={"task": job.task.identity()}, training=job.meter.notes,
    )  # fmt: skip
    return job, predictions, model, run


@pytest.mark.parametrize("own", [{}, {"pooling": "mean"}, {"head_layers": (16,)}], ids=["family's", "mean", "deeper"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_probabilities_are_those_of_the_run(tmp_path, checkpoints, family, own):
    job, predictions, model, run = kept(tmp_path, checkpoints[family], Finetune(**RECIPE, **own))
    found = of_texts(model, run, list(job.data.test["text"]))
    np.testing.assert_allclose(np.log(found), predictions.scores, atol=1e-4)
    assert np.ptp(found[:, 0]) > 0.02
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


def test_a_model_says_the_same_whatever_its_configuration_asks_for(tmp_path, bert):
    job, _, model, run = kept(tmp_path, bert, Finetune(**RECIPE))
    texts = list(job.data.test["text"])[:8]
    plain = of_texts(model, run, texts)
    config = json.loads((model / "config.json").read_text())
    asks = {"output_hidden_states": True, "output_attentions": True, "return_dict": False}
    (model / "config.json").write_text(json.dumps(config | asks))
    np.testing.assert_array_equal(of_texts(model, run, texts), plain)


def test_tags_are_those_of_the_run_also_of_rows_longer_than_the_encoder_reads(tmp_path, bert):
    job, predictions, model, run = kept(tmp_path, bert, Finetune(**RECIPE), make.tag_task)
    assert job.meter.notes["cut_rows"]["test"] > 0
    expected = list(Named.of(predictions, job.task.classes).predicted)
    assert of_words(model, run, list(job.data.test["tokens"])) == expected
    assert len({tag for row in expected for tag in row}) > 1


def test_unseen_words_and_one_text_alone_have_a_label(tmp_path, bert):
    _, _, model, run = kept(tmp_path, bert, Finetune(**RECIPE))
    assert of_texts(model, run, ["the neighbourhoods of siemens are counterproductive"]).shape == (1, 2)
