"""A trained encoder as a checkpoint that transformers loads: with all its word embeddings, and no updates apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import TrainerCallback

from benchmarks.encoders import load_encoder
from benchmarks.methods.heads import EncoderWithHead, encoder_in
from benchmarks.methods.vocabulary import restore

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HEAD = "head.safetensors"


class Decay(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for us
    """What weight decay alone leaves of a weight without gradient: the product of 1 - rate * decay over all updates
    (Loshchilov, Hutter 2019).
    """

    def __init__(self) -> None:
        self.leaves = 1.0

    def state_dict(self) -> dict[str, Any]:
        return {"leaves": self.leaves}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.leaves = state["leaves"]

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.leaves *= 1 - kwargs["optimizer"].param_groups[0]["lr"] * args.weight_decay


def save(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    pretrained: Path,
    ids: torch.Tensor | None,
    decay: Decay,
) -> None:
    """Writes the checkpoint to an empty folder. A model whose head is of transformers' own is saved with it; else the
    encoder is, and the layers of ours in a file beside it.

    pretrained: the folder of the encoder before its training; ids: what `keep_used` has given.
    """
    encoder = encoder_in(model)
    merge(encoder)
    if ids is not None:
        whole = load_encoder(pretrained).get_input_embeddings().weight.detach()
        is_trained = encoder.get_input_embeddings().weight.requires_grad
        restore(encoder, ids, whole * decay.leaves if is_trained else whole)
    if isinstance(model, EncoderWithHead):
        save_file({name: weights.contiguous() for name, weights in model.head.state_dict().items()}, folder / HEAD)
        encoder.save_pretrained(folder)
    else:
        model.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save_pretrained(folder)


def merge(encoder: nn.Module) -> None:
    """In place: low-rank updates become part of the layers that they update."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, part in list(encoder.named_modules()):
        if isinstance(part, BaseTunerLayer):
            part.merge()
            parent, _, own = name.rpartition(".")
            setattr(encoder.get_submodule(parent), own, part.get_base_layer())
