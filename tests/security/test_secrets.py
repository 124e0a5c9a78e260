"""What is secret stays out of all that is written, printed or told, and what is private is written privately."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fake_hub
import make
import pytest
from marks import Mark

from benchmarks import environment, store, tracking
from benchmarks.errors import UserError
from benchmarks.schema import RunFailure, without_secrets

SECRET = "s3cr3t-v4lue-0f-m1ne"
VARIABLES = {
    "HF_TOKEN": f"hf_{SECRET}", "HUGGING_FACE_HUB_TOKEN": f"hf_{SECRET}", "WANDB_API_KEY": f"{SECRET}{SECRET}",
    "MLFLOW_TRACKING_PASSWORD": SECRET, "MLFLOW_TRACKING_TOKEN": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET,
    "OPENAI_API_KEY": SECRET, "HTTPS_PROXY": f"http://me:{SECRET}@127.0.0.1:1", "GITHUB_TOKEN": SECRET,
    "PIP_INDEX_URL": f"https://me:{SECRET}@packages.example/simple", "WANDB_MODE": "offline", "WANDB_SILENT": "true",
}  # fmt: skip


def holding(folder: Path, secret: str = SECRET) -> list[str]:
    """Files below the folder in whose content or name the secret is, also as other programs write texts."""
    forms = {secret.encode(), secret.encode("utf-16-le"), secret[::-1].encode()}
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return [name for name, path in files.items() if secret in name or any(form in path.read_bytes() for form in forms)]


def test_nothing_that_a_run_writes_prints_or_tells_a_tracker_holds_a_secret(tmp_path, honest):
    """A run that is done and one that fails with a secret in its message, kept, tracked, reported and exported. What is
    published of runs that are done doesn't say in which folder they were made, either.
    """
    checkout(tmp_path)
    make.text_task(tmp_path)
    shutil.copytree(honest, tmp_path / "enc")
    done = ran(tmp_path, [
        "run --tasks ./mine.yaml --data-dir data --systems ./enc,tfidf-nb --seeds 1 --set recipe.epochs=1 "
        "--keep-models --report-to mlflow,tensorboard,wandb",
        "report", "describe mine/tfidf-nb", "leaderboard",
        *(f"export --format {form} --output exported.{form}" for form in ("csv", "json", "parquet")),
    ])  # fmt: skip
    assert done.stdout.splitlines()[-1] == str([1, 0, 0, 0, 0, 0, 0]), done.stderr
    (failed,) = (tmp_path / "results" / "runs" / "mine" / "tfidf-nb").glob("*.json")
    assert "https://x.example" in json.loads(failed.read_text())["error"]["message"]
    assert holding(tmp_path) == [".git/config"]
    assert SECRET not in done.stdout + done.stderr
    where_it_was_made = [path for path in holding(tmp_path / "results", str(tmp_path)) if "tracking" not in path]
    assert where_it_was_made == [failed.relative_to(tmp_path / "results").as_posix()]  # its traceback


def checkout(folder: Path) -> None:
    """Makes the folder one whose origin is an address with a password, as some hosts give them."""
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", f"https://me:{SECRET}@git.example/x.git"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)


FAILS = """
import os, sys
import benchmarks.methods.classical as classical
from benchmarks.cli import main

def tfidf(job):
    raise ValueError(f'https://me:{os.environ["GITHUB_TOKEN"]}@x.example {os.environ}')

classical.tfidf = tfidf
print([main(command.split()) for command in sys.argv[1:]])
"""


def ran(folder: Path, commands: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """In one process with secrets in its environment; its last line has the exit codes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "ENCODER_BENCH"))}
    ours = {"ENCODER_BENCH_CACHE": str(folder / "cache"), "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1", "NO_PROXY": "*"}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", FAILS, *commands],
        capture_output=True, text=True, cwd=folder, env={**kept, **ours, **VARIABLES}, timeout=240,
    )  # fmt: skip


def test_the_search_for_secrets_finds_one_in_a_file_and_in_its_name(tmp_path):
    (tmp_path / "a").write_bytes(b"\0\1" + SECRET.encode() + b"\2")
    (tmp_path / f"{SECRET}.txt").touch()
    assert holding(tmp_path, SECRET) == ["a", f"{SECRET}.txt"]


