"""From tags to entities: the IOB2 and IO schemes, read strictly or as conlleval does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from benchmarks.metrics.tagging import Ids, Rows, Tagging

Span = tuple[str, int, int]

_TAG = {"IOB2": re.compile(r"O|[BI](-.+)?"), "IO": re.compile(r"O|I(-.+)?")}
_MODES = ("strict", "conlleval")


class Entities(NamedTuple):
    """Of many rows, from left to right. rows, starts, ends, types: (m,) the row of each, its first word and the one
    after its last, counted through all rows, and the place of its type in `names`, which are those that there are.
    """

    rows: Ids
    starts: Ids
    ends: Ids
    types: Ids
    names: list[str]


def spans(tags: Sequence[str], scheme: str, mode: str) -> list[Span]:
    """Entities of one row, as (type, start, end) with end exclusive, from left to right. See `entities`."""
    found = entities([tags], scheme, mode)
    places = zip(found.types.tolist(), found.starts.tolist(), found.ends.tolist(), strict=True)
    return [(found.names[type_], start, end) for type_, start, end in places]


def entities(rows: Rows, scheme: str, mode: str) -> Entities:
    """Those of tags.

    strict: IOB2 entities begin with B-; an I- that does not continue an entity of its type belongs to none (seqeval
    mode="strict", scheme=IOB2). IO entities are runs of one type (seqeval mode="strict", scheme=IOB1 on such tags).
    conlleval: a stray I- begins an entity too (seqeval's default mode, after the script conlleval.pl of CoNLL-2000).
    Raises ValueError for a tag that the scheme does not have, also where no word has it: seqeval would read the tag
    `ORG` as an O.
    """
    if scheme not in _TAG or mode not in _MODES:
        raise ValueError(f"scheme {scheme!r}, mode {mode!r}: one of {', '.join(_TAG)} and one of {', '.join(_MODES)}.")
    tags = Tagging.of(rows)
    parts = [_parts(tag, scheme, mode) for tag in tags.names]
    names = sorted({type_ for _, type_ in parts})
    prefixes, types = np.array([(ord(prefix), names.index(type_)) for prefix, type_ in parts]).reshape(-1, 2).T
    prefix, type_ = prefixes[tags.ids], np.where(prefixes == ord("O"), -1, types)[tags.ids]
    row = tags.row_of_word

    # A stretch goes on while the type does, and is an entity by what it begins with.
    begins = np.flatnonzero((np.diff(type_, prepend=-2) != 0) | (np.diff(row, prepend=-1) != 0) | (prefix == ord("B")))
    ends = np.append(begins[1:], len(row))[: len(begins)]
    stray_begins = mode == "conlleval" or scheme == "IO"
    kept = type_[begins] >= 0 if stray_begins else prefix[begins] == ord("B")
    there, of_type = np.unique(type_[begins[kept]], return_inverse=True)
    return Entities(row[begins[kept]], begins[kept], ends[kept], of_type, [names[place] for place in there])


@lru_cache(maxsize=4096)  # `spans` reads one row at a time
def _parts(tag: str, scheme: str, mode: str) -> tuple[str, str]:
    """Prefix and type; a tag without type is of type `_`, as in seqeval."""
    if not _TAG[scheme].fullmatch(tag):
        raise ValueError(f"{tag!r} is no {scheme} tag: expected {_TAG[scheme].pattern}")
    # seqeval's two modes differ here as well: `B-x-` is of type `x` when read strictly, else of type `x-`.
    type_ = tag[1:].strip("-") if mode == "strict" else tag[1:].split("-", 1)[-1]
    return tag[0], type_ or "_"
