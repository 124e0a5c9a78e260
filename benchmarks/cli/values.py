"""What the values of flags mean: lists of names, counts, sizes, folders."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.errors import UserError, nearest, one_of, unknown
from benchmarks.speed import PARTS
from benchmarks.tracking import NAMES

LARGEST_COUNT = 1_000_000_000
MOST_REPEATS = 10_000


def names(flag: str) -> Callable[[str], list[str]]:
    return lambda text: names_in(text, flag)


def names_in(text: str, flag: str) -> list[str]:
    """The items of a comma-separated list, each once. Raises UserError for an empty one."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UserError(f"{flag} {text!r}: an empty name. Expected a list such as a,b,c.")
    return list(dict.fromkeys(names))


def metric(text: str) -> str:
    from benchmarks.metrics import METRICS  # half of the time of --help

    if text not in METRICS:
        raise argparse.ArgumentTypeError(unknown("metric", text, list(METRICS)))
    return text


def count(text: str, least: int = 1, most: int = LARGEST_COUNT) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; expected a whole number from {least} to {most:,}.")
    return int(text)


def seeds(text: str) -> int:
    return count(text, most=MOST_REPEATS)


def trials(text: str) -> int:
    return count(text, least=2, most=MOST_REPEATS)


def jobs(text: str) -> int | None:
    return None if text == "auto" else count(text, most=MOST_REPEATS)


def ray(text: str) -> str:
    """As `ray start` names it."""
    host, _, port = text.rpartition(":")
    if text not in ("auto", "local") and not (host and "/" not in host and port.isascii() and port.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no address; expected HOST:PORT, 'auto' or 'local'.")
    if port.isdigit() and not 0 < int(port[:6]) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} has no such port; expected 1 to {2**16 - 1}.")
    return text


def minutes(text: str) -> float:
    return _minutes(text, "above 0", lambda found: found > 0)


def minutes_or_never(text: str) -> float:
    return _minutes(text, "from 0", lambda found: found >= 0)


def _minutes(text: str, allowed: str, is_allowed: Callable[[float], bool]) -> float:
    """As people write them: 30, or .5."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and is_allowed(found)):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; expected minutes, a number {allowed}.")
    return found


def rows(text: str) -> int:
    return count(text, least=100)


def parts(text: str) -> list[str]:
    return _among(PARTS, names_in(text, "parts"), "part")


def trackers(text: str) -> tuple[str, ...]:
    return tuple(_among(NAMES, names_in(text, "--report-to"), "tracker"))


def _among(allowed: Sequence[str], names: list[str], what: str) -> list[str]:
    for name in names:
        if name not in allowed:
            raise argparse.ArgumentTypeError(f"{name!r} is no {what}.{nearest(name, allowed)}{one_of(allowed)}")
    return names


def folds(text: str) -> int:
    return count(text, least=2, most=MOST_REPEATS)


def sizes(text: str) -> list[int | None]:
    return [None if size == "all" else count(size) for size in names_in(text, "--train-sizes")]


def data_dir(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: no such folder.")
    return Path(text)
