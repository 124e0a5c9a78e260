"""The Markdown over all tasks: systems by tasks, then where each task's page is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from urllib.parse import quote

import pandas as pd

from benchmarks.leaderboard import words
from benchmarks.leaderboard.page import as_markdown, title
from benchmarks.leaderboard.rows import Page, Row, Section
from benchmarks.schema import NOT_COMPARABLE, folder_name

FOLDER = "leaderboards"
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

ORDER = (
    "Each cell is the mean of the task's primary metric over seeds, from the table that most systems share (of "
    "equals the one of the whole training split); the best of a task is bold; – was not run. Systems "
    "are in order of tasks won (a tie counts for each), then of their mean rank over the tasks that they were run on; "
    "a task with one system counts for neither. Neither compares systems fairly that were run on different tasks."
)


@dataclass(frozen=True)
class Column:
    """One task by the table that stands for it; `note` says what keeps it from being the whole training split, `sign`
    is the note's.
    """

    page: Page
    section: Section
    note: str
    sign: str

    @property
    def name(self) -> str:
        return words.plain(f"{self.page.group}: {self.page.task} ({self.page.metric})") + self.sign

    @property
    def places(self) -> dict[str, int]:
        return {row.system: row.rank for row in self.section.rows if row.rank is not None}


@dataclass(frozen=True)
class Standing:
    """What a system reached over the tasks that it was run on beside others."""

    system: str
    places: tuple[int, ...]

    @property
    def won(self) -> int:
        return self.places.count(1)

    @property
    def mean_rank(self) -> float:
        return fmean(self.places) if self.places else math.inf


def markdown(pages: Sequence[Page]) -> str:
    """All tasks; sample corpora in a part of their own, at the end. Without a line end after it."""
    real = [page for page in pages if not page.sample]
    samples = [page for page in pages if page.sample]
    parts = ["# Leaderboard", *(_part(real) if real else ["No finished run of a real task is stored."])]
    if samples:
        parts += ["# Sample corpora (synthetic rows, not results)", *_part(samples)]
    return "\n\n".join(parts)


def _part(pages: Sequence[Page]) -> Iterator[str]:
    if columns := list(_columns(pages)):
        yield ORDER
        yield _matrix(columns)
        if any(column.note for column in columns):
            yield "\n".join(f"- {column.sign} {column.note}" for column in columns if column.note)
    yield from _links(pages)


# -- which table stands for a task -----------------------------------------------------------------------------------


def _columns(pages: Sequence[Page]) -> Iterator[Column]:
    """For each task the table that most systems share; of equals the whole training split, then folds of all rows, then
    the most training rows. Of several data, the newest.
    """
    numbers = itertools.count(1)
    for page in pages:
        if newest := _newest_by_protocol(page):
            best = min(newest, key=lambda section: (-_ranked(section), _reduced(section.protocol)))
            note = _note(page, best)
            yield Column(page, best, note, str(next(numbers)).translate(RAISED) if note else "")


def _newest_by_protocol(page: Page) -> list[Section]:
    """The sections that have a ranked row; of several under one protocol, the first, which is the newest."""
    found: dict[str, Section] = {}
    for section in page.sections:
        if _ranked(section):
            found.setdefault(repr(sorted(section.protocol.items())), section)
    return list(found.values())


def _ranked(section: Section) -> int:
    return sum(row.rank is not None for row in section.rows)


def _note(page: Page, best: Section) -> str:
    alike = [section for section in page.sections if section.protocol == best.protocol]
    said = [_in_words(best)] if best.protocol else []
    said += [f"of {len(alike)} tables made on other data or by other definitions, the newest"] if len(alike) > 1 else []
    if any(note.startswith(NOT_COMPARABLE) for note in best.data.get("notes") or ()):
        said.append("not comparable with published scores, see its page")
    return f"{words.plain(page.task)}: {'; '.join(said)}" if said else ""


def _reduced(protocol: Mapping[str, Any]) -> tuple[bool, float, bool, int]:
    """How far a protocol is from all rows: fewer training rows come last; the first of equals wins."""
    size = protocol.get("train_size") or math.inf
    return bool(protocol), -size, bool(protocol.get("balanced")), protocol.get("folds") or 0


def _in_words(section: Section) -> str:
    text = words.protocol(section.protocol)
    return f"{text} of {section.data['rows']['train']:,}" if set(section.protocol) == {"train_size"} else text


# -- systems by tasks ------------------------------------------------------------------------------------------------


def _matrix(columns: Sequence[Column]) -> str:
    standings = _standings(columns)
    cells = [
        {"system": row.system, "task": column.name, "cell": _cell(row, len(column.places) > 1)}
        for column in columns
        for row in column.section.rows
    ]
    frame = pd.DataFrame(cells).pivot(index="system", columns="task", values="cell")
    frame = frame.reindex(index=[s.system for s in standings], columns=[c.name for c in columns]).fillna(words.NOTHING)
    frame.insert(0, "won", [f"{s.won} of {len(s.places)}" for s in standings])
    frame.insert(1, "mean rank", [f"{s.mean_rank:.2f}" if s.places else words.NOTHING for s in standings])
    frame.insert(0, "system", [words.plain(s.system) for s in standings])
    return as_markdown(frame, left=("system",))


def _cell(row: Row, compared: bool) -> str:
    if row.rank is None or row.score is None:
        return words.NOTHING
    return f"**{row.score:.4f}**" if row.rank == 1 and compared else f"{row.score:.4f}"


def _standings(columns: Sequence[Column]) -> list[Standing]:
    places: dict[str, list[int]] = {row.system: [] for column in columns for row in column.section.rows}
    for column in columns:
        for system, place in column.places.items():
            if len(column.places) > 1:
                places[system].append(place)
    found = [Standing(system, tuple(own)) for system, own in places.items()]
    return sorted(found, key=lambda standing: (-standing.won, standing.mean_rank, standing.system))


# -- where the pages are ---------------------------------------------------------------------------------------------


def path(task: str) -> str:
    """Where a task's page is, below RESULTS."""
    return f"{FOLDER}/{folder_name(task)}.md"


def _links(pages: Sequence[Page]) -> Iterator[str]:
    """A list of pages for each group."""
    for group, found in itertools.groupby(pages, key=lambda page: page.group):
        lines = [
            f"- [{words.plain(page.task)}]({quote(path(page.task))}): {title(page)}{_standing(page)}" for page in found
        ]
        yield "\n".join([f"## {words.plain(group) or 'No run done'}", "", *lines])


def _standing(page: Page) -> str:
    tables = sum(bool(section.rows) + bool(section.clusterings) for section in page.sections)
    failed = sum(len(section.failures) for section in page.sections)
    told = [words.counted(tables, "table"), *([f"{words.counted(failed, 'run')} failed"] if failed else [])]
    return f" ({', '.join(told)})"
