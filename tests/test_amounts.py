"""Durations and sizes are written with about two digits, in the unit that people would use."""

from __future__ import annotations

import pytest

from benchmarks.amounts import duration, size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"), (0.34, "0.3 s"), (9.94, "9.9 s"), (9.96, "10 s"), (89, "89 s"), (90, "1.5 min"),
        (60 * 15.6, "16 min"), (5399, "90 min"), (5400, "1.5 h"), (3600 * 1234, "1,234 h"),
    ],
)  # fmt: skip
def test_a_duration_is_in_seconds_minutes_or_hours(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0, "0 bytes"), (99_999, "99,999 bytes"), (1e5, "0.1 MB"), (91e6, "91 MB"), (1e9, "1.0 GB"), (24e9, "24 GB")],
)
def test_a_size_is_in_bytes_megabytes_or_gigabytes(amount, said):
    assert size(amount) == said
