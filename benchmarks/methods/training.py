"""One training by the Hugging Face Trainer as it is: a recipe and rows in, the trained model and its outputs out."""

from __future__ import annotations

import gc
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Subset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from benchmarks import heap
from benchmarks.methods import Job, checkpoints
from benchmarks.methods.checkpoints import Carried
from benchmarks.methods.dropout import quick_dropout
from benchmarks.methods.features import IGNORED
from benchmarks.methods.reporting import reporting
from benchmarks.recipes import Training
from benchmarks.schema import TAGS
from benchmarks.shortage import eval_batch, micro_batch

if TYPE_CHECKING:
    from torch import nn

LOSSES_KEPT = 50
FEWEST_BETWEEN = 10
"""Updates between two losses that are read: each time the processor waits for the GPU."""
SECONDS_BETWEEN_GIVING_BACK = 20.0
"""It takes up to .2 s."""
NO_NUMBER = 2**31 - 1
"""In place of a tag whose logits are none: argmax gives one of them, too. No log-probability is above 0."""

Lengths: TypeAlias = Sequence[int] | np.ndarray


class Numbered(Dataset[dict[str, Any]]):
    """Rows by number, from `first` on, each with something as long as itself, by which batches are put together.

    Of any data set but those of the library `datasets` the Trainer looks for lengths in a column input_ids, once a row.
    Of one of these it reads the column 'length' anew at every comparison: half of the time of a head's training.
    """

    def __init__(self, first: int, lengths: Lengths) -> None:
        self.first, self.lengths = first, np.asarray(lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return {"row": self.first + place, "input_ids": range(self.lengths[place])}


@dataclass(frozen=True)
class Rows:
    """What a model is trained on and what it predicts, by number: a row is fetched when its batch is put together.

    Numbers go on from train to test. collator: some rows of either -> a batch, with 'labels' where they are trained.
    """

    train: Numbered
    test: Numbered
    collator: Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]

    @classmethod
    def of(cls, train: Lengths, test: Lengths, collator: Callable[..., dict[str, torch.Tensor]]) -> Rows:
        """train, test: the length of every row."""
        return cls(Numbered(0, train), Numbered(len(train), test), collator)


def trained_outputs(
    job: Job, model: nn.Module, rows: Rows, own_loss: bool = False, carried: Sequence[Carried] = ()
) -> np.ndarray:
    """Trains the model for a fixed number of epochs, and predicts rows.test in their order with the last weights.

    Gives (rows, classes) log-probabilities, or for token classification (rows, tokens) tag ids. own_loss: the model
    computes its loss itself, as those of transformers do; it is used where the recipe changes nothing of it. carried:
    what a checkpoint must keep beside the model; the Trainer tells those that are callbacks.
    """
    if not job.meter.parameters:
        job.meter.parameters, job.meter.trainable_parameters = weights_of(model)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trained(job, model, rows, own_loss, folder, carried)
        with job.meter.measuring("predict", len(job.data.test)):
            outputs = predictions(trainer, rows.test)
    del trainer
    gc.collect()  # the Trainer and its callbacks refer to each other: many runs in one process must not add up
    return outputs


def weights_of(model: nn.Module) -> tuple[int, int]:
    """How many there are, and how many of them are trained."""
    sizes = [(weights.numel(), weights.requires_grad) for weights in model.parameters()]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)


# -- training --------------------------------------------------------------------------------------------------------


def trained(
    job: Job, model: nn.Module, rows: Rows, own_loss: bool, folder: str, carried: Sequence[Carried] = ()
) -> Trainer:
    """A Trainer after its training, which the job's meter has timed."""
    callbacks = [one for one in carried if isinstance(one, TrainerCallback)]
    trainer = trainer_of(job, model, rows, own_loss, folder, callbacks)
    with job.meter.measuring("train", _recipe(job).epochs * len(job.data.train)), quick_dropout(model):
        checkpoints.train(job, trainer, carried)
    note_training(job, trainer)
    return trainer


