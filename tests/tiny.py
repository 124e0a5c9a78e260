"""Tiny checkpoints of every encoder family, with tokenizers that do split words, made on the spot."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

SENTENCES = (
    "the quick brown fox jumps over the lazy dog near berlin",
    "anna maria lives in munich and works for siemens in hamburg",
    "a good film with a great story and a bad ending",
    "unbelievable internationalisation of neighbourhoods and counterproductive arguments",
)
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
POSITIONS = 64
FAMILIES = ("bert", "distilbert", "roberta", "ernie")


def checkpoint(
    folder: Path, family: str = "bert", sentences: Iterable[str] = SENTENCES, lower_case: bool = True
) -> Path:
    """Writes random weights and a tokenizer of about 150 pieces to `folder`; the same for the same arguments."""
    import torch
    from transformers import AutoConfig, AutoModel

    tokenizer = _byte_level(sentences) if family == "roberta" else _word_pieces(sentences, lower_case)
    sizes: dict[str, int] = dict(SIZE)
    if family == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    positions = POSITIONS + 2 if family == "roberta" else POSITIONS
    config = AutoConfig.for_model(
        family,
        **sizes,
        vocab_size=len(tokenizer),
        max_position_embeddings=positions,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _word_pieces(sentences: Iterable[str], lower_case: bool):  # type: ignore[no-untyped-def]
    """Longer words are two pieces each, and every letter is one, too. Written, not trained: tokenizers' own training
    gives other pieces in every process.
    """
    from transformers import BertTokenizer

    words = sorted({word for sentence in sentences for word in sentence.split()})
    halves = [(word[: len(word) // 2], word[len(word) // 2 :]) if len(word) > 4 else (word, "") for word in words]
    letters = sorted(set("".join(words)))
    starts, ends = sorted({*letters, *(start for start, _ in halves)}), {*letters, *(end for _, end in halves if end)}
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *starts, *(f"##{end}" for end in sorted(ends))]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, do_lower_case=lower_case, model_max_length=POSITIONS)


def _byte_level(sentences: Iterable[str]):  # type: ignore[no-untyped-def]
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizer

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(sentences, vocab_size=400, min_frequency=1, special_tokens=special, show_progress=False)
    merges = json.loads(trained.to_str())["model"]["merges"]
    pairs = [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in merges]
    return RobertaTokenizer(vocab=trained.get_vocab(), merges=pairs, model_max_length=POSITIONS)
