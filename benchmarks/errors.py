"""What the user can fix, and how it is worded: where, what was found, what is allowed, the nearest match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

MOST_NAMES_SHOWN = 12
MOST_PROBLEMS = 100
"""Of one file, told at once: who has more mends these first."""
MOST_COMPARED = 2000
"""Names among which a near one is looked for: each takes some microseconds."""
MOST_CHARACTERS = 20_000
"""Of one message: what is wrong may itself be a line of a million, or stand in a million lines."""


class UserError(Exception):
    """Something the user can mend: printed as it is, without a traceback, exit code 2."""

    def __str__(self) -> str:
        text = super().__str__()
        left = len(text) - MOST_CHARACTERS
        return text if left <= 0 else f"{text[:MOST_CHARACTERS]}... ({left:,} more characters)"


def nearest(found: object, allowed: Iterable[object]) -> str:
    """' Did you mean ...?' with a leading space where something allowed is close, else ''."""
    names = {str(name).lower(): str(name) for name in islice(allowed, MOST_COMPARED)}
    match = difflib.get_close_matches(str(found).lower(), list(names), n=1, cutoff=0.6)
    return f" Did you mean {names[match[0]]!r}?" if match else ""


def one_of(allowed: Iterable[object]) -> str:
    """' One of: a, b, ...' with a leading space, cut where the list is long."""
    names = [str(name) for name in allowed]
    shown = ", ".join(names[:MOST_NAMES_SHOWN])
    return f" One of: {shown}{', ...' if len(names) > MOST_NAMES_SHOWN else ''}." if names else ""


def unknown(kind: str, found: object, allowed: Sequence[object], where: str = "`encoder-bench list` shows all.") -> str:
    """One sentence for a name that does not exist: "No task 'sentimnt'. Did you mean 'sentiment'? ..."."""
    return f"No {kind} {str(found)!r}.{nearest(found, allowed)} {where}".rstrip()


def short(value: object) -> str:
    """What was found as Python writes it, cut where it is long."""
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def problems(where: object, lines: Sequence[str], more: int = 0) -> UserError:
    """One error for all problems of one file; more: so many others, which are not told."""
    if len(lines) == 1 and not more:
        return UserError(f"{where}: {lines[0]}")
    untold = [f"... and {more:,} more."] if more else []
    return UserError("\n  ".join([f"{where}: {len(lines) + more} problems", *lines, *untold]))
