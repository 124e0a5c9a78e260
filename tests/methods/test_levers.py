"""What a recipe can change of a training: schedule, clipping, head, pooling, frozen layers, loss."""

from __future__ import annotations

from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
import transformers
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.encoders import layers_of, load_encoder, load_tokenizer
from benchmarks.errors import UserError
from benchmarks.methods.finetune import finetune, freeze, model_of
from benchmarks.methods.heads import EncoderWithHead, classifier, pooled
from benchmarks.methods.training import balanced_weights, loss_of, training_arguments
from benchmarks.recipes import RECIPES, Finetune
from benchmarks.schema import TEXTS

QUICK = {"learning_rate": 3e-3, "epochs": 6, "batch_size": 8, "precision": "fp32"}
TEXT = "a good film with a great story"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    words = [*tiny.SENTENCES, *jobs.VOCABULARY]
    return {family: tiny.checkpoint(folder / family, family, words) for family in tiny.FAMILIES}


# -- schedule and clipping -------------------------------------------------------------------------------------------

STEPS, WARM = 100, 20


def rates(folder: Path, learning_rate: float = 1.0, warmup: float = WARM / STEPS, **settings) -> list[float]:
    """The learning rate of every update, as the Trainer makes it of a recipe."""
    recipe = Finetune(learning_rate=learning_rate, warmup=warmup, epochs=1, batch_size=1, **settings)
    arguments = training_arguments(recipe, 0, STEPS, str(folder))
    weight = nn.Parameter(torch.zeros(1))
    trainer = transformers.Trainer(nn.Linear(1, 1), arguments)
    trainer.optimizer = torch.optim.SGD([weight], lr=learning_rate)
    schedule = trainer.create_scheduler(STEPS, trainer.optimizer)
    found = []
    for _ in range(STEPS):
        found.append(trainer.optimizer.param_groups[0]["lr"])
        trainer.optimizer.step()
        schedule.step()
    return found


def test_linear_rises_to_the_rate_and_falls_to_nothing(tmp_path):
    found = rates(tmp_path, schedule="linear")
    assert found[0] == 0
    assert found[WARM] == 1
    assert found[WARM + 40] == pytest.approx(0.5)
    assert found[-1] == pytest.approx(1 / (STEPS - WARM))


def test_cosine_falls_in_half_a_wave(tmp_path):
    found = rates(tmp_path, schedule="cosine")
    assert found[WARM + 20] == pytest.approx((1 + np.cos(np.pi / 4)) / 2)


def test_constant_ignores_the_warm_up_and_constant_with_warmup_does_not(tmp_path):
    assert set(rates(tmp_path, schedule="constant")) == {1.0}
    found = rates(tmp_path, schedule="constant_with_warmup")
    assert found[WARM // 2] == pytest.approx(0.5)
    assert set(found[WARM:]) == {1.0}


def test_inverse_square_root_is_noams_schedule(tmp_path):
    width = 512
    found = rates(tmp_path, learning_rate=(width * WARM) ** -0.5, schedule="inverse_sqrt")
    noam = [width**-0.5 * min(step**-0.5, step * WARM**-1.5) for step in range(1, STEPS)]
    assert found[1:] == pytest.approx(noam)


def test_inverse_square_root_without_a_warm_up_is_refused():
    with pytest.raises(ValueError, match="inverse_sqrt falls from the end of the warm-up"):
        Finetune(schedule="inverse_sqrt", warmup=0)


def test_clipping_bounds_what_an_update_moves_and_nought_leaves_it(tmp_path, checkpoints):
    norms = {}
    for clipping in (0.0, 1e-3):
        job = jobs.job(tmp_path, checkpoints["bert"], Finetune(**QUICK | {"epochs": 1}, clipping=clipping))
        finetune(job)
        norms[clipping] = [loss for _, loss in job.meter.notes["losses"]]
    assert norms[0.0] != norms[1e-3]
    assert training_arguments(Finetune(clipping=0.0), 0, 10, str(tmp_path)).max_grad_norm == 0


# -- the head --------------------------------------------------------------------------------------------------------


def model(job) -> nn.Module:
    transformers.set_seed(0)
    return model_of(job, job.recipe, job.encoder).eval()


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [{}, {"pooling": "mean", "head_layers": [16]}], ids=["own", "ours"])
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_a_head_that_begins_with_zeros_prefers_no_class(tmp_path, checkpoints, family, head, write):
    pieces = load_tokenizer(checkpoints[family], TEXTS)(TEXT, return_tensors="pt")
    outputs = {}
    for init in ("zero", "random"):
        job = jobs.job(tmp_path, checkpoints[family], Finetune(head_init=init, **head), write)
        outputs[init] = model(job)(**pieces)["logits"]
    assert not outputs["zero"].any()
    assert outputs["random"].any()


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_pooling_reads_the_first_token_or_the_mean_whatever_the_padding(tmp_path, checkpoints, family, pooling):
    job = jobs.job(tmp_path, checkpoints[family], Finetune(pooling=pooling))
    made = model(job)
    tokenizer = load_tokenizer(checkpoints[family], TEXTS)
    alone, beside = (tokenizer(texts, return_tensors="pt", padding=True) for texts in ([TEXT], [TEXT, TEXT * 4]))
    with torch.inference_mode():
        states = made.encoder(**alone).last_hidden_state[0]
        expected = made.head(states[0] if pooling == "cls" else states.mean(dim=0))
        assert torch.allclose(made(**alone)["logits"][0], expected, atol=1e-5)
        assert torch.allclose(made(**beside)["logits"][0], expected, atol=1e-5)


