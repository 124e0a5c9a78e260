"""A head on a frozen encoder: rows encoded once against rows encoded in every epoch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import transformers
from torch.nn.functional import cross_entropy
from torch.optim import AdamW
from transformers import DataCollatorWithPadding

from benchmarks.data.loading import TaskData
from benchmarks.data.splits import select
from benchmarks.encoders import load_encoder, load_tokenizer
from benchmarks.meter import Meter
from benchmarks.methods import Job
from benchmarks.methods.features import tokenized
from benchmarks.methods.frozen import frozen
from benchmarks.methods.heads import classifier, pooled
from benchmarks.recipes import Frozen
from benchmarks.schema import HeldOut, Protocol
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios

EPOCHS, FOLDS = 10, 10
REENCODED, OURS = "encoded in every epoch", "ours, encoded once"
BATCH = 32


def frozen_heads(
    data: TaskData, encoder: Path, rows: int, cache: Path, rounds: int, tell: Callable[[str], None]
) -> Measured:
    """One run of ten epochs, and ten folds of ten epochs, each with nothing in its cache at first."""
    splits = data.origin.splits
    held_out = sum(isinstance(p, HeldOut) and p.take_from == "train" for p in (splits.validation, splits.test))
    of_each = max(1, rows // (1 + held_out))  # rows held out of the training split are divided into folds with it
    folded = [Protocol(limit=of_each, folds=FOLDS, fold=fold) for fold in range(FOLDS)]
    protocols = [Protocol(train_size=rows, test_size=max(1, rows // FOLDS)), *folded]
    one, *folds = (
        Job(data.task, Frozen(epochs=EPOCHS), 0, select(data, protocol), encoder, cache, Meter())
        for protocol in protocols
    )
    seconds = in_turn(
        {REENCODED: lambda: _reencoded(one), OURS: lambda: _ours([one]), "folds": lambda: _ours(folds)}, rounds, tell
    )
    of_folds = [(FOLDS - 1) * taken for taken in seconds[REENCODED]]
    name = f"{data.task.name}: a head on a frozen encoder"
    goals = [
        Goal(f"{name}, one run of {EPOCHS} epochs", 7.0, ratios(seconds[REENCODED], seconds[OURS])),
        Goal(f"{name}, {FOLDS} folds of {EPOCHS} epochs", 40.0, ratios(of_folds, seconds["folds"])),
    ]
    middle = {way: Ratio.of(taken).middle for way, taken in seconds.items()}
    lines = [
        [REENCODED, round(middle[REENCODED], 1), round((FOLDS - 1) * middle[REENCODED], 1)],
        [OURS, round(middle[OURS], 1), round(middle["folds"], 1)],
    ]
    note = (
        f"{rows:,} training rows of {data.task.name}. Ours is all that a run does, loading and the predictions of "
        f"{rows // FOLDS:,} test rows among it; the reference is its training alone, its folds nine times its one run: "
        "each is of nine tenths of the rows."
    )
    return Measured(goals, [Table("A head on a frozen encoder", ["way", "one run (s)", "10 folds (s)"], lines, note)])


def _ours(jobs: list[Job]) -> float:
    """Seconds of all that a run does, loading and the predictions of its test rows among it."""
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        for job in jobs:
            frozen(replace(job, cache=Path(cache), meter=Meter()))
        return time.perf_counter() - start


def _reencoded(job: Job) -> float:
    """Each batch goes through the frozen encoder, and what it gives through the head that is trained."""
    assert isinstance(job.recipe, Frozen)
    assert job.encoder is not None
    transformers.set_seed(0)
    meter = Meter()
    tokenizer = load_tokenizer(job.encoder, job.task.type)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = load_encoder(job.encoder).eval().to(device)
    head = classifier(encoder.config.hidden_size, len(job.task.classes), job.recipe).to(device)
    optimizer = AdamW(head.parameters(), job.recipe.learning_rate, fused=True)
    rows = tokenized(job, "train", tokenizer, job.max_length).features
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    batches = [by_length[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    collator = DataCollatorWithPadding(tokenizer)
    with meter.measuring("train", EPOCHS * len(rows)):
        for _ in range(EPOCHS):
            for numbers in batches:
                batch = collator([rows[i] for i in numbers]).to(device)
                labels = batch.pop("labels")
                with torch.no_grad():
                    states = encoder(**batch).last_hidden_state
                loss = cross_entropy(head(pooled(states, batch["attention_mask"], job.recipe.pooling)), labels)
                torch.autograd.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()
    return meter.seconds["train"]
