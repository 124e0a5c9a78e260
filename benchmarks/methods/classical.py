"""Systems that know no torch: the most frequent label, and TF-IDF with a linear classifier."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks.methods import Job
from benchmarks.recipes import Tfidf
from benchmarks.schema import TAGS, Predictions


def majority(job: Job) -> Predictions:
    """The most frequent label for every row, the label shares as scores; for tokens the most frequent tag."""
    if job.task.type == TAGS:
        return _majority_tag(job)
    with job.meter.measuring("train", len(job.data.train)):
        counts = np.bincount(job.data.train["label"], minlength=len(job.task.labels))
    with job.meter.measuring("predict", len(job.data.test)):
        predicted = [int(counts.argmax())] * len(job.data.test)
        scores = np.tile(counts / counts.sum(), (len(job.data.test), 1))
    return job.predictions(predicted, scores)


def _majority_tag(job: Job) -> Predictions:
    with job.meter.measuring("train", len(job.data.train)):
        counts = Counter(tag for tags in job.data.train["tags"] for tag in tags)
        most_frequent = min(counts, key=lambda tag: (-counts[tag], tag))
    with job.meter.measuring("predict", len(job.data.test)):
        predicted = [[most_frequent] * len(tokens) for tokens in job.data.test["tokens"]]
    return job.predictions(predicted)


def tfidf(job: Job) -> Predictions:
    """TF-IDF features and a linear classifier by scikit-learn; scores are the classifier's margins, (n, classes)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    recipe = job.recipe
    assert isinstance(recipe, Tfidf)
    vectorizer = TfidfVectorizer(
        ngram_range=recipe.ngrams,
        min_df=recipe.min_df,
        sublinear_tf=recipe.sublinear_tf,
        lowercase=recipe.lowercase,
    )
    model = make_pipeline(vectorizer, LinearSVC(C=recipe.c, random_state=job.seed))
    with job.meter.measuring("train", len(job.data.train)):
        model.fit(list(job.data.train["text"]), np.array(job.data.train["label"]))
    with job.meter.measuring("predict", len(job.data.test)):
        margins = model.decision_function(list(job.data.test["text"]))
    classifier = model[-1]
    job.meter.parameters = job.meter.trainable_parameters = int(classifier.coef_.size + classifier.intercept_.size)
    scores = _columns_for_all(margins, classifier.classes_, len(job.task.labels))
    return job.predictions([int(label) for label in scores.argmax(axis=1)], scores)


def _columns_for_all(margins: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """(n, classes) scores from what scikit-learn gives: (n,) for two classes, and no column for an unseen class."""
    if margins.ndim == 1:
        margins = np.stack([-margins, margins], axis=1)
    lowest = margins.min() - 1.0  # an unseen class ranks below all others everywhere
    scores = np.full((len(margins), classes), lowest)
    scores[:, known] = margins
    return scores
