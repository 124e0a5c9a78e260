"""A row of the leaderboard is made again from the store alone, and set beside the stored one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import make
import pytest

from benchmarks.cli import INTERRUPTED, SOME_FAILED, WRONG_INPUT, main

SYSTEMS = "tfidf-nb,tfidf-logreg,majority"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make.text_task(folder)
    given = ["--tasks", str(folder / "mine.yaml"), "--data-dir", str(folder / "data"), "--seeds", "2"]
    stored = ["--results-dir", str(folder / "results")]
    assert main(["run", *given, *stored, "--systems", SYSTEMS, "--train-sizes", "40"]) == 0
    assert main(["run", *given, *stored, "--systems", "tfidf-nb", "--set", "recipe.alpha=0.5"]) == 0
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def again(*arguments: str) -> int:
    return main(["again", *arguments, "--tasks", "./mine.yaml", "--data-dir", "data"])


@pytest.mark.parametrize("system", SYSTEMS.split(","))
def test_a_row_has_the_same_scores_by_the_protocol_that_it_has(system, here, capsys):
    assert again(system) == 0
    line = " ".join(capsys.readouterr().out.splitlines()[-1].split())
    assert line.startswith("mine 40 training rows accuracy") and line.endswith("the same")
    assert [path.name for path in (here / "again" / "runs" / "mine").iterdir()] == [system]
    assert len(list((here / "again" / "runs").rglob("*.json"))) == 2


def altered(results: Path, system: str, *changes: float) -> None:
    """The stored scores, one change a seed."""
    for path, change in zip(sorted(results.glob(f"runs/mine/{system}/*.json")), changes, strict=True):
        record = json.loads(path.read_text())
        record["metrics"]["accuracy"] += change
        path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ((0.01, 0.01), SOME_FAILED, "-0.0100, beyond the noise of seeds"),
        ((0.01, 0.03), 0, "-0.0200, within the noise of seeds"),
        ((0.4, 0.41), SOME_FAILED, "-0.4050, beyond the noise of seeds"),
    ],
)
def test_a_score_that_is_not_what_the_rows_give_is_told(changes, code, said, here, capsys):
    altered(here / "results", "majority", *changes)
    assert again("majority") == code
    assert capsys.readouterr().out.rstrip().endswith(said)


def test_scores_on_other_rows_are_not_set_beside_the_stored_ones(here, capsys):
    with (here / "data" / "mine" / "test.csv").open("a") as rows:
        rows.write("good,positive\n")
    assert again("majority") == SOME_FAILED
    assert capsys.readouterr().out.rstrip().endswith("0 of 2 seeds made of the same data and definitions")


def test_runs_that_are_there_under_another_name_count(here, capsys):
    for results, more in (("two", ["--set", "recipe.alpha=1.0"]), ("again", [])):
        given = ["--tasks", "./mine.yaml", "--systems", "tfidf-nb", "--seeds", "2", "--data-dir", "data", *more]
        assert main(["run", *given, "--results-dir", results]) == 0
    capsys.readouterr()
    assert again("tfidf-nb[alpha=1]", "--results-dir", "two") == 0
    assert capsys.readouterr().out.rstrip().endswith("the same")


def test_an_interruption_ends_it(here, monkeypatch, capsys):
    make.text_task(here, name="two")
    more = ["--tasks", "./two.yaml", "--systems", "majority,tfidf-nb", "--seeds", "1", "--data-dir", "data"]
    assert main(["run", *more]) == 0
    begun = []
    monkeypatch.setattr("benchmarks.cli.again.run", lambda asked: begun.append(asked.tasks) or INTERRUPTED)
    capsys.readouterr()
    assert again("majority", "--tasks", "./two.yaml") == INTERRUPTED
    assert begun == [["./mine.yaml"]] and not capsys.readouterr().out


def test_what_is_there_already_is_not_made_twice(here, capsys):
    assert again("majority") == 0
    before = {path: path.stat().st_mtime_ns for path in (here / "again" / "runs").rglob("*.json")}
    assert again("majority") == 0
    assert {path: path.stat().st_mtime_ns for path in (here / "again" / "runs").rglob("*.json")} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["majorit"], "No row of 'majorit' in the leaderboard of results. Did you mean 'majority'?"),
        (["majority", "--into", "results"], "--into 'results': is the folder of the stored runs"),
        (["majority", "--into", "mine.yaml"], "--into 'mine.yaml': is a file, expected a folder."),
        (["majority", "--tasks", "sst2"], "--tasks sst2: no row of 'majority' in the leaderboard of results."),
        (["majority", "--tasks", "sst3"], "Did you mean 'sst2'?"),
        (["majority", "--results-dir", "data"], "No row of 'majority' in the leaderboard of data."),
    ],
)
def test_bad_input_is_one_message(arguments, said, here, capsys):
    assert main(["again", *arguments]) == WRONG_INPUT
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (here / "again").exists()


@pytest.mark.parametrize("name", ["ner", "all", "mine"])
def test_a_task_that_only_a_record_names_is_not_trained_on(name, here, capsys):
    folder = (here / "results" / "runs" / "mine").rename(here / "results" / "runs" / name)
    for path in folder.rglob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "task": name}))
    assert main(["again", "majority", "--data-dir", "data"]) == WRONG_INPUT
    assert f"{name}: is no task of the suite; name its file" in capsys.readouterr().err
    assert not (here / "again").exists()


def test_data_that_are_not_there_are_told_before_anything_is_trained(here, capsys):
    assert main(["again", "majority", "--tasks", "./mine.yaml", "--data-dir", "results"]) == WRONG_INPUT
    assert "results/mine: no such folder" in capsys.readouterr().err
    assert not (here / "again").exists()


def test_several_ranks_are_refused(here, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.ranks.world_size", lambda: 2)
    assert again("majority") == WRONG_INPUT
    assert "again: is for one process" in capsys.readouterr().err
