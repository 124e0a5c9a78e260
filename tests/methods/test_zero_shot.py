"""Zero-shot: the nearest label name, and a checkpoint's own head with its labels mapped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import make
import numpy as np
import pytest
import tiny
import torch
from sklearn.metrics import f1_score

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_systems, load_task, load_tasks
from benchmarks.encoders import load_tokenizer, own_labels, parameters
from benchmarks.lock import Lock
from benchmarks.methods.zero_shot import in_words
from benchmarks.recipes import RECIPES, ZeroShotLabels, ZeroShotPipeline
from benchmarks.runner import run
from benchmarks.schema import TEXTS, Protocol, Recipe, RunResult, RunSpec, System

SAYS = ["bad", "very bad", "so-so", "good"]
MEANT = {"bad": "negative", "very bad": "negative", "good": "positive"}


@pytest.fixture(scope="session", params=["bert", "roberta"])
def fine_tuned(request, tmp_path_factory) -> Path:
    """A checkpoint in bfloat16, with a head for four labels and dropout that would show."""
    from transformers import AutoModelForSequenceClassification

    folder = tiny.checkpoint(tmp_path_factory.mktemp("fine-tuned"), request.param)
    torch.manual_seed(0)
    said = {"id2label": dict(enumerate(SAYS)), "num_labels": len(SAYS), "hidden_dropout_prob": 0.5}
    model = AutoModelForSequenceClassification.from_pretrained(folder, **said)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.5 if weights.ndim == 2 else 1.0)  # so that rows differ
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def made(task, data, encoder: Path, recipe: Recipe, cache: Path, **protocol):
    method = {kind: method for method, kind in RECIPES.items()}[type(recipe)]
    spec = RunSpec(task, System(name=method, method=method), recipe, Protocol(**protocol), {})
    result, predictions = run(spec, data, encoder, cache)
    assert isinstance(result, RunResult), result.error["traceback"]
    return result, predictions


def rows_of(folder: Path, extra: str = ""):
    task = load_task(make.text_task(folder))
    with (folder / "data" / "mine" / "test.csv").open("a") as file:
        file.write(extra)
    return task, load(task, origin_of(task, folder / "data", {}), folder / "cache", Lock())


# -- label names -----------------------------------------------------------------------------------------------------


def test_the_nearest_label_name_tells_topics_apart(tmp_path, bundled):
    task = load_tasks()["news-sample"]
    data = load(task, origin_of(task, None, {}), tmp_path, Lock())
    result, predictions = made(task, data, bundled, ZeroShotLabels(), tmp_path, test_size=150)
    majority = [np.bincount(predictions.gold).argmax()] * 150
    shuffled = np.random.default_rng(0).permutation(predictions.predicted)
    by_luck = [f1_score(predictions.gold, some, average="macro", zero_division=0) for some in (majority, shuffled)]
    assert result.metrics["f1_macro"] > 0.2 + max(by_luck)


def test_scores_are_the_cosines_of_sentence_transformers(tmp_path, bundled):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    task, data = rows_of(tmp_path)
    recipe = ZeroShotLabels(template="It was {}.", max_length=16)
    result, predictions = made(task, data, bundled, recipe, tmp_path)
    transformer = Transformer(str(bundled), max_seq_length=16)
    theirs = SentenceTransformer(modules=[transformer, Pooling(384, "mean")], device="cpu")
    texts = theirs.encode(list(data.splits["test"]["text"]), show_progress_bar=False)
    names = theirs.encode(["It was negative.", "It was positive."], show_progress_bar=False)
    assert np.allclose(predictions.scores, theirs.similarity(texts, names), atol=1e-3)
    assert predictions.predicted == predictions.scores.argmax(axis=1).tolist()
    assert (result.cost["train_seconds"], result.cost["train_rows_per_second"]) == (0, None)
    assert (result.cost["parameters"], result.cost["trainable_parameters"]) == (parameters(bundled), 0)
    assert result.cost["predict_seconds"] >= result.training["embedded"]["test"]["seconds"] > 0
    assert result.training["max_length"] == 16


def test_label_names_are_embedded_as_words():
    assert in_words("not-hateful", "{}") == "not hateful"
    assert in_words("STYLE_&_BEAUTY", "News on {} today.") == "News on STYLE & BEAUTY today."


# -- a checkpoint's own head -----------------------------------------------------------------------------------------


def test_scores_are_what_the_model_itself_gives_with_its_labels_summed(tmp_path, fine_tuned):
    from transformers import AutoModelForSequenceClassification

    task, data = rows_of(tmp_path, extra=" ".join(["lazy dog"] * 40) + ",negative\n")
    result, predictions = made(task, data, fine_tuned, ZeroShotPipeline(labels=MEANT, max_length=20), tmp_path)
    tokenizer = load_tokenizer(fine_tuned, TEXTS)
    model = AutoModelForSequenceClassification.from_pretrained(fine_tuned, dtype=torch.float32).eval()
    for text, scores in zip(data.splits["test"]["text"], predictions.scores, strict=True):
        with torch.no_grad():
            logits = model(**tokenizer(text, truncation=True, max_length=20, return_tensors="pt")).logits[0]
        bad, very_bad, _, good = logits.softmax(-1).tolist()
        assert scores == pytest.approx(np.log([bad + very_bad, good]), abs=5e-3, rel=2e-3)
    assert predictions.predicted == predictions.scores.argmax(axis=1).tolist()
    assert len(np.unique(predictions.scores, axis=0)) > 30
    assert result.training["max_length"] == 20
    assert result.training["cut_rows"]["test"] >= 1
    assert (result.cost["train_seconds"], result.cost["trainable_parameters"]) == (0, 0)
    assert result.cost["parameters"] == sum(weights.numel() for weights in model.parameters())


@pytest.mark.parametrize("asks", ["output_hidden_states", "output_attentions", "return_dict"])
def test_scores_are_the_same_whatever_a_checkpoint_s_configuration_asks_for(tmp_path, fine_tuned, asks):
    asking = shutil.copytree(fine_tuned, tmp_path / "asking")
    config = json.loads((asking / "config.json").read_text())
    (asking / "config.json").write_text(json.dumps(config | {asks: asks != "return_dict"}))
    task, data = rows_of(tmp_path)
    (_, plain), (_, found) = (
        made(task, data, encoder, ZeroShotPipeline(labels=MEANT), tmp_path) for encoder in (fine_tuned, asking)
    )
    assert np.array_equal(found.scores, plain.scores)


def test_a_checkpoint_that_was_fine_tuned_elsewhere_knows_the_sample_and_says_the_same_again(tmp_path, bundled):
    """Fine-tuned on the sample's training rows, under labels of its own."""
    task = load_tasks()["sentiment-sample"]
    data = load(task, origin_of(task, None, {}), tmp_path, Lock())
    elsewhere = fine_tuned_on(select(data, Protocol(train_size=240)).train, bundled, tmp_path / "elsewhere")
    recipe = ZeroShotPipeline(labels={"BAD": "negative", "GOOD": "positive"}, max_length=32)
    (result, first), (_, again) = (
        made(task, data, elsewhere, recipe, tmp_path / name, test_size=100) for name in ("first", "again")
    )
    assert result.metrics["roc_auc"] > 0.65  # .6 is the 95 % quantile of chance
    assert again.predicted == first.predicted
    assert np.array_equal(again.scores, first.scores)


