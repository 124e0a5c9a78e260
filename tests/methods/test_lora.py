"""LoRA: the encoder stays as it was, low-rank updates and the head learn."""

from __future__ import annotations

from pathlib import Path

import make
import numpy as np
import pytest
import tiny
import torch
from torch import nn

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_task
from benchmarks.encoders import layers_of, load_model
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.methods.finetune import add_low_rank_updates
from benchmarks.recipes import Lora
from benchmarks.runner import run
from benchmarks.schema import TEXTS, Encoder, Protocol, RunResult, RunSpec, System

WORDS = [" ".join((*make.GOOD, *make.BAD, *make.PEOPLE, *make.PLACES, *make.OTHER))]
QUICK = Lora(learning_rate=1e-2, epochs=8, batch_size=8, precision="fp32")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {family: tiny.checkpoint(folder / family, family, [*tiny.SENTENCES, *WORDS]) for family in tiny.FAMILIES}


def trained(folder: Path, encoder: Path, write=make.text_task, recipe: Lora = QUICK, seed: int = 0):
    task = load_task(write(folder))
    data = load(task, origin_of(task, folder / "data", {}), folder / "cache", Lock())
    system = System(name="x", method="lora", encoder=Encoder(checkpoint=str(encoder)))
    result, predictions = run(RunSpec(task, system, recipe, Protocol(seed=seed), {}), data, encoder, folder / "cache")
    assert isinstance(result, RunResult), result.error["traceback"]
    return result, predictions


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_every_family_learns(tmp_path, checkpoints, family, write):
    result, _ = trained(tmp_path, checkpoints[family], write)
    assert result.metrics[result.primary_metric] > 0.9
    assert 0 < result.cost["trainable_parameters"] < result.cost["parameters"] / 2


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(tmp_path, checkpoints):
    recipe = QUICK.model_copy(update={"epochs": 1})
    scores = [trained(tmp_path, checkpoints["bert"], recipe=recipe, seed=seed)[1].scores for seed in (0, 0, 1)]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def updated(folder: Path, **settings) -> nn.Module:
    model = load_model(folder, TEXTS, ["a", "b"])
    add_low_rank_updates(model.base_model, Lora(**settings))
    return model


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_only_the_updates_and_what_reads_the_encoder_are_trained(checkpoints, family):
    model = updated(checkpoints[family])
    trainable = {name for name, weights in model.named_parameters() if weights.requires_grad}
    head = {name for name, _ in model.named_parameters() if not name.startswith(f"{model.base_model_prefix}.")}
    assert head <= trainable
    assert all("lora_" in name or ".pooler." in name for name in trainable - head)
    linear = [part for part in layers_of(model.base_model)[1].modules() if hasattr(part, "lora_A")]
    assert len(linear) == 6  # query, key, value, the output of attention, the two of the feed-forward part


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_attention_alone_can_be_updated(checkpoints, family):
    model = updated(checkpoints[family], targets="attention")
    assert sum(hasattr(part, "lora_A") for part in model.modules()) == 2 * 3  # two layers


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_an_update_changes_nothing_before_it_is_trained(checkpoints, family):
    pieces = torch.arange(5, 15).unsqueeze(0)
    torch.manual_seed(0)
    plain = load_model(checkpoints[family], TEXTS, ["a", "b"]).eval()
    torch.manual_seed(0)
    with torch.inference_mode():
        assert torch.equal(updated(checkpoints[family]).eval()(pieces).logits, plain(pieces).logits)


def test_frozen_weights_are_bit_for_bit_what_they_were(tmp_path, checkpoints):
    model = updated(checkpoints["bert"])
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    optimizer = torch.optim.AdamW([weights for weights in model.parameters() if weights.requires_grad], lr=0.1)
    model(torch.arange(5, 15).unsqueeze(0), labels=torch.tensor([1])).loss.backward()
    optimizer.step()
    moved = {name for name, weights in model.named_parameters() if not torch.equal(weights, before[name])}
    assert {name for name in moved if "lora_B" in name}
    assert {"classifier.weight", "bert.pooler.dense.weight"} <= moved
    assert all("lora_" in name or "pooler" in name or name.startswith("classifier") for name in moved)


def test_an_encoder_without_such_a_layer_is_refused(checkpoints):
    model = load_model(checkpoints["bert"], TEXTS, ["a", "b"])
    for layer in layers_of(model.base_model)[1:]:
        layer.attention = nn.Identity()
    with pytest.raises(UserError, match=r"recipe\.targets: 'attention': bert has no such layer"):
        add_low_rank_updates(model.base_model, Lora(targets="attention"))
