"""A model that a run has kept predicts texts that nobody has labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from safetensors.torch import load_file
from torch import nn

from benchmarks import trust
from benchmarks.encoders import load_encoder, load_tokenizer, load_with_its_head
from benchmarks.methods.features import Features, features_of, join_windows
from benchmarks.methods.heads import EncoderWithHead, classifier
from benchmarks.methods.pieces import PieceCollator
from benchmarks.methods.saving import HEAD
from benchmarks.recipes import RECIPES, Finetune
from benchmarks.schema import TAGS, RunResult, tags_of

BATCH = 64


def of_texts(folder: Path, run: RunResult, texts: Sequence[str]) -> np.ndarray:
    """(texts, labels) probabilities, labels as the run's task has them."""
    rows = Dataset.from_dict({"text": list(texts), "label": [0] * len(texts)})
    logits, _ = _logits(folder, run, rows)
    return np.concatenate([torch.softmax(found.float(), dim=-1).numpy() for found in logits])


def of_words(folder: Path, run: RunResult, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The tag of every word."""
    tokens = [list(row) for row in rows]
    table = Dataset.from_dict({"tokens": tokens, "tags": [[0] * len(row) for row in tokens]})
    logits, features = _logits(folder, run, table)
    longest = max(found.shape[1] for found in logits)
    tags = [nn.functional.pad(found.argmax(dim=-1), (0, longest - found.shape[1])).numpy() for found in logits]
    names = _classes(run)
    return [[names[tag] for tag in row] for row in join_windows(np.concatenate(tags), features, tokens)]


def _classes(run: RunResult) -> tuple[str, ...]:
    """As the run's task had them."""
    task = run.identity_["task"]
    return tags_of(task["labels"], task["scheme"]) if run.type == TAGS else tuple(task["labels"])


def _logits(folder: Path, run: RunResult, rows: Dataset) -> tuple[list[torch.Tensor], Features]:
    """Of every batch; and the features that they are of. Raises UserError for a folder that holds code or pickles."""
    trust.check(folder)
    tokenizer = load_tokenizer(folder, run.type)
    features = features_of(rows, tokenizer, int(run.training["max_length"]))
    collator = PieceCollator.of(features, features, tokenizer, multiple=1)
    count = len(features.place)
    model = _model(folder, run).eval()
    found = []
    with torch.no_grad():
        for start in range(0, count, BATCH):
            # numbers from `count` on are rows without labels
            batch: Any = collator([{"row": count + place} for place in range(start, min(start + BATCH, count))])
            found.append(model(**batch)["logits"])
    return found, features


def _model(folder: Path, run: RunResult) -> nn.Module:
    recipe = RECIPES[run.method](**run.recipe)
    assert isinstance(recipe, Finetune)  # only such models are kept
    if not (folder / HEAD).is_file():
        whole: nn.Module = load_with_its_head(folder, run.type)
        return whole
    encoder = load_encoder(folder)
    head = classifier(encoder.config.hidden_size, len(_classes(run)), recipe)
    head.load_state_dict(load_file(folder / HEAD))
    return EncoderWithHead(encoder, head, recipe.head_pooling(run.type))
