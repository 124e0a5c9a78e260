"""--tune: the same number of trials for every system, on validation rows; the test rows are predicted once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import make
import numpy as np
import pytest

from benchmarks import runner, store, tuning
from benchmarks.claims.matched import Wanted
from benchmarks.cli import main
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_systems, load_task
from benchmarks.history import History
from benchmarks.lock import Lock
from benchmarks.plan import Search, plan
from benchmarks.recipes import RECIPES
from benchmarks.schema import Between, Protocol, RunFailure, RunResult

SYSTEMS = load_systems()


@pytest.fixture
def task(tmp_path):
    return load_task(make.text_task(tmp_path))


def one(task, system: str = "tfidf-svm", search: Search | None = None, **protocol):
    entry = SYSTEMS[system].model_copy(update={"encoder": None})
    return plan([task], [entry], [Protocol(**protocol)], {task.name: {}}, {}, search=search).runs[0]


def changes(spec) -> list[dict]:
    return [trial.changes for trial in tuning.trials(spec)]


# -- what is tried ---------------------------------------------------------------------------------------------------


def test_the_first_trial_is_the_own_recipe_and_a_larger_budget_holds_the_smaller(task):
    few, many = (changes(one(task, search=Search(n))) for n in (4, 12))
    assert few[0] == {} and len(few) == 4 and len(many) == 12
    assert many[:4] == few
    assert len({json.dumps(tried) for tried in many}) == 12


def test_another_seed_tries_other_recipes(task):
    zero, other = (changes(one(task, search=Search(4), seed=seed)) for seed in (0, 1))
    assert zero[0] == other[0] == {} and zero[1:] != other[1:]


def test_systems_of_one_space_try_the_same_values(task):
    svm, logreg = (tuning.trials(one(task, name, Search(8))) for name in ("tfidf-svm", "tfidf-logreg"))
    assert [trial.spec.recipe.c for trial in svm][1:] == [trial.spec.recipe.c for trial in logreg][1:]


def test_draws_stay_within_the_space_and_reach_all_of_it(task):
    spec = one(task, search=Search(200))
    recipes = [trial.spec.recipe for trial in tuning.trials(spec)][1:]
    low, high = spec.tuning.space["c"]
    values = np.log([recipe.c for recipe in recipes])
    assert np.log(low) <= values.min() < values.max() <= np.log(high)
    assert abs(values.mean() - np.log(low * high) / 2) < 0.25  # evenly on a logarithmic scale
    assert {recipe.ngrams for recipe in recipes} == set(spec.tuning.space["ngrams"])


def test_a_space_that_holds_fewer_recipes_ends_the_search(task):
    spec = one(task, search=Search(50))
    spec = replace(spec, tuning=replace(spec.tuning, space={"min_df": (1, 2, 5)}))
    first, *others = changes(spec)
    assert first == {} and sorted(tried["min_df"] for tried in others) == [2, 5]


@pytest.mark.parametrize("method", RECIPES)
def test_every_declared_space_holds_values_that_the_recipe_takes(method):
    recipe = RECIPES[method]
    needed = {"labels": {"POSITIVE": "positive"}} if method == "zero-shot-pipeline" else {}
    for name, choice in recipe.space.items():
        for value in choice:
            assert getattr(recipe(**needed, **{name: value}), name) == value
        assert not isinstance(choice, Between) or 0 < choice.low < choice.high


def test_every_method_that_trains_has_a_space_and_the_others_none():
    without = {method for method, recipe in RECIPES.items() if not recipe.space}
    assert without == {"majority", "zero-shot-labels", "zero-shot-pipeline", "sbert-cluster"}


# -- what a plan makes of it -----------------------------------------------------------------------------------------


def test_a_search_is_part_of_the_name_and_of_the_identity(task):
    plain, four, five = one(task), one(task, search=Search(4)), one(task, search=Search(5))
    assert [spec.system.name for spec in (plain, four, five)] == ["tfidf-svm", "tfidf-svm[tune=4]", "tfidf-svm[tune=5]"]
    assert len({spec.fingerprint for spec in (plain, four, five)}) == 3
    assert "tuning" not in plain.identity and four.identity["tuning"]["trials"] == 4
    assert four.identity["tuning"]["space"]["c"] == {"low": 0.01, "high": 30.0}


def test_a_trial_is_no_run_of_its_recipe(task):
    plain, trial = one(task), tuning.trials(one(task, search=Search(4)))[0].spec
    assert trial.recipe == plain.recipe and trial.fingerprint != plain.fingerprint


def test_what_is_chosen_by_another_metric_is_another_run(task):
    other = task.model_copy(update={"metric": "f1_macro"})
    assert one(task, search=Search(4)).fingerprint != one(other, search=Search(4)).fingerprint
    assert one(task).fingerprint == one(other).fingerprint
    trials = (tuning.trials(one(of, search=Search(4)))[1].spec.fingerprint for of in (task, other))
    assert len(set(trials)) == 1  # whose record has every metric


def test_a_stored_identity_is_that_of_the_plan(task):
    identity = one(task, search=Search(4)).identity["tuning"]
    assert json.loads(json.dumps(identity)) == identity


def test_what_has_nothing_to_tune_is_the_run_that_it_is_without(task):
    tuned = one(task, "majority", Search(4))
    assert tuned == one(task, "majority") and tuned.system.name == "majority" and tuned.tuning is None


def test_a_setting_of_the_user_and_what_a_run_does_not_read_are_left_alone(task):
    assert set(one(task, search=Search(4)).tuning.space) == {"ngrams", "min_df", "sublinear_tf", "c"}  # alpha is nb's
    assert "c" not in one(task, search=Search(4, frozenset({"c"}))).tuning.space
    assert "alpha" in one(task, "tfidf-nb", Search(4)).tuning.space


def test_the_time_of_a_plan_counts_the_trials(task):
    plain, tuned = one(task), one(task, search=Search(9))
    assert History([]).seconds(tuned)[0] == pytest.approx(10 * History([]).seconds(plain)[0])


# -- which rows ------------------------------------------------------------------------------------------------------


def rows_of(folder: Path, path: Path, **protocol):
    """Of a run, and of its trials."""
    task = load_task(path)
    data = load(task, origin_of(task, folder / "data", {}), folder / "cache", Lock())
    return select(data, Protocol(**protocol)), select(data, Protocol(**protocol), trial=True)


def test_without_a_validation_split_a_tenth_of_the_training_rows_is_held_out_by_class(tmp_path):
    path = make.text_task(tmp_path, rows=100)
    rows, found = rows_of(tmp_path, path, seed=1, train_size=60)
    assert (len(found.train), len(found.test), found.validation) == (54, 6, None)
    assert sorted([*found.train["row_id"], *found.test["row_id"]]) == sorted(rows.train["row_id"])
    assert sorted(found.test["label"]) == [0, 0, 0, 1, 1, 1]
    assert rows_of(tmp_path, path, seed=2, train_size=60)[1].test["row_id"] != found.test["row_id"]


def test_a_validation_split_is_what_trials_are_scored_on_and_they_are_not_told_of_it(tmp_path):
    path = make.text_task(tmp_path, splits="{train: train, validation: {take_from: train, share: 0.25}, test: test}")
    rows, found = rows_of(tmp_path, path)
    assert found.test["row_id"] == rows.validation["row_id"] and found.validation is None
    assert found.train["row_id"] == rows.train["row_id"]


def test_tags_are_held_out_too(tmp_path):
    _, found = rows_of(tmp_path, make.tag_task(tmp_path))
    assert (len(found.train), len(found.test)) == (54, 6)


# -- the whole way ---------------------------------------------------------------------------------------------------


TUNE = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "tfidf-svm,majority", "--seeds", "1"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENCODER_BENCH_DATA", raising=False)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    make.text_task(tmp_path)
    return tmp_path


@pytest.fixture
def jobs(monkeypatch) -> list:
    """The jobs of a method that gets more rows right the nearer its c is to 0.05, and fails above 5."""
    made = []

    def method(job):
        made.append(job)
        if job.recipe.c > 5:
            raise FloatingPointError(f"c is {job.recipe.c}")
        wrong = round(abs(np.log(job.recipe.c / 0.05)) / 8 * len(job.data.test))
        gold = np.array(job.data.test["label"])
        gold[:wrong] = 1 - gold[:wrong]
        return job.predictions(gold.tolist())

    monkeypatch.setattr(runner, "load", lambda name: method)
    return made


def tfidf(*more: str) -> int:
    return main([*TUNE[:6], "tfidf-svm", "--seeds", "1", *more])


def record(here: Path, system: str = "tfidf-svm") -> dict:
    (path,) = (here / "results" / "runs" / "mine").glob(f"{system}*/*.json")
    return json.loads(path.read_text())


def test_the_best_on_validation_rows_is_run_on_the_test_rows_once(here, jobs):
    assert tfidf("--tune", "12") == 0
    of_test = [job for job in jobs if any(row.startswith("test:") for row in job.data.test["row_id"])]
    assert of_test == [jobs[-1]] and len(jobs) == 13
    assert (len(jobs[0].data.train), len(jobs[0].data.test)) == (54, 6)
    assert (len(jobs[-1].data.train), len(jobs[-1].data.test)) == (60, 60)
    found = record(here)
    tried = found["tuning"]["tried"]
    scores = [one.get("score") for one in tried]
    chosen = tried[scores.index(max(score for score in scores if score is not None))]
    assert found["tuning"]["chosen"] == chosen["changes"]
    assert found["recipe"]["c"] == jobs[-1].recipe.c == chosen["changes"]["c"] != 1.0
    assert [found["tuning"][name] for name in ("trials", "metric", "validation_rows")] == [12, "accuracy", 6]
    assert found["system"] == "tfidf-svm[tune=12]"


def test_a_trial_that_fails_is_one_of_the_budget_and_is_told(here, jobs):
    assert tfidf("--tune", "12") == 0
    lost = [one for one in record(here)["tuning"]["tried"] if "error" in one]
    assert lost and all(one["changes"]["c"] > 5 for one in lost)
    assert lost[0]["error"].startswith("FloatingPointError: c is")


def test_where_every_trial_fails_the_run_has_failed_and_says_why(here, jobs, capsys):
    assert tfidf("--tune", "3", "--set", "recipe.c=9") == 1
    assert "none of 3 trials gave a score on validation rows: FloatingPointError: c is 9" in capsys.readouterr().out
    assert record(here)["status"] == "failed"


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), MemoryError("no memory"), RuntimeError("CUDA error: unknown error")],
)
def test_where_a_trial_fails_by_what_is_not_its_recipe_s_fault_the_run_has_failed_and_is_tried_again(
    here, jobs, monkeypatch, error
):
    """Else the other recipes would be all that was tried, for ever."""
    method, tried = runner.load("tfidf"), []

    def hindered(job):
        tried.append(job)
        if len(tried) >= 3:
            raise error
        return method(job)

    with monkeypatch.context() as patch:
        patch.setattr(runner, "load", lambda name: hindered)
        assert tfidf("--tune", "6") == 1
    found = record(here)
    assert found["status"] == "failed"
    assert found["error"]["message"] == f"trial 3 of 6 could not be tried: {type(error).__name__}: {error}"
    assert len(tried) == 3
    before = len(jobs)
    assert tfidf("--tune", "6") == 0
    assert record(here)["status"] == "done" and len(record(here)["tuning"]["tried"]) == 6
    assert len(jobs) - before == 5 + (jobs[1].recipe.c > 5), "the first two are known, but for one that has failed"


def test_a_recipe_s_own_faults_are_those_of_numbers():
    def hindrance(kind: str) -> str | None:
        return tuning.hindrance(RunFailure.model_construct(error={"type": kind, "message": "why"}))

    assert [hindrance(kind) for kind in ("FloatingPointError", "ValueError", "LinAlgError")] == [None] * 3
    assert hindrance("UserError") == "UserError: why", "such as a cache that can't be written"
    assert tuning.hindrance(RunResult.model_construct()) is None


def failed(tried: list[dict]) -> int:
    """How many are tried again by the next command."""
    return sum("error" in one for one in tried)


def test_what_was_tried_is_not_tried_again(here, jobs):
    assert tfidf("--tune", "6") == 0
    before = len(jobs)
    assert tfidf("--tune", "8") == 0
    made = len(jobs) - before
    assert made == 3 + failed(record(here, "tfidf-svm?tune=8?")["tuning"]["tried"][:6])
    assert tfidf("--tune", "8") == 0
    assert len(jobs) - before == made
    assert tfidf("--tune", "8", "--force") == 0
    assert len(jobs) - before == made + 9


def test_the_choice_goes_by_the_tasks_metric_whatever_it_was_when_the_trials_were_made(here, jobs):
    assert tfidf("--tune", "6") == 0
    (here / "mine.yaml").write_text((here / "mine.yaml").read_text().replace("metric: accuracy", "metric: f1_macro"))
    made = len(jobs)
    assert tfidf("--tune", "6") == 0
    runs = [json.loads(path.read_text()) for path in (here / "results" / "runs").glob("*/*/*.json")]
    (found,) = (run for run in runs if run["tuning"]["metric"] == "f1_macro")
    assert len(jobs) - made == 1 + failed(found["tuning"]["tried"])
    assert found["primary_metric"] == "f1_macro"


def test_a_torn_trial_is_made_anew(here, jobs):
    assert tfidf("--tune", "3") == 0
    torn = next((here / "results" / "trials").glob("*/*/*.json"))
    torn.write_text(torn.read_text()[:50])
    before = len(jobs)
    assert tfidf("--tune", "4") == 0
    assert len(jobs) - before == 3 + failed(record(here, "tfidf-svm?tune=4?")["tuning"]["tried"][:3])


def test_the_record_says_how_many_were_tried(here):
    assert main([*TUNE, "--tune", "9", "--set", "recipe.c=1", "--set", "recipe.ngrams=[1,1]"]) == 0
    assert len(record(here, "tfidf-svm")["tuning"]["tried"]) == 6  # of min_df three values, of sublinear_tf two
    page = (here / "results" / "leaderboards" / "mine.md").read_text()
    assert "each run has the best of 6 recipes by accuracy on 6 validation rows; the search took " in page


def test_an_interrupted_search_goes_on(here, jobs, monkeypatch, capsys):
    from benchmarks.execute import making as executor

    real, calls = executor.run, []

    def interrupted(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(executor, "run", interrupted)
        assert tfidf("--tune", "6") == 130
    assert not (here / "results" / "runs").exists() and len(jobs) == 3
    assert tfidf("--tune", "6") == 0
    assert len(jobs) == 7 + failed(record(here)["tuning"]["tried"][:3])


def test_a_page_says_which_recipes_were_chosen_and_plain_runs_stand_beside_it(here, capsys):
    assert main([*TUNE, "--tune", "3"]) == 0
    assert main(TUNE) == 0
    page = (here / "results" / "leaderboards" / "mine.md").read_text()
    assert "| tfidf-svm[tune=3] " in page and "| tfidf-svm " in page
    assert "majority[tune" not in page
    assert "- tfidf-svm[tune=3]: each run has the best of 3 recipes by accuracy on 6 validation rows; " in page


def test_folds_and_sizes_are_searched_each_by_itself(here, jobs):
    assert tfidf("--tune", "2", "--folds", "3") == 0
    for fold in range(3):
        own = jobs[3 * fold : 3 * fold + 3]
        test = set(own[-1].data.test["row_id"])
        assert not any(test & {*job.data.train["row_id"], *job.data.test["row_id"]} for job in own[:-1])


def test_tuned_runs_speak_for_no_claim(here):
    assert main([*TUNE, "--tune", "2"]) == 0
    assert main(TUNE) == 0
    runs = {run.system: run for run in store.read_runs(here / "results")}
    plain, tuned = runs["tfidf-svm"], runs["tfidf-svm[tune=2]"]
    assert isinstance(tuned, RunResult)
    wanted = Wanted("mine", plain.method, plain.identity_["recipe"], {}, None)
    assert wanted.is_made_by(plain) and not wanted.is_made_by(tuned)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tune", "1"], "--tune: '1' is not allowed; expected a whole number from 2"),
        (["--tune", "many"], "'many' is not allowed"),
        (["--tune", "4", "--claims"], "--tune can't stand beside it"),
        (["--tune", "4", "--train-sizes", "19"], "holds out a tenth of the training rows, and 19 are too few"),
    ],
)
def test_wrong_input_is_one_message(here, capsys, arguments, expected):
    command = ["run", *arguments] if "--claims" in arguments else [*TUNE, *arguments]
    assert main(command) == 2
    assert expected in capsys.readouterr().err
    assert not (here / "results").exists()
