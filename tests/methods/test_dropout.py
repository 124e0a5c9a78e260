"""Quick dropout leaves out the same share, scales and sends gradients as PyTorch's, and is gone after the training."""

from __future__ import annotations

import jobs
import pytest
import tiny
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import PreTrainedModel

from benchmarks.encoders import load_encoder
from benchmarks.methods import dropout
from benchmarks.methods.dropout import QuickDropout, attention, dropped, quick_dropout
from benchmarks.methods.finetune import finetune
from benchmarks.methods.training import Trainer
from benchmarks.recipes import Finetune


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_share_that_is_left_out_and_the_mean_are_those_of_dropout(p, dtype):
    torch.manual_seed(0)
    ones = torch.ones(1000, 999, dtype=dtype, requires_grad=True)
    found = dropped(ones, p)
    left_out = (found == 0).float()
    spread = (p * (1 - p) / ones.numel()) ** 0.5
    assert left_out.mean().item() == pytest.approx(p, abs=5 * spread)
    assert found.dtype == dtype
    scales = found[found != 0].float().unique()
    assert scales.item() == pytest.approx(1 / (1 - p), rel=1e-2 if dtype == torch.bfloat16 else 1e-4)
    along = (left_out.mean(dim=0).std() * 1000**0.5, left_out.mean(dim=1).std() * 999**0.5)
    assert [one.item() for one in along] == pytest.approx([(p * (1 - p)) ** 0.5] * 2, rel=0.15), "independent draws"
    lanes = [left_out.flatten()[lane::4].mean().item() for lane in range(4)]
    assert lanes == pytest.approx([p] * 4, abs=10 * spread), "each quarter of the 64 bits"


def test_neighbours_from_the_same_64_bits_are_independent():
    torch.manual_seed(1)
    left_out = (dropped(torch.ones(400_000), 0.5) == 0).float().view(-1, 4)
    assert torch.corrcoef(left_out.T).fill_diagonal_(0).abs().max() < 0.015


def test_the_gradient_goes_through_what_was_kept():
    values = torch.randn(50, 7, requires_grad=True)
    found = dropped(values, 0.4)
    found.sum().backward()
    scale = 1 / (1 - round(0.4 * dropout.STEPS) / dropout.STEPS)
    torch.testing.assert_close(values.grad, (found != 0) * torch.full_like(values, scale))
    torch.testing.assert_close(found, values * values.grad)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_nothing_and_all_are_pytorchs_own(p):
    values = torch.randn(5)
    torch.testing.assert_close(dropped(values, p), nn.functional.dropout(values, p))


@pytest.mark.parametrize("masked", ["not", "by truths", "by numbers"])
def test_attention_is_transformers_own_where_nothing_is_dropped(monkeypatch, masked):
    monkeypatch.setattr(dropout, "dropped", lambda weights, p: weights)
    query, key, value = (torch.randn(2, 3, 5, 4) for _ in range(3))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)[:, None, None].expand(2, 1, 5, 5)
    given = {"not": None, "by truths": mask, "by numbers": (~mask) * torch.finfo(torch.float32).min}[masked]
    module = nn.Module()
    module.is_causal = False
    found, _ = attention(module, query, key, value, given, dropout=0.1)
    expected = scaled_dot_product_attention(query, key, value, attn_mask=given).transpose(1, 2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


SPECIAL = [{"is_causal": True}, {"is_causal": None}, {"position_bias": torch.zeros(2, 3, 5, 5)}]


@pytest.mark.parametrize("special", SPECIAL, ids=str)
def test_attention_that_encoders_have_no_use_for_is_left_to_transformers(monkeypatch, special):
    seen = []
    monkeypatch.setattr(dropout, "sdpa_attention_forward", lambda *given, **more: seen.append(more) or (None, None))
    query, key, value = (torch.randn(2, 3, 5, 4) for _ in range(3))
    module = nn.Module()
    module.is_causal = special.get("is_causal", False) is None
    attention(module, query, key, value, None, dropout=0.1, **special)
    assert len(seen) == 1


def test_a_model_has_it_in_the_block_alone_and_predicts_the_same(tmp_path):
    encoder = load_encoder(tiny.checkpoint(tmp_path / "enc")).eval()
    batch = {"input_ids": torch.randint(1, 20, (3, 9)), "attention_mask": torch.ones(3, 9, dtype=torch.long)}
    batch["attention_mask"][1, 5:] = 0
    before = encoder(**batch).last_hidden_state
    with quick_dropout(encoder):
        assert {type(part) for part in encoder.modules() if isinstance(part, nn.Dropout)} == {QuickDropout}
        assert encoder.config._attn_implementation == dropout.ATTENTION
        torch.testing.assert_close(encoder(**batch).last_hidden_state, before)
        encoder.train()
        assert (encoder(**batch).last_hidden_state != before).any()
    assert not any(type(part) is QuickDropout for part in encoder.modules())
    assert encoder.config._attn_implementation == "sdpa"
    torch.testing.assert_close(encoder.eval()(**batch).last_hidden_state, before)


def test_a_run_is_trained_with_it(tmp_path, monkeypatch):
    encoder = tiny.checkpoint(tmp_path / "enc", sentences=jobs.VOCABULARY)
    job = jobs.job(tmp_path, encoder, Finetune(epochs=1), seed=0)
    seen, train = [], Trainer.train

    def watched(self):
        seen.append({type(part) for part in self.model.modules() if isinstance(part, nn.Dropout)})
        seen.append(
            {part.config._attn_implementation for part in self.model.modules() if isinstance(part, PreTrainedModel)}
        )
        return train(self)

    monkeypatch.setattr(Trainer, "train", watched)
    finetune(job)
    assert seen == [{QuickDropout}, {dropout.ATTENTION}]
