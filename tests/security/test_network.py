"""Downloads come over TLS alone, are what they are named, and bring no more than is needed."""

from __future__ import annotations

import contextlib
import hashlib
import json

import fake_hub
import pytest

from benchmarks import encoders, snapshots
from benchmarks.errors import UserError
from benchmarks.lock import Locked, Repo

REPO = Repo("encoder", "org/enc")
PASSWORD = "hunter2-hunter2"


@pytest.fixture
def files(honest) -> dict[str, bytes]:
    return fake_hub.folder_files(honest)


def fetched(commit: str, locked: Locked | None = None):
    return encoders.snapshot("org/enc", commit, locked)


@pytest.mark.parametrize("address", ["http://hub.example", "http://10.0.0.1:80", "http://127.0.0.1.evil.example",
                                     "http://localhost.evil.example", "ftp://hub.example", "http://[::2]"])  # fmt: skip
def test_a_hub_without_tls_is_asked_nothing(monkeypatch, tmp_path, address):
    fake_hub.point_client_at(monkeypatch, address, tmp_path / "hf")
    with pytest.raises(UserError, match=r"is not encrypted; expected https \(HF_ENDPOINT\)"):
        snapshots.newest_commits([REPO])
    with pytest.raises(UserError, match="is not encrypted; expected https"):
        fetched("0" * 40)


@pytest.mark.parametrize(
    "address", ["https://hub.example", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]
)
def test_tls_and_this_very_machine_may_be_asked(address):
    snapshots._check_address(address)


def test_the_setting_of_the_environment_is_refused_with_one_message(tmp_path):
    done = fake_hub.command(tmp_path, "http://hub.example", "fetch", "--tasks", "sst2", "--systems", "bert-base")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "http://hub.example is not encrypted; expected https (HF_ENDPOINT)" in done.stderr


def test_a_hub_that_leads_to_an_address_without_tls_is_not_followed(hub, files, monkeypatch):
    commit = hub.add("models", "org/enc", files)
    answer = hub.answer
    elsewhere = {"Location": "http://elsewhere.example/model.safetensors"}

    def leads_away(path: str) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(path)
        return (302, {**headers, **elsewhere}, b"") if path.endswith("model.safetensors") else (status, headers, body)

    monkeypatch.setattr(hub, "answer", leads_away)
    with pytest.raises(UserError, match=r"http://elsewhere\.example is not encrypted"):
        fetched(commit)


@pytest.fixture
def named_by_sha256(hub, monkeypatch):
    """The Hub names large files by their sha256, as the real one does; gives what it says of another file."""
    answer, said = hub.answer, {}

    def named(path: str) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(path)
        name = path.rpartition("/")[2]
        if "resolve" in path and name.endswith(".safetensors"):
            headers = {**headers, "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        return status, headers, said.get(name, body)

    monkeypatch.setattr(hub, "answer", named)
    return said


def test_weights_that_are_not_what_the_hub_names_are_thrown_away(hub, files, named_by_sha256):
    commit = hub.add("models", "org/enc", files)
    weights = files["model.safetensors"]
    named_by_sha256["model.safetensors"] = weights[:-1] + bytes([weights[-1] ^ 1])
    with pytest.raises(UserError, match=r"model\.safetensors: not the file that the Hub names: sha256 [0-9a-f]{64}"):
        fetched(commit)
    named_by_sha256.clear()
    assert (fetched(commit).folder / "model.safetensors").read_bytes() == weights


def test_a_file_with_another_checksum_than_the_locked_one_is_refused(hub, files):
    commit = hub.add("models", "org/enc", files)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert fetched(commit, Locked(commit=commit, files=digests))
    with pytest.raises(UserError, match=r"config\.json: not the locked file: sha256 .*, expected a{64}"):
        fetched(commit, Locked(commit=commit, files={**digests, "config.json": "a" * 64}))


def test_of_a_checkpoint_on_the_hub_comes_neither_code_nor_pickle_nor_adapter(hub, files, mark):
    bad = {"evil.py": mark.code.encode(), "pytorch_model.bin": mark.pickled, "training_args.bin": mark.pickled,
           "modules.json": json.dumps([{"type": "evil.Module", "path": ""}]).encode(), "optimizer.pt": mark.pickled,
           "adapter_config.json": b"{}", "1_Dense/pytorch_model.bin": mark.pickled}  # fmt: skip
    commit = hub.add("models", "org/enc", {**files, **bad})
    folder = fetched(commit).folder
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == set(files)


@pytest.mark.parametrize("name", ["../../evil", "org/..", "/etc/passwd", "org/a/../../b", "https://evil.example/x"])
def test_a_name_on_the_hub_leads_to_no_other_place(hub, name, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="can't be fetched from the Hub"):
        snapshots.newest_commits([Repo("encoder", name)])
    with pytest.raises(UserError, match="can't be fetched from the Hub"):
        snapshots.commits_of([Repo("dataset", name)], ask_hub=False)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["../../../evil.safetensors", "/tmp/evil.safetensors", "..\\evil.safetensors"])
def test_a_file_on_the_hub_whose_name_leads_out_of_its_folder_is_not_written_there(hub, files, tmp_path, name):
    commit = hub.add("models", "org/enc", {**files, name: b"evil"})
    before = {path for path in tmp_path.rglob("*") if "hf" not in path.parts}
    with contextlib.suppress(UserError):
        fetched(commit)
    assert {path for path in tmp_path.rglob("*") if "hf" not in path.parts} == before
    assert not [path for path in (tmp_path / "hf").rglob("evil*") if "snapshots" not in path.parts]


def test_no_message_of_the_hub_holds_a_password_or_a_token(tmp_path):
    with fake_hub.serving() as hub:
        address = hub.url.replace("://", f"://me:{PASSWORD}@")
        secret = {"HF_TOKEN": f"hf_{PASSWORD}", "HF_TOKEN_PATH": str(tmp_path / "none")}
        for command in (["fetch", "--tasks", "sst2"], ["run", "--tasks", "sst2", "--systems", "bert-base"]):
            done = fake_hub.command(tmp_path, address, *command, **secret)
            assert done.returncode == 2 and hub.url.partition("//")[2] in done.stderr
            assert PASSWORD not in done.stdout + done.stderr
