"""Runs side by side: the same bytes as one after the other, nothing lost with a worker, and nobody left behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import make
import pytest
import tiny
from cores import own_core

from benchmarks.cli import main
from benchmarks.cli.screen import Screen
from benchmarks.definitions import load_systems, load_tasks
from benchmarks.encoders import locate, shape
from benchmarks.execute import pool, shares
from benchmarks.execute.memory import estimate
from benchmarks.execute.shares import Place
from benchmarks.execute.worker import Order, Worker
from benchmarks.recipes import RECIPES

RUN = ["run", "--tasks", "./mine.yaml,./names.yaml", "--data-dir", "data", "--seeds", "2"]
CHEAP = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority,tfidf-nb", "--seeds", "2"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    make.text_task(tmp_path)
    make.tag_task(tmp_path)
    return tmp_path


def stored(results: Path) -> dict[str, dict]:
    found = {path: json.loads(path.read_text()) for path in sorted(results.glob("runs/*/*/*.json"))}
    return {str(path.relative_to(results)): record for path, record in found.items()}


def test_side_by_side_and_one_after_the_other_give_the_same_bytes(here):
    import torch

    torch.set_num_threads(1)
    encoder = tiny.checkpoint(here / "enc", sentences=["bad ending anna lives in berlin"])
    command = [*RUN, "--systems", f"{encoder},tfidf-svm,majority,lstm-word2vec", "--set", "recipe.epochs=1"]
    assert main([*command, "--results-dir", "alone"]) == 0
    assert main([*command, "--results-dir", "abreast", "--jobs", "2"]) == 0
    alone, abreast = stored(here / "alone"), stored(here / "abreast")
    assert len(alone) == 12 and alone.keys() == abreast.keys()
    for path, record in alone.items():
        assert record["metrics"] == abreast[path]["metrics"], path
        predictions = Path(path).with_suffix(".parquet")
        assert (here / "alone" / predictions).read_bytes() == (here / "abreast" / predictions).read_bytes(), path
    trained = [record for record in abreast.values() if record["method"] == "finetune"]
    assert {record["environment"]["threads"] for record in trained} == {1}


def test_a_failed_run_fails_alone_and_its_worker_is_renewed(here, monkeypatch):
    hired = []
    hire = pool.hired
    monkeypatch.setattr(pool, "hired", lambda place, **more: hired.append(place) or hire(place, **more))
    monkeypatch.setattr(shares, "places", lambda jobs, taken: [Place((own_core(),))])
    command = [*CHEAP, "--systems", "majority,features-logreg,sbert-cluster,tfidf-nb", "--jobs", "2"]
    few = ["--set", f"encoder={tiny.checkpoint(here / 'enc')}", "--limit", "1", "--seeds", "1"]
    assert main([*command, *few]) == 1  # one row can't be clustered
    records = stored(here / "results")
    statuses = {record["system"]: record["status"] for record in records.values()}
    assert sorted(statuses.values()).count("failed") == len(hired) - 1 > 0
    assert statuses["majority"] == "done"


def test_the_longest_run_is_begun_first(here, monkeypatch):
    tell, begun = Screen.tell, []

    def told(self, event):
        begun.append(event.spec.protocol.train_size)
        tell(self, event)

    monkeypatch.setattr(Screen, "tell", told)
    monkeypatch.setattr(shares, "places", lambda jobs, taken: [Place((own_core(),))])
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "tfidf-nb", "--seeds", "1"]
    assert main([*command, "--train-sizes", "10,40,20", "--jobs", "2"]) == 0
    assert list(dict.fromkeys(begun)) == [40, 20, 10]


def test_fail_fast_stops_the_others_and_nobody_is_left_behind(here, monkeypatch):
    monkeypatch.setattr(shares, "places", lambda jobs, taken: [Place((own_core(),))] * 2)
    few = ["--set", f"encoder={tiny.checkpoint(here / 'enc')}", "--limit", "1"]
    assert main([*CHEAP, "--systems", "sbert-cluster,majority", *few, "--jobs", "2", "--fail-fast"]) == 1
    assert len(stored(here / "results")) < 4
    assert not multiprocessing.active_children()


def test_an_interruption_ends_every_worker_and_keeps_what_is_stored(here, monkeypatch, capsys):
    tell = Screen.tell

    def interrupting(self, event):
        tell(self, event)
        if event.outcome is not None:
            raise KeyboardInterrupt

    monkeypatch.setattr(Screen, "tell", interrupting)
    assert main([*CHEAP, "--jobs", "2"]) == 130
    assert not multiprocessing.active_children()
    assert "the same command goes on" in capsys.readouterr().out
    kept = len(stored(here / "results"))
    assert 1 <= kept <= 4
    monkeypatch.setattr(Screen, "tell", tell)
    assert main([*CHEAP, "--jobs", "2"]) == 0
    assert len(stored(here / "results")) == 4


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", ""])
def test_a_number_of_jobs_that_is_none_is_refused(here, given, capsys):
    assert main([*CHEAP, "--jobs", given]) == 2
    assert "--jobs" in capsys.readouterr().err
    assert not (here / "results").exists()


def test_under_a_launcher_runs_are_not_made_side_by_side(here, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.ranks.world_size", lambda: 2)
    assert main([*CHEAP, "--jobs", "2"]) == 2
    assert "--jobs" in capsys.readouterr().err


# -- who gets what ---------------------------------------------------------------------------------------------------


GB = 2**30


@pytest.fixture
def machine(monkeypatch):
    def of(cores: int, gpus: int = 0, free: int = 100 * GB) -> None:
        monkeypatch.setattr(shares, "available_cores", lambda: list(range(10, 10 + cores)))
        monkeypatch.setattr(shares, "_gpus", lambda: [str(i) for i in range(gpus)])
        monkeypatch.setattr(shares, "_free_memory", lambda: free)

    return of


def test_cores_are_shared_out_evenly_and_none_twice(machine):
    machine(cores=8)
    found = [place.cores for place in shares.places(3, [GB] * 100)]
    assert sorted(core for share in found for core in share) == list(range(10, 18))
    assert {len(share) for share in found} == {2, 3}


def test_auto_is_one_worker_a_core_and_on_gpus_some_on_each(machine):
    machine(cores=6)
    assert len(shares.places(None, [GB] * 100)) == 6
    machine(cores=64, gpus=2)
    on = [place.gpu for place in shares.places(None, [GB] * 100)]
    assert on.count("0") == on.count("1") == shares.MOST_ON_A_GPU
    machine(cores=4, gpus=2)
    assert [place.gpu for place in shares.places(None, [GB] * 100)] == ["0", "1", "0", "1"]


def test_there_are_no_more_workers_than_runs_and_each_has_a_core(machine):
    machine(cores=2)
    assert len(shares.places(8, [GB] * 3)) == 3
    assert all(len(place.cores) == 1 for place in shares.places(8, [GB] * 8))


def test_there_are_no_more_workers_than_the_memory_holds_of_the_largest_runs(machine):
    machine(cores=8, free=20 * GB)
    assert len(shares.places(8, [8 * GB, 8 * GB, 8 * GB, *[GB] * 50])) == 2
    assert len(shares.places(2, [40 * GB] * 3)) == 1
    machine(cores=8, gpus=1, free=2 * GB)  # on a GPU its own memory counts
    assert len(shares.places(4, [8 * GB] * 8)) == 4


def group(folder: Path, limit: str, version: int = 2) -> None:
    """A memory group that uses 3 GB, one of which is of files that nobody uses any more."""
    folder.mkdir(parents=True, exist_ok=True)
    most, used, unused = shares.SECOND_VERSION if version == 2 else shares.FIRST_VERSION
    (folder / most).write_text(f"{limit}\n")
    (folder / used).write_text(f"{3 * GB}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{unused} {GB}\n")


def test_memory_is_what_the_narrowest_group_around_the_process_has_left(tmp_path):
    """As in a job of a batch system, whose limit is not the root's."""

    def left(told: str) -> list[int]:
        return sorted(shares._left_in_groups(told, tmp_path))

    assert left("0::/\n") == []
    group(tmp_path / "slurm", f"{20 * GB}")
    group(tmp_path / "slurm" / "job", f"{8 * GB}")
    group(tmp_path / "slurm" / "job" / "step", "max")
    assert left("0::/slurm/job/step\n") == [6 * GB, 18 * GB]
    assert left("0::/elsewhere\n") == []
    group(tmp_path, f"{4 * GB}")
    assert left("0::/slurm/job\n") == [2 * GB, 6 * GB, 18 * GB]


