"""Files of word vectors that recipes name: by which content each is known, and how much is in it."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from benchmarks.errors import UserError, short
from benchmarks.files import checksum
from benchmarks.recipes.training import Word2vecRecurrent, file_of
from benchmarks.schema import Recipe


def named(recipes: Iterable[Recipe]) -> list[str]:
    """Every file that one of them reads, as it names it."""
    found = (recipe.vectors for recipe in recipes if isinstance(recipe, Word2vecRecurrent))
    return list(dict.fromkeys(name for name in found if name is not None))


def content(name: str) -> str:
    """The sha256 of the file of this name. Raises UserError where it can't be read, or doesn't begin as word2vec's
    formats do.
    """
    path = file_of(name)
    found = checksum(path)
    vectors_in(path)
    return found


def vectors_in(path: Path) -> tuple[int, int]:
    """How many words a file of vectors says that it has, and how many numbers each. Raises UserError."""
    first = _first_line(path)
    if not re.fullmatch(rb"\d+ \d+\s+", first):
        expected = "word2vec's format, which begins with the number of words and of numbers a word: '3000000 300'"
        raise UserError(f"{path}: begins with {short(first)}, expected {expected}.")
    words, width = map(int, first.split())
    return words, width


def _first_line(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return stream.readline(100)
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path}: can't be read: {error}") from None
