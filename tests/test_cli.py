"""The command line as a user meets it: plans, resumes, isolates failures, and says what is wrong in one message."""

from __future__ import annotations

import gc
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import fmean, stdev

import make
import pyarrow.parquet as pq
import pytest
import tiny

from benchmarks.cli import main
from benchmarks.cli.arguments import parse
from benchmarks.cli.examples import EXAMPLES


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to stand in, with a text task and a tagging task; the environment is restored afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENCODER_BENCH_DATA", raising=False)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")
    for name in ("TRANSFORMERS_VERBOSITY", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, {"TRANSFORMERS_VERBOSITY": "error"}.get(name, "true"))
    make.text_task(tmp_path)
    make.tag_task(tmp_path)
    return tmp_path


RUN = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority,tfidf-svm"]


def records(folder: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((folder / "results").glob("runs/*/*/*.json"))]


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "cache" not in path.parts}


def wrong(capsys, *arguments: str) -> str:
    """The message of a command that must end with exit code 2."""
    before = files(Path())
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert files(Path()) == before, "something was written"
    return captured.err


# -- the way that works ----------------------------------------------------------------------------------------------


def test_a_run_stores_every_seed_with_its_predictions_and_writes_the_leaderboards(here, capsys):
    assert main([*RUN, "--seeds", "2"]) == 0
    assert [(r["system"], r["seed"], r["status"]) for r in records(here)] == [
        ("majority", 0, "done"), ("majority", 1, "done"), ("tfidf-svm", 0, "done"), ("tfidf-svm", 1, "done")
    ]  # fmt: skip
    assert len(list((here / "results").glob("runs/*/*/*.parquet"))) == 4
    assert "tfidf-svm" in (here / "results" / "LEADERBOARD.md").read_text()
    assert "tfidf-svm" in (here / "results" / "leaderboards" / "mine.md").read_text()
    assert len(list((here / "results" / "leaks" / "mine").iterdir())) == 1
    assert "tfidf-svm" in capsys.readouterr().out


