"""What describe and predict say of a task, a system and a run, and of names that are none."""

from __future__ import annotations

import io
import json
import sys

import make
import pytest
import tiny
from huggingface_hub import ModelCard
from kept import Kept, flipped

from benchmarks import store
from benchmarks.card import card
from benchmarks.cli import main


@pytest.fixture
def kept(tmp_path) -> Kept:
    kept = Kept(tmp_path)
    for seed in (0, 1):
        kept.run("org/good", flipped(kept.gold, seed), seed)
    return kept


def said(capsys, *command) -> str:
    assert main([*map(str, command)]) == 0
    return capsys.readouterr().out


def test_a_task_is_described_with_its_labels_metric_and_rows(capsys, tmp_path):
    text = said(capsys, "describe", "fox-news-comments", "--results-dir", tmp_path)
    for part in ("not-hateful, hateful", "f1, F1 of the positive class", "MIT", "the texts may offend", "stored runs"):
        assert part in text
    assert "none" in text.splitlines()[-1]


def test_a_system_is_described_with_the_recipe_that_each_type_of_task_reads(capsys):
    text = said(capsys, "describe", "minilm")
    lines = {line.split("  ")[1].strip(): line for line in text.splitlines() if line.startswith("  ")}
    assert "learning_rate 0.0001" in lines["recipe (texts)"]
    assert "learning_rate 0.0003" in lines["recipe (tokens)"]
    assert "all-MiniLM-L6-v2" in lines["encoder"]


def test_one_run_is_described_and_several_are_listed(kept, capsys):
    several = said(capsys, "describe", "mine/org/good", "--results-dir", kept.results).splitlines()
    assert len(several) == 2
    assert all(line.startswith("mine/org/good/seed") and "accuracy 0.9833" in line for line in several)
    name = several[1].split()[0]
    for one in (name, "mine/org/good/seed1", *store.find(kept.results, name)):
        text = said(capsys, "describe", one, "--results-dir", kept.results)
        assert text.startswith("mine org/good seed 1: done")
        assert "accuracy" in text and "0.9833" in text


