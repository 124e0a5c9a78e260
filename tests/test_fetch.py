"""Encoders and data from the Hub: fetched, locked, verified, and used offline at the locked commit."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import fake_hub
import make
import pytest
import tiny
from fake_hub import command

from benchmarks import lock
from benchmarks.cli import main
from benchmarks.cli.fetch import _locked
from benchmarks.lock import Lock, Locked, Repo
from benchmarks.snapshots import Snapshot

MODEL, DATA = "org/tiny-bert", "org/tiny-reviews"
RUN = ["run", "--tasks", "./mine.yaml", "--seeds", "1", "--set", "recipe.epochs=1"]
RUN_REVIEWS = ["run", "--tasks", "./reviews.yaml", "--seeds", "1"]
OFFLINE = {"HF_HUB_OFFLINE": "1"}

HUB_TASK = """\
title: Reviews
group: mine
language: en
type: text-classification
metric: accuracy
labels: [negative, positive]
positive: positive
max_length: 32
splits: {train: train, test: test}
hub:
  path: org/tiny-reviews
  config: plain
  parts: {train: train, test: validation}
  columns: {text: sentence, label: label}
"""


@pytest.fixture(scope="session")
def bert(tmp_path_factory) -> dict[str, bytes]:
    return fake_hub.folder_files(tiny.checkpoint(tmp_path_factory.mktemp("bert")))


@pytest.fixture
def hub():
    with fake_hub.serving() as serving:
        yield serving


@pytest.fixture
def here(tmp_path) -> Path:
    make.text_task(tmp_path)
    (tmp_path / "reviews.yaml").write_text(HUB_TASK)
    return tmp_path


def reviews(rows: int = 40) -> dict[str, bytes]:
    """Two configurations, one file a split; the other one's files are none of our task's business."""
    columns = {
        "sentence": [f"{('bad', 'good')[i % 2]} film {i}" for i in range(rows)],
        "label": [i % 2 for i in range(rows)],
    }
    table = fake_hub.parquet(columns, {"label": ["negative", "positive"]})
    configs = {name: {split: f"{name}/{split}-*" for split in ("train", "validation")} for name in ("other", "plain")}
    names = [f"{name}/{split}-00000-of-00001.parquet" for name, splits in configs.items() for split in splits]
    return {"README.md": fake_hub.card(configs), **dict.fromkeys(names, table), "load.py": b"raise SystemExit('ran')"}


def locked(folder: Path) -> dict:
    return json.loads((folder / "encoder-bench.lock").read_text())


def records(folder: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((folder / "results").glob("runs/*/*/*.json"))]


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def move_main(folder: Path, commit: str) -> None:
    """As another program does that looked for the newest commit: the lock comes before the cache's 'main'."""
    [ref] = (folder / "hf" / "hub").glob("*/refs/main")
    ref.write_text(commit)