def test_the_same_command_again_makes_nothing_and_more_seeds_make_only_the_new_ones(here, capsys):
    main([*RUN, "--seeds", "1"])
    times = {path: path.stat().st_mtime_ns for path in (here / "results" / "runs").rglob("*.json")}
    capsys.readouterr()
    assert main([*RUN, "--seeds", "1"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (here / "results" / "runs").rglob("*.json")} == times
    assert main([*RUN, "--seeds", "2"]) == 0
    assert "4 runs: 2 stored, 2 to make" in capsys.readouterr().out
    assert times.items() <= {p: p.stat().st_mtime_ns for p in (here / "results" / "runs").rglob("*.json")}.items()


def test_force_makes_stored_runs_again(here):
    main([*RUN, "--seeds", "1"])
    first = {path: path.stat().st_mtime_ns for path in (here / "results" / "runs").rglob("*.json")}
    assert main([*RUN, "--seeds", "1", "--force"]) == 0
    again = {path: path.stat().st_mtime_ns for path in (here / "results" / "runs").rglob("*.json")}
    assert again.keys() == first.keys()
    assert all(again[path] > first[path] for path in first)


def test_a_changed_definition_is_run_again_and_the_dry_run_says_what_changed(here, capsys):
    main([*RUN, "--seeds", "1"])
    task = here / "mine.yaml"
    task.write_text(task.read_text().replace("max_length: 32", "max_length: 16"))
    capsys.readouterr()
    assert main([*RUN, "--seeds", "1", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "2 runs: 0 stored, 2 to make" in out
    assert "changed: task.max_length: 32 -> 16" in out


def test_changed_data_are_a_changed_run(here):
    main([*RUN, "--seeds", "1"])
    data = here / "data" / "mine" / "test.csv"
    data.write_text(data.read_text() + "a good film,positive\n")
    main([*RUN, "--seeds", "1"])
    assert len(records(here)) == 4


def test_a_dry_run_writes_nothing(here, capsys):
    before = files(here)
    assert main([*RUN, "--dry-run"]) == 0
    assert files(here) == before
    assert re.search(r"mine +tfidf-svm +3 +0 +3", capsys.readouterr().out)


def test_train_sizes_and_folds_make_runs_of_their_own(here):
    assert main([*RUN, "--seeds", "1", "--train-sizes", "10,20,all"]) == 0
    assert sorted(r["train_size"] for r in records(here) if r["system"] == "majority") == [10, 20, 60]
    assert main([*RUN, "--seeds", "1", "--folds", "3"]) == 0
    folds = [r for r in records(here) if r["fold"] is not None and r["system"] == "majority"]
    assert sorted(r["fold"] for r in folds) == [0, 1, 2]
    assert sum(r["data"]["used"]["test"] for r in folds) == 60


def test_folds_are_scored_together_on_the_page_of_their_task(here):
    from sklearn.metrics import f1_score

    make.text_task(here, metric="f1_macro")
    data = here / "data" / "mine" / "train.csv"
    lines = data.read_text().splitlines()
    lines[1::4] = [line.replace("negative", "positive") for line in lines[1::4]]  # no fold is without an error
    data.write_text("\n".join(lines) + "\n")
    assert main([*RUN, "--seeds", "1", "--folds", "5"]) == 0
    tables = [pq.read_table(path) for path in (here / "results").glob("runs/mine/tfidf-svm/*.parquet")]
    gold, predicted = ([v for table in tables for v in table.column(c).to_pylist()] for c in ("gold", "predicted"))
    single = [r["metrics"]["f1_macro"] for r in records(here) if r["system"] == "tfidf-svm"]
    page = (here / "results" / "leaderboards" / "mine.md").read_text()
    together = f1_score(gold, predicted, average="macro")
    assert abs(together - fmean(single)) > 0.01  # else the page could show either
    assert re.search(
        rf"\| tfidf-svm +\| +{together:.4f} \[[^|]+\| +{fmean(single):.4f} ± [.\d]+ † \(sd {stdev(single):.4f}\)", page
    )


def test_explicit_sizes_of_three_splits_stand_in_the_record_and_above_the_table(here):
    sizes = ["--set", "protocol.test_size=20", "--set", "protocol.validation_size=10", "--train-sizes", "30"]
    assert main([*RUN, "--seeds", "1", "--set", "protocol.balanced=true", *sizes]) == 0
    assert [r["data"]["used"] for r in records(here)] == [{"train": 30, "validation": 10, "test": 20}] * 2
    assert records(here)[0]["protocol"]["validation_size"] == 10
    page = (here / "results" / "leaderboards" / "mine.md").read_text()
    assert "## 30 training rows, classes balanced, 10 validation rows, 20 test rows\n" in page
    assert "- Used: trained on 30 rows, validated on 10 rows, tested on 20 rows\n" in page


def test_sizes_that_declared_counts_cannot_give_are_refused_by_the_dry_run(here, capsys):
    task = here / "mine.yaml"
    counted = "{path: train.csv, rows: 60, counts: {negative: 30, positive: 30}}"
    task.write_text(task.read_text().replace("{path: train.csv}", counted))
    test = "{path: test.csv, rows: 60, counts: {negative: 30, positive: 30}}"
    task.write_text(task.read_text().replace("{path: test.csv}", test))
    assert "61, but there are 60 training rows" in wrong(capsys, *RUN, "--train-sizes", "10,61", "--dry-run")
    assert main([*RUN, "--train-sizes", "10,60", "--dry-run"]) == 0


def test_a_limited_run_is_stored_and_kept_out_of_the_leaderboards(here):
    assert main([*RUN, "--seeds", "1", "--limit", "20"]) == 0
    assert all(r["limited"] and r["train_size"] == 20 for r in records(here))
    assert "tfidf-svm" not in (here / "results" / "LEADERBOARD.md").read_text()
    assert not (here / "results" / "leaks").exists()


def test_a_failed_run_is_stored_the_others_go_on_and_it_is_tried_again(here, capsys):
    tiny.checkpoint(here / "encoder")
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "./encoder,majority", "--seeds", "1"]
    # a learning rate without bounds: the loss is no number, which only training can find out
    unlucky = ["--set", "recipe.learning_rate=1e30", "--set", "recipe.clipping=0", "--set", "recipe.precision=fp32"]
    assert main([*command, *unlucky]) == 1
    found = {r["system"]: r for r in records(here)}
    assert found["majority"]["status"] == "done"
    (failed,) = (r for r in found.values() if r["status"] == "failed")
    assert failed["error"]["type"] == "FloatingPointError"
    assert "FAILED: FloatingPointError" in capsys.readouterr().out
    assert main([*command, *unlucky]) == 1
    assert "2 runs: 1 stored, 1 to make" in capsys.readouterr().out


def test_failed_runs_are_told_apart_by_their_folds_and_sizes(here, capsys, monkeypatch):
    def broken(job):
        raise ValueError("out of luck")

    monkeypatch.setattr("benchmarks.runner.load", lambda method: broken)
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority", "--seeds", "1"]
    assert main([*command, "--folds", "2"]) == 1
    told = capsys.readouterr().err
    for fold in (1, 2):
        assert f"  mine majority seed 0 fold {fold} (2-fold cross-validation): ValueError: out of luck\n" in told
    assert main([*command, "--train-sizes", "20,30,all"]) == 1
    told = capsys.readouterr().err
    for named in ("seed 0 (20 training rows)", "seed 0 (30 training rows)", "seed 0"):
        assert f"  mine majority {named}: ValueError: out of luck\n" in told


def test_models_are_kept_where_asked_and_stored_runs_without_one_are_made_again(here, capsys):
    tiny.checkpoint(here / "encoder")
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "./encoder,majority", "--seeds", "1"]
    models = here / "results" / "models"
    assert main(command) == 0
    assert not models.exists()
    capsys.readouterr()
    assert main([*command, "--keep-models"]) == 0
    assert "2 runs: 1 stored, 1 to make" in capsys.readouterr().out
    (key,) = (r["key"] for r in records(here) if r["system"] == "encoder")
    assert [path.name for path in models.glob("mine/*/*")] == [key]
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {p.name for p in models.glob("mine/encoder/*/*")}
    assert (models / ".gitignore").read_text() == "*\n"
    assert main([*command, "--keep-models"]) == 0
    assert "2 runs: 2 stored, 0 to make" in capsys.readouterr().out
    unlucky = ["--set", "recipe.learning_rate=1e30", "--set", "recipe.clipping=0", "--set", "recipe.precision=fp32"]
    assert main([*command, *unlucky, "--keep-models"]) == 1
    assert [path.name for path in models.glob("mine/*/*")] == [key]
    again = main([*command, "--force", "--keep-models", "--jobs", "2"])
    assert again == 0 and [path.name for path in models.rglob("model.safetensors")] == ["model.safetensors"]
    tuned = ["--systems", "./encoder", "--tune", "2", "--keep-models", "--set", "recipe.batch_size=8"]
    assert main([*command[:-4], *tuned, "--seeds", "1"]) == 0
    assert len(list(models.rglob("model.safetensors"))) == 2, "of the chosen recipe alone"
    assert not list(models.rglob("*.part"))


def test_fail_fast_stops_at_the_first_failure(here):
    tiny.checkpoint(here / "encoder")
    unlucky = ["--set", "recipe.learning_rate=1e30", "--set", "recipe.clipping=0", "--set", "recipe.precision=fp32"]
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "./encoder,majority", "--seeds", "1"]
    assert main([*command, *unlucky, "--fail-fast"]) == 1
    assert [r["status"] for r in records(here)] == ["failed"]


