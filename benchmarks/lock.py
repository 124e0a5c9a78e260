"""encoder-bench.lock: the commits and checksums of all that was fetched, so that offline use gives the same runs."""

from __future__ import annotations

from pathlib import Path

NAME = "encoder-bench.lock"


def read(path: Path = Path(NAME)) -> dict[str, str]:
    """Hub id -> commit; empty where there is no lock file."""
    return {}
