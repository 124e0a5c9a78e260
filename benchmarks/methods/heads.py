"""What stands between an encoder's output and the classes: pooling, the head, and the two joined to one model."""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

from benchmarks.recipes import Head

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


def pooled(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """(rows, tokens, width) states and (rows, tokens) mask, 0 on padding -> (rows, width): the first token ('cls'), or
    the mean of those that are no padding.
    """
    if pooling == "cls":
        return states[torch.arange(len(states), device=states.device), mask.argmax(dim=1)]  # padding may be on the left
    kept = mask.unsqueeze(-1).to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)


def classifier(width: int, classes: int, recipe: Head) -> nn.Sequential:
    """(..., width) -> (..., classes) logits: the recipe's hidden layers, each after dropout, then a linear layer."""
    layers: list[nn.Module] = []
    for hidden in recipe.head_layers:
        layers += [nn.Dropout(recipe.head_dropout), nn.Linear(width, hidden), ACTIVATIONS[recipe.head_activation]()]
        width = hidden
    layers += [nn.Dropout(recipe.head_dropout), nn.Linear(width, classes)]
    return nn.Sequential(*layers)


def begin_with_zeros(model: nn.Module) -> None:
    """Sets the last linear layer of a model, the one that gives the classes, to zeros."""
    *_, last = (module for module in model.modules() if isinstance(module, nn.Linear))
    with torch.no_grad():
        last.weight.zero_()
        if last.bias is not None:
            last.bias.zero_()


def encoder_in(model: nn.Module) -> PreTrainedModel:
    """The encoder of a model of ours, or of transformers."""
    found: PreTrainedModel = model.encoder if isinstance(model, EncoderWithHead) else model.base_model  # type: ignore[assignment]
    return found


class EncoderWithHead(nn.Module):
    """A bare encoder and a head over its pooled output (texts), or over each token (pooling None)."""

    def __init__(self, encoder: PreTrainedModel, head: nn.Module, pooling: str | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.pooling = pooling

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        more = {} if token_type_ids is None else {"token_type_ids": token_type_ids}  # some families take none
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **more).last_hidden_state
        return {"logits": self.head(states if self.pooling is None else pooled(states, attention_mask, self.pooling))}
