"""Short excerpts of test rows, under RESULTS/report/excerpts: what the report shows of rows on which systems fail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from benchmarks.errors import UserError
from benchmarks.files import read_text, write_text
from benchmarks.schema import fingerprint, folder_name

Excerpt: TypeAlias = str | list[str]
"""The beginning of a text, or the first words of a tagged row."""

FOLDER = Path("report") / "excerpts"
LARGEST = 100_000_000
"""Bytes: of a row it holds some hundred, and of a task some thousand rows."""
MOST_CHARACTERS = 300
MOST_WORDS = 60


def path(results: Path, task: str, definition: str, data: str) -> Path:
    """definition, data: fingerprints of the task's and its rows' identity."""
    return results / FOLDER / folder_name(task) / f"{fingerprint({'task': definition, 'data': data})}.json"


def of(row: str | list[str]) -> Excerpt:
    """Of a text or the tokens of a row."""
    return _short(row) if isinstance(row, str) else [_short(word) for word in row[:MOST_WORDS]]


def _short(text: str) -> str:
    """Its beginning, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def save(path: Path, rows: Mapping[str, Excerpt]) -> None:
    """By row id; replaces what is there."""
    write_text(path, json.dumps(dict(rows), ensure_ascii=False, indent=0) + "\n")


def read(path: Path) -> dict[str, Excerpt]:
    """Empty where there are none yet, or the file is torn: they are taken anew then."""
    try:
        found = json.loads(read_text(path, LARGEST))
    except (UserError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and all(map(_is_one, found.values())) else {}


def _is_one(found: object) -> bool:
    return all(isinstance(word, str) for word in (found if isinstance(found, list) else [found]))
