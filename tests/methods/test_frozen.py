"""Frozen encoders: the head and the probe learn, share what was computed, and count the encoder in what they cost."""

from __future__ import annotations

from pathlib import Path

import make
import numpy as np
import pytest
import tiny

from benchmarks import embeddings
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_task, load_tasks
from benchmarks.encoders import parameters
from benchmarks.lock import Lock
from benchmarks.methods.linear import columns_for_all, log_probabilities
from benchmarks.recipes import RECIPES, Frozen, Probe, Recurrent
from benchmarks.runner import run
from benchmarks.schema import Protocol, Recipe, RunResult, RunSpec, System

QUICK = Frozen(learning_rate=3e-2, epochs=6, batch_size=8, pooling="mean")


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("samples")


def made(task, data, encoder: Path, recipe: Recipe, cache: Path, **protocol):
    method = {kind: method for method, kind in RECIPES.items()}[type(recipe)]
    spec = RunSpec(task, System(name=method, method=method), recipe, Protocol(**protocol), {})
    result, predictions = run(spec, data, encoder, cache)
    assert isinstance(result, RunResult), result.error["traceback"]
    return result, predictions


def rows_of(folder: Path, write):
    task = load_task(write(folder))
    return task, load(task, origin_of(task, folder / "data", {}), folder / "cache", Lock())


def trained(folder: Path, encoder: Path, write=make.text_task, recipe: Recipe = QUICK, **protocol):
    return made(*rows_of(folder, write), encoder, recipe, folder / "cache", **protocol)


# -- it learns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_head_learns_classes_on_every_family(tmp_path, checkpoints, family):
    result, _ = trained(tmp_path, checkpoints[family])
    assert result.metrics["accuracy"] > 0.8
    assert result.environment["precision"] == "fp32"


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_head_learns_tags_also_of_the_words_beyond_the_longest_input(tmp_path, checkpoints, family):
    result, predictions = trained(tmp_path, checkpoints[family], make.tag_task)
    assert result.metrics["entity_f1"] > 0.8
    assert result.training["cut_rows"] == {"train": 6, "test": 6}
    assert list(map(len, predictions.predicted)) == list(map(len, predictions.gold))
    long = [i for i, gold in enumerate(predictions.gold) if len(gold) == 90]
    right = [p == g for i in long for p, g in zip(predictions.predicted[i], predictions.gold[i], strict=True)]
    assert len(right) == 6 * 90
    assert np.mean(right) > 0.8


SMALL = {"train_size": 200, "test_size": 100}


@pytest.mark.parametrize("recipe", [Frozen(pooling="mean"), Probe(pooling="mean")], ids=["head", "probe"])
def test_what_is_trained_over_the_bundled_encoder_tells_topics_apart(bundled, samples, recipe):
    task = load_tasks()["news-sample"]
    result, _ = made(task, load(task, origin_of(task, None, {}), samples, Lock()), bundled, recipe, samples, **SMALL)
    assert result.metrics["f1_macro"] > 0.3  # the majority has 0.03


def test_a_head_over_the_bundled_encoder_finds_names(bundled, samples):
    task = load_tasks()["ner-sample"]
    result, _ = made(task, load(task, origin_of(task, None, {}), samples, Lock()), bundled, Frozen(), samples, **SMALL)
    assert result.metrics["entity_f1"] > 0.2


def test_the_same_seed_gives_the_same_scores_also_from_a_fresh_cache(tmp_path, checkpoints):
    recipe = QUICK.model_copy(update={"epochs": 1})
    first, again = (trained(tmp_path / name, checkpoints["bert"], recipe=recipe)[1] for name in "ab")
    assert np.array_equal(first.scores, again.scores)


def untrained(folder: Path, encoder: Path, seed: int = 0, **changes) -> np.ndarray:
    """Scores of a head as it is made."""
    recipe = QUICK.model_copy(update={"learning_rate": 1e-30, "epochs": 0.2, **changes})
    return trained(folder, encoder, recipe=recipe, seed=seed)[1].scores


