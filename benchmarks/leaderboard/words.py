"""How names, numbers and protocols are written in a leaderboard."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.metrics import METRICS

NOTHING = "–"
MOST_SHOWN = 5


def header(metric: str, scheme: str) -> str:
    """A metric as the head of a column, with the convention that it follows; one of a newer version by its name."""
    known = METRICS.get(metric)
    return known.header.format(scheme=scheme) if known else metric


BLOCK = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[#>+~=\[-]))")
"""What begins a heading, a list, a quotation or the definition of a link where it begins a line."""


def plain(text: str) -> str:
    """One line in which nothing is read as Markdown: names and errors come from outside."""
    line = re.sub(r"([|<*`\\]|(?<=\])\()", r"\\\1", " ".join(text.split()))
    return BLOCK.sub(r"\1\\", line)


def linked(text: str) -> str:
    """An address as a link, anything else as it is."""
    return f"<{text}>" if re.fullmatch(r"https?://[^\s<>]+", text) else plain(text)


def as_cell(value: Any) -> Any:
    """As a spreadsheet may have it: a text that it would take for a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def code(name: str) -> str:
    return f"`{' '.join(name.replace('`', '').split())}`"


JOINERS = "\u200c\u200d"
"""Of letters and emoji: not seen themselves, and part of what is."""


def readable(text: str) -> str:
    """Without what is not seen and moves what is: control characters, and marks that turn the direction of writing."""
    line = " ".join(text.split())
    return "".join(sign if sign.isprintable() or sign in JOINERS else "\N{REPLACEMENT CHARACTER}" for sign in line)


def shortened(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(items: Sequence[str], between: str = ", ") -> str:
    """The first few, and how many more there are."""
    more = len(items) - MOST_SHOWN
    return between.join([*items[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def interval(low: float, high: float) -> str:
    return f"[{low:.3f}, {high:.3f}]"


def places(rank: int | None, may_be: range | None) -> str:
    """'2', or '1–3' where it may be any of them."""
    if rank is None:
        return NOTHING
    ends = (rank, rank) if may_be is None else (may_be[0], may_be[-1])
    return "–".join(str(end) for end in dict.fromkeys(ends))


def p(value: float) -> str:
    """'p = 0.0312', or 'p < 0.0001'."""
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.4f}"


def protocol(asked: Mapping[str, Any]) -> str:
    """'Whole training split', '1,000 training rows, classes balanced', '5-fold cross-validation'."""
    said = {
        "folds": "{}-fold cross-validation",
        "train_size": "{:,} training rows",
        "balanced": "classes balanced",
        "validation_size": "{:,} validation rows",
        "test_size": "{:,} test rows",
    }
    words = [form.format(asked[name]) for name, form in said.items() if asked.get(name)]
    words += [f"{name} {value}" for name, value in asked.items() if name not in said]
    if not (asked.get("folds") or asked.get("train_size")):
        words.insert(0, "whole training split")
    text = ", ".join(words)
    return text[0].upper() + text[1:]


def parameters(number: float) -> str:
    if number < 1e4:
        return f"{number:.0f}"
    return f"{number / 1e3:.1f} k" if number < 1e6 else f"{number / 1e6:.1f} M"
