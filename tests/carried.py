"""The bundled encoder in the architecture of another family: the same function, for tests of what families differ in.

MiniLM is a BERT. Its weights fill a DistilBERT, a RoBERTa or an ERNIE of the same size, where each text gets the same
hidden states. Such a stand-in knows English, which a tiny random checkpoint does not; it is not the published encoder
of its family, and nothing measured with it belongs in a leaderboard.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FAMILIES = ("distilbert", "roberta", "ernie")
PADDING = {"distilbert": 0, "roberta": 1, "ernie": 0}
"""The id of the padding piece. RoBERTa numbers a text's positions from the one after it."""

DISTILBERT_NAMES = {
    "encoder.layer": "transformer.layer",
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
"""BERT's name for a part -> DistilBERT's; the first that fits."""


def checkpoint(folder: Path, family: str, bundled: Path) -> Path:
    """Writes the bundled encoder (a folder) as one of `family` to `folder`: configuration, weights and tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModel

    bert = AutoModel.from_pretrained(bundled, dtype=torch.float32)
    config = AutoConfig.for_model(family, **_sizes(bert.config, family))
    encoder = AutoModel.from_config(config)
    encoder.load_state_dict(_carried(bert.state_dict(), family))  # strict: no weight is left out, none left over
    encoder.save_pretrained(folder)
    _write_tokenizer(folder, family, bundled)
    return folder


def _sizes(bert: Any, family: str) -> dict[str, Any]:
    if family == "distilbert":
        sizes = {"dim": bert.hidden_size, "n_layers": bert.num_hidden_layers, "n_heads": bert.num_attention_heads,
            "hidden_dim": bert.intermediate_size}  # fmt: skip
    else:
        names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "layer_norm_eps")
        sizes = {name: getattr(bert, name) for name in names}
    positions = bert.max_position_embeddings + (PADDING[family] + 1 if family == "roberta" else 0)
    types = {"roberta": {"type_vocab_size": 1}, "ernie": {"type_vocab_size": 2}}.get(family, {})
    more = {"vocab_size": bert.vocab_size, "pad_token_id": PADDING[family], "max_position_embeddings": positions}
    return {**sizes, **types, **more}


def _carried(weights: dict[str, Any], family: str) -> dict[str, Any]:
    """BERT's weights under the family's names. Texts are of token type 0: where a family has no types, its row is
    added to every position.
    """
    import torch

    words, positions, types = (f"embeddings.{name}_embeddings.weight" for name in ("word", "position", "token_type"))
    weights = dict(weights)
    if family == "distilbert":
        weights[positions] = weights[positions] + weights.pop(types)[0]
        return {_renamed(name): weight for name, weight in weights.items() if not name.startswith("pooler.")}
    if family == "roberta":
        weights[words] = weights[words][_swapped(len(weights[words]))]
        before = torch.zeros(PADDING[family] + 1, weights[positions].shape[1])  # the positions of padding
        weights[positions] = torch.cat([before, weights[positions]])
        weights[types] = weights[types][:1]
    return weights


def _renamed(name: str) -> str:
    for bert, distilbert in DISTILBERT_NAMES.items():
        name = name.replace(bert, distilbert)
    return name


def _swapped(size: int) -> list[int]:
    """0 … size-1 with the first two in each other's place: the padding of BERT is 0, that of RoBERTa 1."""
    return [1, 0, *range(2, size)]


def _write_tokenizer(folder: Path, family: str, bundled: Path) -> None:
    """BERT's word pieces, numbered as the family's weights are; without token types where the family has none."""
    from transformers import AutoTokenizer, BertTokenizer

    vocabulary = AutoTokenizer.from_pretrained(bundled).get_vocab()
    if family == "roberta":
        new = _swapped(len(vocabulary))
        vocabulary = {piece: new[number] for piece, number in vocabulary.items()}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=512)
    tokenizer.save_pretrained(folder)
    if family != "ernie":
        path = folder / "tokenizer_config.json"
        settings = {**json.loads(path.read_text()), "model_input_names": ["input_ids", "attention_mask"]}
        path.write_text(json.dumps(settings))
