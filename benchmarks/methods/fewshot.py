"""A few rows of each class, in SetFit's way: contrastive pairs, then logistic regression on the embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
from sklearn.linear_model import LogisticRegression

from benchmarks.data.splits import generator
from benchmarks.methods import Job
from benchmarks.methods.linear import log_probabilities
from benchmarks.methods.pairs import CONTRASTS, SHOTS, contrasts, of_each_class
from benchmarks.methods.siamese import encoded, paired, sentence_encoder, train
from benchmarks.recipes import SbertFewshot
from benchmarks.schema import Predictions

if TYPE_CHECKING:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer

MOST_STEPS = 1000
"""Of the regression's solver: it has converged long before."""


def fewshot(job: Job) -> Predictions:
    """The encoder is trained by the squared error of the cosine, towards 1 for two rows of one class and 0 for others,
    then logistic regression on the same rows (Tunstall et al. 2022). Scores are its log-probabilities.

    Raises ValueError where all rows are of one class.
    """
    recipe = job.recipe
    assert isinstance(recipe, SbertFewshot)
    model, shots = trained_encoder(job, recipe)
    with job.meter.measuring("train", 0):
        regression = LogisticRegression(max_iter=MOST_STEPS).fit(_vectors(job, model, shots["text"]), shots["label"])
    with job.meter.measuring("predict", len(job.data.test)):
        scores = log_probabilities(regression, _vectors(job, model, job.data.test["text"]), len(job.task.labels))
    return job.likeliest(scores)


def trained_encoder(job: Job, recipe: SbertFewshot) -> tuple[SentenceTransformer, Dataset]:
    """The encoder after its training, and the rows that it was trained on."""
    shots = shots_of(job, recipe)
    texts = list(shots["text"])
    first, second, same = contrasts(np.array(shots["label"]), recipe.iterations, generator(job.seed, CONTRASTS))
    pairs = paired([texts[row] for row in first], [texts[row] for row in second], same)
    job.meter.note(trained_rows=len(shots), pairs=len(pairs))
    model = sentence_encoder(job, shots)
    train(job, model, CosineSimilarityLoss(model), pairs)
    return model, shots


def shots_of(job: Job, recipe: SbertFewshot) -> Dataset:
    """Training rows of each class, drawn by the run's seed."""
    drawn = of_each_class(np.array(job.data.train["label"]), recipe.shots, generator(job.seed, SHOTS))
    return job.data.train.select(np.concatenate(list(drawn)))


def _vectors(job: Job, model: SentenceTransformer, texts: Iterable[str]) -> np.ndarray:
    """In 64 bits: the solver's line search fails on the rounding of 32."""
    return encoded(job, model, texts).double().cpu().numpy()
