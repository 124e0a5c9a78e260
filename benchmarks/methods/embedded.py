"""A run's rows as its frozen encoder gives them; what that took counts as the run's own, cached or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embeddings import Embedded, Pooling, Sequences, of_padded, of_pieces, of_words, pooled
from benchmarks.methods import Job, SplitName
from benchmarks.schema import TAGS

if TYPE_CHECKING:
    from pathlib import Path


def pooled_texts(job: Job, split: SplitName, pooling: Pooling) -> np.ndarray:
    """(n, width) float32, one vector a text."""
    encoder, length = _read_by(job)
    return pooled(_rows(job, split), encoder, length, pooling, job.cache, lambda found: _account(job, split, found))


def sequences(job: Job, split: SplitName, padded: bool = False) -> Sequences:
    """One vector a word of tagged rows, or a piece of texts, special tokens included; padded: of texts, to the longest
    length, with the encoder's own vectors.
    """
    encoder, length = _read_by(job)
    embed = of_words if job.task.type == TAGS else of_padded if padded else of_pieces
    return embed(_rows(job, split), encoder, length, job.cache, lambda found: _account(job, split, found))


def _read_by(job: Job) -> tuple[Path, int]:
    """The encoder, and how many pieces of a row it is to read."""
    assert job.encoder is not None
    return job.encoder, job.max_length


def _rows(job: Job, split: SplitName) -> list[Any]:
    table = job.data.train if split == "train" else job.data.test
    return list(table["tokens" if job.task.type == TAGS else "text"])


def _account(job: Job, split: SplitName, found: Embedded) -> None:
    """Into the run's record, with the seconds of rows that an earlier run computed: a cache makes no method cheaper."""
    job.meter.charge("train" if split == "train" else "predict", found.seconds)
    job.meter.note(max_length=found.length)
    said = {"rows": found.rows, "computed": found.computed, "seconds": found.seconds}
    for name, fact in (("cut_rows", found.cut_rows), ("embedded", said)):
        job.meter.note(**{name: {**job.meter.notes.get(name, {}), split: fact}})