def test_cycles_are_looked_for_as_usual_while_a_run_is_made_and_after_every_command(here, monkeypatch):
    """Tensors in a cycle that nobody looks for fill the memory."""
    from benchmarks.execute import making as executor

    real, usual, seen = executor.run, gc.get_threshold(), []

    def watched(*arguments, **keywords):
        seen.append(gc.get_threshold())
        return real(*arguments, **keywords)

    monkeypatch.setattr(executor, "run", watched)
    assert main([*RUN, "--seeds", "1"]) == 0
    assert set(seen) == {usual}
    assert main(["list"]) == 0
    assert gc.get_threshold() == usual


def test_an_interruption_keeps_what_is_stored_and_ends_with_130(here, monkeypatch, capsys):
    from benchmarks.execute import making as executor

    real, calls = executor.run, []

    def interrupted(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **keywords)

    monkeypatch.setattr(executor, "run", interrupted)
    assert main([*RUN, "--seeds", "1"]) == 130
    assert len(records(here)) == 1
    assert "1 run made and stored, 1 left" in capsys.readouterr().out


def test_the_embedded_sample_stands_in_for_every_group_and_says_so(here, capsys):
    assert main(["run", "--tasks", "ner,mit-movie,news", "--sample", "--systems", "majority", "--seeds", "1"]) == 0
    found = records(here)
    assert [r["task"] for r in found] == ["ner-sample", "news-sample"]
    assert all(r["sample"] for r in found)
    assert "sample" in (here / "results" / "LEADERBOARD.md").read_text().lower()


