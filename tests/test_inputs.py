"""An encoder or a file of vectors that changes between plan and run: no score under the name of another content."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import make
import numpy as np
import pytest
import tiny

from benchmarks import api, tuning
from benchmarks.cli import main
from benchmarks.cli.arguments import parse
from benchmarks.cli.grid import planned
from benchmarks.cli.screen import Screen
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.encoders import check_planned, load_encoder
from benchmarks.errors import UserError
from benchmarks.execute import sent
from benchmarks.files import checksum
from benchmarks.lock import Lock
from benchmarks.plan import Search, recipe_identity
from benchmarks.runner import run
from benchmarks.schema import Encoder

RUN = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--seeds", "2"]
ENCODED = [*RUN, "--systems", "minilm-probe", "--set", "encoder=./enc"]
VECTORS = ["--systems", "lstm-word2vec", "--set", "recipe.vectors=v.txt", "--set", "recipe.epochs=1"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    make.text_task(tmp_path)
    tiny.checkpoint(tmp_path / "enc")
    vectors(tmp_path / "v.txt", seed=0)
    return tmp_path


def vectors(path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    lines = [f"{word} {' '.join(f'{x:.4f}' for x in draw.normal(size=5))}" for word in (*make.GOOD, *make.BAD)]
    path.write_text("\n".join([f"{len(lines)} 5", *lines]) + "\n")


def other_weights(folder: Path) -> None:
    """Of the same size, as those of a training that goes on."""
    import torch

    model = load_encoder(folder)
    torch.nn.init.normal_(next(model.parameters()))
    model.save_pretrained(folder)


def records() -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(Path("results").glob("runs/*/*/*.json"))]


def specs(*command: str) -> list:
    return list(planned(parse([*command]), Lock())[0].runs)


def data_of(spec, here: Path):
    return load(spec.task, origin_of(spec.task, here / "data", {}), here / "tables", Lock())


CHANGES = [
    pytest.param(ENCODED, lambda: other_weights(Path("enc")), "encoder", id="encoder"),
    pytest.param([*RUN, *VECTORS], lambda: vectors(Path("v.txt"), seed=1), "recipe.vectors", id="vectors"),
]


@pytest.mark.parametrize(("command", "change", "told"), CHANGES)
def test_what_changes_between_two_runs_fails_the_second_and_the_same_command_plans_anew(
    here, monkeypatch, capsys, command, change, told
):
    tell, over = Screen.tell, []

    def changing(self, event):
        tell(self, event)
        if event.outcome is not None and not over:
            over.append(change())

    with monkeypatch.context() as patch:
        patch.setattr(Screen, "tell", changing)
        assert main(command) == 1
    made, failed = sorted(records(), key=lambda record: record["status"])
    assert (made["status"], failed["status"]) == ("done", "failed")
    assert failed["error"]["type"] == "UserError" and failed["error"]["message"].startswith(told)
    assert "has changed since this run was planned" in capsys.readouterr().out
    assert main(command) == 0
    anew = [record for record in records() if record["fingerprint"] not in (made["fingerprint"], failed["fingerprint"])]
    assert [record["status"] for record in anew] == ["done", "done"]


@pytest.mark.parametrize(("command", "change", "told"), CHANGES)
def test_what_changes_while_a_run_reads_it_fails_that_run(here, command, change, told):
    spec, *_ = specs(*command)

    def method(job):
        change()
        return job.predictions([0] * len(job.data.test))

    result, _ = run(spec, data_of(spec, here), here / "enc", here / "cache", method=method)
    assert result.status == "failed" and result.error["message"].startswith(told)


def test_an_encoder_that_changes_between_two_calls_of_one_process_is_another_one(here):
    """Its vectors, too: those of the old weights are in the cache."""

    def made(folder: str) -> tuple[str, int]:
        more = ["--set", "encoder=./enc", "--results-dir", folder]
        api.run(["./mine.yaml"], ["minilm-probe"], seeds=1, data_dir="data", results=folder, more=more)
        (record,) = (json.loads(path.read_text()) for path in Path(folder).glob("runs/*/*/*.json"))
        return record["fingerprint"], record["training"]["embedded"]["train"]["computed"]

    first, computed = made("first")
    assert made("again") == (first, 0) and computed
    other_weights(here / "enc")
    second, anew = made("second")
    assert second != first and anew == computed


def test_an_encoder_that_changes_while_its_vectors_are_computed_leaves_none_in_the_cache(here, monkeypatch):
    from benchmarks.embeddings import encoding, pooled

    def changing(folder):
        other_weights(folder)
        return load_encoder(folder)

    monkeypatch.setattr(encoding, "load_encoder", changing)
    with pytest.raises(UserError, match="has changed while it was read"):
        pooled(["a good film"], here / "enc", 32, "mean", here / "cache")
    assert not list((here / "cache").rglob("*.arrow"))


def test_a_bundled_encoder_is_compared_with_what_is_declared_weights_and_tokenizer(here):
    from benchmarks.encoders import tokenizer_sha256
    from benchmarks.files import sha256

    weights, beside = sha256(here / "enc" / "model.safetensors"), tokenizer_sha256(here / "enc")
    encoder = Encoder(checkpoint="org/name", package="some/model", sha256=weights, tokenizer_sha256=beside)
    check_planned(here / "enc", encoder, {"sha256": weights})
    path = here / "enc" / "tokenizer.json"
    path.write_text(path.read_text().replace('"lowercase": true', '"lowercase": false'))
    with pytest.raises(UserError, match="not the declared tokenizer and configuration of org/name"):
        check_planned(here / "enc", encoder, {"sha256": weights})
    other_weights(here / "enc")
    with pytest.raises(UserError, match=r"model\.safetensors: not the declared weights"):
        check_planned(here / "enc", encoder, {"sha256": weights})


def test_of_a_checkpoint_of_the_hub_the_commit_is_known_and_nothing_else(here):
    check_planned(here / "enc", Encoder(checkpoint="org/name"), {"hub": "org/name", "commit": "abc"})


def test_trials_are_of_the_vectors_that_were_planned(here):
    """Else they would be made with the new ones, and the run would fail after them."""
    spec, *_ = specs(*RUN, *VECTORS)
    spec = replace(spec, tuning=Search(3).tuning(spec.recipe, spec.task))
    before = [trial.spec.fingerprint for trial in tuning.trials(spec)]
    planned = {"v.txt": checksum(here / "v.txt")}
    assert all(
        trial.spec.identity["recipe"] == recipe_identity(trial.spec.recipe, spec.task.type, planned)
        for trial in tuning.trials(spec)
    )
    vectors(here / "v.txt", seed=1)
    trials = tuning.trials(spec)
    assert [trial.spec.fingerprint for trial in trials] == before
    result, _ = run(trials[1].spec, data_of(spec, here), None, here / "cache")
    assert result.status == "failed" and tuning.hindrance(result)


def test_a_file_of_vectors_that_a_user_names_and_that_is_not_here_is_one_message(here, capsys):
    vectors = "recipe.vectors=v.txt,nowhere/v.txt"
    assert main([*RUN, "--systems", "lstm-word2vec,majority", "--set", vectors]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "nowhere/v.txt: can't be read: No such file" in told and not records()


def test_a_cluster_is_sent_no_file_of_vectors_and_that_is_told_before_anything_is_asked_of_it(here):
    found = [*specs(*RUN, "--systems", "lstm-word2vec"), *specs(*RUN, *VECTORS)]
    sent._check_sent(SimpleNamespace(runs=found[:2]))
    with pytest.raises(UserError, match=r"--ray: lstm-word2vec.*: recipe\.vectors: v\.txt: .* not sent to nodes"):
        sent.terms(SimpleNamespace(runs=found))


def test_a_folder_that_was_moved_and_holds_the_same_is_the_same_encoder(here):
    assert main([*ENCODED, "--seeds", "1"]) == 0
    shutil.move(here / "enc", here / "kept")
    shutil.copytree(here / "kept", here / "enc")
    assert main([*ENCODED, "--seeds", "1"]) == 0
    assert len(records()) == 1
