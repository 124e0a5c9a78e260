"""What is tokenised once for all runs is what each run would have tokenised for itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jobs
import make
import pytest
import tiny

from benchmarks.encoders import load_tokenizer, tokenizer_sha256
from benchmarks.methods import SPLITS, features
from benchmarks.methods.features import features_of, tokenized
from benchmarks.recipes import Finetune
from benchmarks.schema import TAGS

LENGTH = 16


@pytest.fixture
def encoder(tmp_path) -> Path:
    """Its tokenizer splits most words of the tasks."""
    return tiny.checkpoint(tmp_path / "encoder")


def kept_files(folder: Path) -> list[Path]:
    return sorted((folder / "cache" / "tokens").glob("*.arrow"))


def same(found: features.Features, wanted: features.Features) -> None:
    assert found.features.to_dict() == wanted.features.to_dict()
    assert found.row.tolist() == wanted.row.tolist()
    assert found.cut_rows == wanted.cut_rows > 0


@pytest.mark.parametrize("write", [make.text_task, make.tag_task], ids=["texts", "words"])
@pytest.mark.parametrize("protocol", [{}, {"train_size": 20}, {"folds": 3, "fold": 1}], ids=["all", "some", "fold"])
def test_the_features_of_a_run_are_those_of_its_own_rows(tmp_path, encoder, write, protocol):
    job = jobs.job(tmp_path, encoder, Finetune(), write, **protocol)
    tokenizer = load_tokenizer(encoder, job.task.type)
    for split in SPLITS:
        rows = getattr(job.data, split)
        length = LENGTH if job.task.type == TAGS else 8
        found = tokenized(job, split, tokenizer, length)
        same(found, features_of(rows, tokenizer, length))
        assert set(found.row) == set(range(len(rows)))


def test_seeds_sizes_and_folds_share_what_is_tokenised_once(tmp_path, encoder, monkeypatch):
    asked = [{"seed": 0}, {"seed": 1, "train_size": 20}, {"folds": 2, "fold": 1}]
    found = [jobs.job(tmp_path, encoder, Finetune(), **protocol) for protocol in asked]
    tokenizer = load_tokenizer(encoder, found[0].task.type)
    for split in SPLITS:
        tokenized(found[0], split, tokenizer, LENGTH)
    assert len(kept_files(tmp_path)) == 2
    monkeypatch.setattr(features, "_batches", lambda *_: pytest.fail("tokenised again"))
    for job in found:
        for split in SPLITS:
            assert len(tokenized(job, split, tokenizer, LENGTH).row) == len(getattr(job.data, split))


def test_another_length_another_tokenizer_and_other_rows_are_tokenised_anew(tmp_path, encoder):
    job = jobs.job(tmp_path, encoder, Finetune())
    tokenizer = load_tokenizer(encoder, job.task.type)
    tokenized(job, "train", tokenizer, LENGTH)
    tokenized(job, "train", tokenizer, LENGTH + 1)
    assert len(kept_files(tmp_path)) == 2
    other = tiny.checkpoint(tmp_path / "other", sentences=jobs.VOCABULARY)
    assert tokenizer_sha256(other) != tokenizer_sha256(encoder)
    known = tokenized(replace(job, encoder=other), "train", load_tokenizer(other, job.task.type), LENGTH)
    assert known.features["input_ids"] != tokenized(job, "train", tokenizer, LENGTH).features["input_ids"]
    assert len(kept_files(tmp_path)) == 3
    changed = jobs.job(tmp_path, encoder, Finetune(), jobs.few_positive)
    tokenized(changed, "train", tokenizer, LENGTH)
    assert len(kept_files(tmp_path)) == 4


def test_two_copies_of_the_same_weights_and_tokenizer_share_theirs(tmp_path, encoder):
    job = jobs.job(tmp_path, encoder, Finetune())
    tokenizer = load_tokenizer(encoder, job.task.type)
    twin = tiny.checkpoint(tmp_path / "twin")
    tokenized(job, "train", tokenizer, LENGTH)
    tokenized(replace(job, encoder=twin), "train", tokenizer, LENGTH)
    assert len(kept_files(tmp_path)) == 1


def test_few_rows_of_many_are_tokenised_alone(tmp_path, encoder):
    job = jobs.job(tmp_path, encoder, Finetune(), train_size=2, test_size=4)
    tokenizer = load_tokenizer(encoder, job.task.type)
    found = {split: tokenized(job, split, tokenizer, LENGTH) for split in SPLITS}
    assert len(found["train"].row) == 2 and len(found["test"].row) == 4
    assert len(kept_files(tmp_path)) == 1  # 2 of 60 alone, 4 of 60 with all


def test_a_cache_that_cannot_be_written_keeps_nothing_and_stops_nothing(tmp_path, encoder):
    job = jobs.job(tmp_path, encoder, Finetune())
    (tmp_path / "blocked").write_text("a file where the folder should be")
    tokenizer = load_tokenizer(encoder, job.task.type)
    found = tokenized(replace(job, cache=tmp_path / "blocked"), "train", tokenizer, LENGTH)
    assert found.features.to_dict() == tokenized(job, "train", tokenizer, LENGTH).features.to_dict()
