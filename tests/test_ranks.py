"""Two ranks make one training: the same global batch, every row once, one writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import make
import pytest
import tiny

PROJECT = Path(__file__).parent.parent
WORDS = [" ".join((*make.GOOD, *make.BAD, *make.PEOPLE, *make.PLACES, *make.OTHER))]


def launched(folder: Path, ranks: int, script: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """more: variables of the environment."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(ranks), "--standalone"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "ENCODER_BENCH_CACHE": str(folder / "cache"),
        **more,
    }
    return subprocess.run(
        [*command, str(script), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    make.text_task(folder, rows=61)  # odd, so that the last batch can't be shared evenly
    make.tag_task(folder, rows=61)
    tiny.checkpoint(folder / "encoder", "bert", [*tiny.SENTENCES, *WORDS])
    return folder


RUN = (
    "--tasks ./mine.yaml,./names.yaml --systems ./encoder,majority --data-dir data --seeds 1 --set recipe.batch_size=8 "
    "--set recipe.epochs=6 --set recipe.learning_rate=3e-3 --set recipe.precision=fp32"
).split()


@pytest.fixture(scope="module")
def stored(folder) -> dict[int, list[dict]]:
    """Records of the same plan made by one process and by two ranks."""
    found = {}
    for ranks in (1, 2):
        results = folder / f"results-{ranks}"
        told = ["--report-to", "tensorboard"] if ranks == 2 else []
        done = launched(folder, ranks, PROJECT / "run_all.py", *RUN, "--results-dir", str(results), *told)
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count("4 runs: 0 stored, 4 to make") == 1, "one rank prints"
        found[ranks] = [json.loads(path.read_text()) for path in sorted((results / "runs").glob("*/*/*.json"))]
    return found


def test_two_ranks_make_the_same_runs_as_one_process_and_write_each_once(stored):
    assert [r["fingerprint"] for r in stored[2]] == [r["fingerprint"] for r in stored[1]]
    assert all(r["status"] == "done" for r in stored[2])
    # what doesn't train over ranks is made by rank 0 alone
    assert {(r["system"][:7], r["environment"]["processes"]) for r in stored[2]} == {("encoder", 2), ("majorit", 1)}


def test_two_ranks_train_with_the_same_global_batch_and_number_of_updates(stored):
    steps = [[r["training"].get("steps") for r in stored[ranks]] for ranks in (1, 2)]
    assert steps[0] == steps[1]
    assert any(steps[0])


def test_two_ranks_tell_trackers_once(folder, stored):
    for record in stored[2]:
        (told,) = (folder / "results-2" / "tracking" / "tensorboard").glob(f"*/*/{record['key']}")
        losses = [path for path in told.glob("events.*") if b"train/loss" in path.read_bytes()]
        assert len(losses) == ("losses" in record["training"])


def test_two_ranks_score_within_seed_noise_of_one_process(stored):
    for one, two in zip(stored[1], stored[2], strict=True):
        assert abs(one["metrics"][one["primary_metric"]] - two["metrics"][two["primary_metric"]]) <= 0.05, one["key"]


def test_two_ranks_begin_with_the_loss_of_one_process(stored):
    """A mean that is taken for a sum would be twice as large, and clipped twice as hard."""
    trained = [pair for pair in zip(stored[1], stored[2], strict=True) if "losses" in pair[0]["training"]]
    assert len(trained) == 2
    for one, two in trained:
        first = [record["training"]["losses"][0][1] for record in (one, two)]
        assert first[1] == pytest.approx(first[0], rel=0.15), one["key"]


def test_two_ranks_predict_every_row_exactly_once_in_order(folder, stored):
    from benchmarks import store
    from benchmarks.schema import RunResult

    for ranks in (1, 2):
        for record in stored[ranks]:
            run = RunResult.model_validate(record)
            table = store.read_predictions(folder / f"results-{ranks}", run)
            assert table.column("row_id").to_pylist() == [f"test:{i}" for i in range(61)]


OTHER_METHODS = (
    "--tasks ./mine.yaml --systems bert-base-frozen,bilstm-word2vec,bert-base-lora,sbert-softmax,zero-shot-labels "
    "--set encoder=./encoder --data-dir data --seeds 1 --set recipe.batch_size=8 --set recipe.epochs=2"
).split()


def test_two_ranks_search_a_recipe_together(folder):
    results = folder / "results-tuned"
    run = "--tasks ./mine.yaml --systems ./encoder --data-dir data --seeds 1 --set recipe.batch_size=8 --tune 2".split()
    done = launched(folder, 2, PROJECT / "run_all.py", *run, "--results-dir", str(results))
    assert done.returncode == 0, done.stderr[-3000:]
    (path,) = (results / "runs").glob("*/*/*.json")
    found = json.loads(path.read_text())
    assert found["environment"]["processes"] == 2
    trials = {json.loads(path.read_text())["fingerprint"] for path in (results / "trials").glob("*/*/*.json")}
    assert len(trials) == 2
    tried = found["tuning"]["tried"]
    assert found["tuning"]["chosen"] == max(tried, key=lambda one: one["score"])["changes"]


def test_two_ranks_that_were_killed_go_on_and_end_bit_for_bit_as_undisturbed_ones(folder, stored):
    results = folder / "results-killed"
    run = [*RUN, "--results-dir", str(results), "--checkpoint-minutes", "1e-9"]
    (folder / "strike").mkdir()
    (folder / "strike" / "sitecustomize.py").write_text((PROJECT / "tests" / "torture" / "strike.py").read_text())
    strike = f"{results / 'unfinished'}:{signal.SIGKILL}:60"
    done = launched(folder, 2, PROJECT / "run_all.py", *run, PYTHONPATH=str(folder / "strike"), STRIKE=strike)
    assert done.returncode != 0 and list(results.glob("unfinished/*/*/checkpoint-*"))
    done = launched(folder, 2, PROJECT / "run_all.py", *run)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(path.read_text()) for path in sorted((results / "runs").glob("*/*/*.json"))]
    assert any(record["training"].get("resumed") for record in found)
    for one, other in zip(found, stored[2], strict=True):
        assert one["metrics"] == other["metrics"] and one["training"].get("losses") == other["training"].get("losses")
    for path in (results / "runs").rglob("*.parquet"):
        undisturbed = folder / "results-2" / path.relative_to(results)
        assert path.read_bytes() == undisturbed.read_bytes(), path


WITHOUT_MEMORY = """
import os, sys
def hook(event, given):
    if event == "os.mkdir" and "halved-0" in str(given[0]) and os.environ.get("RANK") == "1":
        raise MemoryError
sys.addaudithook(hook)
"""


def test_a_rank_without_memory_ends_the_launch_and_the_same_command_goes_on_with_less(folder):
    results = folder / "results-halved"
    run = [*RUN, "--tasks", "./names.yaml", "--results-dir", str(results), "--checkpoint-minutes", "1e-9"]
    (folder / "short").mkdir()
    (folder / "short" / "sitecustomize.py").write_text(WITHOUT_MEMORY)
    short = {"PYTHONPATH": str(folder / "short")}
    done = launched(folder, 2, PROJECT / "run_all.py", *run[2:], **short)
    assert done.returncode != 0
    assert "rank 1: names/encoder" in done.stderr and "goes on with half as many rows at once" in done.stderr
    done = launched(folder, 2, PROJECT / "run_all.py", *run[2:], **short)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(path.read_text()) for path in (results / "runs").glob("*/*/*.json")]
    (trained,) = (record["training"] for record in found if "losses" in record["training"])
    assert (trained["halvings"], trained["micro_batch"]) == (1, 2), "of a batch of 8 each rank has 4"


