"""Which columns of records hold the texts and the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from benchmarks.errors import UserError, nearest, one_of

MOST_LABELS = 1000
TEXT_NAMES = ("text", "sentence", "review", "comment", "content", "body", "headline", "title", "tweet", "document")
LABEL_NAMES = ("label", "class", "category", "target", "sentiment", "topic", "rating", "stars", "intent", "tag")


def text_and_label(
    place: str, values: Mapping[str, Sequence[str]], text: str | None, label: str | None
) -> tuple[str, str]:
    """The columns of the texts and of the labels: those that the user names, else by their names and what they hold.

    values: the first ones of every column. Raises UserError where there is none.
    """
    for flag, given in (("--text", text), ("--label", label)):
        if given is not None and given not in values:
            raise UserError(f"{flag} {given!r}: no such column in {place}.{nearest(given, values)}{one_of(values)}")
    if text is not None and text == label:
        raise UserError(f"--text {text!r}, --label {label!r}: one column can't be both.")
    text = text or _text_column({name: own for name, own in values.items() if name != label})
    label = label or _label_column({name: own for name, own in values.items() if name != text})
    if text is None or label is None:
        what, flag = ("texts", "--text") if text is None else ("labels (two or more, each repeated)", "--label")
        raise UserError(f"{place}: no column of {what}: name it with {flag}.{one_of(values)}")
    return text, label


def _text_column(values: Mapping[str, Sequence[str]]) -> str | None:
    named = [name for wanted in TEXT_NAMES for name in values if name.lower() == wanted]
    by_length = sorted(values, key=lambda name: -fmean(map(len, values[name])))
    return next(iter([*named, *by_length]), None)


def _label_column(values: Mapping[str, Sequence[str]]) -> str | None:
    """A column of values that repeat; of several the one with the fewest."""
    repeated = [name for name, own in values.items() if repeats(own)]
    named = [name for wanted in LABEL_NAMES for name in repeated if name.lower() == wanted]
    return next(iter([*named, *sorted(repeated, key=lambda name: len(set(values[name])))]), None)


def repeats(values: Sequence[str]) -> bool:
    """As labels do."""
    return 2 <= len(set(values)) <= min(MOST_LABELS, max(2, len(values) // 2))