METHODS = [
    (Probe(pooling="mean_last_four"), make.text_task),
    (QUICK.model_copy(update={"epochs": 0.5}), make.text_task),
    (QUICK.model_copy(update={"epochs": 0.5}), make.tag_task),
    (Recurrent(epochs=0.2), make.text_task),
]


@pytest.mark.parametrize("asks", ["output_hidden_states", "output_attentions", "return_dict"])
@pytest.mark.parametrize(("recipe", "write"), METHODS, ids=["probe", "head", "tags", "lstm"])
def test_a_frozen_encoder_gives_the_same_whatever_its_configuration_asks_for(
    tmp_path, bert, configured, recipe, write, asks
):
    asking = configured(**{asks: asks != "return_dict"})
    (_, plain), (_, found) = (trained(tmp_path / encoder.name, encoder, write, recipe) for encoder in (bert, asking))
    assert found.predicted == plain.predicted


def test_a_heads_first_weights_are_the_seeds_or_zeros(tmp_path, checkpoints):
    encoder = checkpoints["bert"]
    first = untrained(tmp_path, encoder)
    assert not np.allclose(first, np.log(0.5), atol=1e-2)
    assert not np.allclose(first, untrained(tmp_path, encoder, seed=1), atol=1e-2)
    assert np.allclose(untrained(tmp_path, encoder, head_init="zero"), np.log(0.5), atol=1e-3)


def test_a_head_reads_the_pooling_of_its_recipe(tmp_path, checkpoints):
    cls, mean = (untrained(tmp_path, checkpoints["bert"], pooling=pooling) for pooling in ("cls", "mean"))
    assert not np.allclose(cls, mean, atol=1e-2)


def test_a_head_has_the_layers_of_its_recipe(tmp_path, checkpoints):
    recipe = QUICK.model_copy(update={"head_layers": (16, 8), "epochs": 0.2})
    result, _ = trained(tmp_path, checkpoints["bert"], recipe=recipe)
    assert result.cost["trainable_parameters"] == 32 * 16 + 16 + 16 * 8 + 8 + 8 * 2 + 2


def test_a_very_long_row_moves_the_tags_of_no_other(tmp_path, checkpoints):
    recipe = QUICK.model_copy(update={"epochs": 1})
    _, before = trained(tmp_path / "plain", checkpoints["bert"], make.tag_task, recipe)
    task = load_task(make.tag_task(tmp_path / "longer"))
    with (tmp_path / "longer" / "data" / "names" / "test.tsv").open("a") as file:
        file.write("\n" + "works\tO\n" * 300)
    data = load(task, origin_of(task, tmp_path / "longer" / "data", {}), tmp_path / "longer" / "cache", Lock())
    _, beside = made(task, data, checkpoints["bert"], recipe, tmp_path / "longer" / "cache")
    assert beside.predicted[:-1] == before.predicted
    assert len({tag for row in before.predicted for tag in row}) > 1


# -- the probe -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["cls", "mean", "mean_last_four"])
@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_the_probe_is_scikit_learns_own_pipeline_on_the_embeddings(tmp_path, checkpoints, pooling, class_weights):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    task, data = rows_of(tmp_path, make.text_task)
    recipe = Probe(pooling=pooling, class_weights=class_weights, c=0.3)
    _, predictions = made(task, data, checkpoints["bert"], recipe, tmp_path, train_size=25)
    rows = select(data, Protocol(train_size=25))
    train, test = (
        embeddings.pooled(part["text"], checkpoints["bert"], task.max_length, pooling, tmp_path)
        for part in (rows.train, rows.test)
    )
    weights = None if class_weights == "none" else "balanced"
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, class_weight=weights, max_iter=1000))
    theirs.fit(train.astype(float), rows.train["label"])
    assert predictions.predicted == theirs.predict(test.astype(float)).tolist()
    assert np.allclose(predictions.scores, theirs.predict_log_proba(test.astype(float)), atol=0.01)