def refused(done, *said: str) -> None:
    """Ended by exit code 2 with one message."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


# -- fetch -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "terminal", "given", "disabled"),
    [
        ("fetch", True, None, None), ("fetch", True, "1", "1"), ("fetch", True, "0", "0"),
        ("fetch", False, None, "1"), ("fetch", False, "0", "0"), ("run", True, None, "1"),
    ],
)  # fmt: skip
def test_fetch_on_a_terminal_shows_how_far_a_download_is_unless_the_user_says_otherwise(
    tmp_path, monkeypatch, verb, terminal, given, disabled
):
    name = "HF_HUB_DISABLE_PROGRESS_BARS"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "restored afterwards")
    monkeypatch.delenv(name)
    if given:
        monkeypatch.setenv(name, given)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert main([verb]) == 2  # nothing is named
    assert os.environ.get(name) == disabled


def test_fetch_locks_the_commit_and_the_checksum_of_every_file_of_encoder_and_data(here, hub, bert):
    encoder, data = hub.add("models", MODEL, bert), hub.add("datasets", DATA, reviews())
    done = command(here, hub.url, "fetch", "--tasks", "./reviews.yaml", "--systems", MODEL)
    assert done.returncode == 0, done.stderr
    assert locked(here)["encoders"] == {MODEL: {"commit": encoder, "files": digests(bert)}}
    wanted = {name: content for name, content in reviews().items() if name.startswith(("README", "plain/"))}
    assert locked(here)["datasets"] == {DATA: {"commit": data, "files": digests(wanted)}}
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert MODEL in lines[0] and encoder[:12] in lines[0] and "MB" in lines[0]
    assert DATA in lines[1] and data[:12] in lines[1] and "reviews" in lines[1]
    assert not [request for request in hub.requests if "load.py" in request or "other/" in request]


def test_fetch_says_what_is_local_and_asks_the_hub_nothing(here, hub):
    done = command(
        here, hub.url, "fetch", "--tasks", "./mine.yaml", "--systems", "minilm,majority", "--data-dir", "data"
    )
    assert done.returncode == 0, done.stderr
    assert [line.split(": local: ")[0] for line in done.stdout.splitlines()] == [
        "encoder sentence-transformers/all-MiniLM-L6-v2", "data mine"
    ]  # fmt: skip
    assert hub.requests == []


def test_fetching_again_keeps_other_entries_and_the_locked_commit_until_update(here, hub, bert):
    first = hub.add("models", MODEL, bert)
    command(here, hub.url, "fetch", "--systems", MODEL)
    second = hub.add("models", MODEL, {**bert, "README.md": b"new"})
    other = hub.add("models", "org/other", bert)
    command(here, hub.url, "fetch", "--systems", f"org/other,{MODEL}")
    assert {name: entry["commit"] for name, entry in locked(here)["encoders"].items()} == {
        MODEL: first, "org/other": other
    }  # fmt: skip
    command(here, hub.url, "fetch", "--systems", MODEL, "--update")
    assert {name: entry["commit"] for name, entry in locked(here)["encoders"].items()} == {
        MODEL: second, "org/other": other
    }  # fmt: skip


def test_a_commit_that_somebody_wrote_into_the_lock_is_fetched_and_gets_its_checksums(here, hub, bert):
    """As docs/how-to.md has it."""
    text = (Path(__file__).parent.parent / "docs" / "how-to.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```json\n(.*?)^```", text, re.S | re.M)
    old = hub.add("models", MODEL, bert)
    hub.add("models", MODEL, {**bert, "README.md": b"new"})
    written = shown.replace("org/name", MODEL).replace("0123456789abcdef0123456789abcdef01234567", old)
    (here / "encoder-bench.lock").write_text(written)
    assert command(here, hub.url, "fetch", "--systems", MODEL).returncode == 0
    assert locked(here)["encoders"] == {MODEL: {"commit": old, "files": digests(bert)}}


def test_fetches_side_by_side_lose_no_entry_of_the_lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    names = [f"org/{number}" for number in range(8)]
    lock.write(Lock(encoders={name: Locked(commit="a" * 40, files={}) for name in names}))
    fetched = Barrier(len(names))

    def get(commit: str, entry: Locked | None) -> Snapshot:
        fetched.wait(timeout=60)
        return Snapshot(tmp_path, ("config.json",))

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: _locked(Repo("encoder", name), False, get), names))
    assert {name: list(entry["files"]) for name, entry in locked(tmp_path)["encoders"].items()} == {
        name: ["config.json"] for name in names
    }
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", lock.NAME}


def test_what_cannot_be_fetched_is_told_together_and_the_rest_is_locked(here, hub, bert):
    commit = hub.add("models", MODEL, bert)
    done = command(here, hub.url, "fetch", "--tasks", "./reviews.yaml", "--systems", f"org/none,{MODEL}")
    refused(done, "2 could not be fetched", "encoder 'org/none'", f"dataset '{DATA}'", "--data-dir", "encoder=minilm")
    assert {name: entry["commit"] for name, entry in locked(here)["encoders"].items()} == {MODEL: commit}


def test_a_checkpoint_with_only_torchs_own_weights_is_fetched_with_them_and_locked(here, hub, bert):
    files = {name.replace("model.safetensors", "pytorch_model.bin"): data for name, data in bert.items()}
    hub.add("models", "org/old", files)
    hub.add("models", "org/both", {**bert, "pytorch_model.bin": b"not needed", "tf_model.h5": b"nor this"})
    for _ in range(2):  # the second time from the cache
        assert command(here, hub.url, "fetch", "--systems", "org/old,org/both").returncode == 0
        assert set(locked(here)["encoders"]["org/old"]["files"]) == set(files)
        assert set(locked(here)["encoders"]["org/both"]["files"]) == set(bert)


# -- run -------------------------------------------------------------------------------------------------------------


def test_a_locked_data_set_stays_at_its_commit_though_the_hub_has_a_newer_one_and_needs_no_request(here, hub):
    commit = hub.add("datasets", DATA, reviews())
    assert command(here, hub.url, "fetch", "--tasks", "./reviews.yaml", "--systems", "majority").returncode == 0
    move_main(here, hub.add("datasets", DATA, reviews(rows=10)))
    asked = len(hub.requests)
    done = command(here, hub.url, *RUN_REVIEWS, "--systems", "majority")
    assert done.returncode == 0, done.stderr
    assert len(hub.requests) == asked
    [record] = records(here)
    assert record["identity"]["data"]["commit"] == record["data"]["revision"] == commit
    assert record["data"]["rows"] == {"train": 40, "test": 40}


def test_offline_a_fetched_encoder_is_used_at_its_locked_commit_with_the_server_gone(here, bert):
    with fake_hub.serving() as hub:
        commit = hub.add("models", MODEL, bert)
        assert command(here, hub.url, "fetch", "--systems", MODEL).returncode == 0
        move_main(here, hub.add("models", MODEL, {**bert, "config.json": b"{}"}))
    done = command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data", **OFFLINE)
    assert done.returncode == 0, done.stderr
    assert [record["identity"]["encoder"] for record in records(here)] == [{"hub": MODEL, "commit": commit}]


def test_without_a_lock_the_commit_is_known_before_the_run_and_the_next_command_finds_it_stored(here, bert):
    with fake_hub.serving() as hub:
        commit = hub.add("models", MODEL, bert)
        dry = command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data", "--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert "commit not known yet (resolved at download), so stored runs of it can't be recognised" in dry.stdout
        assert hub.requests == []
        assert command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data").returncode == 0
        hub.add("models", MODEL, {**bert, "README.md": b"new"})
        again = command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data")
    offline = command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data")
    assert [record["identity"]["encoder"] for record in records(here)] == [{"hub": MODEL, "commit": commit}]
    assert again.returncode == offline.returncode == 0, again.stderr + offline.stderr
    assert not (here / "encoder-bench.lock").exists()


@pytest.mark.parametrize("name", ["tokenizer.json", "train-00000-of-00001.parquet"])
def test_a_tampered_file_in_the_cache_is_caught_by_run_and_by_fetch(here, hub, bert, name):
    hub.add("models", MODEL, bert)
    hub.add("datasets", DATA, reviews())
    plan = ["--tasks", "./reviews.yaml", "--systems", f"majority,{MODEL}"]
    command(here, hub.url, "fetch", *plan)
    # Our own table of the data is made by now: it must not hide that the file behind it is another one.
    assert command(here, hub.url, "run", "--tasks", "./reviews.yaml", "--systems", "majority").returncode == 0
    before = records(here)
    [file] = (here / "hf" / "hub").glob(f"*/snapshots/*/**/{name}")
    true = file.read_bytes()
    file.write_bytes(true + b" ")
    said = [name, hashlib.sha256(true + b" ").hexdigest(), hashlib.sha256(true).hexdigest(), "encoder-bench.lock"]
    refused(command(here, hub.url, "run", *plan, **OFFLINE), *said)
    refused(command(here, hub.url, "fetch", *plan), *said)
    assert records(here) == before
    if name.endswith(".parquet"):
        refused(command(here, hub.url, "validate", "./reviews.yaml", "--data-dir", "data", **OFFLINE), *said)


# -- what can't be had -----------------------------------------------------------------------------------------------


def test_encoders_and_data_that_are_not_on_the_hub_are_told_in_one_message_before_any_training(here, hub):
    done = command(here, hub.url, *RUN_REVIEWS, "--systems", "org/none,org/neither")
    refused(done, "'org/none'", "'org/neither'", f"'{DATA}'", "has no such model", "has no such dataset")
    assert not (here / "results").exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_an_unreachable_hub_is_told_within_seconds_locked_or_not(here, url):
    entry = {"commit": "a" * 40, "files": {}}
    for content in ({}, {"encoders": {MODEL: entry}}):
        (here / "encoder-bench.lock").write_text(json.dumps(content))
        started = time.monotonic()
        done = command(here, url, *RUN, "--systems", MODEL, "--data-dir", "data")
        refused(done, f"encoder '{MODEL}'", url, "--set encoder=minilm")
        assert len(done.stderr.splitlines()) == 2, done.stderr
        assert time.monotonic() - started < 20  # the client's own tries alone take 24 s
    assert not (here / "results").exists()


def test_a_hub_that_never_answers_is_given_up_within_seconds(here):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        done = command(here, url, *RUN_REVIEWS, "--systems", "org/a,org/b,org/c")
    refused(done, "'org/a'", "'org/b'", "'org/c'", DATA)
    assert time.monotonic() - started < 20


def test_offline_without_a_cache_the_message_names_the_cache_and_the_setting(here, hub, bert):
    hub.add("models", MODEL, bert)
    done = command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data", **OFFLINE)
    refused(done, "not in the cache", "HF_HUB_OFFLINE")
    assert hub.requests == []


def test_a_commit_that_the_hub_no_longer_has_is_told(here, hub, bert):
    hub.add("models", MODEL, bert)
    lock = {"encoders": {MODEL: {"commit": "c" * 40, "files": {}}}}
    (here / "encoder-bench.lock").write_text(json.dumps(lock))
    refused(command(here, hub.url, "fetch", "--systems", MODEL), "has no such commit")


def test_a_broken_lock_stops_fetch_and_run_before_any_request(here, hub):
    (here / "encoder-bench.lock").write_text("{")
    refused(command(here, hub.url, "fetch", "--systems", MODEL), "encoder-bench.lock:1: not valid JSON")
    refused(command(here, hub.url, *RUN, "--systems", MODEL, "--data-dir", "data"), "encoder-bench.lock:1")
    assert hub.requests == []


def test_a_repository_without_weights_is_no_checkpoint(here, hub, bert):
    hub.add("models", MODEL, {name: data for name, data in bert.items() if name != "model.safetensors"})
    refused(command(here, hub.url, "fetch", "--systems", MODEL), "holds no weights")
    assert not (here / "encoder-bench.lock").exists()