def trainer_of(
    job: Job, model: nn.Module, rows: Rows, own_loss: bool, folder: str, callbacks: Sequence[TrainerCallback] = ()
) -> Trainer:
    """A Trainer before its training; folder: where it may write."""
    recipe = _recipe(job)
    own_loss = own_loss and recipe.class_weights == "none" and not recipe.label_smoothing and not job.halvings
    trainer = Trainer(
        model=model,
        args=training_arguments(recipe, job.seed, len(rows.train), folder, job.halvings),
        train_dataset=rows.train,
        data_collator=rows.collator,
        callbacks=[*callbacks_of(job), *callbacks],
        compute_loss_func=None if own_loss else loss_of(recipe, job),
        preprocess_logits_for_metrics=_reduce_tags if job.task.type == TAGS else _reduce_texts,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def callbacks_of(job: Job) -> list[TrainerCallback]:
    """What every Trainer of ours tells."""
    return [Progress(job.meter.progress), Lean(), *reporting(job.report_to)]


def _recipe(job: Job) -> Training:
    assert isinstance(job.recipe, Training)
    return job.recipe


def training_arguments(recipe: Training, seed: int, rows: int, folder: str, halvings: int = 0) -> TrainingArguments:
    """The recipe in the Trainer's words. The recipe's batch is global: ranks share it out, and each computes its share
    in micro-batches where memory has run out.
    """
    own = {"label_names": ["labels"], "remove_unused_columns": False}  # neither can be guessed of a model of ours
    return self_contained(TrainingArguments(folder, **settings(recipe, seed, rows, halvings), **own))


def settings(recipe: Training, seed: int, rows: int, halvings: int = 0) -> dict[str, Any]:
    """What every Trainer of ours is told, by the names of TrainingArguments; rows: how many make an epoch."""
    ranks = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
    steps = math.ceil(rows / recipe.batch_size) * recipe.epochs
    on_gpu = torch.cuda.is_available()
    own = recipe.batch_size // ranks  # preparing has checked that it can be shared
    micro = micro_batch(own, halvings)
    return {
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": own // micro,
        "per_device_eval_batch_size": eval_batch(halvings),
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": recipe.schedule,
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.clipping,
        "optim": "adamw_torch_fused",
        "bf16": in_bf16(recipe),
        "train_sampling_strategy": "group_by_length",
        "accelerator_config": {"use_seedable_sampler": False},  # else ranks draw different orders from epoch 2 on
        "seed": seed,
        "data_seed": seed,
        "use_cpu": not on_gpu,
        "dataloader_pin_memory": on_gpu,
        "ddp_find_unused_parameters": False,
        "average_tokens_across_devices": False,  # else it takes our mean loss for a sum, and multiplies it by the ranks
        "logging_steps": max(1, int(min(steps, FEWEST_BETWEEN)), int(steps // LOSSES_KEPT)),
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": "none",  # the callbacks of trackers are added by whoever makes the Trainer
        "disable_tqdm": True,
    }


def self_contained(arguments: TrainingArguments) -> TrainingArguments:
    """In place: what surrounds the process moves no training. One process is one device, else the Trainer would spread
    a plain start over all GPUs of the machine (DataParallel) and multiply the batch by their number; and a launcher's
    precision (ACCELERATE_MIXED_PRECISION) would take the place of fp32.
    """
    arguments._n_gpu = min(1, arguments.n_gpu)
    arguments.mixed_precision = "bf16" if arguments.bf16 else "no"
    return arguments


def in_bf16(recipe: Training) -> bool:
    """Whether it trains in bf16; a recipe without the choice trains in fp32."""
    precision = getattr(recipe, "precision", "fp32")
    return computes_in_bf16() if precision == "auto" else precision == "bf16"


def computes_in_bf16() -> bool:
    """Whether bf16 is fast here: a processor without AMX or AVX512-BF16 emulates it, four times slower than fp32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


class Lean(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for us
    """Batches of other lengths take other pieces of memory, between which holes are left: without this a training on a
    processor takes more with each update, after a thousand twice as much.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.given_back = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if args.device.type == "cpu" and time.monotonic() - self.given_back >= SECONDS_BETWEEN_GIVING_BACK:
            heap.give_back()
            self.given_back = time.monotonic()


class Progress(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for us
    """Tells the share of the updates that are done, and ends a training whose loss is no number."""

    def __init__(self, tell: Any) -> None:
        self.tell = tell

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.tell(state.global_step / max(1, state.max_steps))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        loss = logs.get("loss", 0.0)
        if not math.isfinite(loss):
            rate = logs["learning_rate"]
            at = f"at step {state.global_step} of {state.max_steps}, learning rate {rate:.3g}"
            raise FloatingPointError(f"the training loss is {loss} {at}: try a smaller learning rate")


def note_training(job: Job, trainer: Trainer) -> None:
    """Losses, updates and precision into the run's record, and the micro-batch where memory had run out."""
    losses = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    job.meter.note(losses=losses, steps=trainer.state.global_step, precision="bf16" if trainer.args.bf16 else "fp32")
    if job.halvings:
        job.meter.note(halvings=job.halvings, micro_batch=trainer.args.per_device_train_batch_size)


# -- the loss --------------------------------------------------------------------------------------------------------


def loss_of(recipe: Training, job: Job) -> Callable[..., torch.Tensor]:
    """(outputs, labels) -> cross-entropy with the recipe's class weights and label smoothing.

    The mean over what is labelled in the batch, of which a micro-batch has its part; class weights are taken as a mean
    over each micro-batch by itself.
    """
    weights = torch.tensor(balanced_weights(job)) if recipe.class_weights == "balanced" else None

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs["logits"]
        mean = cross_entropy(
            logits.view(-1, logits.shape[-1]).float(),
            labels.view(-1),
            weight=None if weights is None else weights.to(logits.device),
            ignore_index=IGNORED,
            label_smoothing=recipe.label_smoothing,
        )
        return mean if not job.halvings else mean * (labels != IGNORED).sum() / num_items_in_batch

    return loss


def balanced_weights(job: Job) -> np.ndarray:
    """(classes,) float32: n / (classes * rows of the class), words in place of rows for tags; 0 for an unseen class.

    scikit-learn's class_weight='balanced' (King, Zeng 2001), with the classes that occur.
    """
    train = job.data.train
    labels = list(chain.from_iterable(train["tags"])) if job.task.type == TAGS else train["label"]
    counts = np.bincount(labels, minlength=len(job.task.classes)).astype(np.float32)
    occurring = int((counts > 0).sum())
    weights: np.ndarray = np.zeros_like(counts)
    np.divide(counts.sum(), occurring * counts, out=weights, where=counts > 0)
    return weights


# -- predicting ------------------------------------------------------------------------------------------------------


def predictions(trainer: Trainer, rows: Numbered) -> np.ndarray:
    """Model outputs in the order of `rows`, each row once, whatever the number of ranks.

    Longest first, so that batches hold little padding and a lack of memory shows at once. Raises FloatingPointError
    where some are no numbers.
    """
    order = np.argsort(-rows.lengths, kind="stable")
    trainer.args.train_sampling_strategy = "sequential"  # grouping by length would permute the evaluation, too
    sorted_outputs = trainer.predict(Subset(rows, order.tolist())).predictions
    if len(sorted_outputs) != len(rows):
        raise RuntimeError(f"{len(rows)} rows went into prediction, {len(sorted_outputs)} came out")
    wrong = (~np.isfinite(sorted_outputs) | (sorted_outputs == NO_NUMBER)).reshape(len(rows), -1).any(axis=1).sum()
    if wrong:
        raise FloatingPointError(f"outputs are no numbers in {wrong} of {len(rows)} rows: try a smaller learning rate")
    outputs: np.ndarray = np.empty_like(sorted_outputs)
    outputs[order] = sorted_outputs
    return outputs


def _reduce_texts(logits: torch.Tensor, labels: Any) -> torch.Tensor:
    """(rows, classes) logits -> log-probabilities: they keep their order near 0 and 1 when stored in 16 bits."""
    return logits.float().log_softmax(dim=-1)


def _reduce_tags(logits: torch.Tensor, labels: Any) -> torch.Tensor:
    """(rows, pieces, classes) logits -> (rows, pieces) tag ids, or NO_NUMBER, on the device: the logits would fill the
    memory.
    """
    return logits.argmax(dim=-1).where(logits.isfinite().all(dim=-1), NO_NUMBER)
