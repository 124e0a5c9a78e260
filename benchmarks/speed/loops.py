"""One fine-tuning of the same rows, by reference loops and by ours."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch.optim import AdamW
from transformers import (
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    get_scheduler,
)

from benchmarks.data.loading import TaskData
from benchmarks.data.splits import select
from benchmarks.encoders import load_model, load_tokenizer, longest_input
from benchmarks.meter import Meter
from benchmarks.methods import Job
from benchmarks.methods.dropout import quick_dropout
from benchmarks.methods.features import IGNORED, tokenized
from benchmarks.methods.finetune import prepared
from benchmarks.methods.training import in_bf16, self_contained, trained, trainer_of
from benchmarks.recipes import Finetune
from benchmarks.schema import TAGS, Protocol

PADDED_TO = 128
"""What example scripts pad every row to, where an encoder reads as much."""


@dataclass(frozen=True)
class Work:
    """Rows of a task to train an encoder on, once."""

    data: TaskData
    encoder: Path
    recipe: Finetune
    rows: int
    cache: Path

    def job(self) -> Job:
        rows = select(self.data, Protocol(train_size=self.rows))
        return Job(self.data.task, self.recipe, 0, rows, self.encoder, self.cache, Meter())

    @property
    def pieces(self) -> int:
        """Of all rows, padding apart."""
        tokenizer = load_tokenizer(self.encoder, self.data.task.type)
        length = longest_input(self.encoder, tokenizer, self.data.task.max_length)
        return sum(map(len, tokenized(self.job(), "train", tokenizer, length).features["input_ids"]))


class Pass(NamedTuple):
    """What a training took."""

    seconds: float
    peak_mb: float


Loop = Callable[[Work], Pass]


# -- references ------------------------------------------------------------------------------------------------------


def as_example_scripts(work: Work) -> Pass:
    """run_classification.py's defaults: every row padded to 128, fp32, rows in random order."""
    return _by_trainer(work, pads=True)


def with_dynamic_padding(work: Work) -> Pass:
    """Rows in random order, padded to the longest of their batch, fp32."""
    return _by_trainer(work)


def as_a_plain_trainer(work: Work) -> Pass:
    """The best of the Trainer's own switches: batches of similar length, bf16 where there is any, fused AdamW."""
    return _by_trainer(work, train_sampling_strategy="group_by_length", bf16=in_bf16(work.recipe))


def _by_trainer(work: Work, pads: bool = False, **settings: Any) -> Pass:
    job = work.job()
    transformers.set_seed(0)
    tokenizer = load_tokenizer(work.encoder, job.task.type)
    model = load_model(work.encoder, job.task.type, job.task.classes)
    length = longest_input(work.encoder, tokenizer, job.task.max_length)
    padded = longest_input(work.encoder, tokenizer, PADDED_TO)
    columns = [*tokenizer.model_input_names, "labels"]
    length = min(length, padded) if pads else length
    rows = tokenized(job, "train", tokenizer, length).features.select_columns(columns)
    padding = {"padding": "max_length", "max_length": padded} if pads else {}
    if job.task.type == TAGS:
        collator = DataCollatorForTokenClassification(tokenizer, label_pad_token_id=IGNORED, **padding)
    else:
        collator = DataCollatorWithPadding(tokenizer, **padding)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=work.recipe.batch_size,
            num_train_epochs=work.recipe.epochs,
            learning_rate=work.recipe.learning_rate,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **settings,
        )
        trainer = Trainer(model, self_contained(arguments), collator, rows)
        trainer.remove_callback(PrinterCallback)
        with job.meter.measuring("train", work.rows):
            trainer.train()
            _wait_for_gpu()
    return _taken(job)


def _taken(job: Job) -> Pass:
    cost = job.meter.cost()
    return Pass(cost["train_seconds"], cost["peak_memory_mb"])


def _wait_for_gpu() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


# -- ours ------------------------------------------------------------------------------------------------------------


def ours(work: Work) -> Pass:
    """The training of a run as the suite makes it."""
    job = work.job()
    model, rows, *_ = prepared(job, work.recipe)
    with tempfile.TemporaryDirectory() as folder:
        trained(job, model, rows, own_loss=True, folder=folder)
    return _taken(job)


def bare(work: Work) -> Pass:
    """A loop in plain PyTorch over the batches of ours, which lie ready: what it takes less is the suite's own."""
    return _bare(work, Parts(timed=False))


def shares(work: Work) -> dict[str, float]:
    """Of the parts of a step in the bare loop; to time them takes time of its own on a GPU."""
    parts = Parts(timed=True)
    _bare(work, parts)
    return {part: seconds / sum(parts.seconds.values()) for part, seconds in parts.seconds.items()}


def _bare(work: Work, parts: Parts) -> Pass:
    job = work.job()
    model, rows, *_ = prepared(job, work.recipe)
    with tempfile.TemporaryDirectory() as folder:
        batches = list(trainer_of(job, model, rows, own_loss=True, folder=folder).get_train_dataloader())
    optimizer = AdamW(model.parameters(), work.recipe.learning_rate, weight_decay=work.recipe.weight_decay, fused=True)
    warmup = round(work.recipe.warmup * len(batches))
    schedule = get_scheduler(work.recipe.schedule, optimizer, warmup, len(batches))
    model.train()
    with job.meter.measuring("train", work.rows), quick_dropout(model):
        for batch in batches:
            with parts.of("forward"), _autocast(in_bf16(work.recipe)):
                loss = model(**batch).loss
            with parts.of("backward"):
                loss.backward()
            with parts.of("clipping"):
                torch.nn.utils.clip_grad_norm_(model.parameters(), work.recipe.clipping)
            with parts.of("optimiser"):
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
        _wait_for_gpu()
    return _taken(job)


def _autocast(wanted: bool) -> torch.autocast:
    return torch.autocast("cuda" if torch.cuda.is_available() else "cpu", torch.bfloat16, enabled=wanted)


@dataclass
class Parts:
    """Seconds of each part of a step, where they are timed."""

    timed: bool
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextlib.contextmanager
    def of(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if self.timed:
            _wait_for_gpu()
            self.seconds[part] += time.perf_counter() - start