def test_all_of_the_sample_are_the_corpora_that_there_are_and_no_other_task_has_one(here, capsys):
    command = ["run", "--sample", "--systems", "majority", "--seeds", "1", "--dry-run", "--tasks"]
    assert main([*command, "all"]) == 0
    assert set(re.findall(r"^[\w-]+-sample", capsys.readouterr().out, re.M)) == {
        "ner-sample", "news-sample", "hate-speech-sample", "sentiment-sample", "letters-sample"
    }  # fmt: skip
    assert "no embedded corpus for 'huffpost-33'" in wrong(capsys, *command, "huffpost-33")
    make.text_task(here, name="own", group="sentiment")
    message = wrong(capsys, *command, "./own.yaml")
    assert "--sample: './own.yaml' is a task of your own" in message and "Groups: hate-speech, letters," in message


def test_synthetic_rows_never_stand_in_silently_for_real_ones(here, capsys):
    assert "--data-dir" in wrong(capsys, "run", "--tasks", "mit-movie", "--systems", "majority")


def test_list_shows_tasks_systems_and_metrics(here, capsys):
    assert main(["run", "--list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("mit-movie", "bert-base *", "entity_f1_conlleval"))
    assert main(["list", "tasks"]) == 0
    assert "bert-base" not in capsys.readouterr().out
    assert main(["run", "--list", "--tasks", "news,./mine.yaml", "--systems", "roberta"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("huffpost", "mine", "roberta-base *", "entity_f1_conlleval"))
    assert "mit-movie" not in out and "bert-base-cased" not in out
    assert "No task 'nre'. Did you mean 'ner'?" in wrong(capsys, "run", "--list", "--tasks", "nre")
    assert "Did you mean 'bert-base'?" in wrong(capsys, "run", "--list", "--systems", "bert-bse")


def test_validate_tells_every_problem_of_every_file(here, capsys):
    assert main(["validate"]) == 0
    assert main(["validate", "mine.yaml", "--data-dir", "data"]) == 0
    assert "data: train 60, test 60" in capsys.readouterr().out
    (here / "a.yaml").write_text("title: x\n")
    (here / "b.yaml").write_text("titel: x\n")
    message = wrong(capsys, "validate", "a.yaml", "b.yaml", "mine.yaml")
    assert "a.yaml: " in message
    assert "b.yaml: " in message


def test_leaderboard_is_made_again_from_stored_runs_alone(here, capsys):
    main([*RUN, "--seeds", "1"])
    made = (here / "results" / "LEADERBOARD.md").read_text()
    (here / "results" / "LEADERBOARD.md").unlink()
    assert main(["leaderboard"]) == 0
    assert (here / "results" / "LEADERBOARD.md").read_text() == made


def test_precision_is_an_override_of_those_that_train_and_leaves_the_others_alone(here, capsys):
    encoder = tiny.checkpoint(here / "enc")
    command = [*RUN[:-1], f"majority,{encoder}", "--seeds", "1", "--dry-run", "--precision"]
    assert main([*command, "bf16"]) == 0
    said = capsys.readouterr().out
    assert "enc[precision=bf16]" in said and "majority[" not in said
    assert main([*command, "auto"]) == 0
    assert "[precision" not in capsys.readouterr().out
    assert main([*RUN, "--precision", "bf16", "--dry-run"]) == 0  # nothing that trains: nothing to override
    assert "give one" in wrong(capsys, *command, "bf16", "--set", "recipe.precision=fp32")
    assert main([*command, "bf16", "--set", "recipe.precision=bf16"]) == 0  # says the same
    assert capsys.readouterr().out.startswith("2 runs: ")
    assert "'fp16'" in wrong(capsys, *RUN, "--precision", "fp16")
    assert "--precision" in wrong(capsys, "run", "--claims", "S3", "--precision", "bf16")


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tasks", "sentimnt"], "No task 'sentimnt'. Did you mean 'sentiment'?"),
        (["--tasks", "ner,"], "an empty name"),
        (["--tasks", "./nothing.yaml"], "nothing.yaml: no such file"),
        (["--systems", "bert-bse"], "No system 'bert-bse'. Did you mean 'bert-base'?"),
        (["--systems", "./nothing"], "encoder 'nothing': no such folder"),
        (["--set", "encoder=minilmm"], "No encoder 'minilmm'. Did you mean 'minilm'?"),
        (["--set", "recipe.toleranc=1"], "--set recipe.toleranc: no such setting. Did you mean 'recipe.tolerance'?"),
        (["--set", "recipe.epoch=1"], "--set recipe.epoch: no such setting. One of: recipe.alpha"),
        (["--set", "recipe.c=-1"], "c: input should be greater than 0; found -1."),
        (["--seeds", "0"], "--seeds: '0' is not allowed; expected a whole number from 1 to 10,000."),
        (["--seeds", "three"], "--seeds: 'three' is not allowed"),
        (["--folds", "1"], "--folds: '1' is not allowed; expected a whole number from 2 to 10,000."),
        (["--train-sizes", "10,many"], "--train-sizes: 'many' is not allowed; expected a whole number from 1 to"),
        (["--train-sizes", "whole"], "1,000,000,000, or 'all'."),
        (["--train-sizes", "61"], "61"),
        (["--folds", "31"], "31"),
        (["--set", "protocol.validation_size=60"], "60 rows to divide, of which at least one must be trained on."),
        (["--set", "protocol.validation_size=0"], "validation_size: input should be greater than or equal to 1"),
        (["--set", "protocol.validation=9"], "no such setting. Did you mean 'protocol.validation_size'?"),
        (["--limit", "-1"], "--limit: '-1' is not allowed"),
        (["--data-dir", "nowhere"], "--data-dir: 'nowhere': no such folder."),
        (["--data-dir", "mine.yaml"], "--data-dir: 'mine.yaml': is a file, expected a folder."),
        (["--data-dir", ""], "--data-dir: '' is not allowed; expected a path."),
        (["--results-dir", ""], "--results-dir: '' is not allowed; expected a path."),
        (["--results-dir", "mine.yaml"], "is a file, expected a folder."),
        (["--results-dir", "mine.yaml/x/y"], "mine.yaml' is a file, expected a folder."),
        (["--jobs", "abc"], "--jobs: 'abc' is not allowed; expected a whole number from 1 to 10,000, or 'auto'."),
        (["--precision", "fp23"], "Did you mean 'fp32'?"),
        (["--set", "protocol.test_size=yes"], "test_size: true is no number"),
        (["--folds", "999999999"], "expected a whole number from 2 to 10,000"),
        (["--set", "recipe.c=.inf"], "c: input should be a finite number"),
        (["--set", "recipe.c=true"], "c: true is no number"),
        (["--set", "recipe.ngrams=[2,1]"], "ngrams: the shortest n-gram comes first"),
        (["--gpus", "2"], "no such flag: '--gpus'.  (see"),
        (["--sede", "1"], "no such flag: '--sede'. Did you mean '--seeds'?"),
        (["news"], "unexpected argument: 'news'. Allowed: flags. Did you mean '--tasks news'?"),
        (["--set", "recipe.epochs=1", "encoder=minilm"], "Did you mean '--set encoder=minilm'?"),
        (["leaderboard"], "Did you mean 'encoder-bench leaderboard'?"),
    ],
)
def test_wrong_input_is_one_message_with_exit_code_2_and_nothing_written(here, capsys, arguments, expected):
    message = wrong(capsys, *RUN, *arguments)
    assert expected in message


def test_why_a_system_fits_none_of_the_tasks_is_said_once(here, capsys):
    make.text_task(here, name="other")
    command = ["run", "--tasks", "./mine.yaml,./other.yaml", "--data-dir", "data", "--systems"]
    said = wrong(capsys, *command, "features-logreg", "--dry-run")
    assert said == "nothing to run: mine, other x features-logreg: tag-features does no text-classification\n"
    assert main([*command, "features-logreg,majority", "--dry-run"]) == 0
    left_out = capsys.readouterr().out.partition("Left out:\n")[2].strip()
    assert left_out == "mine, other x features-logreg: tag-features does no text-classification"


def test_a_data_folder_of_the_environment_is_named_by_its_variable_and_not_looked_at_in_vain(here, capsys, monkeypatch):
    monkeypatch.setenv("ENCODER_BENCH_DATA", "/nowhere")
    command = ["run", "--systems", "majority", "--dry-run", "--tasks"]
    assert wrong(capsys, *command, "./mine.yaml") == "ENCODER_BENCH_DATA: '/nowhere': no such folder.\n"
    assert main([*command, "sentiment", "--sample"]) == 0
    assert main([*command, "./mine.yaml", "--data-dir", "data"]) == 0
    monkeypatch.setenv("ENCODER_BENCH_DATA", "data")
    assert main([*command, "./mine.yaml"]) == 0


def test_a_stream_that_is_not_utf_8_shows_what_it_cannot_as_escapes(here, monkeypatch):
    make.text_task(here, name="Ωmega")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="latin-1") for _ in range(2))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        assert main(["validate", "Ωmega.yaml"]) == 0
        assert main(["validate", "Ωmeg.yaml"]) == 2
    assert rb"\u03a9mega.yaml: fine" in out.buffer.getvalue()
    err.flush()
    assert rb"\u03a9meg.yaml" in err.buffer.getvalue()


