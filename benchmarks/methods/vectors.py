"""Rows of vectors in place of word pieces: what a head or an LSTM over a frozen encoder is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from benchmarks.methods import Job
from benchmarks.methods.features import IGNORED
from benchmarks.methods.training import Rows
from benchmarks.schema import TAGS


class Vectors(Protocol):
    """The vectors of each row: (width,) of a pooled text, or (tokens, width)."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray: ...


def vector_rows(job: Job, train: Vectors, test: Vectors, pad_to: int | None = None) -> Rows:
    """The run's rows by number; a batch fetches their vectors.

    Its batches hold `vectors`, float32 (rows, width) of pooled texts or (rows, longest, width) with `lengths` (rows,),
    and of training rows `labels`: (rows,), or (rows, longest) for tags. pad_to: the length of every batch, in place of
    its longest row.
    """
    labels = job.data.train["tags" if job.task.type == TAGS else "label"]
    return Rows.of(_lengths(train), _lengths(test), _Collator(train, test, list(labels), pad_to))


def _lengths(vectors: Vectors) -> list[int]:
    return [len(vectors[row]) for row in range(len(vectors))]


@dataclass(frozen=True)
class _Collator:
    train: Vectors
    test: Vectors
    labels: list[Any]
    """Of the training rows."""
    pad_to: int | None

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        vectors = [self._of(row["row"]) for row in rows]
        batch = _padded(vectors, self.pad_to) if vectors[0].ndim == 2 else {"vectors": _floats(np.stack(vectors))}
        if rows[0]["row"] < len(self.train):  # a batch is of one kind
            batch["labels"] = _labels([self.labels[row["row"]] for row in rows], batch["vectors"].shape[1])
        return batch

    def _of(self, row: int) -> np.ndarray:
        return self.train[row] if row < len(self.train) else self.test[row - len(self.train)]


def _floats(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _padded(rows: list[np.ndarray], pad_to: int | None) -> dict[str, torch.Tensor]:
    lengths = [len(row) for row in rows]
    padded = np.zeros((len(rows), pad_to or max(lengths), rows[0].shape[1]), dtype=np.float32)
    for place, row in zip(padded, rows, strict=True):
        place[: len(row)] = row
    return {"vectors": torch.from_numpy(padded), "lengths": torch.tensor(lengths)}


def _labels(labels: list[Any], longest: int) -> torch.Tensor:
    if not isinstance(labels[0], list):
        return torch.tensor(labels)
    return torch.tensor([[*tags, *[IGNORED] * (longest - len(tags))] for tags in labels])