def fine_tuned_on(rows, encoder: Path, folder: Path) -> Path:
    """A checkpoint with a head for BAD and GOOD, trained by a plain loop; only its upper layers, to be done soon."""
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    tokenizer = load_tokenizer(encoder, TEXTS)
    model = AutoModelForSequenceClassification.from_pretrained(encoder, id2label={0: "BAD", 1: "GOOD"}).train()
    for part in (model.bert.embeddings, model.bert.encoder.layer[:4]):
        part.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
    for start in [*range(0, len(rows), 16)] * 3:
        batch = rows[start : start + 16]
        inputs = tokenizer(list(batch["text"]), truncation=True, max_length=32, padding=True, return_tensors="pt")
        model(**inputs, labels=torch.tensor(batch["label"])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_very_long_row_moves_the_scores_of_no_other(tmp_path, fine_tuned):
    for recipe, encoder in ((ZeroShotPipeline(labels=MEANT), fine_tuned), (ZeroShotLabels(), fine_tuned)):
        _, before = made(*rows_of(tmp_path / "plain"), encoder, recipe, tmp_path / "cache")
        longer = rows_of(tmp_path / "longer", extra=" ".join(["works"] * 90) + ",negative\n")
        _, beside = made(*longer, encoder, recipe, tmp_path / "other cache")
        assert np.allclose(beside.scores[:-1], before.scores, rtol=2e-3, atol=2e-3)  # a step of 16 bits


def test_a_probability_of_zero_has_a_finite_logarithm(tmp_path, fine_tuned):
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(fine_tuned, dtype=torch.float32)
    last = [part for part in model.modules() if isinstance(part, torch.nn.Linear)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([200.0, 200.0, 0.0, -200.0]))
    model.save_pretrained(tmp_path / "sure")
    load_tokenizer(fine_tuned, TEXTS).save_pretrained(tmp_path / "sure")
    _, predictions = made(*rows_of(tmp_path), tmp_path / "sure", ZeroShotPipeline(labels=MEANT), tmp_path)
    assert set(predictions.predicted) == {0}
    assert np.isfinite(predictions.scores).all()


def test_a_checkpoint_that_says_other_labels_is_told_by_them(tmp_path, fine_tuned):
    recipe = ZeroShotPipeline(labels={**MEANT, "great": "positive", "awful": "negative"})
    assert own_labels(fine_tuned) == tuple(SAYS)
    assert ZeroShotPipeline(labels=MEANT).misses(own_labels(fine_tuned)) is None
    assert recipe.misses(own_labels(fine_tuned)) == "needs a checkpoint that was trained to say great, awful"
    bare = tiny.checkpoint(tmp_path / "bare")
    assert recipe.misses(own_labels(bare)).endswith("to say bad, very bad, good, great, awful")
    config = json.loads((fine_tuned / "config.json").read_text())
    del config["id2label"]
    (bare / "config.json").write_text(json.dumps(config))
    assert own_labels(bare) == ("LABEL_0", "LABEL_1")


def test_zero_shot_sentiment_fits_the_sentiment_tasks_and_no_others():
    recipe = ZeroShotPipeline.model_validate(load_systems()["zero-shot-sentiment"].recipe)
    fits = {name for name, task in load_tasks().items() if recipe.misfit(task) is None}
    assert fits >= {"rotten-tomatoes", "sst2", "imdb", "sentiment-sample"}
    assert {load_tasks()[name].group for name in fits} == {"sentiment"}
    assert recipe.misfit(load_tasks()["huffpost"]) == "knows no labels but negative, positive"
    assert recipe.misfit(load_tasks()["mit-movie"]) == "does no token-classification"
