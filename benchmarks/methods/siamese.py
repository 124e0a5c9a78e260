"""Siamese training by sentence-transformers: a text and a partner through one encoder, then softmax or cosine."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, SoftmaxLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from torch import nn
from transformers import PrinterCallback
from transformers.trainer_pt_utils import LengthGroupedSampler

from benchmarks.data.splits import generator, stratified_order
from benchmarks.encoders import longest_input, without_pooler
from benchmarks.errors import UserError
from benchmarks.methods import Job, checkpoints
from benchmarks.methods.dropout import dropout_rates, quick_dropout
from benchmarks.methods.features import features_of
from benchmarks.methods.pairs import ASKED, PARTNERS, THRESHOLD, of_each_class, partners
from benchmarks.methods.training import (
    balanced_weights,
    callbacks_of,
    note_training,
    self_contained,
    settings,
    weights_of,
)
from benchmarks.metrics.ranking import Ranking
from benchmarks.recipes import SbertCosine, SbertSoftmax, Siamese
from benchmarks.recipes.sbert import DUMMY
from benchmarks.schema import Predictions
from benchmarks.shortage import eval_batch


def softmax(job: Job) -> Predictions:
    """Softmax over (u, v, |u - v|) of a text and its partner (Reimers, Gurevych 2019); scores are log-probabilities.

    Texts trained beside others are scored by the mean of the log-probabilities beside some training texts of each
    class, the same ones for every test row, all classes counting alike: the class of a test text's true partner is
    what is asked. S2 doesn't say how it scored such pairs; this is our assumption.
    """
    recipe = job.recipe
    assert isinstance(recipe, SbertSoftmax)
    model = sentence_encoder(job, job.data.train)
    loss = softmax_loss(job, recipe, model)
    train(job, model, loss, training_pairs(job, recipe))
    with job.meter.measuring("predict", len(job.data.test)):
        beside = [encoded(job, model, texts) for texts in _asked_beside(job, recipe)]
        scores = mean_log_probabilities(loss.classifier, encoded(job, model, job.data.test["text"]), beside)
    return job.likeliest(scores)


def cosine(job: Job) -> Predictions:
    """Cosine of a text and the dummy, trained by squared error towards 1 for the positive class and 0 for the other.

    Scores: positive minus other is the cosine. Positive is predicted from the threshold on that is best on validation
    rows.
    """
    recipe = job.recipe
    assert isinstance(recipe, SbertCosine)
    positive = 1 if job.task.positive is None else job.task.labels.index(job.task.positive)
    trained, validation = divided(job, recipe, positive)
    model = sentence_encoder(job, trained)
    pairs = paired(trained["text"], [DUMMY] * len(trained), _is(positive, trained) * 1.0)
    train(job, model, CosineSimilarityLoss(model), pairs)
    with job.meter.measuring("train", 0):
        threshold = best_threshold(_is(positive, validation), _to_dummy(job, model, validation))
    with job.meter.measuring("predict", len(job.data.test)):
        cosines = _to_dummy(job, model, job.data.test)
    job.meter.note(threshold=threshold)
    scores = np.zeros((len(cosines), 2))
    scores[:, positive] = cosines.astype(np.float16)
    scores[:, 1 - positive] = scores[:, positive] - cosines  # what 16 bits cut off: near 1 they would make ties
    return job.predictions(np.where(cosines >= threshold, positive, 1 - positive).tolist(), scores)


# -- the model -------------------------------------------------------------------------------------------------------


def sentence_encoder(job: Job, trained: Dataset) -> SentenceTransformer:
    """The job's encoder and the mean over all tokens that are no padding, in float32 whatever the checkpoint's dtype.

    Sets the seed for all that is drawn after it; notes how many of the trained and of the test texts are cut.
    """
    assert job.encoder is not None
    assert isinstance(job.recipe, Siamese)
    transformers.set_seed(job.seed)
    transformer = _transformer(job.encoder)
    length = longest_input(job.encoder, transformer.tokenizer, job.max_length)
    transformer.max_seq_length = length
    cut = {"train": trained, "test": job.data.test}
    cut_rows = {name: features_of(rows, transformer.tokenizer, length).cut_rows for name, rows in cut.items()}
    job.meter.note(max_length=length, cut_rows=cut_rows, dropout=dropout_rates(transformer.model))
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = SentenceTransformer(modules=[transformer, pooling], device=device, local_files_only=True)
    model.model_card_data.widget = [{"text": DUMMY}]  # else the trainer draws examples of a model card
    return model


def _transformer(folder: Path) -> Transformer:
    ours = {"trust_remote_code": False}
    transformer: Transformer = Transformer(
        str(folder), model_kwargs={**ours, "dtype": torch.float32}, processor_kwargs=ours, config_kwargs=ours
    )
    without_pooler(transformer.model)
    return transformer


def encoded(job: Job, model: SentenceTransformer, texts: Iterable[str]) -> torch.Tensor:
    """(n, width) in the order of the texts, on the model's device, without gradients."""
    vectors: torch.Tensor = model.encode(
        list(texts), batch_size=eval_batch(job.halvings), show_progress_bar=False, convert_to_tensor=True
    )
    return vectors.float()


# -- training --------------------------------------------------------------------------------------------------------


def paired(texts: Iterable[str], others: Iterable[str], labels: Iterable[float]) -> Dataset:
    """Training pairs as sentence-transformers reads them: every column but the label's is a text."""
    return Dataset.from_dict({"text": list(texts), "partner": list(others), "label": list(labels)})


