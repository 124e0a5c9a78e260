"""Seeded choices, filled templates, words kept out of training, label noise: what sample corpora are made with."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import TypeAlias, TypeVar

SIZES: Mapping[str, int] = {"train": 1200, "validation": 300, "test": 700}
_PART_SEEDS: Mapping[str, int] = {"train": 1, "validation": 2, "test": 3}
_SLOT = re.compile(r"\{([\w-]+)\}")
_A_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeiou])")
_LONG_ROW = 0.006
_LABEL_NOISE = 0.03

Option = TypeVar("Option")
Words: TypeAlias = Mapping[str, Sequence[str]]
Write: TypeAlias = Callable[["Draw", str], str]


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a word list that separates them by `|`."""
    return tuple(phrase.strip() for phrase in text.split("|"))


class Draw:
    """The choices of one part of one corpus.

    Only `Random.random()` is used: its sequence for an integer seed is the same on every machine and Python.
    """

    def __init__(self, seed: int, part: str) -> None:
        self._random = Random(10 * seed + _PART_SEEDS[part]).random
        self._training = part == "train"

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def pick(self, options: Sequence[Option]) -> Option:
        return options[int(self._random() * len(options))]

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return low + int(self._random() * (high - low + 1))

    def weighted(self, shares: Mapping[str, float]) -> str:
        """A key of `shares`, as often as its value says; the values sum to 1."""
        left = self._random()
        for key, share in shares.items():
            left -= share
            if left < 0:
                return key
        return key

    def word(self, words: Sequence[str]) -> str:
        """One of `words`; two of every five never occur in the training part, so that test rows hold unseen ones."""
        return self.pick(_open_to_training(words) if self._training else words)

    def fill(self, template: str, words: Words) -> str:
        """`template` with each {slot} replaced by a word of that slot, which may hold slots of its own."""
        return _SLOT.sub(lambda slot: self.fill(self.word(words[slot[1]]), words), template)


def _open_to_training(words: Sequence[str]) -> Sequence[str]:
    return [word for position, word in enumerate(words) if position % 5 not in (1, 3)] if len(words) > 4 else words


def sentence(text: str) -> str:
    """`text` with a capital first letter, `an` before vowels, and a full stop unless it ends in a mark."""
    text = _A_BEFORE_VOWEL.sub(r"\1n ", text)
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def text_rows(part: str, seed: int, shares: Mapping[str, float], write: Write) -> Iterator[dict[str, str]]:
    """The rows of a classification corpus, no two of a part alike; `write` gives a text that is true to a label."""
    draw, written = Draw(seed, part), set[str]()
    while len(written) < SIZES[part]:
        label = draw.weighted(shares)
        text = _passage(draw, label, write)
        if text not in written:
            written.add(text)
            yield {"text": text, "label": _noisy(draw, label, tuple(shares))}


def texts_in_row(draw: Draw) -> int:
    """How many texts make a row: one, now and then many, for truncation to bite on."""
    return draw.between(5, 8) if draw.chance(_LONG_ROW) else 1


def _passage(draw: Draw, label: str, write: Write) -> str:
    return " ".join(write(draw, label) for _ in range(texts_in_row(draw)))


def _noisy(draw: Draw, label: str, labels: Sequence[str]) -> str:
    return draw.pick([other for other in labels if other != label]) if draw.chance(_LABEL_NOISE) else label
