"""Rows through a frozen encoder: cut into windows, in batches of which each row's vectors don't depend."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from benchmarks.embeddings.store import Row, Vectors
from benchmarks.encoders import checkpoint_sha256, load_encoder, load_tokenizer, longest_input
from benchmarks.errors import UserError
from benchmarks.schema import TAGS, TEXTS
from benchmarks.shortage import give_back, is_shortage
from benchmarks.windows import encoded, furthest_from_an_edge, words_of

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VERSION = 2
"""Raised whenever other vectors are computed here, or stored otherwise: old files are then unused."""

Kind: TypeAlias = Literal["pooled", "pieces", "padded", "words"]

POOLINGS = ("cls", "mean", "mean_last_four")
"""What one pass gives of a text, in the order in which it is stored."""
MULTIPLE = 8
"""Windows are padded to a multiple of it."""
BATCH = {"cpu": 512, "cuda": 4096}
"""Pieces of a batch, padding included."""
FILE = 2**15
"""Pieces of the rows that are kept in one file: what a kill loses at most, and what the memory must hold."""
TOKENIZED = 1000
"""Rows that are tokenised at a time."""
BESIDE = 2**30
"""Bytes that the pieces of texts may take to be kept where their poolings are wanted: one pass gives both."""


@dataclass(frozen=True)
class Frozen:
    """An encoder that reads rows of one kind, not loaded yet; sha256: of all its files before any was read; length:
    pieces that it reads at once.
    """

    kind: Kind
    encoder: Path
    sha256: str
    tokenizer: PreTrainedTokenizerBase
    length: int
    width: int
    device: str

    @classmethod
    def of(cls, kind: Kind, encoder: Path, length: int) -> Frozen:
        """length: what is wanted; the encoder may have positions for less."""
        import torch
        from transformers import AutoConfig

        sha256 = checkpoint_sha256(encoder)
        tokenizer = load_tokenizer(encoder, TAGS if kind == "words" else TEXTS)
        width = AutoConfig.from_pretrained(encoder, trust_remote_code=False).hidden_size
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(kind, encoder, sha256, tokenizer, longest_input(encoder, tokenizer, length), width, device)

    @property
    def key(self) -> str:
        """32 hex digits over all that moves a row's vectors beside the row, but the make of the processor: its kernels
        may round the last bit another way.
        """
        import tokenizers
        import torch
        import transformers

        said = [self.kind, self.sha256, self.length, self.device]
        code = [VERSION, torch.__version__, transformers.__version__, tokenizers.__version__]
        return hashlib.sha256(json.dumps([*said, *code]).encode()).hexdigest()[:32]


class Window(NamedTuple):
    """What the encoder reads at once: ids of pieces, and for words the word of each piece, -1 for special tokens."""

    pieces: np.ndarray
    words: np.ndarray


class Output(NamedTuple):
    """What the encoder gives for a window: (3, width) float32 poolings of a text, and (pieces, width) float16, with its
    padding where that is wanted.
    """

    pooled: np.ndarray | None
    pieces: np.ndarray


@dataclass(frozen=True)
class Tokenized:
    """A row as windows: the first one of a text, all of a row of words. size: characters, or words."""

    key: bytes
    size: int
    windows: list[Window]
    cut: bool

    @property
    def pieces(self) -> int:
        return sum(len(window.pieces) for window in self.windows)


def computed(frozen: Frozen, rows: Mapping[bytes, Row]) -> Iterator[dict[Kind, list[Vectors]]]:
    """The vectors of all rows by key, those for one file after the other; loads the encoder where there is any row.

    values: 'pooled' (3, width) float32 in the order of POOLINGS, of the other kinds (tokens, width) float16. Of
    'pooled' and 'pieces' both, of which either may be wanted later; but no pieces beside the poolings of very many.
    """
    if not rows:
        return
    model = _loaded(frozen)
    by_length = sorted(_tokenized(frozen, rows), key=lambda row: row.pieces)
    kinds = _kinds(frozen, sum(row.pieces for row in by_length))
    for some in _files(by_length, frozen.length if frozen.kind == "padded" else 0):
        start = time.perf_counter()
        outputs = iter(_outputs(frozen, model, [window for row in some for window in row.windows]))
        values = [_values(frozen, row, list(islice(outputs, len(row.windows)))) for row in some]
        a_piece = (time.perf_counter() - start) / sum(row.pieces for row in some)
        yield {
            kind: [
                Vectors(row.key, row.cut, row.pieces * a_piece, of[kind]) for row, of in zip(some, values, strict=True)
            ]
            for kind in kinds
        }


def _loaded(frozen: Frozen) -> PreTrainedModel:
    """Raises UserError where it is not what its key says: its vectors would be kept as another one's."""
    model = load_encoder(frozen.encoder).eval().to(frozen.device)
    if checkpoint_sha256(frozen.encoder) != frozen.sha256:
        raise UserError(f"encoder {str(frozen.encoder)!r}: has changed while it was read. The same command plans anew.")
    return model


def _kinds(frozen: Frozen, pieces: int) -> tuple[Kind, ...]:
    if frozen.kind in ("words", "padded"):
        return (frozen.kind,)
    too_large = frozen.kind == "pooled" and pieces * frozen.width * np.dtype(np.float16).itemsize > BESIDE
    return ("pooled",) if too_large else ("pooled", "pieces")


