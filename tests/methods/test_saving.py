"""A kept model is the trained one: it predicts the same, also of words that its training never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer
from watched import watched

from benchmarks import meter
from benchmarks.methods import finetune as module
from benchmarks.methods.finetune import finetune, model_of
from benchmarks.methods.saving import HEAD
from benchmarks.recipes import Finetune, Lora

RECIPE = {"learning_rate": 1e-3, "epochs": 13, "batch_size": 8, "weight_decay": 0.1, "precision": "fp32"}
LOW_RANK = Lora(**{**RECIPE, "learning_rate": 5e-3})
UNSEEN = "the neighbourhoods of siemens are counterproductive"


def kept(folder: Path, encoder: Path, recipe: Finetune, write=make.text_task):
    """The job, its predictions, and the folder of its model."""
    job = jobs.job(folder, encoder, recipe, write)
    model = folder / "model"
    model.mkdir()
    return job, finetune(replace(job, keep=model)), model


def log_probabilities(model, tokenizer, texts) -> np.ndarray:
    inputs = tokenizer(list(texts), padding=True, truncation=True, max_length=32, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**inputs).logits.log_softmax(-1).numpy()


@pytest.mark.parametrize("recipe", [Finetune(**RECIPE), LOW_RANK], ids=["whole", "low-rank"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_model_for_texts_predicts_what_the_run_did(tmp_path, checkpoints, family, recipe):
    job, predictions, folder = kept(tmp_path, checkpoints[family], recipe)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert not any("lora" in name for name in model.state_dict())
    found = log_probabilities(model, tokenizer, job.data.test["text"])
    np.testing.assert_allclose(found, predictions.scores, atol=1e-5)
    assert np.ptp(found[:, 0]) > 0.2


def test_a_model_for_words_predicts_what_the_run_did(tmp_path, bert):
    job, predictions, folder = kept(tmp_path, bert, Finetune(**RECIPE), make.tag_task)
    model, tokenizer = AutoModelForTokenClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    words = job.data.test["tokens"][0]
    inputs = tokenizer(words, is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        tags = model.eval()(**inputs).logits.argmax(-1)[0].tolist()
    of_words = inputs.word_ids()
    assert [tags[of_words.index(i)] for i in range(len(words))] == predictions.predicted[0]
    assert model.config.id2label[1].startswith("B-")


@pytest.mark.parametrize("changes", [{}, {"frozen_layers": 1}, {"schedule": "cosine"}], ids=str)
def test_every_weight_is_that_of_a_training_with_all_embeddings(tmp_path, bert, monkeypatch, changes):
    recipe = Finetune(**RECIPE, **changes)
    found = load_file(kept(tmp_path / "few", bert, recipe)[2] / "model.safetensors")
    monkeypatch.setattr(module, "keep_used", lambda *given: None)
    expected = load_file(kept(tmp_path / "all", bert, recipe)[2] / "model.safetensors")
    assert set(found) == set(expected)
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, atol=1e-5, rtol=0, msg=name)


def test_unseen_words_have_decayed_as_they_would_have(tmp_path, bert, monkeypatch):
    texts = {}
    for which in ("few", "all"):
        if which == "all":
            monkeypatch.setattr(module, "keep_used", lambda *given: None)
        folder = kept(tmp_path / which, bert, Finetune(**{**RECIPE, "weight_decay": 1.0}))[2]
        model = AutoModelForSequenceClassification.from_pretrained(folder)
        texts[which] = log_probabilities(model, AutoTokenizer.from_pretrained(folder), [UNSEEN])
    np.testing.assert_allclose(texts["few"], texts["all"], atol=1e-5)


def test_a_head_of_ours_lies_beside_its_encoder(tmp_path, bert):
    recipe = Finetune(**RECIPE, head_layers=(16,))
    job, predictions, folder = kept(tmp_path, bert, recipe)
    model = model_of(job, recipe, bert)
    model.encoder = AutoModel.from_pretrained(folder)
    model.head.load_state_dict(load_file(folder / HEAD))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(list(job.data.test["text"]), padding=True, return_tensors="pt")
    with torch.no_grad():
        found = model.eval()(**inputs)["logits"].log_softmax(-1).numpy()
    np.testing.assert_allclose(found, predictions.scores, atol=1e-5)


FULL = "No space left on device"


@pytest.mark.parametrize("error", [OSError(FULL), SafetensorError(FULL)], ids=lambda error: type(error).__name__)
def test_a_model_that_cannot_be_written_costs_no_predictions_and_no_memory(tmp_path, bert, monkeypatch, error):
    taken = [100.0]

    def full(*arguments):
        taken.append(900.0)  # after the run's own work
        raise error

    monkeypatch.setattr(module, "save", full)
    monkeypatch.setattr(meter, "_peak_memory_mb", lambda on_gpu: taken[-1])
    job, predictions, folder = kept(tmp_path, bert, Finetune(**{**RECIPE, "epochs": 0.2}))
    assert job.meter.cost()["peak_memory_mb"] == 100.0
    assert len(predictions.predicted) == 60
    assert job.meter.notes["model_not_kept"] == FULL
    assert not folder.exists()


def test_what_is_kept_moves_no_prediction(tmp_path, bert):
    with_model = kept(tmp_path / "with", bert, Finetune(**RECIPE))[1]
    _, without = watched(lambda: finetune(jobs.job(tmp_path / "without", bert, Finetune(**RECIPE))))
    assert np.array_equal(with_model.scores, without.scores)
