"""Training with the word embeddings that occur is the training with all of them."""

from __future__ import annotations

import jobs
import make
import numpy as np
import pyarrow as pa
import pytest
import tiny
import torch
from datasets import Dataset
from watched import watched

from benchmarks.encoders import load_encoder
from benchmarks.methods import finetune as module
from benchmarks.methods.features import Features
from benchmarks.methods.finetune import finetune
from benchmarks.methods.pieces import Pieces
from benchmarks.methods.vocabulary import FAMILIES, keep_used, renumbered
from benchmarks.recipes import Finetune, Lora

# A hundred updates, a weight decay that would show, and batches whose rows differ in length.
RECIPE = {"learning_rate": 1e-3, "epochs": 13, "batch_size": 8, "weight_decay": 0.1, "precision": "fp32"}
HEADS = {"mean": {"pooling": "mean"}, "layers": {"head_layers": (16,)}, "frozen": {"frozen_layers": 1}}
WAYS = [(family, {}) for family in tiny.FAMILIES] + [("bert", head) for head in HEADS.values()]


def both_ways(folder, encoder, recipe, monkeypatch, write=make.text_task):
    """What was trained, and (predictions with the pieces that occur, with all)."""
    seen, few = watched(lambda: finetune(jobs.job(folder, encoder, recipe, write)))
    with monkeypatch.context() as patch:
        patch.setattr(module, "keep_used", lambda *given: None)
        every, all_of_them = watched(lambda: finetune(jobs.job(folder, encoder, recipe, write)))
    sizes = [
        training.model.base_model if hasattr(training.model, "base_model") else training.model.encoder
        for training in (seen, every)
    ]
    few_rows, all_rows = (encoder.get_input_embeddings().num_embeddings for encoder in sizes)
    assert few_rows < all_rows and len(seen.rates) >= 100
    return few, all_of_them


@pytest.mark.parametrize(("family", "head"), WAYS)
def test_predictions_after_a_hundred_updates_are_those_of_the_whole_matrix(
    tmp_path, checkpoints, family, head, monkeypatch
):
    few, every = both_ways(tmp_path, checkpoints[family], Finetune(**RECIPE, **head), monkeypatch)
    np.testing.assert_allclose(few.scores, every.scores, atol=1e-5)
    assert np.ptp(every.scores[:, 0]) > 0.2, "nothing was learned that could differ"


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_tags_are_those_of_the_whole_matrix(tmp_path, checkpoints, family, monkeypatch):
    few, every = both_ways(tmp_path, checkpoints[family], Finetune(**RECIPE), monkeypatch, make.tag_task)
    assert few.predicted == every.predicted
    assert {tag for row in every.predicted for tag in row} > {0}


def test_low_rank_updates_leave_the_embeddings_as_they_are(tmp_path, bert, monkeypatch):
    few, every = both_ways(tmp_path, bert, Lora(**{**RECIPE, "learning_rate": 5e-3}), monkeypatch)
    np.testing.assert_allclose(few.scores, every.scores, atol=1e-5)


def test_the_record_counts_every_weight_of_the_encoder(tmp_path, bert, monkeypatch):
    job = jobs.job(tmp_path, bert, Finetune(**{**RECIPE, "epochs": 0.2}))
    finetune(job)
    with monkeypatch.context() as patch:
        patch.setattr(module, "keep_used", lambda *given: None)
        whole = jobs.job(tmp_path, bert, Finetune(**{**RECIPE, "epochs": 0.2}))
        finetune(whole)
    assert (job.meter.parameters, job.meter.trainable_parameters) == (
        whole.meter.parameters,
        whole.meter.trainable_parameters,
    )


# -- the embeddings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_id_has_its_own_embedding_and_the_padding_its_own_id(checkpoints, family):
    encoder = load_encoder(checkpoints[family])
    before = encoder.get_input_embeddings().weight.detach().clone()
    padding = encoder.config.pad_token_id
    ids = keep_used(encoder, np.array([7, 9, 50, 60]), padding)
    after = encoder.get_input_embeddings()
    used = torch.tensor([7, 9, 50, 60])
    assert after.num_embeddings == len(used) + padding + 1
    assert torch.equal(after(ids[used]), before[used])
    assert ids[padding] == padding == after.padding_idx


@pytest.mark.parametrize("others", [1, 3])
def test_an_embedding_that_gets_no_gradient_is_never_that_of_a_piece_that_occurs(bert, others):
    """A checkpoint's configuration may name another id as padding than its tokenizer does."""
    encoder = load_encoder(bert)
    encoder.get_input_embeddings().padding_idx = others
    ids = keep_used(encoder, np.array([7, 9]), 0)
    after = encoder.get_input_embeddings()
    assert after.padding_idx == others == ids[others]
    assert not {int(ids[7]), int(ids[9])} & {0, others}


def test_rows_of_a_selection_are_those_that_count():
    ids = pa.array([[7, 1], [8], [9, 9, 4], [5]], pa.list_(pa.int32()))
    batches = [pa.record_batch({"input_ids": ids.slice(start, 2)}) for start in (0, 2)]  # a slice keeps all values
    table = Dataset(pa.Table.from_batches(batches))
    assert pieces_of(table, [0, 1, 2, 3]).tolist() == [1, 4, 5, 7, 8, 9]
    assert pieces_of(table, [1, 2]).tolist() == [4, 8, 9]
    assert pieces_of(table, []).tolist() == []


def pieces_of(table: Dataset, places: list[int]) -> np.ndarray:
    place = np.array(places, dtype=np.int64)
    return Pieces(Features(table, place, place, 0)).occurring


def test_no_random_number_is_drawn(bert):
    encoder = load_encoder(bert)
    torch.manual_seed(0)
    keep_used(encoder, np.array([7]), 0)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(1))


def test_frozen_embeddings_stay_frozen(bert):
    encoder = load_encoder(bert)
    encoder.get_input_embeddings().requires_grad_(False)
    keep_used(encoder, np.array([7]), 0)
    assert not encoder.get_input_embeddings().weight.requires_grad


def test_a_family_that_is_not_known_is_left_alone(bert):
    encoder = load_encoder(bert)
    encoder.config.model_type = "bart"
    assert keep_used(encoder, np.array([7]), 0) is None
    assert encoder.get_input_embeddings().num_embeddings > 2
    assert set(tiny.FAMILIES) <= set(FAMILIES)


def test_a_collator_gives_the_new_ids_and_all_else_as_it_was():
    ids = torch.tensor([0, 0, 0, 1, 2])
    collate = renumbered(lambda examples: {"input_ids": torch.tensor(examples), "labels": torch.tensor([4])}, ids)
    batch = collate([[3, 4, 0]])
    assert batch["input_ids"].tolist() == [[1, 2, 0]] and batch["labels"].tolist() == [4]