FAILS_ALONE = """
import datetime, os, sys
def hook(event, given):
    if event == "os.mkdir" and "checkpoint-" in str(given[0]) and os.environ.get("RANK") == "FAILING":
        sys.modules["benchmarks.ranks"].LONGEST_APART = datetime.timedelta(seconds=4)
        raise ValueError("of its own")
sys.addaudithook(hook)
"""


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_fails_alone_ends_the_launch_and_the_same_command_goes_on(folder, tmp_path, rank):
    results = tmp_path / "results"
    run = [*RUN, "--tasks", "./names.yaml", "--results-dir", str(results), "--checkpoint-minutes", "1e-9"]
    (tmp_path / "sitecustomize.py").write_text(FAILS_ALONE.replace("FAILING", str(rank)))
    done = launched(folder, 2, PROJECT / "run_all.py", *run[2:], PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert f"rank {rank} has failed alone, and the others wait for it: names/encoder" in done.stderr
    assert "ValueError: of its own" in done.stderr
    assert not list((results / "runs").glob("*/encoder/*.json"))
    done = launched(folder, 2, PROJECT / "run_all.py", *run[2:])
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_ranks_share_every_training_by_the_trainer_and_the_first_alone_makes_the_rest(folder, tmp_path):
    done = launched(folder, 2, PROJECT / "run_all.py", *OTHER_METHODS, "--results-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    records = [json.loads(path.read_text()) for path in tmp_path.glob("runs/*/*/*.json")]
    assert {record["system"].partition("[")[0]: record["environment"]["processes"] for record in records} == {
        "bert-base-frozen": 2, "bilstm-word2vec": 2, "bert-base-lora": 2, "sbert-softmax": 1, "zero-shot-labels": 1,
    }  # fmt: skip
    assert {record["status"] for record in records} == {"done"}


SEES_ROWS = """
import sys, json, tempfile
sys.path.insert(0, {project!r})
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, set_seed
from benchmarks import ranks
from benchmarks.methods.training import Rows, training_arguments
from benchmarks.recipes import Finetune

seen = []

def collated(rows):
    seen.append([row["row"] for row in rows])
    pieces = torch.ones(len(rows), max(len(row["input_ids"]) for row in rows), dtype=torch.int64)
    return {{"input_ids": pieces, "attention_mask": pieces, "labels": torch.zeros(len(rows), dtype=torch.int64)}}

with ranks.joined():
    rows = Rows.of([3 + i % 7 for i in range(61)], [3], collated)
    arguments = training_arguments(Finetune(batch_size=8, epochs=3), 0, 61, tempfile.mkdtemp())
    set_seed(0)
    config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=9)  # with dropout
    model = BertForSequenceClassification(config)
    Trainer(model, arguments, train_dataset=rows.train, data_collator=rows.collator).train()
    everyone = ranks.from_all(seen)
    if ranks.is_first():
        print("SEEN", json.dumps(everyone))
"""


def test_two_ranks_share_every_training_batch_and_see_every_row_in_every_epoch(folder):
    script = folder / "sees_rows.py"
    script.write_text(SEES_ROWS.format(project=str(PROJECT)))
    done = launched(folder, 2, script)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("SEEN"))[5:])
    orders = []
    for epoch in (slice(0, 8), slice(8, 16), slice(16, 24)):
        first, second = (of_rank[epoch] for of_rank in seen)
        assert [len(batch) for batch in first[:-1]] == [4] * 7
        rows = [row for batch in (*first, *second) for row in batch]
        assert set(rows) == set(range(61))
        assert len(rows) <= 64  # the last update is filled up to a whole batch, as DistributedSampler does
        orders.append(rows)
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize(("variable", "value"), [("WORLD_SIZE", "abc"), ("WORLD_SIZE", "0"), ("RANK", "x")])
def test_a_variable_of_a_launcher_that_is_no_number_is_one_message(tmp_path, variable, value):
    command = [sys.executable, str(PROJECT / "run_all.py"), "--tasks", "sentiment", "--sample", "--dry-run"]
    environment = {**os.environ, variable: value}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{variable}={value!r}: expected a whole number from ")
    assert len(done.stderr.splitlines()) == 1


def test_a_batch_that_the_ranks_cannot_share_is_refused_before_training(folder, tmp_path):
    done = launched(
        folder, 2, PROJECT / "run_all.py", *RUN, "--set", "recipe.batch_size=7", "--results-dir", str(tmp_path / "r")
    )
    assert done.returncode != 0
    assert done.stderr.count("7 rows can't be shared evenly by 2 ranks") == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "examples" / "accelerate").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_example_configuration_is_one_that_accelerate_knows(path):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    assert config.num_processes >= 1
    assert f"--config_file examples/accelerate/{path.name}" in (PROJECT / "docs" / "launching.md").read_text()
