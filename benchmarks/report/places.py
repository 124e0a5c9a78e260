"""Where each page of the report is, below RESULTS, as an address and as a file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from benchmarks.leaderboard.sections import Page

FOLDER = "report"
CLAIMS = f"{FOLDER}/claims.html"
LONGEST = 80


def slug(name: str) -> str:
    """A name as the name of a file and of an element: small letters, digits, dots and dashes. Names that would be one
    so, on a disk that knows no capitals, are told apart by a checksum.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:LONGEST]
    return plain if plain == name else f"{plain or 'name'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def file_name(page: Page) -> str:
    """Of a task, without ending: a sample corpus may have the name of a task of the user's."""
    return f"{slug(page.task)}{'.sample' if page.sample else ''}"


def task(page: Page) -> str:
    return f"{FOLDER}/tasks/{file_name(page)}.html"


def errors(page: Page) -> str:
    return f"{FOLDER}/errors/{file_name(page)}.html"


def system(name: str) -> str:
    return f"{FOLDER}/{system_file(name).as_posix()}"


def system_file(name: str) -> Path:
    """Below the report's folder."""
    return Path("systems") / f"{slug(name)}.html"