def test_log_probabilities_of_a_certain_model_are_finite_and_those_of_an_unseen_class_the_lowest():
    from sklearn.linear_model import LogisticRegression

    features, labels = np.array([[-1e4], [-9e3], [1e4], [9e3]]), [1, 1, 3, 3]
    scores = log_probabilities(LogisticRegression().fit(features, labels), features * 1e3, 4)
    assert np.isfinite(scores).all()
    assert scores.argmax(axis=1).tolist() == labels
    assert scores[:, [1, 3]].min() > scores[:, [0, 2]].max()
    assert columns_for_all(np.array([[0.5, -2.0]]), np.array([2, 0]), 3).tolist() == [[-2.0, -3.0, 0.5]]


# -- computed once ---------------------------------------------------------------------------------------------------


def test_seeds_sizes_folds_and_systems_share_what_was_computed(tmp_path, checkpoints):
    task, data = rows_of(tmp_path, make.text_task)

    def computed(recipe: Recipe, **protocol) -> list[int]:
        result, _ = made(task, data, checkpoints["bert"], recipe, tmp_path / "cache", **protocol)
        return [result.training["embedded"][part]["computed"] for part in ("train", "test")]

    short = QUICK.model_copy(update={"epochs": 0.2})
    differing = [len(set(data.splits[part]["text"])) for part in ("train", "test")]
    fresh = computed(short)
    assert fresh[0] == differing[0]
    assert 0 < fresh[1] <= differing[1]
    assert computed(short, seed=1) == [0, 0]
    assert computed(short.model_copy(update={"pooling": "cls"}), train_size=20) == [0, 0]
    assert computed(Probe(pooling="mean_last_four"), folds=3, fold=1) == [0, 0]
    assert computed(Recurrent(epochs=0.2)) == [0, 0]
    assert computed(short.model_copy(update={"max_length": 8})) == fresh
    assert computed(Recurrent(epochs=0.2, max_length=16)) == fresh
    assert computed(Probe(max_length=16)) == [0, 0]


@pytest.mark.parametrize("recipe", [QUICK.model_copy(update={"epochs": 0.2}), Probe()], ids=["head", "probe"])
def test_what_an_earlier_run_computed_costs_the_same_seconds(tmp_path, checkpoints, recipe):
    first, again = (trained(tmp_path, checkpoints["bert"], recipe=recipe)[0] for _ in range(2))
    assert again.training["embedded"]["train"]["computed"] == 0
    for part, seconds in (("train", "train_seconds"), ("test", "predict_seconds")):
        embedding = again.training["embedded"][part]["seconds"]
        assert embedding == first.training["embedded"][part]["seconds"] > 0
        assert again.cost[seconds] >= embedding
    assert again.cost["train_seconds"] > again.training["embedded"]["train"]["seconds"]


def test_the_encoder_counts_among_the_parameters_and_not_among_those_that_are_trained(tmp_path, checkpoints):
    for recipe, trainable in ((QUICK.model_copy(update={"epochs": 0.2}), 32 * 2 + 2), (Probe(), 32 + 1)):
        result, _ = trained(tmp_path, checkpoints["bert"], recipe=recipe)
        assert result.cost["trainable_parameters"] == trainable
        assert result.cost["parameters"] == parameters(checkpoints["bert"]) + trainable


def test_the_length_is_the_recipes_or_the_tasks_or_what_the_encoder_has_positions_for(tmp_path, checkpoints):
    for wanted, length in ((None, 32), (8, 8), (1000, tiny.POSITIONS)):
        recipe = Probe(pooling="mean", max_length=wanted)
        result, _ = trained(tmp_path, checkpoints["bert"], recipe=recipe)
        assert result.training["max_length"] == length
