"""Siamese training: texts beside a dummy or other texts, softmax or cosine, as sentence-transformers computes them."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModel

from benchmarks.data.splits import generator
from benchmarks.encoders import load_tokenizer, parameters
from benchmarks.errors import UserError
from benchmarks.methods import siamese
from benchmarks.methods.pairs import ASKED, of_each_class
from benchmarks.metrics.ranking import Ranking
from benchmarks.metrics.texts import measure
from benchmarks.recipes import SbertCosine, SbertFewshot, SbertSoftmax
from benchmarks.recipes.sbert import DUMMY
from benchmarks.runner import checked
from benchmarks.schema import TEXTS

QUICK = {"learning_rate": 3e-3, "epochs": 5, "batch_size": 8, "precision": "fp32"}
MOMENT = {**QUICK, "epochs": 1}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """sentence-transformers swallows what goes wrong when it asks the Hub: attempts are counted."""
    attempts = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: attempts.append(given) or [])
    yield
    assert attempts == []


def accuracy(job, predictions) -> float:
    return measure(np.array(predictions.gold), np.array(predictions.predicted), None, job.task.labels, None)["accuracy"]


# -- softmax ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["distilbert", "roberta"])  # no token types, no pooler, a dummy that is a token
def test_softmax_beside_the_dummy_learns_on_other_families_than_bert(tmp_path, checkpoints, family):
    job = jobs.job(tmp_path, checkpoints[family], SbertSoftmax(**QUICK))
    assert accuracy(job, siamese.softmax(job)) > 0.9
    assert job.meter.parameters == job.meter.trainable_parameters == parameters(job.encoder) + 2 * (3 * 32 + 1)
    assert job.meter.rows == {"train": 5 * 60, "predict": 60}


@pytest.mark.parametrize("partner", ["dummy", "class"])
def test_softmax_learns_more_than_two_classes_beside_any_partner(tmp_path, bert, partner):
    job = jobs.job(tmp_path, bert, SbertSoftmax(partner=partner, **QUICK), jobs.three_classes)
    predictions = siamese.softmax(job)
    assert predictions.scores.shape == (60, 3)
    assert accuracy(job, predictions) > 0.8


def by_hand(model, folder: Path, texts) -> torch.Tensor:
    """(n, width) means over the tokens of each text by itself: no batch, no padding."""
    tokenizer, encoder = load_tokenizer(folder, TEXTS), model[0].model.eval()
    with torch.no_grad():
        inputs = (tokenizer(text, truncation=True, max_length=32, return_tensors="pt") for text in texts)
        return torch.cat([encoder(**found).last_hidden_state.mean(dim=1) for found in inputs])


def trained_softmax(job):
    """The encoder and the loss after the training that `softmax` makes of the job."""
    model = siamese.sentence_encoder(job, job.data.train)
    loss = siamese.softmax_loss(job, job.recipe, model)
    siamese.train(job, model, loss, siamese.training_pairs(job, job.recipe))
    return model, loss


def log_softmax_by_hand(classifier, u, v) -> np.ndarray:
    weights, bias = classifier.weight.detach(), classifier.bias.detach()
    outputs = torch.cat([u, v.expand_as(u), (u - v).abs()], dim=1) @ weights.T + bias
    return (outputs - outputs.exp().sum(dim=1, keepdim=True).log()).numpy()


def test_scores_beside_the_dummy_are_the_trained_classifiers_on_u_v_and_their_difference(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertSoftmax(**MOMENT))
    predictions = siamese.softmax(job)
    model, loss = trained_softmax(job)
    u, v = (by_hand(model, bert, texts) for texts in (job.data.test["text"], [DUMMY]))
    assert np.allclose(predictions.scores, log_softmax_by_hand(loss.classifier, u, v), atol=1e-4)
    assert predictions.predicted == predictions.scores.argmax(axis=1).tolist()
    assert len(np.unique(predictions.scores[:, 0].round(4))) > 10


def test_scores_beside_texts_are_means_over_training_texts_of_each_class(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertSoftmax(partner="same_class", partners=3, **MOMENT), jobs.three_classes)
    predictions = siamese.softmax(job)
    model, loss = trained_softmax(job)
    labels = np.array(job.data.train["label"])
    drawn = np.concatenate(list(of_each_class(labels, 3, generator(0, ASKED))))
    assert np.bincount(labels[drawn]).tolist() == [3, 3, 3]
    u, beside = (by_hand(model, bert, rows["text"]) for rows in (job.data.test, job.data.train.select(drawn)))
    expected = np.mean([log_softmax_by_hand(loss.classifier, u, v) for v in beside], axis=0)
    assert np.allclose(predictions.scores, expected, atol=1e-4)


def test_the_score_of_a_pair_is_what_the_loss_of_sentence_transformers_computes(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertSoftmax(**MOMENT))
    model = siamese.sentence_encoder(job, job.data.train).eval()
    loss = siamese.softmax_loss(job, job.recipe, model)
    texts = job.data.test["text"][:8]
    with torch.no_grad():
        _, outputs = loss([model.preprocess(texts), model.preprocess([DUMMY] * 8)], labels=None)
    u, v = (siamese.encoded(job, model, found) for found in (texts, [DUMMY]))
    found = siamese.mean_log_probabilities(loss.classifier, u, [v])
    assert np.allclose(found, outputs.log_softmax(dim=1).numpy(), atol=1e-5)


def test_classes_count_alike_though_one_has_fewer_texts_to_be_paired_with():
    classifier, u = torch.nn.Linear(6, 2), torch.randn(4, 2)
    one, two = torch.randn(1, 2), torch.randn(2, 2)
    scores = siamese.mean_log_probabilities(classifier, u, [one, two])
    apart = [siamese.mean_log_probabilities(classifier, u, [group]) for group in (one, two)]
    assert np.allclose(scores, np.mean(apart, axis=0), atol=1e-6)


@pytest.mark.parametrize("partner", ["dummy", "class", "other_class", "same_class"])
@pytest.mark.parametrize("write", [make.text_task, jobs.three_classes])
def test_training_pairs_hold_every_row_once_with_its_class_and_the_partner_asked_for(tmp_path, bert, partner, write):
    job = jobs.job(tmp_path, bert, SbertSoftmax(partner=partner), write)
    rows, pairs = job.data.train, siamese.training_pairs(job, job.recipe)
    assert (pairs["text"][:], pairs["label"][:]) == (rows["text"][:], rows["label"][:])
    if partner == "dummy":
        assert set(pairs["partner"]) == {DUMMY}
        return
    classes = dict(zip(rows["text"], rows["label"], strict=True))
    same = {classes[text] == classes[other] for text, other in zip(pairs["text"], pairs["partner"], strict=True)}
    assert same == {partner == "same_class" or (partner == "class" and write is jobs.three_classes)}


def test_class_weights_and_label_smoothing_reach_the_loss(tmp_path, bert):
    recipe = SbertSoftmax(class_weights="balanced", label_smoothing=0.2)
    job = jobs.job(tmp_path, bert, recipe, jobs.few_positive)
    loss = siamese.softmax_loss(job, recipe, siamese.sentence_encoder(job, job.data.train))
    assert loss.loss_fct.weight.tolist() == pytest.approx([60 / (2 * 45), 60 / (2 * 15)])
    assert loss.loss_fct.label_smoothing == 0.2


@pytest.mark.parametrize("changed", [{"class_weights": "balanced"}, {"label_smoothing": 0.1}])
@pytest.mark.parametrize("recipe", [SbertCosine, SbertFewshot])
def test_what_a_squared_error_has_no_use_for_is_refused(recipe, changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        recipe(**changed)


# -- cosine ----------------------------------------------------------------------------------------------------------


def cosines_by_hand(job, texts) -> np.ndarray:
    """To the dummy, after the training that `cosine` makes of the job."""
    trained, _ = siamese.divided(job, job.recipe, 1)
    model = siamese.sentence_encoder(job, trained)
    labels = np.array(trained["label"], dtype=float)
    pairs = siamese.paired(trained["text"], [DUMMY] * len(trained), labels)
    siamese.train(job, model, siamese.CosineSimilarityLoss(model), pairs)
    u, v = by_hand(model, job.encoder, texts), by_hand(model, job.encoder, [DUMMY])[0]
    return ((u @ v) / (u.norm(dim=1) * v.norm())).numpy()


def ranking(predictions) -> np.ndarray:
    """The score of positive minus that of the other class."""
    return predictions.scores[:, 1] - predictions.scores[:, 0]


def test_stored_in_16_bits_cosines_near_one_stay_apart(tmp_path, bert):
    """A moment of training leaves all cosines close together, and average precision is lost in ties."""
    recipe = SbertCosine(**{**MOMENT, "learning_rate": 1e-6})
    predictions = siamese.cosine(jobs.job(tmp_path, bert, recipe))
    stored = ranking(checked(predictions, 2))
    assert len(np.unique(ranking(predictions).astype(np.float16))) < len(np.unique(stored))
    assert np.allclose(stored, ranking(predictions), atol=1e-6)


def test_scores_are_cosines_to_the_dummy_and_positive_is_predicted_from_the_threshold_on(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertCosine(**MOMENT))
    predictions = siamese.cosine(job)
    expected = cosines_by_hand(job, job.data.test["text"])
    cosines = ranking(predictions)
    assert np.allclose(cosines, expected, atol=1e-4)
    positive = cosines >= job.meter.notes["threshold"]
    assert predictions.predicted == positive.astype(int).tolist()
    assert 0 < positive.sum() < 60


@pytest.mark.parametrize("positive", ["positive", "negative"])
def test_cosine_learns_whichever_class_is_positive(tmp_path, bert, positive):
    job = jobs.job(tmp_path, bert, SbertCosine(**QUICK), partial(make.text_task, positive=positive))
    predictions, column = siamese.cosine(job), job.task.labels.index(positive)
    gold = np.array(predictions.gold)
    assert measure(gold, gold, predictions.scores, job.task.labels, column)["average_precision"] > 0.95
    assert accuracy(job, predictions) > 0.8


def test_the_threshold_comes_from_validation_rows_and_not_from_test_rows(tmp_path, bert):
    """Where all validation rows are positive, so is all that looks like them; the test rows would say otherwise."""
    rows = "\n".join(f"{f'{word} ' * 6}{other},positive" for word in (*make.GOOD, *make.BAD) for other in make.OTHER)
    job = jobs.job(tmp_path, bert, SbertCosine(**QUICK), partial(jobs.with_validation, rows=rows))
    predictions = siamese.cosine(job)
    assert job.meter.notes["validation"] == {"from": "validation split", "rows": 8 * 6}
    assert job.meter.rows["train"] == 5 * 60
    is_positive, cosines = np.array(predictions.gold) == 1, ranking(predictions)
    assert job.meter.notes["trained_rows"] == 60
    best, threshold = Ranking(is_positive, cosines).best()
    assert best > 0.95
    assert job.meter.notes["threshold"] < threshold - 0.1
    assert np.mean(predictions.predicted) > 0.9


def test_without_a_validation_split_some_training_rows_are_held_out_and_not_trained_on(tmp_path, bert):
    recipe = SbertCosine(validation_share=0.2, **MOMENT)
    job = jobs.job(tmp_path, bert, recipe, jobs.few_positive, seed=1)
    trained, validation = siamese.divided(job, recipe, 1)
    assert job.meter.notes["validation"] == {"from": "training rows, held out", "rows": 12}
    assert sorted([*trained["row_id"], *validation["row_id"]]) == sorted(job.data.train["row_id"])
    assert sum(validation["label"]) == 3
    siamese.cosine(job)
    assert job.meter.rows["train"] == 48
    other = jobs.job(tmp_path, bert, recipe, jobs.few_positive, seed=2)
    assert siamese.divided(other, recipe, 1)[1]["row_id"][:] != validation["row_id"][:]


def test_validation_rows_without_a_positive_one_are_a_users_error_before_any_training(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertCosine(), partial(jobs.with_validation, rows="bad,negative"))
    with pytest.raises(UserError, match="mine: no 'positive' among 1 rows to choose a threshold on"):
        siamese.cosine(job)


@pytest.mark.parametrize(
    ("positive", "threshold"), [([0, 0, 1, 1], 0.4), ([0, 1, 0, 1], 0.2), ([1, 1, 1, 1], 0.1), ([0, 0, 0, 1], 0.7)]
)
def test_the_threshold_is_halfway_below_the_lowest_score_of_the_best_f1(positive, threshold):
    assert siamese.best_threshold(np.array(positive) == 1, np.array([0.1, 0.3, 0.5, 0.9])) == pytest.approx(threshold)


# -- the training ----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(tmp_path, bert):
    recipe = SbertSoftmax(partner="other_class", **{**MOMENT, "epochs": 0.5})
    scores = [siamese.softmax(jobs.job(tmp_path, bert, recipe, seed=seed)).scores for seed in (0, 0, 1)]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    partners = [
        siamese.training_pairs(jobs.job(tmp_path, bert, recipe, seed=seed), recipe)["partner"][:] for seed in (0, 1)
    ]
    assert partners[0] != partners[1]


def test_an_epoch_has_every_pair_once_and_in_a_batch_those_of_like_length():
    texts = ["x" * (1 + i % 37) for i in range(100)]
    pairs = siamese.paired(texts, [DUMMY] * 100, [0] * 100)
    more = {"drop_last": False, "valid_label_columns": ["label"], "generator": torch.Generator(), "seed": 0}
    batches = siamese.by_length(pairs, 8, **more)
    first, second = list(batches), list(batches)
    for epoch in (first, second):
        assert sorted(row for batch in epoch for row in batch) == list(range(100))
    assert first != second
    assert np.mean([np.ptp([len(texts[row]) for row in batch]) for batch in first]) < 15  # by chance about 28


def test_a_trainings_batches_hold_little_padding(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertSoftmax(**MOMENT))
    model = siamese.sentence_encoder(job, job.data.train)
    loss = siamese.softmax_loss(job, job.recipe, model)
    texts = ["good" if i % 2 else "good film " * 10 for i in range(160)]
    kept: list[float] = []
    model.register_forward_pre_hook(lambda _, given: kept.append(float(given[0]["attention_mask"].float().mean())))
    siamese.train(job, model, loss, siamese.paired(texts, [DUMMY] * 160, [i % 2 for i in range(160)]))
    assert len(kept) == 2 * 160 / 8
    assert np.mean(kept) > 0.9  # in batches made by chance about 0.8


def test_a_half_precision_checkpoint_is_trained_in_full_precision_without_its_pooler(tmp_path, bert):
    AutoModel.from_pretrained(bert, dtype=torch.bfloat16).save_pretrained(tmp_path / "half")
    load_tokenizer(bert, TEXTS).save_pretrained(tmp_path / "half")
    job = jobs.job(tmp_path, tmp_path / "half", SbertSoftmax())
    model = siamese.sentence_encoder(job, job.data.train)
    assert {weights.dtype for weights in model.parameters()} == {torch.float32}
    assert sum(weights.numel() for weights in model.parameters()) == parameters(bert)


def test_texts_are_read_as_elsewhere_and_cut_at_the_longest_input(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertSoftmax(max_length=8))
    model, tokenizer = siamese.sentence_encoder(job, job.data.train), load_tokenizer(bert, TEXTS)
    pieces = [tokenizer(text)["input_ids"] for text in job.data.train["text"]]
    assert model.max_seq_length == job.meter.notes["max_length"] == 8
    assert job.meter.notes["cut_rows"]["train"] == sum(len(found) > 8 for found in pieces) > 0
    found = model.preprocess(job.data.train["text"][:])["input_ids"]
    cut = tokenizer(job.data.train["text"][:], truncation=True, max_length=8, padding=True)["input_ids"]
    assert found.tolist() == cut


def test_training_notes_its_losses_and_leaves_nothing_and_says_nothing(tmp_path, bert, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shares: list[float] = []
    job = jobs.job(tmp_path / "job", bert, SbertSoftmax(**MOMENT))
    job.meter.progress = shares.append
    model = siamese.sentence_encoder(job, job.data.train)
    loss = siamese.softmax_loss(job, job.recipe, model)
    capfd.readouterr()
    siamese.train(job, model, loss, siamese.training_pairs(job, job.recipe))
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == [tmp_path / "job"]
    assert job.meter.notes["steps"] == 8
    assert [step for step, _ in job.meter.notes["losses"]] == [8]
    assert job.meter.notes["precision"] == "fp32"
    assert shares == [pytest.approx((i + 1) / 8) for i in range(8)]


def test_a_launcher_s_precision_moves_no_recipe_s(tmp_path, bert, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    used: list[str] = []
    monkeypatch.setattr(siamese, "note_training", lambda job, trainer: used.append(trainer.accelerator.mixed_precision))
    siamese.softmax(jobs.job(tmp_path, bert, SbertSoftmax(**MOMENT)))
    assert used == ["no"]


def test_a_loss_that_is_no_number_is_a_failure(tmp_path, bert):
    job = jobs.job(tmp_path, bert, SbertSoftmax(**{**MOMENT, "learning_rate": 1e30, "clipping": 0.0}))
    with pytest.raises(FloatingPointError, match="the training loss is"):
        siamese.softmax(job)
