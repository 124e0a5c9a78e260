"""Tags from what words look like: the features are those declared, and every word gets a tag."""

from __future__ import annotations

import make
import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_systems, load_task, load_tasks, resolved_recipe
from benchmarks.lock import Lock
from benchmarks.meter import Meter
from benchmarks.methods import Job
from benchmarks.methods.tag_features import described, neighbour_features, own_features, shape, tag_features
from benchmarks.recipes import TagFeatures
from benchmarks.runner import run
from benchmarks.schema import TAGS, Protocol, RunResult, RunSpec


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    task = load_tasks()["ner-sample"]
    return load(task, origin_of(task, None, {}), tmp_path_factory.mktemp("sample"), Lock())


def job_of(data, recipe: TagFeatures, seed: int = 0) -> Job:
    return Job(data.task, recipe, seed, select(data, Protocol(train_size=200, test_size=60)), None, None, Meter())


# -- features --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "expected"), [
    ("Berlin", "Xxx"), ("Rome", "Xxx"), ("UNO", "XX"), ("I", "X"), ("a", "x"), ("2014", "dd"), ("7", "d"),
    ("B2B", "XdX"), ("McDonald", "XxXxx"), ("Müller-Lüdenscheidt", "Xxx-Xxx"), ("...", ".."), ("3.5%", "d.d%"),
    ("東京", "xx"), ("", ""),
])  # fmt: skip
def test_a_shape_shows_at_most_two_characters_of_a_kind_in_a_row(word, expected):
    assert shape(word) == expected


def test_a_word_is_told_by_its_form_shape_kind_and_affixes():
    assert own_features("Rome", 2) == [
        "word=Rome", "lower=rome", "shape=Xxx", "title", "prefix=r", "prefix=ro", "suffix=e", "suffix=me",
    ]  # fmt: skip
    assert own_features("Rome", 9) == [
        "word=Rome", "lower=rome", "shape=Xxx", "title",
        "prefix=r", "prefix=ro", "prefix=rom", "suffix=e", "suffix=me", "suffix=ome",
    ]  # fmt: skip
    assert own_features("42", 0) == ["word=42", "lower=42", "shape=dd", "digits"]
    assert own_features("UN", 0) == ["word=UN", "lower=un", "shape=XX", "upper"]
    assert own_features("!", 4) == ["word=!", "lower=!", "shape=!", "punctuation"]


def test_a_neighbour_is_told_by_its_place_form_and_shape():
    assert neighbour_features(-2, "In") == ["-2:lower=in", "-2:shape=Xx"]
    assert neighbour_features(1, None) == ["1:none"]


@pytest.mark.parametrize("window", [0, 1, 2])
def test_a_word_names_its_neighbours_and_the_ends_of_its_row(window):
    row = ["Anna", "lives", "in", "Berlin"]
    features = list(described(window, 3)(row))
    assert len(features) == len(row)
    for i, found in enumerate(features):
        expected = own_features(row[i], 3)
        for place in (-2, -1, 1, 2):
            if abs(place) <= window:
                expected += neighbour_features(place, row[i + place] if 0 <= i + place < len(row) else None)
        assert sorted(found) == sorted(expected)


# -- tagging ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [TagFeatures(), TagFeatures(c=0.1, window=0, affixes=0)])
def test_it_tags_as_scikit_learns_own_pipeline_does(sample, recipe):
    job = job_of(sample, recipe)
    describe = described(recipe.window, recipe.affixes)
    words, tested = (
        [dict.fromkeys(found, 1) for row in rows["tokens"] for found in describe(row)]
        for rows in (job.data.train, job.data.test)
    )
    regression = LogisticRegression(C=recipe.c, tol=1e-7, max_iter=3000)
    model = make_pipeline(DictVectorizer(), regression)
    model.fit(words, [tag for row in job.data.train["tags"] for tag in row])
    found = [tag for row in tag_features(job).predicted for tag in row]
    assert np.mean(np.array(found) == model.predict(tested)) > 0.998
    assert job.meter.parameters == job.meter.trainable_parameters == regression.coef_.size + regression.intercept_.size


def test_it_learns_and_every_word_of_every_row_gets_a_tag_in_order(tmp_path):
    task = load_task(make.tag_task(tmp_path))
    data = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock())
    system = load_systems()["features-logreg"]
    spec = RunSpec(task, system, resolved_recipe(system, TAGS), Protocol(), {})
    result, predictions = run(spec, data, None, tmp_path)
    assert isinstance(result, RunResult), result.error["traceback"]
    assert result.metrics["entity_f1"] == 1.0  # each word has one tag wherever it stands
    assert predictions.row_ids == list(data.splits["test"]["row_id"])
    assert predictions.predicted == [list(row) for row in data.splits["test"]["tags"]]
    assert max(map(len, predictions.predicted)) == 90


def test_a_word_never_seen_is_tagged_by_its_shape_and_neighbours(tmp_path):
    task = load_task(make.tag_task(tmp_path))
    towns = ["Berlin", "Hamburg", "Bremen", "Potsdam", "Kassel"]
    rows = ["\n".join(["she\tO", "lives\tO", "in\tO", f"{town}\tB-LOC", "now\tO"]) for town in towns]
    folder = tmp_path / "data" / "names"
    (folder / "train.tsv").write_text("\n\n".join(rows) + "\n")
    (folder / "test.tsv").write_text("he\tO\nlives\tO\nin\tO\nAachen\tB-LOC\nalone\tO\n")
    data = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock())
    found = tag_features(Job(task, TagFeatures(), 0, select(data, Protocol()), None, tmp_path, Meter()))
    assert found.predicted == found.gold


@pytest.mark.parametrize("c", [0.01, 100.0])
def test_it_converges_far_from_its_default_too(sample, c):
    found = tag_features(job_of(sample, TagFeatures(c=c)))  # a warning is an error here
    assert {tag for row in found.predicted for tag in row} <= set(range(len(sample.task.tags)))


def test_nothing_of_it_is_left_to_chance(sample):
    first, again, other = (tag_features(job_of(sample, TagFeatures(), seed)).predicted for seed in (0, 0, 1))
    assert first == again == other


def test_on_published_queries_it_is_far_above_the_majority(real_data, tmp_path):
    task = load_tasks()["mit-movie"]
    data = load(task, origin_of(task, real_data, {}), tmp_path, Lock())
    recipe = TagFeatures()
    spec = RunSpec(task, load_systems()["features-logreg"], recipe, Protocol(train_size=400, test_size=300), {})
    result, _ = run(spec, data, None, tmp_path)
    assert 0.55 < result.metrics["entity_f1"] < 0.8  # the majority, 'O', finds no entity