def train(job: Job, model: SentenceTransformer, loss: nn.Module, pairs: Dataset) -> None:
    """Trains the model, and what weights the loss over it has itself, in place. Counts a pair as a row.

    sentence-transformers clips the gradient of the encoder alone, not that of the loss' own weights.
    """
    recipe = job.recipe
    assert isinstance(recipe, Siamese)
    job.meter.parameters, job.meter.trainable_parameters = weights_of(loss)
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            folder, **settings(recipe, job.seed, len(pairs), job.halvings), batch_sampler=by_length
        )
        trainer = SentenceTransformerTrainer(
            model, self_contained(arguments), pairs, loss=loss, callbacks=callbacks_of(job)
        )
        trainer.remove_callback(PrinterCallback)
        with job.meter.measuring("train", recipe.epochs * len(pairs)), quick_dropout(loss):
            # sentence-transformers' own checkpoints lack the weights of a loss, and it loads a model as a new one.
            checkpoints.train(job, trainer, [loss])
    note_training(job, trainer)
    del trainer
    gc.collect()  # as in training.trained_outputs


def by_length(pairs: Dataset, batch_size: int, **more: Any) -> DefaultBatchSampler:
    """Batches of texts of like length: sentence-transformers leaves the Trainer's own grouping out."""
    lengths = [sum(map(len, pair)) for pair in zip(list(pairs["text"]), list(pairs["partner"]), strict=True)]
    order = LengthGroupedSampler(batch_size, lengths=lengths, generator=more["generator"])
    return DefaultBatchSampler(order, batch_size, **more)


# -- softmax ---------------------------------------------------------------------------------------------------------


def softmax_loss(job: Job, recipe: SbertSoftmax, model: SentenceTransformer) -> SoftmaxLoss:
    """With the recipe's class weights and label smoothing, as training.loss_of."""
    weights = torch.tensor(balanced_weights(job)) if recipe.class_weights == "balanced" else None
    cross_entropy = nn.CrossEntropyLoss(weight=weights, label_smoothing=recipe.label_smoothing)
    width = model.get_embedding_dimension()
    assert width is not None
    return SoftmaxLoss(model, width, len(job.task.labels), loss_fct=cross_entropy)


def training_pairs(job: Job, recipe: SbertSoftmax) -> Dataset:
    """Every training row once, with its class and a partner that stays the same in all epochs."""
    rows = job.data.train
    texts, labels = list(rows["text"]), np.array(rows["label"])
    if recipe.partner == "dummy":
        return paired(texts, [DUMMY] * len(texts), labels)
    same = recipe.partner == "same_class" or (recipe.partner == "class" and len(job.task.labels) > 2)
    others = partners(labels, same, generator(job.seed, PARTNERS))
    return paired(texts, [texts[row] for row in others], labels)


def _asked_beside(job: Job, recipe: SbertSoftmax) -> list[list[str]]:
    """What a test text is paired with: the dummy, or some training texts of each class."""
    if recipe.partner == "dummy":
        return [[DUMMY]]
    texts = list(job.data.train["text"])
    drawn = of_each_class(np.array(job.data.train["label"]), recipe.partners, generator(job.seed, ASKED))
    return [[texts[row] for row in rows] for rows in drawn]


@torch.no_grad()
def mean_log_probabilities(classifier: nn.Module, u: torch.Tensor, beside: Sequence[torch.Tensor]) -> np.ndarray:
    """(n, classes) log-softmax of (u, v, |u - v|), as SoftmaxLoss has it: the mean over the v of each of the groups,
    then over the groups. u: (n, width); beside: (m, width) each.
    """
    groups = []
    for vectors in beside:
        outputs = [classifier(torch.cat([u, v.expand_as(u), (u - v).abs()], dim=1)) for v in vectors]
        groups.append(torch.stack([output.log_softmax(dim=1) for output in outputs]).mean(dim=0))
    return torch.stack(groups).mean(dim=0).cpu().numpy()


# -- cosine ----------------------------------------------------------------------------------------------------------


def divided(job: Job, recipe: SbertCosine, positive: int) -> tuple[Dataset, Dataset]:
    """What is trained on, and what the threshold is chosen on: the task's validation split, or training rows held out.

    Raises UserError where the threshold's rows lack the positive class.
    """
    trained, validation, where = job.data.train, job.data.validation, "validation split"
    if validation is None:
        order = stratified_order(np.array(trained["label"]), generator(job.seed, THRESHOLD))
        held = max(2, round(recipe.validation_share * len(trained)))  # fewer can't hold both classes
        trained, validation = (job.data.train.select(np.sort(rows)) for rows in (order[held:], order[:held]))
        where = "training rows, held out"
    job.meter.note(validation={"from": where, "rows": len(validation)}, trained_rows=len(trained))
    if not _is(positive, validation).any():
        label = job.task.labels[positive]
        raise UserError(f"{job.task.name}: no {label!r} among {len(validation)} rows to choose a threshold on.")
    return trained, validation


def best_threshold(is_positive: np.ndarray, scores: np.ndarray) -> float:
    """Between the lowest score that is positive at the highest F1 and the next one: halfway, as the
    BinaryClassificationEvaluator of sentence-transformers has it. (n,) and (n,).
    """
    _, lowest = Ranking(is_positive, scores).best()
    below = scores[scores < lowest]
    return (lowest + float(below.max())) / 2 if len(below) else lowest


def _is(label: int, rows: Dataset) -> np.ndarray:
    """(n,) whether each row is of the class."""
    found: np.ndarray = np.array(rows["label"]) == label
    return found


def _to_dummy(job: Job, model: SentenceTransformer, rows: Dataset) -> np.ndarray:
    """(n,) cosine of each text and the dummy."""
    return torch.cosine_similarity(encoded(job, model, rows["text"]), encoded(job, model, [DUMMY])).cpu().numpy()
