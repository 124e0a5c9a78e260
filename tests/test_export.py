"""What is exported is read by the tools that it is for, and holds the numbers of the leaderboard."""

from __future__ import annotations

import io
import sys

import make
import pandas as pd
import pytest
import yaml
from huggingface_hub import parse_eval_result_entries
from huggingface_hub.repocard_data import model_index_to_eval_results
from kept import Kept, flipped

from benchmarks import export, leaderboard
from benchmarks.cli import main
from benchmarks.definitions import load_tasks

HUB = "{path: org/data, parts: {train: train, test: test}, columns: {text: text, label: label}}"


@pytest.fixture
def kept(tmp_path) -> Kept:
    kept = Kept(tmp_path)
    for seed in (0, 1):
        kept.run("good_one", flipped(kept.gold, seed), seed)
        kept.run("poor", flipped(kept.gold, *range(20 + seed)), seed)
    return kept


def said(kept: Kept, capsys, *more: str) -> str:
    capsys.readouterr()
    assert main(["export", *more, "--results-dir", str(kept.results)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_frame_has_a_row_a_run_with_its_metrics_and_cost(kept, capsys, tmp_path, form):
    path = tmp_path / f"runs.{form}"
    assert said(kept, capsys, "--format", form, "--output", str(path)).strip() == str(path)
    read = {"csv": pd.read_csv, "json": lambda file: pd.read_json(file, lines=True), "parquet": pd.read_parquet}
    frame = read[form](path)
    assert len(frame) == 4
    scores = frame.groupby("system")["accuracy"].mean()
    assert scores["good_one"] == pytest.approx(59 / 60)
    assert scores["poor"] == pytest.approx(39.5 / 60)
    assert {"seed", "train_rows", "train_seconds", "peak_memory_mb", "primary_metric", "device"} <= set(frame.columns)


def test_tasks_and_systems_choose(kept, capsys):
    frame = pd.read_csv(io.StringIO(said(kept, capsys, "--format", "csv", "--systems", "poor", "--tasks", "mine")))
    assert set(frame.system) == {"poor"}


def test_a_model_index_is_read_by_the_hubs_client(kept, capsys):
    found = yaml.safe_load(said(kept, capsys, "--format", "model-index", "--systems", "good_one"))
    name, results = model_index_to_eval_results(found["model-index"])
    assert name == "good_one"
    of_metric = {one.metric_type: one for one in results}
    (page,) = leaderboard.read(kept.results, intervals=False)
    expected = next(row.metrics for row in page.sections[0].rows if row.system == "good_one")
    assert {name: one.metric_value for name, one in of_metric.items()} == {k: round(v, 4) for k, v in expected.items()}
    assert of_metric["accuracy"].task_type == "text-classification"
    assert of_metric["accuracy"].dataset_config == "Whole training split"
    assert of_metric["accuracy"].dataset_args["seeds"] == 2


@pytest.mark.parametrize("form", ["json", "csv", "model-index"])
def test_what_is_printed_is_utf_8_whatever_the_terminal_s_is(tmp_path, monkeypatch, form):
    kept = Kept(tmp_path)
    kept.run("Ωmega", kept.gold)
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        assert main(["export", "--results-dir", str(kept.results), "--format", form]) == 0
    assert "Ωmega" in out.buffer.getvalue().decode()


def test_scores_of_different_protocols_are_not_merged(kept, capsys):
    kept.run("good_one", flipped(kept.gold, *range(12)), 0, train_size=30)
    found = yaml.safe_load(said(kept, capsys, "--format", "model-index", "--systems", "good_one"))
    _, results = model_index_to_eval_results(found["model-index"])
    of_protocol = {one.dataset_config: one.metric_value for one in results if one.metric_type == "accuracy"}
    assert of_protocol == {"Whole training split": 0.9833, "30 training rows": 0.8}


def test_a_setting_that_is_off_is_not_exported_and_those_of_no_table_have_columns_of_their_own(tmp_path):
    kept = Kept(tmp_path)
    kept.run("majority", lambda job: job.predictions([0] * len(job.data.test)), folds=2, fold=0, limit=20)
    (row,) = export.runs(kept.results, [], []).to_dict("records")
    assert (row["protocol"], row["seed"], row["fold"], row["limited"]) == ("2-fold cross-validation", 0, 0, True)


def test_eval_results_are_read_by_the_hubs_client(tmp_path):
    kept = Kept(tmp_path, hub=HUB)
    kept.run("good", flipped(kept.gold, 0))
    found = export.eval_results(kept.results, [], [], {"mine": kept.task})
    (entry,) = parse_eval_result_entries(yaml.safe_load(yaml.safe_dump(found)))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("org/data", "default", 0.9833)
    assert "accuracy, whole training split, mean of 1 seed" in entry.notes


def test_latex_is_escaped_and_marks_the_best(kept, capsys):
    text = said(kept, capsys, "--format", "latex")
    assert r"good\_one & " in text and r"\textbf{0.9833}" in text and r"\textbf{0.6" not in text
    assert text.startswith("% Text classification\n\\begin{tabular}") and text.rstrip().endswith(r"\end{tabular}")


def test_latex_has_a_table_of_each_type_with_the_systems_asked_for(kept, capsys, tmp_path):
    tags = Kept(tmp_path, write=make.tag_task)
    gold = [list(row) for row in tags.data.splits["test"]["tags"]]
    for system in ("good_one", "other"):
        tags.run(system, lambda job: job.predictions(gold))
    text = said(kept, capsys, "--format", "latex", "--systems", "good_one,poor")
    texts, tagged = text.split("% Token classification\n")
    assert texts.startswith("% Text classification\n") and r"good\_one & " in texts and "poor & " in texts
    assert r"good\_one & " in tagged and "poor" not in tagged and "other" not in text


def test_a_sign_in_a_head_of_latex_has_its_note_below_the_table(tmp_path, capsys):
    kept = Kept(tmp_path)
    for system in ("good_one", "poor"):
        kept.run(system, kept.gold, train_size=30)
    table, below = said(kept, capsys, "--format", "latex").split("\\end{tabular}\n")
    assert r"mine\textsuperscript{1} \\" in table
    assert below.splitlines() == [
        r"{\footnotesize", r"\par\noindent \textsuperscript{1} mine: 30 training rows of 60", r"\par}"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["--format", "cvs"], "Did you mean 'csv'?"),
        (["--format", "parquet"], "name a file with --output"),
        (
            ["--format", "csv", "--systems", "nobody"],
            "nothing to export: No system 'nobody'. Stored: One of: good_one, poor.",
        ),
        (
            ["--format", "csv", "--systems", "poor,good_on"],
            "nothing to export: No system 'good_on'. Did you mean 'good_one'?",
        ),
        (["--format", "json", "--tasks", "mine,mien"], "nothing to export: No task 'mien'. Did you mean 'mine'?"),
        (
            ["--format", "latex", "--tasks", "mine,nothing"],
            "nothing to export: No task 'nothing'. Stored: One of: mine.",
        ),
        (["--format", "latex", "--systems", "poor,good_on"], "Did you mean 'good_one'?"),
        (["--format", "model-index", "--systems", "poor,nobody"], "nothing to export: No system 'nobody'."),
        (["--format", "eval-results", "--tasks", "mine,mien"], "Did you mean 'mine'?"),
        (["--format", "eval-results"], "is of one model"),
        (["--format", "eval-results", "--systems", "poor"], "a data set of the Hub"),
        (["--format", "csv", "--output", "no/such/folder.csv"], "its folder is not there"),
    ],
)
def test_what_can_t_be_exported_is_told(kept, capsys, command, expected):
    assert main(["export", *command, "--results-dir", str(kept.results)]) == 2
    assert expected in capsys.readouterr().err


def test_no_sample_stands_among_results(tmp_path, capsys):
    results = tmp_path / "results"
    command = ["run", "--sample", "--tasks", "sentiment-sample", "--systems", "majority", "--seeds", "1"]
    assert main([*command, "--results-dir", str(results)]) == 0
    assert main(["export", "--format", "model-index", "--results-dir", str(results)]) == 2
    assert "real data" in capsys.readouterr().err
    assert load_tasks()["sentiment-sample"].sample