def test_output_that_cannot_be_written_is_one_message(here):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    script = "import sys; from benchmarks.cli import main; sys.exit(main(sys.argv[1:]))"
    with full.open("w") as stream:
        command = [sys.executable, "-c", script, *RUN, "--dry-run"]
        done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "data/mine/train.csv",
            "text,label\na,positiv\n",
            "train.csv:2: 'positiv' is no label of mine. Did you mean 'positive'?",
        ),
        ("data/mine/train.csv", "text,lable\na,positive\n", "label"),
        ("data/mine/train.csv", "text,label\n", "train.csv"),
        (
            "data/mine/train.csv",
            "text,label,text\na,positive,b\n",
            "train.csv:1: 'text' stands in the header",
        ),
        ("data/mine/train.csv", b"text,label\n\xff\xfe,positive\n", "train.csv"),
    ],
)
def test_a_broken_data_file_is_found_before_training(here, capsys, file, text, expected):
    (here / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert expected in wrong(capsys, *RUN)


def test_a_wrong_checksum_is_found_before_training(here, capsys):
    task = here / "mine.yaml"
    task.write_text(task.read_text().replace("{path: train.csv}", f"{{path: train.csv, sha256: {'a' * 64}}}"))
    message = wrong(capsys, *RUN)
    assert "train.csv" in message
    assert "a" * 64 in message


def test_a_folder_without_weights_is_no_encoder(here, capsys):
    (here / "encoder").mkdir()
    (here / "encoder" / "config.json").write_text("{}")
    assert "holds no weights" in wrong(capsys, *RUN, "--systems", "./encoder")


def test_more_frozen_layers_than_the_encoder_has_are_refused_before_training(here, capsys):
    tiny.checkpoint(here / "encoder")
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority,./encoder"]
    said = wrong(capsys, *command, "--set", "recipe.frozen_layers=1,9")
    assert said.splitlines()[-1] == "encoder[frozen_layers=9]: recipe.frozen_layers: 9, but the encoder has 2 layers."


def test_an_encoder_that_only_the_hub_has_is_refused_with_the_sample(here, capsys):
    message = wrong(capsys, "run", "--tasks", "ner", "--sample", "--systems", "bert-base")
    assert "--sample uses no network" in message


def test_no_verb_and_an_unknown_verb_are_told(here, capsys):
    assert "VERB" in wrong(capsys)
    assert "Did you mean 'leaderboard'?" in wrong(capsys, "leaderbord")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["leaks", "a", "b"], "unexpected argument: 'b'. Allowed: [TASK,...] and flags."),
        (["list", "tasks", "systems"], "unexpected argument: 'systems'. Allowed: [{tasks,systems,metrics}] and flags."),
        (["compare", "a", "b", "c", "--task", "t"], "unexpected argument: 'c'. Allowed: SYSTEM SYSTEM and flags."),
    ],
)
def test_a_word_beside_all_that_a_verb_takes_is_no_flag(here, capsys, command, expected):
    assert expected in wrong(capsys, *command)


