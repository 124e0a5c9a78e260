"""LoRA: the encoder stays as it was, low-rank updates and the head learn."""

from __future__ import annotations

from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
from torch import nn
from watched import watched

from benchmarks.encoders import layers_of, load_model
from benchmarks.errors import UserError
from benchmarks.methods.finetune import add_low_rank_updates, finetune
from benchmarks.recipes import Lora
from benchmarks.schema import TEXTS

QUICK = {"learning_rate": 5e-3, "epochs": 8, "batch_size": 8, "precision": "fp32"}
OURS = {"pooling": "mean"}


def job_of(folder: Path, encoder: Path, write=make.text_task, seed: int = 0, **recipe):
    return jobs.job(folder, encoder, Lora(**{**QUICK, **recipe}), write, seed=seed)


def may_move(name: str) -> bool:
    return "lora_" in name or ".pooler." in name or name.startswith(("classifier.", "pre_classifier.", "head."))


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_every_family_learns_and_its_frozen_weights_are_bit_for_bit_what_they_were(
    tmp_path, checkpoints, family, write
):
    job = job_of(tmp_path, checkpoints[family], write)
    seen, predictions = watched(lambda: finetune(job))
    assert np.mean(np.hstack(predictions.predicted) == np.hstack(predictions.gold)) > 0.9
    trainable = {name for name, weights in seen.model.named_parameters() if weights.requires_grad}
    assert seen.moved() == trainable  # every update and all of the head
    assert trainable == {name for name in seen.before if may_move(name)}
    assert 0 < job.meter.trainable_parameters < job.meter.parameters / 2


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_a_head_of_ours_stands_on_low_rank_updates_too(tmp_path, checkpoints, family):
    seen, predictions = watched(lambda: finetune(job_of(tmp_path, checkpoints[family], **OURS)))
    assert np.mean(np.array(predictions.predicted) == predictions.gold) > 0.9
    assert seen.moved() == {name for name in seen.before if may_move(name)}
    assert any(name.startswith("head.") for name in seen.moved())


@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(tmp_path, checkpoints, write):
    trained = [watched(lambda seed=seed: finetune(job_of(tmp_path, checkpoints["bert"], write, seed, epochs=1)))
        for seed in (0, 0, 1)]  # fmt: skip
    (first, one), (again, other), (another, _) = trained
    assert one.predicted == other.predicted
    assert write is make.tag_task or np.array_equal(one.scores, other.scores)
    weights, same, different = (seen.model.state_dict()["classifier.weight"] for seen in (first, again, another))
    assert torch.equal(weights, same)
    assert not torch.equal(weights, different)


# -- where the updates are -------------------------------------------------------------------------------------------

LINEAR = {"attention": 3, "all": 6}
"""Of a layer: query, key and value; the output of attention and the two of the feed-forward part."""


def updated(folder: Path, **settings) -> nn.Module:
    model = load_model(folder, TEXTS, ["a", "b"])
    add_low_rank_updates(model.base_model, Lora(**settings))
    return model


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("targets", LINEAR)
def test_the_wanted_linear_layers_of_every_layer_get_an_update_of_the_rank(checkpoints, family, targets):
    model = updated(checkpoints[family], targets=targets, rank=3)
    for layer in layers_of(model.base_model)[1]:
        found = [part for part in layer.modules() if hasattr(part, "lora_A")]
        assert len(found) == LINEAR[targets]
        assert {part.lora_A["default"].out_features for part in found} == {3}
    assert sum(hasattr(part, "lora_A") for part in model.modules()) == 2 * LINEAR[targets]


def test_an_update_is_the_scaled_product_of_its_two_matrices(checkpoints):
    layer = updated(checkpoints["bert"], rank=4, alpha=6).base_model.encoder.layer[0].attention.self.query.eval()
    down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    inputs = torch.linspace(-1, 1, 32)
    with torch.inference_mode():
        up.copy_(torch.linspace(0, 1, up.numel()).view_as(up))
        assert torch.allclose(layer(inputs), layer.base_layer(inputs) + 6 / 4 * up @ down @ inputs, atol=1e-5)


def test_the_dropout_before_an_update_is_the_recipes(checkpoints):
    model = updated(checkpoints["bert"], lora_dropout=0.3)
    found = {drop.p for part in model.modules() if hasattr(part, "lora_dropout") for drop in part.lora_dropout.values()}
    assert found == {0.3}


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_an_update_changes_nothing_before_it_is_trained(checkpoints, family):
    pieces = torch.arange(5, 15).unsqueeze(0)
    torch.manual_seed(0)
    plain = load_model(checkpoints[family], TEXTS, ["a", "b"]).eval()
    torch.manual_seed(0)
    with torch.inference_mode():
        assert torch.equal(updated(checkpoints[family]).eval()(pieces).logits, plain(pieces).logits)


def test_an_encoder_without_such_a_layer_is_refused(checkpoints):
    model = load_model(checkpoints["bert"], TEXTS, ["a", "b"])
    for layer in layers_of(model.base_model)[1]:
        layer.attention = nn.Identity()
    with pytest.raises(UserError, match=r"recipe\.targets: 'attention': bert has no such layer"):
        add_low_rank_updates(model.base_model, Lora(targets="attention"))
