"""How durations, sizes and counts are written for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """'0.3 s', '40 s', '3.5 min', '12 min', '3.5 h'."""
    if seconds < 90:
        return f"{_two_digits(seconds)} s"
    return f"{_two_digits(seconds / 60)} min" if seconds < 5400 else f"{_two_digits(seconds / 3600)} h"


def size(bytes_: float) -> str:
    """'512 bytes', '1.2 MB', '91 MB', '1.4 GB'; a megabyte is a million bytes."""
    if bytes_ < 1e5:
        return f"{bytes_:,.0f} bytes"
    return f"{_two_digits(bytes_ / 1e6)} MB" if bytes_ < 1e9 else f"{_two_digits(bytes_ / 1e9)} GB"


def counted(number: int, noun: str) -> str:
    """'1 row', '1,121 rows', '2 processes'."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