def test_memory_of_groups_in_their_first_version_counts_too(tmp_path):
    group(tmp_path / "memory", f"{5 * GB}", version=1)
    group(tmp_path / "memory" / "docker" / "abc", f"{7 * GB}", version=1)
    told = "9:name=systemd:/\n4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n"
    assert sorted(shares._left_in_groups(told, tmp_path)) == [3 * GB, 5 * GB]
    assert list(shares._left_in_groups("5:hugetlb,memory:/unseen\n", tmp_path)) == [3 * GB]


def test_threads_of_a_run_are_its_cores_or_fewer_where_the_user_says_so(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert Place((0, 1, 2)).threads == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert Place((0, 1, 2)).threads == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "16,2")
    assert Place((0, 1, 2)).threads == 3


@pytest.mark.parametrize("given", ["many", "²"])
def test_threads_that_are_no_number_are_refused_before_anything_runs(here, monkeypatch, given, capsys):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert main([*CHEAP, "--jobs", "2"]) == 2
    assert f"OMP_NUM_THREADS: {given!r}" in capsys.readouterr().err
    assert not stored(here / "results")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no process to a core")
def test_a_worker_and_all_its_threads_keep_to_their_cores(here, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    core = shares.available_cores()[-1]
    monkeypatch.setattr(shares, "places", lambda jobs, taken: [Place((core,))])
    seen: list[set[int]] = []
    tell = Screen.tell

    def looking(self, event):
        tell(self, event)
        for child in multiprocessing.active_children():
            for thread in Path(f"/proc/{child.pid}/task").iterdir():
                with suppress(ProcessLookupError):  # it has just ended
                    seen.append(os.sched_getaffinity(int(thread.name)))

    monkeypatch.setattr(Screen, "tell", looking)
    before = os.sched_getaffinity(0)
    assert main([*CHEAP, "--jobs", "2", "--seeds", "1"]) == 0
    assert seen and all(cores == {core} for cores in seen)
    assert os.sched_getaffinity(0) == before and "OMP_NUM_THREADS" not in os.environ


def test_an_idle_worker_that_dies_ends_nothing(here, monkeypatch):
    """One of two is killed when all runs have been handed out, and it has none."""
    monkeypatch.setattr(shares, "places", lambda jobs, taken: [Place((own_core(),))] * 2)
    tell, over = Screen.tell, []

    def killing(self, event):
        tell(self, event)
        if event.outcome is not None and not over:
            over.append(event.spec)
            idle = [one for one in pools[0].workers if one.order and one.order.run.path == event.spec.path]
            os.kill(idle[0].process.pid, signal.SIGKILL)

    pools: list = []
    follow = pool._followed
    monkeypatch.setattr(pool, "_followed", lambda made, *rest: pools.append(made) or follow(made, *rest))
    monkeypatch.setattr(Screen, "tell", killing)
    encoder = tiny.checkpoint(here / "enc")
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", f"majority,{encoder}"]
    assert main([*command, "--seeds", "1", "--jobs", "2"]) == 0
    assert {record["status"] for record in stored(here / "results").values()} == {"done"} and over


class Listening:
    """The pool's end of a connection to a worker that does nothing."""

    def __init__(self) -> None:
        self.got: list = []

    def send(self, order) -> None:
        self.got.append(order.run.path)


def handed_out(taken: dict[str, int], places: list[Place], free: dict[str, int]) -> list[list[str]]:
    """What each worker is given at first; taken: bytes of every run."""
    waiting = [Order(SimpleNamespace(path=path)) for path in taken]  # type: ignore[arg-type]
    workers = [Worker(place, None, Listening(), Path(), ready=True) for place in places]  # type: ignore[arg-type]
    pool._Pool(None, None, taken, waiting, workers, free).hand_out()  # type: ignore[arg-type]
    return [worker.connection.got for worker in workers]  # type: ignore[attr-defined]


def test_a_gpu_takes_as_many_runs_as_its_memory_holds():
    three = [Place((i,), "0") for i in range(3)]
    assert handed_out({"a": 40, "b": 40, "c": 40}, three, {"0": 100}) == [["a"], ["b"], []]
    assert handed_out({"a": 40, "b": 60, "c": 40}, three, {"0": 100}) == [["a"], [], []]  # c doesn't go before b
    two = [Place((0,), "0"), Place((1,), "1")]
    assert handed_out({"a": 40, "b": 60}, two, {"0": 100, "1": 100}) == [["a"], ["b"]]


def test_a_run_that_is_larger_than_a_gpu_is_tried_alone():
    places = [Place((0,), "0"), Place((1,), "0")]
    assert handed_out({"a": 500, "b": 5}, places, {"0": 100}) == [["a"], []]


# -- how much a run takes --------------------------------------------------------------------------------------------


def spec_of(method: str, task: str = "mit-movie", **recipe):
    settings = RECIPES[method](**recipe)
    return SimpleNamespace(recipe=settings, task=load_tasks()[task], tuning=None)


def test_more_rows_longer_rows_and_more_weights_take_more(tmp_path):
    small = tiny.checkpoint(tmp_path / "small")
    one = estimate(spec_of("finetune"), small)
    assert estimate(spec_of("finetune", batch_size=64), small) > one
    assert estimate(spec_of("finetune", max_length=512), small) > one
    assert estimate(spec_of("frozen"), small) < one
    assert estimate(spec_of("tfidf", task="rotten-tomatoes"), None) < one
    tried = SimpleNamespace(space={"batch_size": (16, 64)})
    assert estimate(SimpleNamespace(**{**vars(spec_of("finetune")), "tuning": tried}), small) == estimate(
        spec_of("finetune", batch_size=64), small
    )


def test_a_file_of_vectors_takes_all_its_words_and_numbers(tmp_path):
    (tmp_path / "v.txt").write_text("3000000 300\n")
    of_a_file = spec_of("recurrent-word2vec", vectors=str(tmp_path / "v.txt"))
    more = estimate(of_a_file, None) - estimate(spec_of("recurrent-word2vec"), None)
    assert 3_000_000 * 300 * 4 < more < 5 * GB


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta"])
def test_the_size_of_an_encoder_is_what_its_model_has(tmp_path, family):
    from transformers import AutoModel

    folder = tiny.checkpoint(tmp_path / family, family)
    model = AutoModel.from_pretrained(folder)
    found = shape(folder)
    assert found.layers == model.config.num_hidden_layers and found.width == model.config.hidden_size
    assert found.heads == model.config.num_attention_heads
    assert found.parameters >= sum(weights.numel() for weights in model.parameters())


BEFORE_GIVING_BACK = "seed0_train-all_bf1d26724cc44bc2"
"""Thousands of updates that were made before trainings gave back what they had freed: half of it was holes."""


def test_no_stored_run_took_more_than_was_estimated():
    runs = sorted((Path(__file__).parent.parent / "results" / "runs").glob("*/*/*.json"))
    if not runs:
        pytest.skip("this checkout has no stored runs")
    try:
        encoder = load_systems()["minilm"].encoder
        folder = locate(encoder, {}).folder
    except Exception:
        folder = None
    if folder is None:
        pytest.skip("the bundled encoder is not installed")
    looked, tasks = 0, load_tasks()
    for path in runs:
        record = json.loads(path.read_text())
        mine = (record["identity"]["encoder"] or {}).get("sha256") == encoder.sha256 and record["task"] in tasks
        if mine and record["status"] == "done":
            recipe = RECIPES[record["method"]].model_construct(**record["recipe"])
            spec = SimpleNamespace(recipe=recipe, task=tasks[record["task"]], tuning=None)
            most = (2 if path.stem == BEFORE_GIVING_BACK else 1) * estimate(spec, folder)
            assert record["cost"]["peak_memory_mb"] * 2**20 < most, path
            looked += 1
    assert looked
