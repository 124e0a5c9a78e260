"""Stored runs -> ranked tables -> Markdown: a page a task, and one over all tasks. Reads only the store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import files, store
from benchmarks.errors import UserError
from benchmarks.leaderboard import curves, leaks, overview, page, words
from benchmarks.leaderboard.filled import filled
from benchmarks.leaderboard.folds import together
from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.samples import sampled, unsampled
from benchmarks.leaderboard.sections import Page, Section, tables

__all__ = ["Page", "Row", "Section", "read", "tables", "write"]


def read(results: Path, task: str | None = None, intervals: bool = True) -> list[Page]:
    """Every task's tables (or one task's). intervals: whether scores have them, which takes their predictions.

    A metric that a run lacks is taken from its predictions, and so is the score of folds together. Raises UserError for
    a stored run that can't be read.
    """
    seam = partial(sampled, results) if intervals else unsampled
    return tables(store.read_runs(results, task), partial(filled, results), partial(together, results), seam)


class Written(NamedTuple):
    """Every task's tables, and each task's page as Markdown."""

    pages: list[Page]
    texts: dict[str, str]


def write(results: Path) -> Written:
    """Writes RESULTS/leaderboards/<task>.md, RESULTS/LEADERBOARD.md and, where a system has several training sizes,
    RESULTS/curves.csv.

    A file whose text is the same is not touched, nor is the page of a task that has no runs any more. Raises UserError
    as `read` does.
    """
    if (results / overview.FOLDER).is_symlink():  # runs of a stranger would choose what is written where it leads
        raise UserError(f"{results / overview.FOLDER}: is a link, and nothing is written through it.")
    pages = read(results)
    texts: dict[str, str] = {}
    learned: list[curves.Curve] = []
    for found in pages:  # a task of the user's and a sample may share a name: one page then, in two parts
        own = curves.curves(found)
        learned += [] if found.sample else own
        before = f"{texts[found.task]}\n\n" if found.task in texts else ""
        leaked = leaks.markdown(leaks.found(results, found))
        texts[found.task] = before + "\n\n".join(filter(None, [page.markdown(found), curves.markdown(own), leaked]))
    for task, text in texts.items():
        _write_changed(results / overview.path(task), f"{text}\n")
    _write_changed(results / "LEADERBOARD.md", f"{overview.markdown(pages)}\n")
    if learned:
        table = curves.table(learned).map(words.as_cell)
        _write_changed(results / "curves.csv", table.to_csv(index=False, lineterminator="\n"))
    return Written(pages, texts)


def _write_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_bytes() != text.encode():
        files.write_text(path, text)
