"""Where each page of the report is, below RESULTS, as an address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from benchmarks.leaderboard.sections import Page
from benchmarks.schema import folder_name

FOLDER = "report"
CLAIMS = f"{FOLDER}/claims.html"


def file_name(page: Page) -> str:
    """Of a task, without ending: a sample corpus may have the name of a task of the user's."""
    return f"{folder_name(page.task)}{'.sample' if page.sample else ''}"


def task(page: Page) -> str:
    return f"{FOLDER}/tasks/{quote(file_name(page))}.html"


def errors(page: Page) -> str:
    return f"{FOLDER}/errors/{quote(file_name(page))}.html"


def system(name: str) -> str:
    return f"{FOLDER}/systems/{quote(folder_name(name))}.html"


def system_file(name: str) -> Path:
    """Below the report's folder."""
    return Path("systems") / f"{folder_name(name)}.html"
