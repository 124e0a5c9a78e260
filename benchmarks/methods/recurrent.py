"""An LSTM over token embeddings that stay as they are: a frozen encoder's, or word2vec's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import transformers
from torch import nn

from benchmarks.encoders import parameters
from benchmarks.methods import SPLITS, Job
from benchmarks.methods.embedded import sequences
from benchmarks.methods.training import trained_outputs
from benchmarks.methods.vectors import Vectors, vector_rows
from benchmarks.methods.word2vec import Words, read, trained, vectors_of, words_of
from benchmarks.recipes import Recurrent, Word2vecRecurrent
from benchmarks.schema import TAGS, Predictions

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def recurrent(job: Job) -> Predictions:
    """Over every word piece of a text, special tokens included, or over the first piece of every word."""
    recipe = job.recipe
    assert isinstance(recipe, Recurrent)
    assert job.encoder is not None
    padded = not recipe.masked_attention and recipe.padding == "states"
    train, test = (sequences(job, split, padded) for split in SPLITS)
    predictions = _predictions(job, recipe, train, test, train.length)
    job.meter.parameters += parameters(job.encoder)
    return predictions


def recurrent_word2vec(job: Job) -> Predictions:
    """Over every word. A text is cut at its longest length; word2vec is trained on the whole of it."""
    recipe = job.recipe
    assert isinstance(recipe, Word2vecRecurrent)
    rows = {"train": words_of(job.data.train, recipe.cleaning), "test": words_of(job.data.test, recipe.cleaning)}
    known = _word_vectors(job, recipe, rows["train"])
    length = job.max_length
    if job.task.type != TAGS:
        cut = {split: sum(len(words) > length for words in found) for split, found in rows.items()}
        job.meter.note(max_length=length, cut_rows=cut)
        rows = {split: [words[:length] for words in found] for split, found in rows.items()}
    train, test = (vectors_of(rows[split], known) for split in SPLITS)
    job.meter.note(test_words=sum(map(len, rows["test"])), unknown_test_words=test.unknown)
    predictions = _predictions(job, recipe, train, test, length)
    job.meter.parameters += known.vectors.size
    return predictions


def _word_vectors(job: Job, recipe: Word2vecRecurrent, rows: list[Words]) -> KeyedVectors:
    if recipe.file:
        return read(recipe.file)
    with job.meter.measuring("train", rows=0):  # an epoch of the network is what counts as one
        return trained(rows, recipe, job.seed)


def _predictions(job: Job, recipe: Recurrent, train: Vectors, test: Vectors, length: int) -> Predictions:
    """Of a network that is trained on the vectors of the training rows."""
    transformers.set_seed(job.seed)  # the network's first weights
    network = Network(train[0].shape[1], len(job.task.classes), recipe, tags=job.task.type == TAGS)
    rows = vector_rows(job, train, test, pad_to=None if recipe.masked_attention else length)
    outputs = trained_outputs(job, network, rows)
    return job.tagged(outputs) if job.task.type == TAGS else job.likeliest(outputs)


# -- the network -----------------------------------------------------------------------------------------------------


class Network(nn.Module):
    """Dropout, an LSTM, dropout, and a linear layer over each word's states (tags), over the mean of all states
    weighted by attention, or over the last state of each direction.

    Attention is that of Zhou et al. (2016), alpha = softmax(w . tanh(H)), over the states of both directions side by
    side, where theirs are added. Padding takes no part, unless the recipe says that it does.

    The direction from the end is an LSTM over reversed rows: the same function as PyTorch's over packed sequences, at a
    third of its time on a processor, where packed ones are gone through step by step.
    """

    def __init__(self, width: int, classes: int, recipe: Recurrent, tags: bool) -> None:
        super().__init__()
        states = recipe.hidden_size * (2 if recipe.bidirectional else 1)
        self.from_start = nn.LSTM(width, recipe.hidden_size, batch_first=True)
        self.from_end = nn.LSTM(width, recipe.hidden_size, batch_first=True) if recipe.bidirectional else None
        self.attention = nn.Linear(states, 1, bias=False) if recipe.attention else None
        self.head = nn.Linear(states, classes)
        self.dropout = nn.Dropout(recipe.dropout)
        self.masked = recipe.masked_attention
        self.tags = tags

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor) -> dict[str, torch.Tensor]:
        """(rows, longest, width) and (rows,) -> logits, (rows, classes), or (rows, longest, classes) for tags."""
        if not self.masked:
            lengths = torch.full_like(lengths, vectors.shape[1])
        states, last = self._states(self.dropout(vectors), lengths)
        if self.attention is not None:
            read = _weighted(states, self.attention(torch.tanh(states)), lengths)
        else:
            read = states if self.tags else last
        return {"logits": self.head(self.dropout(read))}

    def _states(self, vectors: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(rows, longest, states), of no meaning on padding, and (rows, states), the last of each direction."""
        states, _ = self.from_start(vectors)
        last = states[torch.arange(len(states), device=states.device), lengths - 1]
        if self.from_end is None:
            return states, last
        reversed_states, _ = self.from_end(_reversed(vectors, lengths))
        back = _reversed(reversed_states, lengths)
        return torch.cat([states, back], dim=-1), torch.cat([last, back[:, 0]], dim=-1)


def _reversed(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """(rows, longest, width) with each row's tokens from the last to the first; its padding stays where it is."""
    places = torch.arange(rows.shape[1], device=rows.device).expand(rows.shape[:2])
    mirrored = lengths.unsqueeze(1) - 1 - places
    order = torch.where(mirrored >= 0, mirrored, places)
    return rows.gather(1, order.unsqueeze(-1).expand_as(rows))


def _weighted(states: torch.Tensor, scores: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """(rows, longest, states), (rows, longest, 1) and (rows,) -> (rows, states): the mean by softmax of the scores."""
    padding = torch.arange(states.shape[1], device=states.device) >= lengths.unsqueeze(1)
    weights = scores.squeeze(-1).masked_fill(padding, -torch.inf).softmax(dim=-1)
    return (weights.unsqueeze(1) @ states).squeeze(1)
