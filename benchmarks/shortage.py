"""Memory that has run out: how that is told from other errors, and the smaller micro-batch that is tried next."""

from __future__ import annotations

import gc
import sys
from errno import ENOMEM

from benchmarks.schema import RunSpec

EVAL_BATCH = 64
"""Rows that are predicted at once."""
SAID = (
    "out of memory",  # CUDA, at once or at a later call
    "can't allocate memory",  # PyTorch on a processor
    "Cannot allocate memory",  # the system, of a file that is mapped
    "_STATUS_ALLOC_FAILED",  # cuBLAS, cuDNN
    "CUDNN_STATUS_NOT_SUPPORTED",
)
"""What a RuntimeError says where memory was short."""


class ShortageError(Exception):
    """halvings: with which the run is to begin anew."""

    def __init__(self, halvings: int) -> None:
        super().__init__(halvings)
        self.halvings = halvings


def is_shortage(error: Exception) -> bool:
    """By its type or number where it has one of its own, else by its text."""
    if isinstance(error, OSError):
        return error.errno == ENOMEM
    said = str(error) if isinstance(error, RuntimeError) else ""
    return isinstance(error, MemoryError) or any(text in said for text in SAID)


def most_halvings(spec: RunSpec) -> int:
    """After so many every batch is one row; none of a method that has no batches."""
    batch = spec.recipe.global_batch
    return max(batch, EVAL_BATCH).bit_length() - 1 if batch else 0


def micro_batch(batch: int, halvings: int) -> int:
    """Rows that are computed at once: the most that the batch is a multiple of, of those that are half as many or fewer
    for each halving.
    """
    most = max(1, batch >> halvings)
    return next(rows for rows in range(most, 0, -1) if batch % rows == 0)


def eval_batch(halvings: int) -> int:
    return max(1, EVAL_BATCH >> halvings)


def give_back() -> None:
    """What has been freed, to the device: the next try begins with all of it."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
