"""Scores of token classification: entities, strictly and as conlleval counts them, and tokens, with and without O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from benchmarks.metrics import confusion as cm
from benchmarks.metrics.spans import Span, spans

Rows = Sequence[Sequence[str]]
Pairs = list[tuple[set[Span], set[Span]]]


def measure(gold: Rows, predicted: Rows, scheme: str) -> dict[str, float]:
    """Every metric of token classification, from one list of tags a row, gold and predicted of equal lengths.

    Entity metrics are 0 where there is no entity at all (seqeval's macro average is NaN there); those without `O`
    are 0 where there is no other tag. Raises ValueError for no tokens, unequal lengths, tags outside of the scheme.
    """
    _check(gold, predicted)
    pairs = _pairs(gold, predicted, scheme, "strict")
    entities = {
        "entity_f1": cm.f1_micro(_by_row(pairs)),
        "entity_f1_macro": cm.f1_macro(_by_type(pairs)[1]),
        "entity_f1_conlleval": cm.f1_micro(_by_row(_pairs(gold, predicted, scheme, "conlleval"))),
    }
    labels, matrix = _tokens(gold, predicted)
    with_o = cm.matches(matrix)
    without_o = with_o[[label != "O" for label in labels]]
    tokens = {name: score(without_o if name in WITHOUT_O else with_o) for name, score in OF_TOKENS.items()}
    of_types = cm.matches(_tokens(types(gold), types(predicted))[1])
    found = {**entities, **tokens, **{name: score(of_types) for name, score in OF_TYPES.items()}}
    return {name: float(value) for name, value in found.items()}


OF_TOKENS: dict[str, Callable[[cm.Counts | cm.Floats], cm.Floats]] = {
    "token_f1_micro": cm.f1_micro,
    "token_f1_macro": cm.f1_macro,
    "token_f1_micro_no_o": cm.f1_micro,
    "token_f1_macro_no_o": cm.f1_macro,
    "token_f1_weighted": cm.f1_weighted,
    "token_accuracy": cm.accuracy,
}
"""Metric -> its function of the (..., k, 3) matches of all tags, or of all but O."""
WITHOUT_O = ("token_f1_micro_no_o", "token_f1_macro_no_o")
OF_TYPES = {"token_f1_micro_types": cm.f1_micro, "token_f1_macro_types": cm.f1_macro}
"""The same of types."""


def types(rows: Rows) -> Rows:
    """The tags without what says whether a word begins its entity."""
    return [[tag[2:] if tag[:2] in ("B-", "I-") else tag for tag in row] for row in rows]


def report(gold: Rows, predicted: Rows, scheme: str) -> dict[str, Any]:
    """Strict scores by entity type, the confusion of tags (rows gold) over `labels` (O first), sizes; JSON-ready."""
    _check(gold, predicted)
    names, counts = _by_type(_pairs(gold, predicted, scheme, "strict"))
    labels, matrix = _tokens(gold, predicted)
    return {
        "labels": labels,
        "per_class": cm.per_class(names, counts),
        "confusion": matrix.tolist(),
        "rows": len(gold),
        "tokens": int(matrix.sum()),
    }


def counts(gold: Rows, predicted: Rows, scheme: str, mode: str = "strict") -> cm.Counts:
    """(n, 3) entities of each row: true positives, predicted, gold.

    `f1_micro` of `benchmarks.metrics.confusion` gives the entity F1 of any sample of these rows.
    """
    _check(gold, predicted)
    return _by_row(_pairs(gold, predicted, scheme, mode))


def _pairs(gold: Rows, predicted: Rows, scheme: str, mode: str) -> Pairs:
    """Gold and predicted entities of each row."""
    return [(set(spans(g, scheme, mode)), set(spans(p, scheme, mode))) for g, p in zip(gold, predicted, strict=True)]


def _by_row(pairs: Pairs) -> cm.Counts:
    return np.array([(len(g & p), len(p), len(g)) for g, p in pairs], dtype=np.int64)


def _by_type(pairs: Pairs) -> tuple[list[str], cm.Counts]:
    """The m entity types in gold or predicted, sorted, and their (m, 3) true positives, predicted, gold."""
    groups = ([g & p for g, p in pairs], [p for _, p in pairs], [g for g, _ in pairs])
    columns = [Counter(type_ for type_, _, _ in chain.from_iterable(group)) for group in groups]
    types = sorted(columns[1] | columns[2])
    return types, np.array([[column[t] for column in columns] for t in types], dtype=np.int64).reshape(-1, 3)


def _tokens(gold: Rows, predicted: Rows) -> tuple[list[str], cm.Counts]:
    """The k tags in gold or predicted, O first, then sorted, and their (k, k) confusion."""
    present = {*chain.from_iterable(gold), *chain.from_iterable(predicted)}
    labels = sorted(present, key=lambda tag: (tag != "O", tag))
    ids = {tag: i for i, tag in enumerate(labels)}
    flat = [np.fromiter((ids[tag] for tag in chain.from_iterable(rows)), dtype=np.int64) for rows in (gold, predicted)]
    return labels, cm.confusion(flat[0], flat[1], len(labels))


def _check(gold: Rows, predicted: Rows) -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold rows, but {len(predicted)} predicted ones.")
    for i, (g, p) in enumerate(zip(gold, predicted, strict=True)):
        if len(g) != len(p):
            raise ValueError(f"row {i}: {len(g)} gold tags, but {len(p)} predicted ones.")
    if not any(map(len, gold)):
        raise ValueError(f"No tokens to score in {len(gold)} rows.")
