"""Scores of token classification: entities, strictly and as conlleval counts them, and tokens, with and without O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.metrics import confusion as cm
from benchmarks.metrics.spans import entities
from benchmarks.metrics.tagging import Rows, Tagging


def measure(gold: Rows, predicted: Rows, scheme: str) -> dict[str, float]:
    """Every metric of token classification, from one list of tags a row, gold and predicted of equal lengths.

    Entity metrics are 0 where there is no entity at all (seqeval's macro average is NaN there); those without `O`
    are 0 where there is no other tag. Raises ValueError for no tokens, unequal lengths, tags outside of the scheme.
    """
    gold, predicted = _checked(gold, predicted)
    counts = {}
    for mode in ("strict", "conlleval"):
        names, matches = entity_matches(gold, predicted, scheme, mode)
        counts[mode] = matches.summed(len(names))
    of_entities = {name: score(counts[mode]) for name, (mode, score) in OF_ENTITIES.items()}
    labels, matrix = _tokens(gold, predicted)
    with_o = cm.matches(matrix)
    without_o = with_o[[label != "O" for label in labels]]
    tokens = {name: score(without_o if name in WITHOUT_O else with_o) for name, score in OF_TOKENS.items()}
    of_types = cm.matches(_tokens(types(gold), types(predicted))[1])
    found = {**of_entities, **tokens, **{name: score(of_types) for name, score in OF_TYPES.items()}}
    return {name: float(value) for name, value in found.items()}


OF_ENTITIES: dict[str, tuple[str, Callable[[cm.Counts | cm.Floats], cm.Floats]]] = {
    "entity_f1": ("strict", cm.f1_micro),
    "entity_f1_macro": ("strict", cm.f1_macro),
    "entity_f1_conlleval": ("conlleval", cm.f1_micro),
}
"""Metric -> how entities are read, and its function of the (..., k, 3) matches of their types."""
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


def types(rows: Rows) -> Tagging:
    """The tags without what says whether a word begins its entity."""
    return Tagging.of(rows).renamed(lambda tag: tag[2:] if tag[:2] in ("B-", "I-") else tag)


def report(gold: Rows, predicted: Rows, scheme: str) -> dict[str, Any]:
    """Strict scores by entity type, the confusion of tags (rows gold) over `labels` (O first), sizes; JSON-ready."""
    gold, predicted = _checked(gold, predicted)
    names, matches = entity_matches(gold, predicted, scheme, "strict")
    labels, matrix = _tokens(gold, predicted)
    return {
        "labels": labels,
        "per_class": cm.per_class(names, matches.summed(len(names))),
        "confusion": matrix.tolist(),
        "rows": len(gold),
        "tokens": int(matrix.sum()),
    }


def entity_matches(gold: Rows, predicted: Rows, scheme: str, mode: str) -> tuple[list[str], cm.Matches]:
    """The entity types in gold or predicted, sorted, and the matches of their entities: those with the same words and
    type are true positives. mode: as `entities` has it.
    """
    gold, predicted = Tagging.of(gold), Tagging.of(predicted)
    found, words = entities(Tagging.joined([gold, predicted]), scheme, mode), len(gold.ids)
    of_gold = int(np.searchsorted(found.rows, len(gold)))
    rows, starts, ends, types = found.rows % len(gold), found.starts % words, found.ends, found.types

    begins_here = np.full(words, -1)
    begins_here[starts[:of_gold]] = np.arange(of_gold)
    own = np.arange(of_gold, len(rows))
    other = begins_here[starts[of_gold:]]
    right = own[(other >= 0) & (ends[other] == ends[of_gold:] - words) & (types[other] == types[of_gold:])]
    columns = [(rows[places], types[places]) for places in (right, own, np.arange(of_gold))]
    return found.names, cm.Matches.of(*columns)


def token_matches(gold: Rows, predicted: Rows, with_o: bool) -> tuple[list[str], cm.Matches]:
    """The tags in gold or predicted, sorted, and the matches of their words; O among them or not."""
    gold, predicted = Tagging.of(gold), Tagging.of(predicted)
    names = sorted(gold.present | predicted.present)
    matches = cm.Matches.of_ids(gold.among(names), predicted.among(names), gold.row_of_word)
    if not with_o and "O" in names:
        matches = matches.only(matches.classes != names.index("O"))
    return names, matches


def _tokens(gold: Tagging, predicted: Tagging) -> tuple[list[str], cm.Counts]:
    """The k tags in gold or predicted, O first, then sorted, and their (k, k) confusion."""
    labels = sorted(gold.present | predicted.present, key=lambda tag: (tag != "O", tag))
    return labels, cm.confusion(gold.among(labels), predicted.among(labels), len(labels))


def _checked(gold: Rows, predicted: Rows) -> tuple[Tagging, Tagging]:
    gold, predicted = Tagging.of(gold), Tagging.of(predicted)
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold rows, but {len(predicted)} predicted ones.")
    for i in np.flatnonzero(gold.lengths != predicted.lengths)[:1]:
        raise ValueError(f"row {i}: {gold.lengths[i]} gold tags, but {predicted.lengths[i]} predicted ones.")
    if not len(gold.ids):
        raise ValueError(f"No tokens to score in {len(gold)} rows.")
    return gold, predicted
