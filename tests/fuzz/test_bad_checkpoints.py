"""A checkpoint folder of any content is looked at, or told in one message."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from bad import accepted_or_told, changed, damaged, inputs
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from benchmarks.encoders import check_folder, checkpoint_sha256, depth, locate, longest_input, own_labels, shape
from benchmarks.schema import Encoder
from benchmarks.trust import check

CONFIG = {
    "architectures": ["BertForSequenceClassification"], "id2label": {"0": "no", "1": "yes"}, "model_type": "bert",
    "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "max_position_embeddings": 32,
}  # fmt: skip
WEIGHTS = save({"embeddings.weight": np.zeros((3, 8), dtype=np.float32)})


class Tokenizer:
    """What is asked of one."""

    model_max_length = 512


def look(folder: Path) -> None:
    check_folder(folder)
    locate(Encoder(checkpoint=str(folder)), {}).labels()
    checkpoint_sha256(folder)
    own_labels(folder)
    depth(folder)
    shape(folder)
    assert longest_input(folder, Tokenizer(), 128) <= 128


def looked_at(config: bytes, weights: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.json").write_bytes(config)
        (folder / "model.safetensors").write_bytes(weights)
        (folder / "tokenizer.json").write_text("{}")
        accepted_or_told(lambda: look(folder))


def as_json(value) -> bytes:
    return json.dumps(value).encode()


@inputs(2)
@given(st.one_of(changed(CONFIG).map(as_json), damaged(as_json(CONFIG)), st.just(b"[" * 100_000)))
def test_a_configuration_of_any_content_is_read_or_told(config):
    looked_at(config, WEIGHTS)


TORCH = io.BytesIO()
torch.save({"a": torch.ones(2, 3), "b": torch.zeros(4)}, TORCH, _use_new_zipfile_serialization=False)


@inputs()
@given(damaged(TORCH.getvalue()))
def test_damaged_weights_of_torch_are_read_or_told(weights):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.json").write_bytes(as_json(CONFIG))
        (folder / "pytorch_model.bin").write_bytes(weights)
        accepted_or_told(lambda: check(folder))


@inputs()
@given(damaged(WEIGHTS))
def test_damaged_weights_are_read_or_told(weights):
    looked_at(as_json(CONFIG), weights)