def _files(rows: Iterable[Tokenized], least: int) -> Iterator[list[Tokenized]]:
    """Neighbours of about FILE pieces together; least: what a row counts as at least."""
    some: list[Tokenized] = []
    pieces = 0
    for row in rows:
        some.append(row)
        pieces += max(row.pieces, least)
        if pieces >= FILE:
            yield some
            some, pieces = [], 0
    if some:
        yield some


def _values(frozen: Frozen, row: Tokenized, outputs: Sequence[Output]) -> dict[Kind, np.ndarray]:
    if frozen.kind == "words":
        return {"words": _joined(row, [output.pieces for output in outputs], frozen.width)}
    if frozen.kind == "padded":
        return {"padded": outputs[0].pieces}
    assert outputs[0].pooled is not None
    return {"pooled": outputs[0].pooled, "pieces": outputs[0].pieces}


def _joined(row: Tokenized, outputs: Sequence[np.ndarray], width: int) -> np.ndarray:
    """(words, width) of each word's first piece, from the window where it stands furthest from an edge; else zeros."""
    values = np.zeros((row.size, width), np.float16)
    for word, (window, place) in furthest_from_an_edge([window.words.tolist() for window in row.windows]).items():
        values[word] = outputs[window][place]
    return values


# -- word pieces -----------------------------------------------------------------------------------------------------


def _tokenized(frozen: Frozen, rows: Mapping[bytes, Row]) -> Iterator[Tokenized]:
    left = iter(rows.items())
    while some := dict(islice(left, TOKENIZED)):
        for (key, row), windows in zip(some.items(), _windows(frozen, list(some.values())), strict=True):
            kept = windows if frozen.kind == "words" else windows[:1]
            yield Tokenized(key, len(row), kept, cut=len(windows) > 1)


def _windows(frozen: Frozen, rows: Sequence[Row]) -> list[list[Window]]:
    """The windows of each row; those of words overlap by a quarter."""
    are_words = frozen.kind == "words"
    found = encoded(frozen.tokenizer, rows, are_words, frozen.length)
    windows: list[list[Window]] = [[] for _ in rows]
    for i, row in enumerate(found["overflow_to_sample_mapping"]):
        words = words_of(found, i) if are_words else []
        windows[row].append(Window(np.array(found["input_ids"][i], np.int32), np.array(words, np.int32)))
    return windows


# -- the encoder -----------------------------------------------------------------------------------------------------


def _outputs(frozen: Frozen, model: PreTrainedModel, windows: Sequence[Window]) -> list[Output]:
    """What the encoder gives for each window; bit for bit the same whichever others there are.

    How far a window is padded depends on its own length, how many make a batch on that alone, and a batch that is not
    full is filled up with copies: its matrices always have the same shape, and their sums the same order.
    """
    by_length: dict[int, list[int]] = {}
    for number, window in enumerate(windows):
        least = frozen.length if frozen.kind == "padded" else len(window.pieces)
        padded = min(-(-least // MULTIPLE) * MULTIPLE, frozen.length)
        by_length.setdefault(padded, []).append(number)
    outputs: dict[int, Output] = {}
    for padded, numbers in by_length.items():
        rows = max(1, BATCH[frozen.device] // padded)
        for start in range(0, len(numbers), rows):
            batch = numbers[start : start + rows]
            filled = [windows[batch[i % len(batch)]] for i in range(rows)]
            outputs.update(zip(batch, _passed(frozen, model, filled, padded), strict=False))
    return [outputs[number] for number in range(len(windows))]


def _passed(frozen: Frozen, model: PreTrainedModel, windows: Sequence[Window], padded: int) -> list[Output]:
    """One pass, or where memory runs out two of half the windows, which may round the last bit another way."""
    try:
        return _forward(frozen, model, windows, padded)
    except Exception as error:
        if len(windows) == 1 or not is_shortage(error):
            raise
    give_back()  # after the exception has ended, which held all that it took
    half = len(windows) // 2
    return [*_passed(frozen, model, windows[:half], padded), *_passed(frozen, model, windows[half:], padded)]


def _forward(frozen: Frozen, model: PreTrainedModel, windows: Sequence[Window], padded: int) -> list[Output]:
    """One pass."""
    import torch

    pools = frozen.kind in ("pooled", "pieces")
    pieces = np.full((len(windows), padded), frozen.tokenizer.pad_token_id or 0)
    mask = np.zeros_like(pieces)
    for row, (found, _) in enumerate(windows):
        pieces[row, : len(found)], mask[row, : len(found)] = found, 1
    input_ids, attention_mask = (torch.from_numpy(array).to(frozen.device) for array in (pieces, mask))
    with torch.inference_mode():
        states = model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=pools)
        of_pieces = states.last_hidden_state.half().cpu().numpy()
        pooled = _poolings(states, attention_mask).cpu().numpy() if pools else [None] * len(windows)
    found_in = zip(pooled, of_pieces, windows, strict=True)
    whole = frozen.kind == "padded"
    return [Output(pooling, row if whole else row[: len(found)]) for pooling, row, (found, _) in found_in]


def _poolings(states: Any, mask: torch.Tensor) -> torch.Tensor:
    """(rows, 3, width) from what a model gives; mask: (rows, tokens), 0 on padding, which takes no part."""
    import torch

    def mean(layer: torch.Tensor) -> torch.Tensor:
        return (layer * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)

    last = states.last_hidden_state
    last_four = [*states.hidden_states[1:-1], last][-4:]  # some families normalise the last one once more
    return torch.stack([last[:, 0], mean(last), mean(torch.stack(last_four).mean(dim=0))], dim=1)