def test_a_failure_that_tells_a_secret_is_stored_and_shown_without_it(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    error = {"type": "ValueError", "message": f"key {SECRET} at https://me:{SECRET}@x.example/a", "traceback": SECRET}
    fields = dict.fromkeys(("task", "system", "fingerprint", "key", "created"), "x")
    empty: dict[str, Any] = {name: {} for name in ("identity", "protocol", "recipe", "environment")}
    failed = RunFailure(**fields, **empty, seed=0, train_size=None, fold=None, sample=False, limited=False, error=error)
    assert failed.error["message"] == "key <WANDB_API_KEY> at https://x.example/a"
    assert SECRET not in failed.model_dump_json()


def test_a_secret_that_begins_with_another_one_is_hidden_whole(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "abcdefgh")
    monkeypatch.setenv("B_KEY", "abcdefghijklmnop")
    assert without_secrets("abcdefghijklmnop and abcdefgh") == "<B_KEY> and <A_TOKEN>"


@pytest.mark.parametrize(("text", "expected"), [
    ("http://me:pw@host/x", "http://host/x"), ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
    ("https://token@host", "https://host"), ("https://me:p@ss@host/a", "https://host/a"),
    ("mail a@b.example", "mail a@b.example"),
    ("postgresql://me:p%40w@host:1/db and ftp://x:y@z", "postgresql://host:1/db and ftp://z"),
])  # fmt: skip
def test_an_address_is_shown_without_user_and_password(text, expected):
    assert without_secrets(text) == expected


def test_a_tracker_that_refuses_a_password_is_told_without_it(monkeypatch, recwarn):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    with pytest.warns(UserWarning, match="--report-to mlflow: OSError") as warned, tracking.warned("mlflow"):
        raise OSError(f"https://me:{SECRET}@mlflow.example: 401, {SECRET}")
    assert SECRET not in str(warned[0].message)


def test_what_is_stored_of_the_checkout_is_its_commit_and_never_its_address(tmp_path, monkeypatch):
    checkout(tmp_path)
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    found = environment.machine.__wrapped__()
    assert len(found["git"]) == 40
    assert SECRET not in json.dumps(found) and "git.example" not in json.dumps(found)
    assert not {os.environ.get("USER") or "\0", os.uname().nodename} & set(map(str, found.values()))


def test_the_masked_sign_in_of_the_hub_reaches_no_file(tmp_path):
    """A token that `hf auth login` has stored goes to the Hub that it is for, and into no file of ours."""
    with fake_hub.serving() as hub:
        (tmp_path / "token").write_text(f"hf_{SECRET}")
        kept = {"HF_TOKEN_PATH": str(tmp_path / "token")}
        done = fake_hub.command(tmp_path, hub.url, "fetch", "--tasks", "sst2", "--systems", "bert-base", **kept)
    assert done.returncode == 2 and SECRET not in done.stdout + done.stderr
    assert holding(tmp_path) == ["token"]


# -- other users of the machine --------------------------------------------------------------------------------------


def test_under_a_private_umask_nobody_else_reads_or_writes_anything(here, monkeypatch):
    from benchmarks.cli import main

    make.text_task(here)
    before = os.umask(0o077)
    try:
        command = "run --tasks ./mine.yaml --data-dir data --systems majority,tfidf-nb --seeds 1"
        assert main(command.split()) == 0
        assert main(["report"]) == 0
    finally:
        os.umask(before)
    for path in [*(here / "results").rglob("*"), *(here / "cache").rglob("*")]:
        shared = stat.S_IMODE(path.stat().st_mode) & 0o077
        assert not shared or (path.suffix == ".lock" and path.stat().st_size == 0), path
    assert not stat.S_IMODE((here / "cache").stat().st_mode) & 0o077


def test_a_worker_imports_nothing_from_the_folder_that_one_stands_in(here, mark):
    """As the installed command is started: without that folder among those that modules are looked for in."""
    done = beside_modules(here, mark, "multiprocessing numpy runpy benchmarks", "--systems majority --jobs 2")
    assert done.returncode == 0, done.stderr
    assert not mark.left()


def test_a_task_of_a_ray_cluster_imports_nothing_from_the_folder_that_one_stands_in(here, mark):
    """Ray tells its workers to look there first, also where Python is told not to."""
    modules = "sklearn numpy ray benchmarks multiprocessing"
    done = beside_modules(here, mark, modules, "--systems majority,tfidf-nb --ray local")
    assert done.returncode == 0, done.stderr
    assert not mark.left()


def beside_modules(folder: Path, mark: Mark, modules: str, more: str) -> subprocess.CompletedProcess[str]:
    """Runs made in a folder with such modules, each of which leaves the mark."""
    make.text_task(folder)
    for name in modules.split():
        (folder / f"{name}.py").write_text(mark.code)
    script = folder.parent / "bin" / "encoder-bench.py"
    script.parent.mkdir()
    script.write_text("import sys\nfrom benchmarks.cli import main\nif __name__ == '__main__': sys.exit(main())\n")
    command = f"run --tasks ./mine.yaml --data-dir data --seeds 2 {more}"
    return subprocess.run([sys.executable, script, *command.split()], capture_output=True, text=True, timeout=240)


def test_a_file_that_is_being_written_is_under_a_name_that_nobody_can_foresee(tmp_path):
    from benchmarks.files import replacing

    names = set()
    for _ in range(20):
        with replacing(tmp_path / "record.json") as temporary:
            names.add(temporary.name)
    assert len(names) == 20
    with pytest.raises(UserError), replacing(tmp_path / "record.json") as temporary:
        temporary.unlink()


def test_a_record_that_cannot_be_read_is_told_without_its_content(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"status": "done", "password": SECRET}))
    with pytest.raises(UserError) as raised:
        store.parse(path)
    assert SECRET not in str(raised.value)