def test_the_metric_precision_and_the_precision_of_training_are_told_apart(kept, capsys):
    (path,) = store.find(kept.results, "mine/org/good/seed1")
    record = json.loads(path.read_text())
    record["environment"]["precision"] = "bf16"
    path.write_text(json.dumps(record))
    lines = said(capsys, "describe", "mine/org/good/seed1", "--results-dir", kept.results).splitlines()
    facts = dict(line.strip().split("  ", 1) for line in lines[1:])
    assert facts["precision"].strip() == f"{record['metrics']['precision']:.4f}"
    assert facts["trained in"].strip() == "bf16"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mit-mvie", "Did you mean 'mit-movie'?"),
        ("mine/org/god", "Did you mean 'mine/org/good'?"),
        ("mine/org/good/seed7", "A run is TASK/SYSTEM"),
        ("../../etc/passwd", "A run is TASK/SYSTEM"),
        ("nothing.yaml", "nothing.yaml"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_nearest(kept, capsys, name, expected):
    assert main(["describe", name, "--results-dir", str(kept.results)]) == 2
    assert expected in capsys.readouterr().err


def test_predict_says_what_is_missing(kept, capsys, tmp_path):
    for command, expected in (
        (["predict", "mine/org/good", "--text", "a"], "--keep-models"),
        (["predict", "mine/other", "--text", "a"], "No run 'mine/other'"),
        (["predict", "mine/org/good"], "--keep-models"),
        (["predict", "mine/org/good", "--file", str(tmp_path / "none.txt")], "--keep-models"),
    ):
        assert main([*command, "--results-dir", str(kept.results)]) == 2
        assert expected in capsys.readouterr().err


def kept_model(tmp_path, capsys, **task) -> Kept:
    """With a run of a tiny encoder whose model is kept."""
    kept, encoder = Kept(tmp_path, **task), tiny.checkpoint(tmp_path / "tiny", "bert")
    path = tmp_path / f"{kept.task.name}.yaml"
    files = {"--tasks": path, "--data-dir": tmp_path / "data", "--results-dir": kept.results}
    where = [str(part) for pair in files.items() for part in pair]
    command = ["run", *where, "--systems", str(encoder), "--seeds", "1", "--keep-models"]
    assert main(command) == 0
    capsys.readouterr()
    return kept


@pytest.mark.parametrize(
    ("protocol", "trained_on"),
    [
        ({}, "the whole training split"),
        ({"seed": 0, "fold": 0, "folds": 2}, "fold 1 of 2"),
        ({"train_size": 30, "balanced": True, "validation_size": 4}, "train_size 30, validation_size 4, balanced"),
    ],
)
def test_a_card_says_what_the_model_was_trained_on_also_of_seed_0_and_fold_0(tmp_path, protocol, trained_on):
    kept = Kept(tmp_path)
    kept.run("majority", lambda job: job.predictions([0] * len(job.data.test)), **protocol)
    (run,) = store.read_runs(kept.results)
    text = card(run, None, own_head=False)
    assert f"seed 0; trained on {run.data['used']['train']} rows ({trained_on})." in text
    assert f"by `encoder-bench {run.environment['encoder_bench']}`: run" in text


def test_a_fold_is_described_by_its_number_from_one(tmp_path, capsys):
    kept = Kept(tmp_path)
    kept.run("majority", lambda job: job.predictions([0] * len(job.data.test)), folds=2, fold=0)
    text = said(capsys, "describe", "mine/majority", "--results-dir", kept.results)
    assert text.startswith("mine majority seed 0 fold 1: done") and "2-fold cross-validation\n" in text


LINES = b"\xef\xbb\xbfa bad ending\n\nlazy\x0cdog \xe2\x80\xa8 runs\r\n"
"""Three: LF and CRLF alone end one."""


def test_a_kept_model_predicts_from_the_command_line_one_answer_a_line(tmp_path, capsys, monkeypatch):
    kept = kept_model(tmp_path, capsys)
    (folder,) = (kept.results / "models" / "mine" / "tiny").iterdir()
    card = ModelCard.load(folder / "README.md")
    assert card.data.library_name == "transformers" and card.data.base_model is None
    scores = {one.metric_type: one.metric_value for one in card.data.eval_results}
    assert set(scores) >= {"accuracy", "f1_macro"} and f"| accuracy | {scores['accuracy']:.4f} |" in card.text
    assert "On 60 test rows, seed 0" in card.text and "- learning_rate: " in card.text
    (tmp_path / "texts.txt").write_bytes(LINES)
    command = ["predict", "mine/tiny", "--results-dir", str(kept.results)]
    lines = said(capsys, *command, "--text", "a good film", "--file", tmp_path / "texts.txt").split("\n")
    texts = ["a bad ending", "", "lazy\x0cdog \u2028 runs"]
    assert [line.split("\t")[1] for line in lines[:-1]] == ["a good film", *texts] and lines[-1] == ""
    assert all("positive" in line and "negative" in line for line in lines[:-1])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES.rstrip()), encoding="latin-1"))
    assert said(capsys, *command, "--file", "-").split("\n") == lines[1:]
    (tmp_path / "texts.txt").write_bytes(b"fine\na\0b\n")
    for more, expected in (([], "no text"), (["--file", str(tmp_path / "texts.txt")], "line 2 holds a NUL byte")):
        assert main([*command, *more]) == 2
        captured = capsys.readouterr()
        assert expected in captured.err and not captured.out


def test_a_blank_line_among_tagged_ones_has_a_blank_answer(tmp_path, capsys):
    kept = kept_model(tmp_path, capsys, write=make.tag_task)
    (tmp_path / "rows.txt").write_text("anna runs\n\nin paris\n")
    lines = said(capsys, "predict", "names/tiny", "--file", tmp_path / "rows.txt", "--results-dir", kept.results)
    first, blank, third, end = lines.split("\n")
    assert "anna" in first and "paris" in third and blank == end == ""
