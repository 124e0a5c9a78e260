"""What describe and predict say of a task, a system and a run, and of names that are none."""

from __future__ import annotations

import pytest
import tiny
from huggingface_hub import ModelCard
from kept import Kept, flipped

from benchmarks import store
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


def test_a_kept_model_predicts_from_the_command_line(tmp_path, capsys):
    kept, encoder = Kept(tmp_path), tiny.checkpoint(tmp_path / "tiny", "bert")
    files = {"--tasks": tmp_path / "mine.yaml", "--data-dir": tmp_path / "data", "--results-dir": kept.results}
    where = [str(part) for pair in files.items() for part in pair]
    command = ["run", *where, "--systems", str(encoder), "--seeds", "1", "--keep-models"]
    assert main(command) == 0
    capsys.readouterr()
    (folder,) = (kept.results / "models" / "mine" / "tiny").iterdir()
    card = ModelCard.load(folder / "README.md")
    assert card.data.library_name == "transformers" and card.data.base_model is None
    scores = {one.metric_type: one.metric_value for one in card.data.eval_results}
    assert set(scores) >= {"accuracy", "f1_macro"} and f"| accuracy | {scores['accuracy']:.4f} |" in card.text
    assert "On 60 test rows, seed 0" in card.text and "- learning_rate: " in card.text
    (tmp_path / "texts.txt").write_text("a bad ending\n\nlazy dog\n")
    text = said(
        capsys, "predict", "mine/tiny", "--text", "a good film", "--file", tmp_path / "texts.txt", "--results-dir",
        kept.results,
    )  # fmt: skip
    lines = text.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["a good film", "a bad ending", "lazy dog"]
    assert all("positive" in line and "negative" in line for line in lines)
    assert main(["predict", "mine/tiny", "--results-dir", str(kept.results)]) == 2
    assert "no text" in capsys.readouterr().err
