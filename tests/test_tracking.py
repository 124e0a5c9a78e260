"""Trackers hear of every run: what it is, its losses by the Trainer, its test scores. They never cost one."""

from __future__ import annotations

import json
from pathlib import Path

import make
import pytest
import tiny

from benchmarks import tracking
from benchmarks.cli import main

NAMES = "mlflow,tensorboard,wandb"
OWN = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "TENSORBOARD_LOGGING_DIR", "WANDB_DIR", "WANDB_PROJECT")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in OWN:
        monkeypatch.delenv(name, raising=False)
    make.text_task(tmp_path)
    return tmp_path


def run(here: Path, *more: str) -> int:
    encoder = here / "enc"
    if not encoder.is_dir():
        tiny.checkpoint(encoder, "bert", [" ".join((*make.GOOD, *make.BAD))])
    command = f"run --tasks ./mine.yaml --data-dir data --systems {encoder},tfidf-nb --seeds 1 --set recipe.epochs=2"
    return main([*command.split(), *more])


def records(results: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(results.glob("runs/*/*/*.json"))]


def scalars(folder: Path) -> dict[str, list[float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: dict[str, list[float]] = {}
    for path in folder.glob("events.*"):
        events = EventAccumulator(str(path))
        events.Reload()
        for tag in events.Tags()["scalars"]:
            found.setdefault(tag, []).extend(event.value for event in events.Scalars(tag))
    return found


def test_each_tracker_hears_of_recipe_losses_and_test_scores_and_the_run_is_the_same(here):
    from mlflow.tracking import MlflowClient

    assert run(here, "--report-to", NAMES) == 0
    assert run(here, "--results-dir", "alone") == 0
    told = here / "results" / "tracking"
    assert (told / ".gitignore").read_text() == "*\n"
    client = MlflowClient(f"sqlite:///{told / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("encoder-bench")
    of_mlflow = {run.info.run_name: run.data for run in client.search_runs([experiment.experiment_id])}
    of_wandb = [path.read_bytes() for path in told.glob("wandb/offline-run-*/*.wandb")]
    done = records(here / "results")
    assert len(done) == len(of_mlflow) == len(of_wandb) == 2
    for record, alone in zip(done, records(here / "alone"), strict=True):
        path = f"{record['task']}/{record['system']}/{record['key']}"
        assert record["metrics"] == alone["metrics"]
        path = next(name for name in of_mlflow if name.endswith(record["key"]))
        seen, drawn = of_mlflow[path], scalars(told / "tensorboard" / path)
        assert seen.metrics["test/accuracy"] == record["metrics"]["accuracy"]
        assert drawn["test/accuracy"] == pytest.approx([record["metrics"]["accuracy"]])
        assert seen.params["run/system"] == record["system"] and seen.params["protocol/seed"] == str(record["seed"])
        assert sum(path.encode() in run and b"test/accuracy" in run for run in of_wandb) == 1
        if record["method"] == "finetune":
            losses = [loss for _, loss in record["training"]["losses"]]
            assert drawn["train/loss"] == pytest.approx(losses)
            assert seen.metrics["loss"] == pytest.approx(losses[-1])
            assert seen.params["recipe/epochs"] == "2.0"
    assert not any(name in tracking.os.environ for name in OWN)


def test_workers_side_by_side_tell_trackers_too(here):
    assert run(here, "--report-to", "tensorboard,mlflow", "--jobs", "2") == 0
    for record in records(here / "results"):
        (folder,) = (here / "results" / "tracking" / "tensorboard").glob(f"*/*/{record['key']}")
        assert scalars(folder)["test/accuracy"] == pytest.approx([record["metrics"]["accuracy"]])
    assert [run.info.status for run in of_mlflow(here)] == ["FINISHED"] * 2


def of_mlflow(here: Path) -> list:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{here / 'results' / 'tracking' / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("encoder-bench").experiment_id])


def test_trials_of_a_search_are_no_runs_of_a_tracker(here):
    assert run(here, "--report-to", "tensorboard", "--tune", "2") == 0
    told = list((here / "results" / "tracking" / "tensorboard").glob("*/*/*"))
    assert len(told) == len(records(here / "results")) == 2


def test_a_run_that_fails_stands_as_failed(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "of another program")
    monkeypatch.setattr("benchmarks.methods.classical.tfidf", lambda job: 1 / 0)
    assert run(here, "--report-to", "mlflow") == 1
    assert sorted(run.info.status for run in of_mlflow(here)) == ["FAILED", "FINISHED"]


def test_the_users_own_variables_say_where(here, monkeypatch):
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(here / "elsewhere"))
    assert run(here, "--report-to", "tensorboard") == 0
    assert len([*(here / "elsewhere").glob("*/*/*/events.*")]) >= 2
    assert not (here / "results" / "tracking" / "tensorboard").exists()


def test_a_tracker_that_fails_costs_no_run(here, monkeypatch):
    from accelerate.tracking import MLflowTracker, TensorBoardTracker

    monkeypatch.setattr(MLflowTracker, "start", lambda self: 1 / 0)
    monkeypatch.setattr(TensorBoardTracker, "log", lambda self, values: 1 / 0)
    with pytest.warns(UserWarning, match="--report-to (mlflow|tensorboard): ZeroDivisionError"):
        assert run(here, "--report-to", "mlflow,tensorboard") == 0
    assert [record["status"] for record in records(here / "results")] == ["done"] * 2


@pytest.mark.parametrize("event", ["__init__", "on_train_begin", "on_log", "on_train_end"])
def test_a_callback_of_the_trainer_that_fails_costs_no_run(here, monkeypatch, event):
    from transformers.integrations import TensorBoardCallback

    monkeypatch.setattr(TensorBoardCallback, event, lambda self, *given, **more: 1 / 0)
    with pytest.warns(UserWarning, match="--report-to tensorboard: ZeroDivisionError"):
        assert run(here, "--report-to", "tensorboard") == 0
    assert [record["status"] for record in records(here / "results")] == ["done"] * 2


def refused() -> None:
    raise PermissionError("no key")


@pytest.mark.parametrize(
    "names, expected",
    [
        ("wandbb", "'wandbb' is no tracker. Did you mean 'wandb'? One of: mlflow, tensorboard, wandb."),
        ("wandb,", "an empty name"),
        ("wandb", "--report-to wandb: no key"),
    ],
)
def test_what_lets_nobody_in_is_told_before_anything_is_trained(here, monkeypatch, capsys, names, expected):
    monkeypatch.setattr("wandb.login", refused)
    assert run(here, "--report-to", names) == 2
    assert expected in capsys.readouterr().err
    assert not (here / "results").exists()


def test_a_tracker_that_is_not_installed_is_told_with_what_installs_it(here, monkeypatch, capsys):
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    assert run(here, "--report-to", "tensorboard") == 2
    said = "not installed; in the clone: pip install -c constraints.txt -e '.[trackers]'"
    assert f"--report-to tensorboard: {said}" in capsys.readouterr().err
