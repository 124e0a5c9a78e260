"""Methods that know no torch: they are scikit-learn's own, and give scores for every class of the task."""

from __future__ import annotations

import jobs
import make
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_systems, load_task, load_tasks, validated
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.meter import Meter
from benchmarks.methods import Job
from benchmarks.methods.classical import majority, tfidf
from benchmarks.plan import parse_override, variants
from benchmarks.recipes import Majority, Tfidf
from benchmarks.schema import TEXTS, Protocol

CLASSIFIERS = ("svm", "nb", "logreg")
UNEVEN = {"hate-speech-sample": 2, "news-sample": 10}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Rows of a task with two uneven classes and of one with several."""
    tasks = {name: load_tasks()[name] for name in UNEVEN}
    cache = tmp_path_factory.mktemp("samples")
    return {name: load(task, origin_of(task, None, {}), cache, Lock()) for name, task in tasks.items()}


def job_of(data, recipe: Tfidf, **protocol) -> Job:
    rows = select(data, Protocol(train_size=300, test_size=150, **protocol))
    return Job(data.task, recipe, 0, rows, None, None, Meter())


def reference(job: Job, classifier, **vectorizer):
    """scikit-learn's pipeline, fitted on the job's rows, and the texts to predict."""
    settings = {"ngram_range": (1, 2), "sublinear_tf": True, **vectorizer}
    model = make_pipeline(TfidfVectorizer(**settings), classifier)
    return model.fit(list(job.data.train["text"]), list(job.data.train["label"])), list(job.data.test["text"])


def columns(margins: np.ndarray) -> np.ndarray:
    return np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins


@pytest.mark.parametrize("name", UNEVEN)
@pytest.mark.parametrize(("c", "weights"), [(1.0, "none"), (10.0, "balanced")])
def test_svm_is_scikit_learns_and_its_scores_are_the_margins(samples, name, c, weights):
    job = job_of(samples[name], Tfidf(classifier="svm", c=c, class_weights=weights))
    model, texts = reference(job, LinearSVC(C=c, class_weight=None if weights == "none" else weights, random_state=0))
    found = tfidf(job)
    assert found.predicted == model.predict(texts).tolist()
    assert np.array_equal(found.scores, columns(model.decision_function(texts)))


@pytest.mark.parametrize("name", UNEVEN)
@pytest.mark.parametrize("alpha", [1.0, 0.1])
def test_naive_bayes_is_scikit_learns_and_its_scores_are_log_probabilities(samples, name, alpha):
    job = job_of(samples[name], Tfidf(classifier="nb", alpha=alpha))
    model, texts = reference(job, MultinomialNB(alpha=alpha))
    found = tfidf(job)
    assert found.predicted == model.predict(texts).tolist()
    assert np.array_equal(found.scores, model.predict_log_proba(texts))


@pytest.mark.parametrize("name", UNEVEN)
@pytest.mark.parametrize(("c", "weights"), [(1.0, "none"), (10.0, "balanced")])
def test_logistic_regression_is_near_to_the_log_probabilities_that_another_solver_ends_at(samples, name, c, weights):
    job = job_of(samples[name], Tfidf(classifier="logreg", c=c, class_weights=weights))
    weight = None if weights == "none" else weights
    model, texts = reference(job, LogisticRegression(C=c, class_weight=weight, tol=1e-9, max_iter=2000))
    found = tfidf(job)
    assert np.allclose(found.scores, model.predict_log_proba(texts), atol=0.05)
    assert found.predicted == found.scores.argmax(axis=1).tolist()
    assert np.mean(np.array(found.predicted) == model.predict(texts)) > 0.98


@pytest.mark.parametrize("classifier", ["svm", "logreg"])
def test_balanced_classes_find_more_rows_of_the_rare_one(samples, classifier):
    counts = [
        tfidf(job_of(samples["hate-speech-sample"], Tfidf(classifier=classifier, class_weights=weights))).predicted
        for weights in ("none", "balanced")
    ]
    rare = int(np.bincount(samples["hate-speech-sample"].splits["train"]["label"]).argmin())
    assert counts[1].count(rare) > counts[0].count(rare)


@pytest.mark.parametrize("settings", [{"ngrams": (1, 1)}, {"min_df": 3}, {"sublinear_tf": False}, {"lowercase": False}])
def test_what_counts_as_a_feature_reaches_the_vectorizer(samples, settings):
    job = job_of(samples["news-sample"], Tfidf(**settings))
    named = {"ngrams": "ngram_range"}
    model, texts = reference(job, LinearSVC(random_state=0), **{named.get(n, n): v for n, v in settings.items()})
    scores = tfidf(job).scores
    assert np.array_equal(scores, model.decision_function(texts))
    assert not np.array_equal(scores, tfidf(job_of(samples["news-sample"], Tfidf())).scores)


@pytest.mark.parametrize("c", [0.01, 100.0])
def test_logistic_regression_converges_far_from_its_default_too(samples, c):
    found = tfidf(job_of(samples["hate-speech-sample"], Tfidf(classifier="logreg", c=c)))  # a warning is an error here
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("seen", [["a", "c"], ["a", "b", "d"]])
def test_a_class_without_training_rows_ranks_below_all_others_everywhere(tmp_path, classifier, seen):
    task = load_task(make.text_task(tmp_path, labels="[a, b, c, d]", positive="null"))
    folder = tmp_path / "data" / "mine"
    rows = [f"word{label} the {i},{label}" for label in seen for i in range(5)]
    (folder / "train.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    (folder / "test.csv").write_text("\n".join(["text,label", *rows, "wordb,b", "wordd,d"]) + "\n")
    data = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock())
    job = Job(task, Tfidf(classifier=classifier), 0, select(data, Protocol()), None, tmp_path, Meter())
    found = tfidf(job)
    known = [task.labels.index(label) for label in seen]
    unknown = [i for i in range(4) if i not in known]
    assert found.scores.shape == (len(rows) + 2, 4)
    assert np.isfinite(found.scores).all()
    assert found.scores[:, unknown].max() < found.scores[:, known].min()
    assert found.predicted[: len(rows)] == list(data.splits["test"]["label"])[: len(rows)]


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("name", UNEVEN)
def test_its_parameters_are_the_weights_of_the_classifier(samples, name, classifier):
    job = job_of(samples[name], Tfidf(classifier=classifier))
    tfidf(job)
    model, _ = reference(job, LinearSVC())
    outputs = 1 if UNEVEN[name] == 2 and classifier != "nb" else UNEVEN[name]
    assert job.meter.parameters == job.meter.trainable_parameters == outputs * (len(model[0].vocabulary_) + 1)


def test_class_weights_beside_naive_bayes_are_refused_before_anything_runs():
    message = r"class_weights: naive Bayes weighs no classes; svm and logreg do; found 'balanced'"
    with pytest.raises(UserError, match=message):
        validated(Tfidf, {"class_weights": "balanced", "classifier": "nb"}, "mine")
    with pytest.raises(UserError, match=message):
        variants([load_systems()["tfidf-nb"]], [parse_override("recipe.class_weights=balanced")], {})


def test_runs_that_were_stored_before_there_was_an_alpha_are_still_found():
    assert Tfidf().identity().keys() - Tfidf().unread(TEXTS) == {
        "classifier", "ngrams", "min_df", "sublinear_tf", "lowercase", "c",
    }  # fmt: skip


def test_majority_is_the_label_of_most_training_rows_with_the_shares_as_scores(tmp_path):
    found = majority(jobs.job(tmp_path, None, Majority(), jobs.few_positive))
    assert sorted(set(found.gold)) == [0, 1]
    assert found.predicted == [0] * 60
    assert found.scores.tolist() == [[0.75, 0.25]] * 60


def test_majority_is_the_tag_of_most_words_for_every_word(tmp_path):
    found = majority(jobs.job(tmp_path, None, Majority(), make.tag_task))
    assert found.predicted == [[0] * len(tags) for tags in found.gold]
    assert any(tag for tags in found.gold for tag in tags)
