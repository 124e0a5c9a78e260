"""Stored runs × claims → verdicts, and the page that shows them. Reads the store, and files that claims name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks import files, store
from benchmarks.claims import page
from benchmarks.claims.matched import recipes_of
from benchmarks.claims.verdicts import Assessment, assessed
from benchmarks.definitions import Reported
from benchmarks.errors import UserError
from benchmarks.recipes import vectors
from benchmarks.schema import System, Task

__all__ = ["Assessment", "assess", "findings", "write"]

FINDINGS = "findings.md"
"""In the results folder: what a person has to say, first on the page."""
LARGEST_FINDINGS = 5_000_000
"""Bytes: it is read by people."""


def assess(
    results: Path, reported: Reported, tasks: Mapping[str, Task], systems: Mapping[str, System]
) -> list[Assessment]:
    """Every claim in order. Each task's runs are read once. Raises UserError for a stored run that can't be read."""
    claims = reported.claims.values()
    by_task = {task: list(store.read_runs(results, task)) for task in dict.fromkeys(claim.task for claim in claims)}
    named = vectors.named(recipe for claim in claims for recipe in recipes_of(claim, tasks[claim.task], systems))
    here = {name: found for name in named if (found := _content(name))}
    return [assessed(claim, tasks, systems, by_task[claim.task], here, results) for claim in claims]


def _content(name: str) -> str | None:
    """None where there is no such file here: which runs are of it isn't known, since these say its content alone."""
    try:
        return vectors.content(name)
    except UserError:
        return None


def write(
    results: Path, reported: Reported, tasks: Mapping[str, Task], systems: Mapping[str, System]
) -> list[Assessment]:
    """Writes RESULTS/CLAIMS.md; gives back what it says."""
    found = assess(results, reported, tasks, systems)
    files.write_text(results / "CLAIMS.md", f"{page.markdown(found, reported.sources, findings(results))}\n")
    return found


def findings(results: Path) -> str:
    """Empty where nobody wrote any. Comments are for whoever writes, not for readers."""
    path = results / FINDINGS
    return re.sub("<!--.*?-->", "", files.read_text(path, LARGEST_FINDINGS), flags=re.S) if path.is_file() else ""