def test_a_size_or_setting_of_the_protocol_that_is_given_twice_is_made_once(here, capsys):
    more = ["--train-sizes", "10,010", "--train-sizes", "10", "--set", "protocol.balanced=true,true"]
    assert main([*RUN, "--seeds", "1", "--dry-run", *more]) == 0
    assert capsys.readouterr().out.startswith("2 runs: ")


def test_a_list_flag_given_twice_is_one_list_and_a_setting_given_twice_is_one_grid(here, capsys):
    command = ["run", "--tasks", "./mine.yaml", "--tasks", "./names.yaml", "--data-dir", "data", "--seeds", "1"]
    systems = ["--systems", "majority", "--systems", "tfidf-svm", "--set", "recipe.c=1", "--set", "recipe.c=2"]
    assert main([*command, *systems, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "4 runs" in out
    assert "tfidf-svm[c=1]" in out
    assert "tfidf-svm[c=2]" in out


def test_a_task_whose_name_is_a_pattern_finds_its_own_runs_and_no_others(here, capsys):
    make.text_task(here, name="mine[1]")
    for name in ("mine", "mine[1]", "mine[1]"):
        command = ["run", "--tasks", f"./{name}.yaml", "--data-dir", "data", "--systems", "majority", "--seeds", "1"]
        assert main(command) == 0
    assert "1 run: 1 stored, 0 to make" in capsys.readouterr().out


def test_a_metric_that_these_rows_do_not_define_is_said_and_the_others_go_on(here, capsys):
    make.text_task(here, metric="average_precision")
    (here / "data" / "mine" / "test.csv").write_text("text,label\na good film,negative\n")
    assert main([*RUN, "--seeds", "1"]) == 0
    assert "average_precision is not defined on these rows" in capsys.readouterr().out
    assert len(records(here)) == 2


def test_a_tag_whose_systems_need_the_hub_is_refused_with_the_sample_and_says_how_to_go_on(here, capsys):
    message = wrong(capsys, "run", "--tasks", "ner", "--sample", "--systems", "roberta")
    assert "--set encoder=minilm" in message


@pytest.mark.parametrize(
    ("verb", "words"),
    [(verb, words) for verb, own in EXAMPLES.items() for _, words in own],
    ids=lambda text: text or "-",
)
def test_every_example_of_the_help_is_a_command_that_is_taken(verb, words, tmp_path):
    parse([verb, *shlex.split(words.replace("DIR", str(tmp_path)))])


@pytest.mark.parametrize("verb", EXAMPLES)
def test_the_help_of_every_verb_ends_with_examples(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"encoder-bench {verb}" in text.split("examples:")[1]
