"""Systems that know no torch: the most frequent label, and TF-IDF with a linear classifier or naive Bayes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from benchmarks.methods import Job
from benchmarks.methods.linear import columns_for_all, log_probabilities
from benchmarks.recipes import Tfidf
from benchmarks.schema import TAGS, Predictions

MOST_PASSES = 5_000
"""Over the rows, of logistic regression's solver: it has converged long before."""


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
    """TF-IDF features and a linear classifier or naive Bayes, by scikit-learn.

    Scores, (n, classes), are the margins of svm, one class against the rest, and log-probabilities of the others.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    recipe = job.recipe
    assert isinstance(recipe, Tfidf)
    vectorizer = TfidfVectorizer(
        ngram_range=recipe.ngrams,
        min_df=recipe.min_df,
        sublinear_tf=recipe.sublinear_tf,
        lowercase=recipe.lowercase,
    )
    made, scored = CLASSIFIERS[recipe.classifier]
    model = make_pipeline(vectorizer, made(recipe, job.seed))
    with job.meter.measuring("train", len(job.data.train)):
        model.fit(list(job.data.train["text"]), np.array(job.data.train["label"]))
    with job.meter.measuring("predict", len(job.data.test)):
        scores = scored(model, list(job.data.test["text"]), len(job.task.labels))
    job.meter.parameters = job.meter.trainable_parameters = _weights(model[-1])
    return job.likeliest(scores)


def _support_vectors(recipe: Tfidf, seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=recipe.c, class_weight=_class_weight(recipe), random_state=seed)


def _naive_bayes(recipe: Tfidf, seed: int) -> Any:
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB(alpha=recipe.alpha)


def _logistic_regression(recipe: Tfidf, seed: int) -> Any:
    """By SAGA (Defazio et al. 2014): 21,000 rows of 42 classes with 340,000 n-grams take it a minute and 0.8 GB,
    Newton's method 180 and 1.6; L-BFGS, scikit-learn's default, has not ended after ten minutes.
    """
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=recipe.c,
        class_weight=_class_weight(recipe),
        solver="saga",
        tol=recipe.tolerance,
        max_iter=MOST_PASSES,
        random_state=seed,
    )


def _class_weight(recipe: Tfidf) -> str | None:
    return None if recipe.class_weights == "none" else recipe.class_weights


def _margins(model: Any, texts: list[str], classes: int) -> np.ndarray:
    margins = model.decision_function(texts)
    if margins.ndim == 1:  # of two classes: the second one's
        margins = np.stack([-margins, margins], axis=1)
    return columns_for_all(margins, model.classes_, classes)


def _bayes_log_probabilities(model: Any, texts: list[str], classes: int) -> np.ndarray:
    return columns_for_all(model.predict_log_proba(texts), model.classes_, classes)


CLASSIFIERS = {
    "svm": (_support_vectors, _margins),
    "nb": (_naive_bayes, _bayes_log_probabilities),
    "logreg": (_logistic_regression, log_probabilities),
}
"""How each is made from recipe and seed, and its scores, (n, classes), from a fitted pipeline, texts and classes."""


def _weights(classifier: Any) -> int:
    if hasattr(classifier, "feature_log_prob_"):  # naive Bayes
        return int(classifier.feature_log_prob_.size + classifier.class_log_prior_.size)
    return int(classifier.coef_.size + classifier.intercept_.size)
