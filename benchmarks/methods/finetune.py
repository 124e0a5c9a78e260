"""Fine-tuning: every weight of an encoder and a linear head, by the Hugging Face Trainer as it is."""

from __future__ import annotations

import gc
import math
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from transformers import (
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.encoders import load_model, load_tokenizer, longest_input
from benchmarks.methods import Job
from benchmarks.methods.features import IGNORED, join_windows, text_features, word_features
from benchmarks.recipes import Finetune
from benchmarks.schema import TAGS, Predictions

if TYPE_CHECKING:
    from datasets import Dataset

EVAL_BATCH = 64
LOSSES_KEPT = 50


def finetune(job: Job) -> Predictions:
    """Trains on job.data.train for a fixed number of epochs, predicts job.data.test with the last weights."""
    recipe = job.recipe
    assert isinstance(recipe, Finetune)
    assert job.encoder is not None
    transformers.set_seed(job.seed)  # the head's first weights
    tokenizer = load_tokenizer(job.encoder, job.task.type)
    model = load_model(job.encoder, job.task.type, job.task.classes)
    length = longest_input(job.encoder, tokenizer, recipe.max_length or job.task.max_length)
    features = word_features if job.task.type == TAGS else text_features
    train, test = (features(rows, tokenizer, length) for rows in (job.data.train, job.data.test))
    job.meter.parameters = model.num_parameters()
    job.meter.trainable_parameters = model.num_parameters(only_trainable=True)
    job.meter.note(max_length=length, cut_rows={"train": train.cut_rows, "test": test.cut_rows})
    with tempfile.TemporaryDirectory() as folder:
        trainer = _train(job, recipe, model, tokenizer, train.features, folder)
        with job.meter.measuring("predict", len(job.data.test)):
            outputs = _predict(trainer, test.features)
    del trainer, model
    gc.collect()  # the Trainer and its callbacks refer to each other: many runs in one process must not add up
    if job.task.type == TAGS:
        return job.predictions(join_windows(outputs, test.features, job.data.test["tokens"]))
    return job.predictions([int(row.argmax()) for row in outputs], outputs)


# -- training --------------------------------------------------------------------------------------------------------


def _train(
    job: Job, recipe: Finetune, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Dataset, folder: str
) -> Trainer:
    arguments = training_arguments(recipe, job.seed, len(rows), folder)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        processing_class=tokenizer,
        data_collator=_collator(job, tokenizer),
        callbacks=[_Progress(job.meter.progress)],
        preprocess_logits_for_metrics=_reduce_tags if job.task.type == TAGS else _reduce_texts,
    )
    trainer.remove_callback(PrinterCallback)
    with job.meter.measuring("train", recipe.epochs * len(job.data.train)):
        trainer.train()
    losses = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    _check_losses(losses)
    job.meter.note(losses=losses, steps=trainer.state.global_step, precision="bf16" if arguments.bf16 else "fp32")
    return trainer


def training_arguments(recipe: Finetune, seed: int, rows: int, folder: str) -> TrainingArguments:
    """The recipe in the Trainer's words. The recipe's batch is global: ranks share it out."""
    ranks = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
    steps = math.ceil(rows / recipe.batch_size) * recipe.epochs
    on_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=recipe.batch_size // ranks,  # preparing has checked that it can be shared
        per_device_eval_batch_size=EVAL_BATCH,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clipping,
        optim="adamw_torch_fused",
        bf16=computes_in_bf16() if recipe.precision == "auto" else recipe.precision == "bf16",
        train_sampling_strategy="group_by_length",
        seed=seed,
        data_seed=seed,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        ddp_find_unused_parameters=False,
        logging_steps=max(1, int(steps // LOSSES_KEPT)),
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    # One process is one device. Without this the Trainer would spread a plain start over all GPUs of the machine
    # (DataParallel) and multiply the batch by their number.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def computes_in_bf16() -> bool:
    """Whether bf16 is fast here: a processor without AMX or AVX512-BF16 emulates it, four times slower than fp32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def _collator(job: Job, tokenizer: PreTrainedTokenizerBase) -> Any:
    if job.task.type == TAGS:
        return DataCollatorForTokenClassification(tokenizer, label_pad_token_id=IGNORED)
    return DataCollatorWithPadding(tokenizer)


class _Progress(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for us
    """Tells the share of the updates that are done."""

    def __init__(self, tell: Any) -> None:
        self.tell = tell

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.tell(state.global_step / max(1, state.max_steps))


def _check_losses(losses: Sequence[tuple[int, float]]) -> None:
    for step, loss in losses:
        if not math.isfinite(loss):
            raise FloatingPointError(f"the training loss is {loss} at step {step}: try a smaller learning rate")


# -- predicting ------------------------------------------------------------------------------------------------------


def _predict(trainer: Trainer, rows: Dataset) -> np.ndarray:
    """Model outputs in the order of `rows`, each row once, whatever the number of ranks.

    Longest first, so that batches hold little padding and a lack of memory shows at once.
    """
    order = np.argsort([-len(pieces) for pieces in rows["input_ids"]], kind="stable")
    trainer.args.train_sampling_strategy = "sequential"  # grouping by length would permute the evaluation, too
    sorted_outputs = trainer.predict(rows.remove_columns("labels").select(order)).predictions
    if len(sorted_outputs) != len(rows):
        raise RuntimeError(f"{len(rows)} rows went into prediction, {len(sorted_outputs)} came out")
    outputs: np.ndarray = np.empty_like(sorted_outputs)
    outputs[order] = sorted_outputs
    return outputs


def _reduce_texts(logits: torch.Tensor, labels: Any) -> torch.Tensor:
    """(rows, classes) logits -> log-probabilities: they keep their order near 0 and 1 when stored in 16 bits."""
    return logits.float().log_softmax(dim=-1)


def _reduce_tags(logits: torch.Tensor, labels: Any) -> torch.Tensor:
    """(rows, pieces, classes) logits -> (rows, pieces) tag ids, on the device: the logits would fill the memory."""
    return logits.argmax(dim=-1)
