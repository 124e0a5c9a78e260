"""word2vec: a row as words, and a vector for each word, trained on the run's training rows or read from a file."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from benchmarks.errors import UserError
from benchmarks.recipes import Word2vecRecurrent

if TYPE_CHECKING:
    from datasets import Dataset
    from gensim.models import KeyedVectors

Words: TypeAlias = Sequence[str]

WORD_OR_SIGN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
"""A word with the apostrophes inside of it ("don't"), or one punctuation mark or other sign."""
LONGEST_LINE = 2**20
"""Bytes; a binary file may have no other."""
UNKNOWN = 0
"""The number of every word without a vector."""


def words_of(rows: Dataset, cleaning: bool = False) -> list[Words]:
    """The lower-cased words of each row: the given ones of a tagging task, else a text's words and signs.

    cleaning: without a text's English stop words ('no' and 'not' among them) and signs.
    """
    if "tokens" in rows.column_names:
        return [[word.lower() for word in words] for words in rows["tokens"]]
    found: list[Words] = [WORD_OR_SIGN.findall(text.lower()) for text in rows["text"]]
    return [_cleaned(words) for words in found] if cleaning else found


def _cleaned(words: Iterable[str]) -> Words:
    return [word for word in words if word not in ENGLISH_STOP_WORDS and any(map(str.isalnum, word))]


def trained(rows: Sequence[Words], recipe: Word2vecRecurrent, seed: int) -> KeyedVectors:
    """Vectors by gensim: the same in every process, with one worker. Raises UserError where no word gets one."""
    from gensim.models import Word2Vec

    counts = Counter(chain.from_iterable(rows))
    if max(counts.values(), default=0) < recipe.min_count:
        raise UserError(f"recipe.min_count: {recipe.min_count}, but no word of the training rows is that frequent.")
    model = Word2Vec(
        rows,
        vector_size=recipe.vector_size,
        window=recipe.window,
        min_count=recipe.min_count,
        sg=int(recipe.algorithm == "skipgram"),
        epochs=recipe.word2vec_epochs,
        seed=seed,
        workers=1,
    )
    return model.wv


def read(path: Path) -> KeyedVectors:
    """Vectors from a file in word2vec's text or binary format. Raises UserError where it is in neither, or damaged."""
    from gensim.models import KeyedVectors

    try:
        # published binary files hold words that were cut off in the middle of a character
        return KeyedVectors.load_word2vec_format(path, binary=not _is_text(path), unicode_errors="replace")
    except (AssertionError, EOFError, IndexError, OSError, ValueError, zlib.error) as error:
        said = str(error) or type(error).__name__
        raise UserError(f"{path}: expected vectors in word2vec's text or binary format: {said}") from None


def _is_text(path: Path) -> bool:
    """Whether the second line is a word and numbers, as many as the first line says; gensim can't tell, and would read
    the characters of a text as binary numbers.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        width = int(stream.readline(LONGEST_LINE).split()[1])
        numbers = stream.readline(LONGEST_LINE).split()[1:]
    try:
        return len([float(number) for number in numbers]) == width
    except ValueError:
        return False


@dataclass(frozen=True)
class WordVectors:
    """The vectors of each row's words, (words, width) float32; of a row without words, one of zeros.

    numbers: for each row the places of its words in `matrix`, which begins with the zeros of unknown words.
    """

    numbers: list[np.ndarray]
    matrix: np.ndarray

    @property
    def unknown(self) -> int:
        """Words without a vector."""
        return sum(int((row == UNKNOWN).sum()) for row in self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, row: int, /) -> np.ndarray:
        numbers = self.numbers[row]
        return self.matrix[numbers if len(numbers) else [UNKNOWN]]


def vectors_of(rows: Sequence[Words], known: KeyedVectors) -> WordVectors:
    """The rows with the standardised vectors of the words that occur in them: a published file has millions of others.

    Every dimension has mean 0 and variance 1 over all known words. As they come most of each vector is a part that all
    share (Mu, Viswanath 2018), all the larger the fewer rows they are trained on, and a network learns little from it.
    """
    occurring = [word for word in dict.fromkeys(chain.from_iterable(rows)) if word in known]
    numbers = {word: number for number, word in enumerate(occurring, start=UNKNOWN + 1)}
    mean, deviation = _moments(known.vectors)
    matrix = np.zeros((len(occurring) + 1, known.vector_size), dtype=np.float32)
    for word, number in numbers.items():
        matrix[number] = (known[word] - mean) / deviation
    return WordVectors([np.array([numbers.get(word, UNKNOWN) for word in row], dtype=int) for row in rows], matrix)


def _moments(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(width,) mean and standard deviation, 1 where there is none, without a copy of all vectors."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    square = np.einsum("ij,ij->j", vectors, vectors, dtype=np.float64, casting="same_kind") / len(vectors)
    variance = square - mean**2
    return mean, np.sqrt(np.where(variance > 0, variance, 1.0))
