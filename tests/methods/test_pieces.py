"""Batches straight out of the kept table are those of transformers' own collators."""

from __future__ import annotations

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding

from benchmarks.encoders import load_tokenizer
from benchmarks.methods import features
from benchmarks.methods.features import IGNORED, tokenized
from benchmarks.methods.pieces import PieceCollator
from benchmarks.recipes import Finetune
from benchmarks.schema import TAGS

LENGTH = 24


@pytest.mark.parametrize("multiple", [1, 8])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "albert"])
@pytest.mark.parametrize("write", [make.text_task, make.tag_task], ids=["texts", "words"])
def test_every_batch_is_that_of_transformers(tmp_path, monkeypatch, write, family, side, multiple):
    monkeypatch.setattr(features, "BATCH", 7)  # rows of one batch lie in several parts of the table
    encoder = tiny.checkpoint(tmp_path / "encoder", family)
    job = jobs.job(tmp_path, encoder, Finetune(), write, train_size=30)
    tokenizer = load_tokenizer(encoder, job.task.type)
    tokenizer.padding_side = side
    train, test = (tokenized(job, part, tokenizer, LENGTH) for part in ("train", "test"))
    ours = PieceCollator.of(train, test, tokenizer, multiple)
    if multiple > 1:
        ours.__dict__["longest"] = LENGTH  # of the texts none is as long
    theirs = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=multiple)
    if job.task.type == TAGS:
        theirs = DataCollatorForTokenClassification(tokenizer, pad_to_multiple_of=multiple, label_pad_token_id=IGNORED)
    for rows, first, labels in ((train, 0, ["labels"]), (test, len(train.row), [])):
        table = rows.features.select_columns([*tokenizer.model_input_names, *labels])
        for start in range(0, len(table), 8):
            numbers = range(start, min(start + 8, len(table)))
            batch = ours([{"row": first + number} for number in numbers])
            wanted = theirs([table[number] for number in numbers])
            assert set(batch) == set(wanted)
            for name, values in wanted.items():
                assert batch[name].dtype == values.dtype == torch.int64
                assert torch.equal(batch[name], values), name


def test_no_batch_is_padded_beyond_the_longest_row(tmp_path):
    job = jobs.job(tmp_path, tiny.checkpoint(tmp_path / "encoder"), Finetune(), train_size=20)
    tokenizer = load_tokenizer(job.encoder, job.task.type)
    train, test = (tokenized(job, part, tokenizer, 13) for part in ("train", "test"))
    collator = PieceCollator.of(train, test, tokenizer, 8)
    longest, shortest = (int(f(collator.train.lengths)) for f in (np.argmax, np.argmin))
    assert collator([{"row": longest}])["input_ids"].shape == (1, 13)
    assert collator([{"row": shortest}])["input_ids"].shape == (1, 8)


def test_lengths_are_those_of_the_rows_that_were_chosen(tmp_path):
    encoder = tiny.checkpoint(tmp_path / "encoder")
    job = jobs.job(tmp_path, encoder, Finetune(), train_size=20)
    tokenizer = load_tokenizer(encoder, job.task.type)
    train, test = (tokenized(job, part, tokenizer, LENGTH) for part in ("train", "test"))
    found = PieceCollator.of(train, test, tokenizer)
    wanted = [[len(tokenizer(text)["input_ids"]) for text in rows["text"]] for rows in (job.data.train, job.data.test)]
    assert [found.train.lengths.tolist(), found.test.lengths.tolist()] == wanted
    assert len(found.train) == 20
