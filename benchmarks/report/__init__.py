"""The page that people open: RESULTS/index.html and its folder of static files, built from the store alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import claims as reading
from benchmarks import excerpts, files, leaderboard
from benchmarks.leaderboard.across import columns
from benchmarks.leaderboard.sections import Page
from benchmarks.report import places
from benchmarks.report.errors import errors
from benchmarks.schema import System, Task

if TYPE_CHECKING:
    from benchmarks.claims import Assessment
    from benchmarks.definitions import Reported

__all__ = ["Declared", "wanted_excerpts", "write"]


@dataclass(frozen=True)
class Declared:
    """What the suite declares: the report says of a system what its entry says, and sets claims beside runs."""

    tasks: Mapping[str, Task]
    systems: Mapping[str, System]
    reported: Reported


def write(results: Path, declared: Declared, cache: Path | None = None) -> Path:
    """Writes RESULTS/index.html and RESULTS/report anew; gives the page. cache: the user's own folder, in which
    pictures are kept. Raises UserError for what can't be read.
    """
    from benchmarks.report import pages
    from benchmarks.report.browser import browser
    from benchmarks.report.site import Site

    found = leaderboard.read(results)
    assessments = _assessed(results, declared)
    with files.replacing_folder(results / places.FOLDER) as folder:
        site = Site(folder, cache, bool(assessments))
        site.statics()
        made = [pages.prepared(results, page) for page in found]
        for one in made:
            pages.task(site, one)
            if one.errors:
                browser(site, one)
        for name in _systems(found):
            known = [one.details[name] for one in made if name in one.details]
            pages.system(site, name, found, known, declared.systems)
        if assessments:
            pages.claims(site, assessments, declared.reported.sources, reading.findings(results))
        _keep_excerpts(results, folder)
        with_errors = {places.errors(one.page) for one in made if one.errors}
        lead = reading.page.counts(assessments) if assessments else ""
        text = pages.index(site, found, declared.systems, with_errors, lead)
    files.write_text(results / "index.html", text)
    return results / "index.html"


def _assessed(results: Path, declared: Declared) -> Sequence[Assessment]:
    """None where no claim has a run: the page would hold nothing of the user's."""
    found = reading.assess(results, declared.reported, declared.tasks, declared.systems)
    return found if any(one.measured for one in found) else []


def _systems(found: Sequence[Page]) -> list[str]:
    rows = (row for page in found for section in page.sections for row in (*section.rows, *section.clusterings))
    return list(dict.fromkeys(row.system for row in rows))


def _keep_excerpts(results: Path, folder: Path) -> None:
    """All that are there, also of rows that no page shows now: they need the data, which the report is made without."""
    there = results / excerpts.FOLDER
    for path in there.glob("*/*.json"):
        inside = path.resolve().is_relative_to(results.resolve() / excerpts.FOLDER)  # what a link leads to is not ours
        if inside and path.is_file():
            target = folder / path.relative_to(results / places.FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def wanted_excerpts(results: Path, task: str) -> dict[tuple[str, str], list[str]]:
    """By the fingerprints of a task's definition and data, the rows that its error browser shows."""
    wanted = {}
    for column in columns(leaderboard.read(results, task, intervals=False)):
        if found := errors(results, column):
            conditions = column.section.conditions
            wanted[conditions.task, conditions.data] = [row.row_id for row in found.shown]
    return wanted
