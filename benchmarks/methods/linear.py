"""Scores for all classes of a task, from scikit-learn's linear models, which know the classes that they saw."""

from __future__ import annotations

from typing import Any

import numpy as np


def columns_for_all(scores: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """(n, classes) from one column a known class; an unseen class ranks below all others everywhere."""
    columns = np.full((len(scores), classes), scores.min() - 1.0)
    columns[:, known] = scores
    return columns


def log_probabilities(model: Any, rows: Any, classes: int) -> np.ndarray:
    """(n, classes) of a logistic regression, or of a pipeline that ends in one; an unseen class is below all others.

    Not its own predict_log_proba, which gives -inf where a probability rounds to 0.
    """
    from scipy.special import log_softmax

    margins = model.decision_function(rows)
    if margins.ndim == 1:  # of two classes: the second one's
        margins = np.stack([np.zeros_like(margins), margins], axis=1)
    return columns_for_all(log_softmax(margins, axis=1), model.classes_, classes)
