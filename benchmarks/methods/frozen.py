"""Frozen encoders: a head, or logistic regression, trained on vectors that are computed once."""

from __future__ import annotations

import numpy as np
import torch
import transformers
from torch import nn

from benchmarks.encoders import parameters
from benchmarks.methods import SPLITS, Job, SplitName
from benchmarks.methods.embedded import pooled_texts, sequences
from benchmarks.methods.heads import begin_with_zeros, classifier
from benchmarks.methods.linear import log_probabilities
from benchmarks.methods.training import trained_outputs
from benchmarks.methods.vectors import Vectors, vector_rows
from benchmarks.recipes import Frozen, Probe
from benchmarks.schema import TAGS, Predictions

MOST_STEPS = 10_000
"""Of the probe's solver: it has converged long before."""


def frozen(job: Job) -> Predictions:
    """A head over each text's pooled vector, or over the vector of each word."""
    recipe = job.recipe
    assert isinstance(recipe, Frozen)
    assert job.encoder is not None
    train, test = (_vectors(job, recipe, split) for split in SPLITS)
    transformers.set_seed(job.seed)  # the head's first weights
    head = HeadAlone(classifier(train[0].shape[-1], len(job.task.classes), recipe))
    if recipe.head_init == "zero":
        begin_with_zeros(head)
    outputs = trained_outputs(job, head, vector_rows(job, train, test))
    job.meter.parameters += parameters(job.encoder)
    return job.tagged(outputs) if job.task.type == TAGS else job.likeliest(outputs)


def _vectors(job: Job, recipe: Frozen, split: SplitName) -> Vectors:
    return sequences(job, split) if job.task.type == TAGS else pooled_texts(job, split, recipe.pooling)


class HeadAlone(nn.Module):
    """A head over vectors that some encoder gave: (rows, width), or (rows, longest, width) with `lengths` (rows,)."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        return {"logits": self.head(vectors)}


def probe(job: Job) -> Predictions:
    """Logistic regression by scikit-learn; scores are log-probabilities, (n, classes)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    recipe = job.recipe
    assert isinstance(recipe, Probe)
    assert job.encoder is not None
    # in 64 bits: the solver's line search fails on the rounding of 32
    train, test = (pooled_texts(job, split, recipe.pooling).astype(np.float64) for split in SPLITS)
    weights = None if recipe.class_weights == "none" else recipe.class_weights
    regression = LogisticRegression(C=recipe.c, class_weight=weights, max_iter=MOST_STEPS)
    model = make_pipeline(StandardScaler(), regression)
    with job.meter.measuring("train", len(job.data.train)):
        model.fit(train, np.array(job.data.train["label"]))
    with job.meter.measuring("predict", len(job.data.test)):
        scores = log_probabilities(model, test, len(job.task.labels))
    job.meter.trainable_parameters = int(regression.coef_.size + regression.intercept_.size)
    job.meter.parameters = parameters(job.encoder) + job.meter.trainable_parameters
    return job.likeliest(scores)
