"""Stored runs say what is done, what is stale and why, and how long the rest takes."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import make
import pytest

from benchmarks.definitions import load_systems, load_task, resolved_recipe
from benchmarks.estimates import GUESSED_ROWS, READ_ROWS_PER_SECOND
from benchmarks.history import History, Pace
from benchmarks.runner import failure
from benchmarks.schema import Protocol, RunResult, RunSpec


@pytest.fixture
def spec(tmp_path) -> RunSpec:
    task = load_task(make.text_task(tmp_path))
    system = load_systems()["majority"]
    return RunSpec(task, system, resolved_recipe(system, task.type), Protocol(train_size=10), {"recipe": {"epochs": 3}})


def stored(spec: RunSpec, seconds: float = 5.0, predicting: float = 0.0) -> RunResult:
    record = failure(spec, ValueError("x")).model_dump(by_alias=True, exclude={"status", "error"})
    cost = {"train_seconds": seconds, "predict_seconds": predicting}
    return RunResult(**{**record, "title": "t", "group": "mine", "type": spec.task.type, "method": "majority",
        "metrics": {}, "primary_metric": "accuracy", "report": {}, "cost": cost,
        "data": {"used": {"train": spec.protocol.train_size, "test": 100}},
        "training": {}})  # fmt: skip


def test_a_run_is_done_once_it_is_stored_and_not_when_it_failed(spec):
    assert not History([]).done(spec)
    assert History([stored(spec)]).done(spec)
    assert not History([failure(spec, ValueError("x"))]).done(spec)


def test_a_run_under_another_identity_is_not_done_and_says_what_changed(spec):
    changed = replace(spec, identity={"recipe": {"epochs": 4}})
    history = History([stored(spec)])
    assert not history.done(changed)
    assert history.changes(changed) == ["recipe.epochs: 3 -> 4"]
    assert history.changes(spec) == []


def test_a_variant_is_done_under_whatever_name_it_is_stored_and_an_entry_under_its_own_alone(spec):
    variant = replace(spec, system=spec.system.model_copy(update={"name": "other[encoder=x]"}))
    history = History([stored(spec)])
    assert history.done(variant)
    assert history.twin(variant) == "majority"
    assert history.twin(spec) is None
    assert not History([stored(variant)]).done(spec)
    other = replace(variant, identity={"recipe": {"epochs": 4}})
    assert not history.done(other)


def test_another_seed_is_no_stale_run_of_this_one(spec):
    other = replace(spec, protocol=Protocol(train_size=10, seed=1), identity={"recipe": {"epochs": 4}})
    assert History([stored(spec)]).changes(other) == []


def test_the_estimate_is_a_guess_until_a_run_is_stored_and_grows_with_the_rows(spec):
    assert not History([]).seconds(spec)[1]
    history = History([stored(spec, seconds=5.0)])
    assert history.seconds(spec) == (5.0, True)
    larger = replace(spec, protocol=Protocol(train_size=40))
    assert history.seconds(larger) == (20.0, True)


def test_the_estimate_of_predicting_goes_by_the_rows_that_are_tested(spec):
    """A hundred times the training rows, and as many to be predicted."""
    history = History([stored(spec, seconds=1.0, predicting=300.0)])
    larger = replace(spec, protocol=Protocol(train_size=1000, test_size=100))
    assert history.seconds(larger) == (100.0 + 300.0, True)
    assert history.seconds(replace(larger, protocol=Protocol(train_size=1000, test_size=10)))[0] == 100.0 + 30.0


def test_long_runs_say_most_of_the_time_and_one_that_stood_still_no_more_than_another(spec):
    def run(rows: int, seconds: float) -> RunResult:
        return stored(replace(spec, protocol=Protocol(train_size=rows)), seconds, predicting=seconds)

    short = [run(10, 5.0)] * 3  # most of it beginning
    planned = replace(spec, protocol=Protocol(train_size=2000, test_size=100))
    assert History([*short, run(1000, 100.0), run(1000, 100.0), run(1000, 10_000.0)]).seconds(planned)[0] < 300


def test_stored_runs_are_looked_through_once_however_many_are_planned(spec, monkeypatch):
    looked = []
    seen = type(spec.recipe).seen
    monkeypatch.setattr(type(spec.recipe), "seen", lambda *given: looked.append(given) or seen(*given))
    history = History([stored(spec)] * 7)
    for seed in range(50):
        assert history.seconds(replace(spec, protocol=Protocol(train_size=10, seed=seed))) == (5.0, True)
    assert len(looked) == 7 + 50  # each stored run once, and the rows of each planned one


def test_a_stored_run_of_few_examples_a_class_saw_those_of_its_own_tasks_classes(spec):
    system = load_systems()["sbert-fewshot"]
    recipe = resolved_recipe(system, spec.task.type)
    few = replace(spec, system=system, recipe=recipe, protocol=Protocol(train_size=400))
    of_ten = stored(few, seconds=50.0)
    of_ten = of_ten.model_copy(update={"identity_": {"task": {"labels": [str(n) for n in range(10)]}}, "task": "other"})
    assert History([of_ten]).seconds(few) == (10.0, True)  # two classes


def test_few_examples_take_as_long_whatever_the_number_of_rows(spec):
    system = load_systems()["sbert-fewshot"]
    few = replace(spec, system=system, recipe=resolved_recipe(system, spec.task.type))
    seconds = [History([]).seconds(replace(few, protocol=Protocol(train_size=rows)))[0] for rows in (8, 16, 10_000)]
    tested = GUESSED_ROWS / READ_ROWS_PER_SECOND
    assert 2 * (seconds[0] - tested) == seconds[1] - tested == seconds[2] - tested > 10  # 8 shots of two classes


def test_what_is_left_follows_the_pace_of_the_runs_that_are_done(spec):
    specs = [replace(spec, protocol=Protocol(train_size=10, seed=seed)) for seed in range(3)]
    pace = Pace(specs, History([stored(spec, seconds=10.0)]))
    assert pace.left([(specs[0], 0.0, 0.0)]) == 30.0
    pace.finished(specs[0], took=20.0)  # twice the estimate: the others will be slow, too
    assert pace.left([(specs[1], 0.0, 0.0)]) == 40.0
    assert pace.left([(specs[1], 0.5, 5.0)]) == 5.0 + 20.0  # this one is quick: half done after five seconds


def test_what_is_left_is_shared_by_those_that_are_made_side_by_side_and_ends_with_the_last_of_them(spec):
    specs = [replace(spec, protocol=Protocol(train_size=10, seed=seed)) for seed in range(4)]
    pace = Pace(specs, History([stored(spec, seconds=10.0)]))
    assert pace.left([(specs[0], 0.0, 0.0), (specs[1], 0.5, 5.0)], abreast=2) == (10 + 5 + 2 * 10) / 2
    for done in specs[1:]:
        pace.finished(done, took=10.0)
    assert pace.left([(specs[0], 0.5, 6.0)], abreast=2) == 6.0


def test_what_is_left_of_many_runs_is_the_sum_of_those_that_are_open_in_whatever_order_they_end(spec):
    draw = random.Random(0)
    specs = [replace(spec, protocol=Protocol(train_size=draw.randint(1, 5000), seed=seed)) for seed in range(300)]
    pace = Pace(specs, History([stored(spec, seconds=10.0)]))
    for done in draw.sample(specs, len(specs)):
        pace.finished(done, took=pace.estimate(done))
        assert pace.left([]) == pytest.approx(sum(pace.open.values()), abs=1e-6)
    assert pace.left([]) < 1e-6


def test_a_changed_run_has_a_path_of_its_own_and_its_copy_the_same(spec):
    assert spec.path == copy.deepcopy(spec).path
    other = replace(spec, identity={"recipe": {"epochs": 4}})
    assert (other.fingerprint, other.key, other.path) != (spec.fingerprint, spec.key, spec.path)
    assert replace(other, identity=spec.identity).path == spec.path
