"""Fine-tuning: an encoder, all of it or by low-rank updates, with a head."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.encoders import (
    layers_of,
    load_encoder,
    load_model,
    load_tokenizer,
    longest_input,
)
from benchmarks.errors import UserError
from benchmarks.methods import SPLITS, Job
from benchmarks.methods.dropout import dropout_rates
from benchmarks.methods.features import Features, join_windows, tokenized
from benchmarks.methods.heads import EncoderWithHead, begin_with_zeros, classifier, encoder_in
from benchmarks.methods.pieces import PieceCollator
from benchmarks.methods.saving import Decay, save
from benchmarks.methods.training import Rows, trained_outputs, weights_of
from benchmarks.methods.vocabulary import keep_used, renumbered
from benchmarks.recipes import Finetune, Lora
from benchmarks.schema import TAGS, Predictions

if TYPE_CHECKING:
    from pathlib import Path

    import torch

ATTENTION = ("query", "key", "value", "q_lin", "k_lin", "v_lin", "q_proj", "k_proj", "v_proj", "q", "k", "v")
"""What families call the linear layers of query, key and value."""


def finetune(job: Job) -> Predictions:
    """Trains on job.data.train for a fixed number of epochs, predicts job.data.test with the last weights."""
    recipe = job.recipe
    assert isinstance(recipe, Finetune)
    assert job.encoder is not None
    start, decay = prepared(job, recipe), Decay()
    outputs = trained_outputs(job, start.model, start.rows, recipe.own_head, [decay])
    if job.keep:
        job.meter.end()
        try:
            save(start.model, start.tokenizer, job.keep, job.encoder, start.ids, decay)
        except (OSError, SafetensorError) as error:  # the disk is full: what was trained is scored all the same
            shutil.rmtree(job.keep)
            job.meter.note(model_not_kept=str(error))
    if job.task.type == TAGS:
        return job.predictions(join_windows(outputs, start.test, job.data.test["tokens"]))
    return job.likeliest(outputs)


class Start(NamedTuple):
    """All before the first update: the model, what it is trained on, the features of the test rows, the tokenizer, and
    what `keep_used` gave of the embeddings.
    """

    model: nn.Module
    rows: Rows
    test: Features
    tokenizer: PreTrainedTokenizerBase
    ids: torch.Tensor | None


def prepared(job: Job, recipe: Finetune) -> Start:
    """A model with a fresh head whose embeddings are those that occur."""
    assert job.encoder is not None
    begun = time.perf_counter()
    transformers.set_seed(job.seed)  # the head's first weights
    tokenizer = load_tokenizer(job.encoder, job.task.type)
    model = model_of(job, recipe, job.encoder)
    job.meter.note(dropout=dropout_rates(model))
    job.meter.parameters, job.meter.trainable_parameters = weights_of(model)  # before some are left out
    length = longest_input(job.encoder, tokenizer, job.max_length)
    train, test = (tokenized(job, split, tokenizer, length) for split in SPLITS)
    job.meter.note(max_length=length, cut_rows={"train": train.cut_rows, "test": test.cut_rows})
    pieces = PieceCollator.of(train, test, tokenizer)
    occurring = np.union1d(pieces.train.occurring, pieces.test.occurring)
    ids = keep_used(encoder_in(model), occurring, tokenizer.pad_token_id)
    collator = pieces if ids is None else renumbered(pieces, ids)
    job.meter.note(prepare_seconds=round(time.perf_counter() - begun, 3))
    return Start(model, Rows.of(pieces.train.lengths, pieces.test.lengths, collator), test, tokenizer, ids)


# -- the model -------------------------------------------------------------------------------------------------------


def model_of(job: Job, recipe: Finetune, folder: Path) -> nn.Module:
    model: nn.Module
    if recipe.own_head:
        model = load_model(folder, job.task.type, job.task.classes)
        encoder = model.base_model
    else:
        encoder = load_encoder(folder)
        head = classifier(encoder.config.hidden_size, len(job.task.classes), recipe)
        model = EncoderWithHead(encoder, head, recipe.head_pooling(job.task.type))
    if recipe.head_init == "zero":
        begin_with_zeros(model)
    if isinstance(recipe, Lora):
        add_low_rank_updates(encoder, recipe)
    freeze(encoder, recipe.frozen_layers)
    return model


def add_low_rank_updates(encoder: PreTrainedModel, recipe: Lora) -> None:
    """In place: every weight of the encoder's layers is frozen, and the wanted linear layers get an update.

    BERT's pooler stays trainable with the head that reads it: some checkpoints bring none, and theirs is random.
    """
    from peft import LoraConfig, inject_adapter_in_model

    layers = {id(part) for layer in layers_of(encoder)[1] for part in layer.modules()}
    linear = [name for name, part in encoder.named_modules() if isinstance(part, nn.Linear) and id(part) in layers]
    wanted = [name for name in linear if recipe.targets == "all" or name.rpartition(".")[2] in ATTENTION]
    if not wanted:
        raise UserError(f"recipe.targets: {recipe.targets!r}: {encoder.config.model_type} has no such layer.")
    settings = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.lora_dropout, target_modules=wanted
    )
    inject_adapter_in_model(settings, encoder)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler.requires_grad_(True)


def freeze(encoder: PreTrainedModel, layers: int) -> None:
    """The embeddings and the lowest layers stay as they are, without dropout: turning gradients off leaves it on."""
    if not layers:
        return
    below, stack = layers_of(encoder)
    if layers > len(stack):
        raise UserError(f"recipe.frozen_layers: {layers}, but the encoder has {len(stack)} layers.")
    for part in (*below, *stack[:layers]):
        part.requires_grad_(False)
        part.register_forward_pre_hook(_to_evaluation)


def _to_evaluation(module: nn.Module, inputs: Any) -> None:
    """Before every forward pass: the Trainer sets the whole model to training at every step."""
    module.eval()
