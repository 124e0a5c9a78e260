"""The Python API gives what the command line stores, and the example that shows it runs."""

from __future__ import annotations

import os
import runpy
import signal
import threading
from pathlib import Path

import pytest
from kept import Kept, flipped

from benchmarks import api
from benchmarks.errors import UserError

EXAMPLE = Path(__file__).parent.parent / "examples" / "python_api.py"


@pytest.fixture
def kept(tmp_path) -> Kept:
    kept = Kept(tmp_path)
    for seed in (0, 1):
        kept.run("good", flipped(kept.gold, seed), seed)
        kept.run("poor", flipped(kept.gold, *range(20 + seed)), seed)
    return kept


def test_the_example_runs_and_prints_what_it_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLE))
    text = capsys.readouterr().out
    assert "train_seconds" in text and "best_rank" in text and "p = " in text and "predictions are wrong" in text
    assert not list(tmp_path.iterdir())


def test_a_run_from_any_thread_leaves_the_process_as_it_was(tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    handler, offline, made = signal.getsignal(signal.SIGTERM), huggingface_hub.constants.HF_HUB_OFFLINE, []

    def run() -> None:
        made.append(api.run(["sentiment"], ["majority"], seeds=1, results=tmp_path, sample=True, more=["--limit", "9"]))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert list(made[0].system) == ["majority"]
    assert "HF_HUB_OFFLINE" not in os.environ
    assert huggingface_hub.constants.HF_HUB_OFFLINE is offline
    assert signal.getsignal(signal.SIGTERM) == handler


def test_scores_are_those_of_the_leaderboard_with_ranks_as_ranges(kept):
    frame = api.scores("mine", kept.results).set_index("system")
    assert frame.loc["good", "score"] == pytest.approx(59 / 60)
    assert frame.loc["good", ["rank", "best_rank", "worst_rank", "seeds"]].tolist() == [1, 1, 1, 2]
    assert (frame.low < frame.score).all() and (frame.score < frame.high).all()
    assert api.scores("nothing", kept.results).empty


def test_predictions_are_of_every_seed_by_row(kept):
    frame = api.predictions("mine", "poor", kept.results)
    assert frame.groupby("seed").size().tolist() == [60, 60]
    assert (frame.gold != frame.predicted).groupby(frame.seed).sum().tolist() == [20, 21]


def test_predictions_of_different_protocols_are_told_apart_as_runs_are(kept):
    kept.run("poor", flipped(kept.gold, 0), train_size=30)
    kept.run("poor", lambda job: job.predictions([0] * len(job.data.test)), limit=9)
    frame, runs = api.predictions("mine", "poor", kept.results), api.runs(kept.results, systems=["poor"])
    told = ["key", "seed", "protocol", "train_rows", "limited"]
    assert frame[told].drop_duplicates().set_index("key").to_dict("index") == runs[told].set_index("key").to_dict(
        "index"
    )
    whole = frame[(frame.protocol == "Whole training split") & ~frame.limited]
    assert whole.groupby("key").size().tolist() == [60, 60]


@pytest.mark.parametrize(
    ("task", "system", "expected"),
    [
        ("mine", "pooor", "No system 'pooor'. Did you mean 'poor'?"),
        ("mien", "poor", "No task 'mien'. Did you mean 'mine'?"),
    ],
)
def test_predictions_of_a_name_that_is_not_stored_are_refused(kept, task, system, expected):
    with pytest.raises(UserError) as raised:
        api.predictions(task, system, kept.results)
    assert expected in str(raised.value)


def test_what_is_wrong_is_raised_and_never_an_exit(kept, tmp_path):
    with pytest.raises(UserError, match="Did you mean 'sentiment'"):
        api.run(["sentimnt"], sample=True, results=tmp_path / "none")
    with pytest.raises(UserError, match="No system 'pooor'"):
        api.compare("good", "pooor", "mine", kept.results)
    with pytest.raises(UserError, match="nothing to export"):
        api.runs(kept.results, systems=["nobody"])
    assert not (tmp_path / "none").exists()


def test_runs_are_chosen_by_task_and_system(kept):
    assert set(api.runs(kept.results, systems=["good"]).system) == {"good"}
    assert len(api.runs(kept.results)) == 4
