"""Dropout on a processor at a third of its time: 16 random bits an element, where PyTorch draws a number for each.

PyTorch's own draws took 15 % of a training step in bf16 (8 % in fp32) of a small encoder. A share p of elements is left
out as before, to the nearest 65,536th; the others are scaled so that the mean stays what it is. The bits come from
torch's generator: what `set_seed` says holds. On a GPU dropout is one with its kernels already, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from benchmarks.methods.heads import encoder_in

RATES = {
    "hidden": ("hidden_dropout_prob", "hidden_dropout", "dropout_rate", "dropout", "mlp_dropout"),
    "attention": ("attention_probs_dropout_prob", "attention_dropout"),
}
"""What families call those of an encoder."""
STEPS = 1 << 16
ATTENTION = "sdpa_with_quick_dropout"
SPECIAL = ("position_bias", "cache", "softcap")


@contextmanager
def quick_dropout(model: nn.Module) -> Iterator[None]:
    """While the block runs, each dropout of the model on a processor is quick, also that of attention."""
    layers = [part for part in model.modules() if type(part) is nn.Dropout]
    encoders = [part for part in model.modules() if isinstance(part, PreTrainedModel)]
    attending = [part for part in encoders if part.config._attn_implementation == "sdpa"]
    for layer in layers:
        layer.__class__ = QuickDropout
    for encoder in attending:
        encoder.set_attn_implementation(ATTENTION)
    try:
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.Dropout
        for encoder in attending:
            encoder.set_attn_implementation("sdpa")


class QuickDropout(nn.Dropout):
    """As its parent, with other random numbers."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  the parent's name
        return dropped(input, self.p) if self.training else input


def dropped(values: torch.Tensor, p: float) -> torch.Tensor:
    """A share p of the elements is 0, the others are scaled by 1 / (1 - p)."""
    left_out = round(p * STEPS)
    if values.device.type != "cpu" or not 0 < left_out < STEPS:
        return nn.functional.dropout(values, p)
    kept: torch.Tensor = _Times.apply(values, left_out)  # type: ignore[no-untyped-call]
    return kept


class _Times(torch.autograd.Function):
    """Values times factors that are 0 for a share of left_out / STEPS; the gradient goes through the same ones."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, left_out: int) -> torch.Tensor:
        # Comparing into a tensor of the values' type is six times as fast as to bool and then to that type.
        factors = torch.empty_like(values)
        torch.ge(_sixteen_bits(values), left_out - STEPS // 2, out=factors)
        factors.mul_(STEPS / (STEPS - left_out))
        ctx.save_for_backward(factors)
        return values * factors

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (factors,) = ctx.saved_tensors
        return gradient * factors, None


def _sixteen_bits(like: torch.Tensor) -> torch.Tensor:
    """Numbers of -32,768 to 32,767, all as likely, in the shape of `like`: four of each 64 bits that are drawn."""
    drawn = torch.empty((like.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    return drawn.view(torch.int16)[: like.numel()].view(like.shape)


def dropout_rates(model: nn.Module) -> dict[str, float | None]:
    """Of an encoder's states and attention, as its own configuration has them, None where it names none; and of the
    head above it, which is the checkpoint's affair where the head is transformers' own.
    """
    encoder = encoder_in(model)
    below = {id(part) for part in encoder.modules()}
    head = [part.p for part in model.modules() if isinstance(part, nn.Dropout) and id(part) not in below]
    rates = {name: [getattr(encoder.config, key, None) for key in keys] for name, keys in RATES.items()}
    named = {name: next((rate for rate in of if rate is not None), None) for name, of in rates.items()}
    return {**named, "head": max(head, default=0.0)}


# -- attention -------------------------------------------------------------------------------------------------------


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """As transformers' `sdpa_attention_forward`, which computes it in the same steps where there is dropout.

    query, key, value: (rows, heads, tokens, width) -> (rows, tokens, heads, width). What encoders have no use for
    (causal masks, shared keys, caches, position biases) is left to transformers.
    """
    said = more.get("is_causal")
    causal = attention_mask is None and (getattr(module, "is_causal", True) if said is None else said)
    special = causal or any(more.get(name) is not None for name in SPECIAL) or query.shape[1] != key.shape[1]
    if not dropout or query.device.type != "cpu" or special:
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, dropout, scaling, **more
        )
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if attention_mask is not None and attention_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    elif attention_mask is not None:
        scores = scores + attention_mask
    weights = dropped(scores.softmax(dim=-1).to(value.dtype), dropout)
    return (weights @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
