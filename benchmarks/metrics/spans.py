"""From tags to entities: the IOB2 and IO schemes, read strictly or as conlleval does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

Span = tuple[str, int, int]

_TAG = {"IOB2": re.compile(r"O|[BI](-.+)?"), "IO": re.compile(r"O|I(-.+)?")}
_MODES = ("strict", "conlleval")


def spans(tags: Sequence[str], scheme: str, mode: str) -> list[Span]:
    """Entities of one row, as (type, start, end) with end exclusive, from left to right.

    strict: IOB2 entities begin with B-; an I- that does not continue an entity of its type belongs to none (seqeval
    mode="strict", scheme=IOB2). IO entities are runs of one type (seqeval mode="strict", scheme=IOB1 on such tags).
    conlleval: a stray I- begins an entity too (seqeval's default mode, after the script conlleval.pl of CoNLL-2000).
    Raises ValueError for a tag that the scheme does not have: seqeval would read the tag `ORG` as an O.
    """
    stray_begins = mode == "conlleval" or scheme == "IO"
    found: list[Span] = []
    kind, start = None, 0
    for i, tag in enumerate(tags):
        prefix, type_ = _parts(tag, scheme, mode)
        if kind is not None and (prefix != "I" or type_ != kind):
            found.append((kind, start, i))
            kind = None
        if prefix == "B" or (prefix == "I" and kind is None and stray_begins):
            kind, start = type_, i
    return found if kind is None else [*found, (kind, start, len(tags))]


@lru_cache(maxsize=4096)  # a corpus has millions of tags, but few different ones
def _parts(tag: str, scheme: str, mode: str) -> tuple[str, str]:
    """Prefix and type; a tag without type is of type `_`, as in seqeval."""
    if scheme not in _TAG or mode not in _MODES:
        raise ValueError(f"scheme {scheme!r}, mode {mode!r}: one of {', '.join(_TAG)} and one of {', '.join(_MODES)}.")
    if not _TAG[scheme].fullmatch(tag):
        raise ValueError(f"{tag!r} is no {scheme} tag: expected {_TAG[scheme].pattern}")
    # seqeval's two modes differ here as well: `B-x-` is of type `x` when read strictly, else of type `x-`.
    type_ = tag[1:].strip("-") if mode == "strict" else tag[1:].split("-", 1)[-1]
    return tag[0], type_ or "_"