def test_the_mean_leaves_padding_out():
    states = torch.tensor([[[1.0], [3.0], [99.0]]])
    assert pooled(states, torch.tensor([[1, 1, 0]]), "mean").item() == 2.0
    assert pooled(states, torch.tensor([[1, 1, 0]]), "cls").item() == 1.0


def test_the_head_is_built_as_the_recipe_says():
    layers = list(classifier(32, 3, Finetune(head_layers=[16, 8], head_dropout=0.25, head_activation="gelu")))
    sizes = [(layer.in_features, layer.out_features) for layer in layers if isinstance(layer, nn.Linear)]
    assert sizes == [(32, 16), (16, 8), (8, 3)]
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.25] * 3
    assert sum(isinstance(layer, nn.GELU) for layer in layers) == 2


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_the_custom_head_of_distilbert_learns_on_every_family(tmp_path, checkpoints, family, write):
    from benchmarks.definitions import load_systems

    recipe = RECIPES["finetune"].model_validate(load_systems()["distilbert-custom-head"].recipe | QUICK)
    job = jobs.job(tmp_path, checkpoints[family], recipe, write)
    assert isinstance(model(job), EncoderWithHead)
    predicted = finetune(job)
    flat = [np.concatenate(rows) if write is make.tag_task else rows for rows in (predicted.gold, predicted.predicted)]
    assert np.mean(np.array(flat[0]) == np.array(flat[1])) > 0.9


# -- frozen layers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_frozen_layers_stay_as_they_were_and_those_above_learn(tmp_path, checkpoints, family):
    encoder = load_encoder(checkpoints[family])
    freeze(encoder, 1)
    trainable = [any(weights.requires_grad for weights in part.parameters()) for part in layers_of(encoder)]
    assert trainable == [False, False, True]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_frozen_layers_run_without_dropout_while_the_rest_trains(checkpoints, family):
    pieces = load_tokenizer(checkpoints[family], TEXTS)(TEXT, return_tensors="pt")
    passes = {}
    for layers in (0, 1):
        encoder = load_encoder(checkpoints[family])
        freeze(encoder, layers)
        encoder.train()
        torch.manual_seed(0)
        passes[layers] = [encoder(**pieces, output_hidden_states=True).hidden_states for _ in range(2)]
    free, frozen = ([torch.equal(a, b) for a, b in zip(*passes[layers], strict=True)] for layers in (0, 1))
    assert free == [False, False, False]
    assert frozen == [True, True, False]


def test_more_frozen_layers_than_there_are_is_told(checkpoints):
    with pytest.raises(UserError, match=r"recipe\.frozen_layers: 3, but the encoder has 2 layers"):
        freeze(load_encoder(checkpoints["bert"]), 3)


# -- the loss --------------------------------------------------------------------------------------------------------


def test_balanced_weights_are_those_of_scikit_learn(tmp_path, checkpoints):
    texts = jobs.job(tmp_path, checkpoints["bert"], Finetune(), jobs.few_positive)
    labels = np.array(texts.data.train["label"])
    assert balanced_weights(texts) == pytest.approx(
        compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    )
    tags = jobs.job(tmp_path / "tags", checkpoints["bert"], Finetune(), make.tag_task)
    words = np.concatenate(tags.data.train["tags"])
    expected = np.zeros(len(tags.task.tags))
    expected[np.unique(words)] = compute_class_weight("balanced", classes=np.unique(words), y=words)
    assert balanced_weights(tags) == pytest.approx(expected)


def test_the_loss_is_torchs_with_weights_and_smoothing_and_without_what_is_ignored(tmp_path, checkpoints):
    recipe = Finetune(class_weights="balanced", label_smoothing=0.2)
    job = jobs.job(tmp_path, checkpoints["bert"], recipe, jobs.few_positive)
    logits, labels = torch.tensor([[0.3, 1.0], [2.0, -1.0], [0.0, 9.0]]), torch.tensor([1, 0, -100])
    found = loss_of(recipe, job)({"logits": logits}, labels)
    weights = torch.tensor(balanced_weights(job))
    assert found == cross_entropy(logits[:2], labels[:2], weight=weights, label_smoothing=0.2)
    plain = loss_of(Finetune(), job)({"logits": logits}, labels)
    assert plain == cross_entropy(logits[:2], labels[:2])
    assert found != plain


LOSSES = {"plain": {}, "weighted": {"class_weights": "balanced"}, "smooth": {"label_smoothing": 0.5}}


def test_balanced_weights_and_smoothing_reach_the_training(tmp_path, checkpoints):
    scores = {}
    for name, levers in LOSSES.items():
        recipe = Finetune(**QUICK | {"epochs": 1}, **levers)
        scores[name] = finetune(jobs.job(tmp_path, checkpoints["bert"], recipe, jobs.few_positive)).scores
    rare = {name: float(found[:, 1].mean()) for name, found in scores.items()}  # log-probability
    assert rare["weighted"] > rare["plain"] + 0.1, rare
    assert not np.array_equal(scores["smooth"], scores["plain"])
