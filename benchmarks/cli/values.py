"""What the values of flags mean: lists of names, counts, sizes, folders."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.errors import UserError, nearest, one_of, unknown
from benchmarks.speed import PARTS
from benchmarks.tracking import NAMES

LARGEST_COUNT = 1_000_000_000
MOST_REPEATS = 10_000
DATA = "ENCODER_BENCH_DATA"
"""In place of --data-dir."""


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


def count(text: str, least: int = 1, most: int = LARGEST_COUNT, word: str | None = None) -> int:
    """word: what is allowed beside numbers, of which the caller knows the meaning."""
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        allowed = f"a whole number from {least} to {most:,}{f', or {word!r}' if word else ''}"
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; expected {allowed}.")
    return int(text)


def seeds(text: str) -> int:
    return count(text, most=MOST_REPEATS)


def trials(text: str) -> int:
    return count(text, least=2, most=MOST_REPEATS)


def jobs(text: str) -> int | None:
    return None if text == "auto" else count(text, most=MOST_REPEATS, word="auto")


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
    return [None if size == "all" else count(size, word="all") for size in names_in(text, "--train-sizes")]


def path(text: str) -> Path:
    if not text:  # as a shell gives a variable that isn't set; Path would take it for the working folder
        raise argparse.ArgumentTypeError("'' is not allowed; expected a path.")
    return Path(text)


def data_dir(text: str) -> Path:
    found = path(text)
    if not found.is_dir():
        why = "is a file, expected a folder" if found.exists() else "no such folder"
        raise argparse.ArgumentTypeError(f"{text!r}: {why}.")
    return found


def own_data_dir() -> Path | None:
    """Of the environment. Raises UserError."""
    text = os.environ.get(DATA)
    try:
        return data_dir(text) if text else None
    except argparse.ArgumentTypeError as error:
        raise UserError(f"{DATA}: {error}") from None
