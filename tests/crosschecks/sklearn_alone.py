"""TF-IDF with a linear classifier or naive Bayes as scikit-learn's own pipeline: prints its test scores as JSON.

    python -m crosschecks.sklearn_alone rotten-tomatoes svm --data-dir DIR

Words and pairs of neighbouring words, 1 + log of their counts. Logistic regression is solved by scikit-learn's default,
which is none of ours.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from crosschecks.corpora import TEXTS, divided

CLASSIFIERS = {
    "svm": LinearSVC(random_state=0),
    "nb": MultinomialNB(),
    # By its own tolerance this solver ends before it is there: four of 1,066 reviews fall to the other class.
    "logreg": LogisticRegression(C=10.0, tol=1e-8, max_iter=10_000),
}


def scores(task: str, classifier: str, data: Path) -> dict[str, float]:
    """Those of hard predictions, and those of the ranking by margin or probability of the positive class."""
    rows = divided(task, data)
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), CLASSIFIERS[classifier])
    model.fit(rows.train.texts, rows.train.labels)
    gold, chosen = rows.test.labels, model.predict(rows.test.texts)
    if classifier == "svm":
        ranked = model.decision_function(rows.test.texts)
    else:
        ranked = model.predict_proba(rows.test.texts)[:, 1]
    return {
        "accuracy": accuracy_score(gold, chosen),
        "f1": f1_score(gold, chosen),
        "f1_macro": f1_score(gold, chosen, average="macro"),
        "average_precision": average_precision_score(gold, ranked),
        "roc_auc": roc_auc_score(gold, ranked),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TEXTS)
    parser.add_argument("classifier", choices=CLASSIFIERS)
    parser.add_argument("--data-dir", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(scores(given.task, given.classifier, given.data_dir)))


if __name__ == "__main__":
    main()
