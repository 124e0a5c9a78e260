"""A training that was interrupted goes on from its last checkpoint, and ends as one that never was."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file

from benchmarks.definitions import load_systems
from benchmarks.meter import Meter
from benchmarks.methods import Checkpoints, Job, checkpoints, load
from benchmarks.recipes import RECIPES
from benchmarks.schema import Predictions


class Interruption(BaseException):
    """As Ctrl-C: no run survives it."""


def interrupted_at(share: float) -> Meter:
    def tell(done: float) -> None:
        if done >= share:
            raise Interruption

    return Meter(tell)


def made(method: str, job: Job) -> tuple[Predictions, dict]:
    """The predictions of a job that is done from the beginning, and what it noted."""
    job = replace(job, meter=Meter())
    return load(method)(job), job.meter.notes


def interrupted(method: str, job: Job, *shares: float) -> tuple[Predictions, dict]:
    """The same where it is interrupted after such shares of the training, one after the other, each time made anew."""
    for share in shares:
        with pytest.raises(Interruption):
            load(method)(replace(job, meter=interrupted_at(share)))
    return made(method, job)


def often(job: Job, folder: Path) -> Job:
    """With a checkpoint at every loss that is read."""
    return replace(job, checkpoints=Checkpoints(folder, 1e-9))


def check_equal(found: tuple[Predictions, dict], expected: tuple[Predictions, dict]) -> None:
    assert found[0].predicted == expected[0].predicted
    if expected[0].scores is not None:
        np.testing.assert_array_equal(found[0].scores, expected[0].scores)
    for name in ("losses", "steps", "cut_rows"):
        assert found[1].get(name) == expected[1].get(name), name


MANY = {"epochs": 9, "batch_size": 8}  # 60 rows: 8 updates an epoch
TEXT_SYSTEMS = {
    "bert": ("finetune", {}),
    "roberta": ("finetune", {}),
    "distilbert": ("finetune", {"frozen_layers": 1, "class_weights": "balanced"}),
    "ernie": ("lora", {"learning_rate": 1e-3}),
    "head": ("frozen", {}),
    "lstm": ("recurrent", {"bidirectional": True, "attention": True}),
    "word2vec": ("recurrent-word2vec", {}),
    "softmax": ("sbert-softmax", {}),
    "cosine": ("sbert-cosine", {}),
}


@pytest.mark.parametrize("name", TEXT_SYSTEMS)
def test_an_interrupted_training_ends_bit_for_bit_as_an_undisturbed_one(tmp_path, name):
    method, changes = TEXT_SYSTEMS[name]
    family = name if name in tiny.FAMILIES else "bert"
    encoder = tiny.checkpoint(tmp_path / "encoder", family, sentences=jobs.VOCABULARY)
    job = jobs.job(tmp_path, None if name == "word2vec" else encoder, RECIPES[method](**MANY, **changes))
    found = interrupted(method, often(job, tmp_path / "unfinished"), 0.3, 0.7)
    check_equal(found, made(method, job))
    first, second = found[1]["resumed"]
    assert 0 < first < second < found[1]["steps"]


@pytest.mark.parametrize("method", ["finetune", "recurrent"])
def test_so_does_one_on_words(tmp_path, bert, method):
    job = jobs.job(tmp_path, bert, RECIPES[method](**MANY), make.tag_task)
    found = interrupted(method, often(job, tmp_path / "unfinished"), 0.5)
    check_equal(found, made(method, job))
    assert found[1]["resumed"]


def test_so_does_a_head_of_ours_with_another_precision_and_a_fraction_of_epochs(tmp_path, bert):
    settings = load_systems()["distilbert-custom-head"].recipe
    recipe = RECIPES["finetune"](**{**settings, "epochs": 3.4, "batch_size": 4, "precision": "bf16"})
    job = jobs.job(tmp_path, bert, recipe)
    found = interrupted("finetune", often(job, tmp_path / "unfinished"), 0.6)
    check_equal(found, made("finetune", job))


@pytest.mark.parametrize("updates", [4, 5, 10])  # an epoch; a loss is read after ten
def test_at_the_end_of_an_epoch_as_in_the_middle(tmp_path, bert, updates):
    job = jobs.job(tmp_path, bert, RECIPES["finetune"](epochs=6, batch_size=60 // updates))
    found = interrupted("finetune", often(job, tmp_path / "unfinished"), 11 / (6 * updates))
    check_equal(found, made("finetune", job))
    assert found[1]["resumed"] == [10]


def test_a_kept_model_is_the_same_to_the_bit(tmp_path, bert):
    job = jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY, weight_decay=0.1, learning_rate=1e-3))
    weights = []
    for run, shares in (("whole", ()), ("interrupted", (0.4,))):
        keep = tmp_path / run
        keep.mkdir()
        interrupted("finetune", often(replace(job, keep=keep), tmp_path / f"unfinished {run}"), *shares)
        weights.append(load_file(keep / "model.safetensors"))
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_seconds_before_count(tmp_path, bert, monkeypatch):
    job = often(jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY)), tmp_path / "unfinished")
    with pytest.raises(Interruption):
        load("finetune")(replace(job, meter=interrupted_at(0.5)))
    (last,) = (tmp_path / "unfinished").glob("*/checkpoint-*")
    kept = torch.load(last / "carried-0.pt", weights_only=True)
    torch.save({**kept, "seconds": 1000.0}, last / "carried-0.pt")
    (last / checkpoints.WHOLE).unlink()
    checkpoints.write_text(last / checkpoints.WHOLE, checkpoints.json.dumps(checkpoints._sums(last)))
    job = replace(job, meter=Meter())
    load("finetune")(job)
    assert 1000 < job.meter.cost()["train_seconds"] < 1100


def test_there_is_one_checkpoint_at_a_time(tmp_path, bert):
    job = often(jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY)), tmp_path / "unfinished")
    seen = []
    meter = Meter(lambda share: seen.append(len(list((tmp_path / "unfinished").glob("*/checkpoint-*")))))
    load("finetune")(replace(job, meter=meter))
    assert set(seen) == {0, 1}


def damaged(folder: Path, how: str) -> None:
    (last,) = folder.glob("*/checkpoint-*")
    file = last / "optimizer.pt"
    if how == "cut off":
        file.write_bytes(file.read_bytes()[:-100])
    elif how == "changed":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif how == "without a file":
        file.unlink()
    else:
        (last / checkpoints.WHOLE).unlink()


@pytest.mark.parametrize("how", ["cut off", "changed", "without a file", "without its last file"])
def test_a_checkpoint_that_is_not_whole_is_as_none(tmp_path, bert, how):
    job = often(jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY)), tmp_path / "unfinished")
    with pytest.raises(Interruption):
        load("finetune")(replace(job, meter=interrupted_at(0.5)))
    damaged(tmp_path / "unfinished", how)
    found = made("finetune", job)
    assert "resumed" not in found[1]
    check_equal(found, made("finetune", replace(job, checkpoints=None)))


def test_without_room_for_a_checkpoint_a_training_goes_on_without(tmp_path, bert, monkeypatch):
    job = often(jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY)), tmp_path / "unfinished")
    monkeypatch.setattr(checkpoints, "SPARE", 1e30)
    found = made("finetune", job)
    assert found[1]["steps"] and not list((tmp_path / "unfinished").glob("*/checkpoint-*"))


def test_a_checkpoint_is_written_when_it_is_time_and_not_before(tmp_path, bert):
    job = jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY))
    made("finetune", replace(job, checkpoints=Checkpoints(tmp_path / "unfinished", 3600)))
    assert not list((tmp_path / "unfinished").glob("*/checkpoint-*"))


# -- with less memory ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [make.text_task, make.tag_task, jobs.few_positive], ids=lambda write: write.__name__)
def test_micro_batches_train_as_whole_batches_do(tmp_path, bert, write):
    """Without dropout, whose draws would differ, to the rounding of fp32."""
    recipe = RECIPES["finetune"](epochs=3, batch_size=12, precision="fp32", learning_rate=1e-3)
    encoder = shutil.copytree(bert, tmp_path / "encoder")  # other tests read the shared one
    config = encoder / "config.json"
    config.write_text(config.read_text().replace('_dropout_prob": 0.1', '_dropout_prob": 0.0'))
    job = jobs.job(tmp_path, encoder, recipe, write)
    whole, notes = made("finetune", job)
    for halvings, micro in ((1, 6), (2, 3), (3, 1), (6, 1)):
        found, more = made("finetune", replace(job, halvings=halvings))
        assert (more["micro_batch"], more["steps"]) == (micro, notes["steps"])
        np.testing.assert_allclose([loss for _, loss in more["losses"]], [loss for _, loss in notes["losses"]], 1e-4)
        if whole.scores is not None:
            np.testing.assert_allclose(found.scores, whole.scores, atol=1e-3)


@pytest.mark.parametrize("other", ["recipe", "ranks"])
def test_a_checkpoint_of_another_recipe_or_number_of_ranks_is_left_alone(tmp_path, bert, monkeypatch, other):
    """A search may choose another one the next time, and a launch may have more processes."""
    job = often(jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY)), tmp_path / "unfinished")
    with monkeypatch.context() as patched:
        if other == "ranks":
            patched.setattr(checkpoints.ranks, "from_all", lambda value: [value, value])
        with pytest.raises(Interruption):
            load("finetune")(replace(job, meter=interrupted_at(0.5)))
    now = job if other == "ranks" else replace(job, recipe=RECIPES["finetune"](**MANY, learning_rate=1e-3))
    found = made("finetune", now)
    assert "resumed" not in found[1]
    check_equal(found, made("finetune", replace(now, checkpoints=None)))


def test_a_checkpoint_of_larger_micro_batches_is_left_alone(tmp_path, bert):
    job = often(jobs.job(tmp_path, bert, RECIPES["finetune"](**MANY)), tmp_path / "unfinished")
    with pytest.raises(Interruption):
        load("finetune")(replace(job, meter=interrupted_at(0.5)))
    halved = replace(job, halvings=1)
    found = made("finetune", halved)
    assert "resumed" not in found[1] and found[1]["micro_batch"] == 4
    check_equal(found, made("finetune", replace(halved, checkpoints=None)))
    found = interrupted("finetune", often(halved, tmp_path / "own"), 0.5)
    assert found[1]["resumed"]
    check_equal(found, made("finetune", replace(halved, checkpoints=None)))
