"""A row of the leaderboard is made again from the store alone, and set beside the stored one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import make
import pytest

from benchmarks.cli import SOME_FAILED, WRONG_INPUT, main

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


def altered(results: Path, system: str, change: float) -> None:
    for path in results.glob(f"runs/mine/{system}/*.json"):
        record = json.loads(path.read_text())
        record["metrics"]["accuracy"] += change
        path.write_text(json.dumps(record))


def test_a_score_that_is_not_what_the_rows_give_is_told_and_fails(here, capsys):
    altered(here / "results", "majority", 0.4)
    assert again("majority") == SOME_FAILED
    assert "-0.4000, outside of" in capsys.readouterr().out


def test_a_score_within_the_noise_is_told_with_its_difference(here, capsys):
    altered(here / "results", "majority", 0.01)
    assert again("majority") == 0
    assert "-0.0100, inside of" in capsys.readouterr().out


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
