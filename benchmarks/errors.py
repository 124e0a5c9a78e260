"""What the user can fix, and how it is worded: where, what was found, what is allowed, the nearest match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

MOST_NAMES_SHOWN = 12


class UserError(Exception):
    """Something the user can mend: printed as it is, without a traceback, exit code 2."""


def nearest(found: object, allowed: Iterable[object]) -> str:
    """' Did you mean ...?' with a leading space where something allowed is close, else ''."""
    names = {str(name).lower(): str(name) for name in allowed}
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
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def problems(where: object, lines: Sequence[str]) -> UserError:
    """One error for all problems of one file."""
    if len(lines) == 1:
        return UserError(f"{where}: {lines[0]}")
    return UserError("\n  ".join([f"{where}: {len(lines)} problems", *lines]))
