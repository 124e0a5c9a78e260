"""The Markdown over all tasks: for each type of task systems by tasks, then where each task's page is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pandas as pd

from benchmarks import amounts
from benchmarks.leaderboard import words
from benchmarks.leaderboard.across import Column
from benchmarks.leaderboard.boards import Board, Standing, boards
from benchmarks.leaderboard.page import as_markdown, title
from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.sections import Page
from benchmarks.schema import folder_name

FOLDER = "leaderboards"

ORDER = (
    "A cell is the mean of the task's primary metric over seeds, with its 95 % interval over seeds and test rows, "
    "from the table that most systems share (of equals the one of the whole training split). **Bold**: it may be the "
    "best, no other system is significantly better; where no system is shown to be better than any other, none is "
    "bold. – was not run.\n\n"
    "The *win rate* is the mean over tasks of the share of other systems that a system is above (a tie counts half), "
    "the *mean rank* that of its ranks (of equals the mean). The others are those that were run on half of the tasks "
    "or more, each by the recipe that was run on most; a task without two of these does not count. The intervals of "
    "both say what other seeds and test rows would do on these tasks, not what other tasks would. Systems are in "
    "order of their win rate, those that were run on fewer than half of the tasks, or by another recipe, after the "
    "others: neither number compares systems fairly that were run on different tasks."
)


def markdown(pages: Sequence[Page]) -> str:
    """All tasks; sample corpora in a part of their own, at the end. Without a line end after it."""
    real = [page for page in pages if not page.sample]
    samples = [page for page in pages if page.sample]
    parts = ["# Leaderboard", *(_part(real) if real else ["No finished run of a real task is stored."])]
    if samples:
        parts += ["# Sample corpora (synthetic rows, not results)", *_part(samples)]
    return "\n\n".join(parts)


def _part(pages: Sequence[Page]) -> Iterator[str]:
    if found := boards(pages):
        yield ORDER
    for board in found:
        yield f"## {board.title}"
        if board.of_one_encoder:
            yield words.plain(board.of_one_encoder)
        yield from _matrices(board)
        if notes := [f"- {column.sign} {column.note}" for column in board.columns if column.note]:
            yield "\n".join(notes)
    yield "## Tasks"
    yield from _links(pages)


# -- systems by tasks ------------------------------------------------------------------------------------------------


def _matrices(board: Board) -> Iterator[str]:
    """The systems that were run on most tasks, then the others, each beside the tasks that some of them were run on."""
    often, others = ([s for s in board.standings if s.aside is aside] for aside in (False, True))
    if not (often and others):
        yield _matrix(board.columns, board.standings)
        return
    yield _matrix(_with(board.columns, often), often)
    yield "Systems that were run on fewer than half of the tasks, and other recipes of those above:"
    yield _matrix(_with(board.columns, others), others)


def _with(shown: Sequence[Column], some: Sequence[Standing]) -> list[Column]:
    names = {standing.system for standing in some}
    return [column for column in shown if names & {row.system for row in column.section.rows}]


def _matrix(shown: Sequence[Column], found: Sequence[Standing]) -> str:
    cells = [
        {"system": row.system, "task": column.name, "cell": _cell(row, column.parted)}
        for column in shown
        for row in column.section.rows
    ]
    frame = pd.DataFrame(cells).pivot(index="system", columns="task", values="cell")
    frame = frame.reindex(index=[s.system for s in found], columns=[c.name for c in shown]).fillna(words.NOTHING)
    frame.insert(0, "win rate", [_win_rate(standing) for standing in found])
    frame.insert(1, "mean rank", [_mean_rank(standing) for standing in found])
    frame.insert(2, "tasks", [str(len(standing.places)) for standing in found])
    frame.insert(0, "system", [words.plain(s.system) for s in found])
    return as_markdown(frame, left=("system",))


def _win_rate(standing: Standing) -> str:
    return f"{standing.win_rate:.2f}{_ends(standing.win_rates, '.2f')}" if standing.places else words.NOTHING


def _mean_rank(standing: Standing) -> str:
    return f"{standing.mean_rank:.1f}{_ends(standing.mean_ranks, '.1f')}" if standing.places else words.NOTHING


def _ends(interval: tuple[float, float] | None, form: str) -> str:
    return f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval else ""


def _cell(row: Row, parted: bool) -> str:
    if row.rank is None or row.score is None:
        return words.NOTHING
    score = f"**{row.score:.4f}**" if row.may_be_best and parted else f"{row.score:.4f}"
    return f"{score} {words.interval(*row.interval)}" if row.interval else score


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
        yield "\n".join([f"### {words.plain(group) or 'No run done'}", "", *lines])


def _standing(page: Page) -> str:
    tables = sum(bool(section.rows) + bool(section.clusterings) for section in page.sections)
    failed = sum(len(section.failures) for section in page.sections)
    told = [amounts.counted(tables, "table"), *([f"{amounts.counted(failed, 'run')} failed"] if failed else [])]
    return f" ({', '.join(told)})"
