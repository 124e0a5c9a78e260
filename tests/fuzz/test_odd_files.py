"""What lies in the place of a file and is none (a pipe, a folder, a link to itself, a device) is told at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import kept
import pytest
from bad import accepted_or_told
from test_bad_checkpoints import CONFIG, WEIGHTS, as_json, look
from test_bad_declarations import use_claims
from test_bad_new_task import CONTENTS, new_task
from test_bad_rows import VALID, declared

from benchmarks import excerpts, leaderboard, leaks, lock
from benchmarks.cli import main
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_systems, load_task
from benchmarks.lock import Lock

NAME = "n" * 300


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def itself(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("nothing")


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def closed(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is closed to root")
    path.write_bytes(b"{}")
    path.chmod(0)


def empty(path: Path) -> None:
    path.write_bytes(b"")


ODD = [pipe, folder, itself, nowhere, zeros, closed, empty]
odd_files = pytest.mark.parametrize("odd", ODD, ids=lambda make: make.__name__)


@pytest.mark.parametrize("use", [load_task, load_systems, use_claims, lock.read], ids=lambda use: use.__name__)
@odd_files
def test_no_declaration(tmp_path, odd, use):
    odd(tmp_path / "some.yaml")
    accepted_or_told(lambda: use(tmp_path / "some.yaml"))


@pytest.mark.parametrize("form", VALID)
@odd_files
def test_no_file_of_rows(tmp_path, odd, form):
    (tmp_path / "mine").mkdir()
    odd(tmp_path / "mine" / "data")
    task = load_task(declared(tmp_path, form, {}))
    assert accepted_or_told(lambda: load(task, origin_of(task, tmp_path, {}), tmp_path / "tables", Lock())) is None


@odd_files
def test_no_table_in_the_cache(tmp_path, odd):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data").write_bytes(VALID["csv"])
    task = load_task(declared(tmp_path, "csv", {}))
    load(task, origin_of(task, tmp_path, {}), tmp_path / "tables", Lock())
    (table,) = (tmp_path / "tables").glob("*.arrow")
    table.unlink()
    odd(table)
    accepted_or_told(lambda: load(task, origin_of(task, tmp_path, {}), tmp_path / "tables", Lock()))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"])
@odd_files
def test_no_file_of_a_checkpoint(tmp_path, odd, name):
    for own, content in {"config.json": as_json(CONFIG), "model.safetensors": WEIGHTS, "tokenizer.json": b"{}"}.items():
        if own != name:
            (tmp_path / own).write_bytes(content)
    odd(tmp_path / name)
    accepted_or_told(lambda: look(tmp_path))


@pytest.mark.parametrize("name", sorted(CONTENTS))
@odd_files
def test_no_file_for_new_task(tmp_path, odd, name):
    (tmp_path / "data").mkdir()
    odd(tmp_path / "data" / name)
    assert accepted_or_told(lambda: new_task(tmp_path, f"data/{name}"))
    assert not (tmp_path / "mine.yaml").exists()


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> kept.Kept:
    own = kept.Kept(tmp_path_factory.mktemp("stored"))
    for system in ("majority", "other"):
        own.run(system, own.gold)
    leaderboard.write(own.results)
    return own


def everything(results: Path) -> None:
    for verb in ("leaderboard", "claims", "report"):
        assert main([verb, "--results-dir", str(results)]) in (0, 2)


@pytest.mark.parametrize("pattern", ["runs/*/other/*.json", "runs/*/other/*.parquet", ".cache/*.npz", "findings.md"])
@odd_files
def test_no_file_of_the_results(tmp_path, stored, odd, pattern):
    shutil.copytree(stored.results, tmp_path / "results")
    found = next((tmp_path / "results").glob(pattern), tmp_path / "results" / "findings.md")
    found.unlink(missing_ok=True)
    odd(found)
    accepted_or_told(lambda: everything(tmp_path / "results"))


@pytest.mark.parametrize("read", [excerpts.read, leaks.read], ids=["excerpts", "leaks"])
@odd_files
def test_no_file_that_can_be_made_anew(tmp_path, odd, read: Callable[[Path], object]):
    odd(tmp_path / "some")
    accepted_or_told(lambda: read(tmp_path / "some"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", f"{NAME}.yaml"], ["validate", "--data-dir", NAME], ["validate", "--claims", NAME],
        ["leaderboard", "--results-dir", NAME], ["claims", "--results-dir", NAME], ["report", "--results-dir", NAME],
        ["describe", f"a/{NAME}"], ["describe", f"{NAME}.yaml"], ["new-task", f"{NAME}.csv"], ["new-task", f"a/{NAME}"],
        ["compare", "a", "b", "--task", NAME], ["export", "--format", "csv", "--results-dir", "file"],
        ["leaderboard", "--results-dir", "file"], ["report", "--results-dir", "file"],
        ["run", "--tasks", f"{NAME}.yaml", "--dry-run"], ["run", "--systems", f"./{NAME}", "--dry-run", "--sample"],
        ["run", "--systems", "~nobody/x/y", "--dry-run", "--sample"], ["validate", "a\0b.yaml"],
        ["run", "--set", "recipe.epochs=" + "[" * 5000, "--dry-run", "--sample"],
    ],
    ids=lambda own: " ".join(own)[:40].replace("\0", "0"),
)  # fmt: skip
def test_an_odd_argument_of_the_command_is_told(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "file").write_text("")
    try:
        code = accepted_or_told(lambda: main(arguments))
    except SystemExit as error:  # argparse's
        code = error.code
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err
