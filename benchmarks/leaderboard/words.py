"""How names, numbers and protocols are written in a leaderboard."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NOTHING = "–"
MOST_SHOWN = 5

HEADERS = {
    "accuracy": "accuracy",
    "f1_micro": "micro F1",
    "f1_macro": "macro F1",
    "f1_weighted": "weighted F1",
    "mcc": "MCC",
    "f1": "F1 (positive class)",
    "average_precision": "AP",
    "average_precision_macro": "macro AP",
    "roc_auc": "ROC AUC",
    "entity_f1": "entity F1 (strict, {scheme})",
    "entity_f1_macro": "macro entity F1 (strict)",
    "entity_f1_conlleval": "entity F1 (seqeval's default mode)",
    "token_f1_micro": "token F1 with O (= accuracy)",
    "token_f1_macro": "macro token F1 with O",
    "token_f1_micro_no_o": "token F1 without O",
    "token_f1_macro_no_o": "macro token F1 without O",
    "token_f1_weighted": "weighted token F1 with O",
    "token_accuracy": "token accuracy with O",
}


def header(metric: str, scheme: str | None) -> str:
    """A metric as the head of a column, with the convention that it follows."""
    return HEADERS.get(metric, metric).format(scheme=scheme or "scheme unknown")


def plain(text: str) -> str:
    """One line in which nothing is read as Markdown: names and errors come from outside."""
    return re.sub(r"([|<*`\\])", r"\\\1", " ".join(text.split()))


def code(name: str) -> str:
    return f"`{' '.join(name.replace('`', '').split())}`"


def shortened(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(items: Sequence[str], between: str = ", ") -> str:
    """The first few, and how many more there are."""
    more = len(items) - MOST_SHOWN
    return between.join([*items[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def counted(number: int, noun: str) -> str:
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def protocol(asked: Mapping[str, Any]) -> str:
    """'Whole training split', '1,000 training rows, classes balanced', '5-fold cross-validation'."""
    said = {
        "folds": "{}-fold cross-validation",
        "train_size": "{:,} training rows",
        "balanced": "classes balanced",
        "test_size": "{:,} test rows",
    }
    words = [form.format(asked[name]) for name, form in said.items() if asked.get(name)]
    words += [f"{name} {value}" for name, value in asked.items() if name not in said]
    if not (asked.get("folds") or asked.get("train_size")):
        words.insert(0, "whole training split")
    text = ", ".join(words)
    return text[0].upper() + text[1:]


def duration(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds >= 0.05 else "< 0.1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def memory(megabytes: float | None) -> str:
    if megabytes is None:
        return NOTHING
    return f"{megabytes:.0f} MB" if megabytes < 1024 else f"{megabytes / 1024:.1f} GB"


def parameters(number: float | None) -> str:
    if number is None:
        return NOTHING
    if number < 1e4:
        return f"{number:.0f}"
    return f"{number / 1e3:.1f} k" if number < 1e6 else f"{number / 1e6:.1f} M"
