"""Training with the word embeddings that a run's rows use: half of a small encoder's weights are those of other words.

Exact: a word piece that never occurs gets no gradient, and neither momentum nor weight decay of it touches another
weight. What is saved is the optimiser's work on such rows, their part in the gradient's norm, and their memory: of a
multilingual encoder, two thirds of all weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FAMILIES = (
    "albert", "bert", "camembert", "distilbert", "electra", "ernie", "mpnet", "roberta", "xlm-roberta",
)  # fmt: skip
"""Of which it is known that they use an id for nothing but its embedding, and to tell padding."""

Collator = Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]


def keep_used(encoder: PreTrainedModel, occurring: np.ndarray, padding: int) -> torch.Tensor | None:
    """In place: the encoder has the embeddings of those pieces alone that occur. occurring: their ids; padding: the
    tokenizer's.

    Gives (pieces,) the new id of each piece; None where nothing has changed: of a family that is not known, or where
    all pieces occur. The padding's id stays what it is: families with numbered positions count by it. So does that of
    the configuration, whose embedding gets no gradient, where it is another than the tokenizer's.
    """
    embeddings = encoder.get_input_embeddings()
    if encoder.config.model_type not in FAMILIES or not isinstance(embeddings, nn.Embedding):
        return None
    kept = np.union1d(np.arange(max(padding, embeddings.padding_idx or 0) + 1), occurring)
    if len(kept) == embeddings.num_embeddings:
        return None
    encoder.set_input_embeddings(_rows(embeddings, torch.from_numpy(kept)))
    ids = torch.zeros(embeddings.num_embeddings, dtype=torch.long)
    ids[kept] = torch.arange(len(kept))
    return ids


def restore(encoder: PreTrainedModel, ids: torch.Tensor, others: torch.Tensor) -> None:
    """In place: the encoder has all embeddings again; ids: what `keep_used` gave, others: (pieces, width) of those that
    were not kept.
    """
    trained = encoder.get_input_embeddings()
    assert isinstance(trained, nn.Embedding)
    kept = torch.cat([torch.zeros(1, dtype=torch.long), ids.nonzero().flatten()])  # 0 is the new id of piece 0 alone
    weights = others.clone()
    weights[kept] = trained.weight.detach().to(weights)
    encoder.set_input_embeddings(_embedding(weights, trained))


def renumbered(collator: Collator, ids: torch.Tensor) -> Collator:
    """A collator whose input_ids are the new ones."""

    def collate(examples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        batch = collator(examples)
        batch["input_ids"] = ids[batch["input_ids"]]
        return batch

    return collate


def _rows(embeddings: nn.Embedding, kept: torch.Tensor) -> nn.Embedding:
    """A copy of some rows; no random number is drawn, which would move the dropout of the training after it."""
    return _embedding(embeddings.weight.detach()[kept].clone(), embeddings)


def _embedding(weights: torch.Tensor, like: nn.Embedding) -> nn.Embedding:
    pieces, width = weights.shape
    found = nn.Embedding(pieces, width, padding_idx=like.padding_idx, _weight=weights)
    found.weight.requires_grad_(like.weight.requires_grad)
    return found
