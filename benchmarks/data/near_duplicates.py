"""Rows that say almost the same: pairs of texts that share most of their 5-grams of characters.

Two texts are near-duplicates where the Jaccard similarity of their sets of 5-grams is 0.8 or more (the bound of Lee et
al. 2022, Deduplicating Training Data Makes Language Models Better), whatever their case, punctuation and white space.
Candidates come from MinHash with locality-sensitive hashing (Broder 1997; datasketch) in 25 bands of 5: of the pairs at
exactly 0.8 one in 20,000 is missed, of closer ones fewer. The similarity of a candidate is computed, not estimated.
Only of a text with more than 200 near-duplicates some may be missing.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.files import replacing
from benchmarks.leaks import LEAKS_VERSION

if TYPE_CHECKING:
    from datasets import Dataset

LEAST = 0.8
GRAM = 5
BANDS, BAND = 25, 5
MOST = 200
"""Near-duplicates of a text that are looked up by those after it: one that has as many is like what is found already,
and a hundred thousand rows of one template would take days.
"""
OTHER_WORDS = 1 - 2**-10
"""The similarity of forms that differ, however alike: 'ha ha ha' and 'ha ha ha ha' have the same 5-grams."""
PAIR = np.dtype([("first", np.int64), ("second", np.int64), ("similarity", np.float32)])

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """Which of n rows are alike.

    forms: (n,) the number of each row's text but for case, punctuation and white space. pairs: PAIR, shape (pairs,), of
    two different forms each.
    """

    forms: Ints
    pairs: npt.NDArray[Any]

    def closest(self, rows: Ints, among: Ints) -> tuple[Ints, npt.NDArray[np.float32]]:
        """(rows,) the row of `among` that is closest to each, -1 for none, and how similar both are: 1 for equal forms,
        0 for none. Of several that are equally close the first.
        """
        closest = np.full(self.forms.max(initial=-1) + 1, -1)
        closest[self.forms[among[::-1]]] = among[::-1]  # of a form that stands twice, the last one written is the first
        similarity = np.where(closest >= 0, 1, 0).astype(np.float32)
        turned = self.pairs.copy()
        turned["first"], turned["second"] = self.pairs["second"], self.pairs["first"]
        both_ways = np.concatenate([self.pairs, turned])
        there = both_ways[(closest[both_ways["first"]] < 0) & (closest[both_ways["second"]] >= 0)]
        there = there[np.lexsort((-closest[there["second"]], there["similarity"]))]  # the closest is written last
        closest[there["first"]] = closest[there["second"]]
        similarity[there["first"]] = there["similarity"]
        return closest[self.forms[rows]], similarity[self.forms[rows]]


def near(tables: Iterable[Dataset], cache_dir: Path) -> Near:
    """Of all rows of a task's tables, one table after the other. `cache_dir` keeps what was found, by content."""
    forms = [form(text) for table in tables for text in _texts(table)]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(forms))}
    path = cache_dir / f"near-{_digest(numbers)}.npy"
    if (found := _read(path)) is None:
        found = np.array(list(pairs(list(numbers))), dtype=PAIR)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, found)
    return Near(np.array([numbers[text] for text in forms], dtype=np.int64), found)


def _texts(table: Dataset) -> Iterator[str]:
    column = "tokens" if "tokens" in table.column_names else "text"
    values = (value for chunk in table.data.column(column).chunks for value in chunk.to_pylist())
    return (value if isinstance(value, str) else " ".join(value) for value in values)


def _digest(forms: Iterable[str]) -> str:
    found = hashlib.sha256(str(LEAKS_VERSION).encode())
    for text in forms:
        found.update(f"\n{text}".encode())
    return found.hexdigest()[:32]


def _read(path: Path) -> npt.NDArray[Any] | None:
    """None where no such file is there, or it is torn: it is made anew then."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None


# -- texts -----------------------------------------------------------------------------------------------------------


def form(text: str) -> str:
    """The text's words in one case with single spaces between them; of a text without words, the text itself."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text


def pairs(forms: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """The numbers of any two of these distinct forms that are near-duplicates, and their similarity."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=BANDS * BAND, params=(BANDS, BAND))
    encoded = ([gram.encode() for gram in grams(text)] for text in forms)
    signatures = MinHash.generator(encoded, num_perm=BANDS * BAND, seed=1, hashfunc=zlib.crc32)
    for number, signature in enumerate(signatures):
        own, found = grams(forms[number]), 0
        for other in sorted(index.query(signature)):
            similarity = jaccard(own, grams(forms[other]))
            if similarity >= LEAST:
                yield other, number, min(similarity, OTHER_WORDS)
                found += 1
        if found < MOST:
            index.insert(number, signature, check_duplication=False)


def grams(text: str) -> set[str]:
    """The 5-grams of its characters, a space before and after it; a shorter text is one gram."""
    padded = f" {text} "
    return {padded[start : start + GRAM] for start in range(max(1, len(padded) - GRAM + 1))}


def jaccard(first: set[str], second: set[str]) -> float:
    """Of two sets that are not both empty."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)
