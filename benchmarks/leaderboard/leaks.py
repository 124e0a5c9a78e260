"""What test rows that resemble a training row do to each score: on all rows, and on the clean ones alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pandas as pd

from benchmarks.leaderboard import words
from benchmarks.leaderboard.made import Made
from benchmarks.leaderboard.page import as_markdown, titles
from benchmarks.leaderboard.samples import Part, sampled
from benchmarks.leaderboard.sections import Page, Section
from benchmarks.leaks import LEAKS_VERSION, Leaks, path, read
from benchmarks.stats.spread import Difference, paired

LEGEND = (
    "A test row leaks where a training row shares at least 0.8 of their 5-grams of characters (Jaccard similarity; "
    "case, punctuation and white space don't count). *Gained by leaks*: the score on all test rows minus that on the "
    "clean ones, with its 95 % interval over seeds and rows. Where training rows are drawn anew for each seed or fold, "
    "the numbers of rows are means."
)
UNREAD = "Not looked for in every table: `encoder-bench leaks {}` does, where the rows are at hand."


@dataclass(frozen=True)
class Effect:
    """One system's means over seeds on all test rows, on the clean and on the leaked ones, and what leaks gain it."""

    system: str
    whole: float
    clean: float
    leaked: float
    gained: Difference


@dataclass(frozen=True)
class Found:
    """The leaks of one table. leaks: of each training that it holds, None where one was not looked at; effects: of its
    ranked systems, best first; none where nothing leaks or the metric is not defined on the leaked rows.
    """

    title: str
    leaks: tuple[Leaks, ...] | None
    effects: tuple[Effect, ...]


def found(results: Path, page: Page) -> list[Found]:
    """Of every table of the page. Raises UserError for stored leaks that can't be read."""
    tables = []
    for title, section in zip(titles(page.sections), page.sections, strict=True):
        paths = {_path(results, run) for row in section.rows for folds in row.made for run in folds}
        leaks = {own: one for own in sorted(paths) if (one := read(own)) is not None}
        if len(leaks) < len(paths):
            tables.append(Found(title, None, ()))
        elif leaks:
            effects = _effects(results, section, page.metric or "", leaks)
            tables.append(Found(title, tuple(leaks.values()), tuple(effects)))
    return tables


def _path(results: Path, run: Made) -> Path:
    protocol = {**dict(run.slot.protocol), "seed": run.slot.seed, "fold": run.slot.fold}
    return path(results, run.task, run.conditions.task, run.conditions.data, protocol)


def _effects(results: Path, section: Section, metric: str, leaks: dict[Path, Leaks]) -> Iterator[Effect]:
    if not any(own.rows for own in leaks.values()):
        return

    def part(name: str, leaked: bool) -> Part:
        def places(folds: Sequence[Made], row_ids: Sequence[str]) -> list[int]:
            rows = {row for run in folds for row in leaks[_path(results, run)].rows}
            return [place for place, row in enumerate(row_ids) if (row in rows) == leaked]

        return Part(f"{name} {LEAKS_VERSION}", places)

    whole = sampled(results, section.rows, metric)
    clean = sampled(results, section.rows, metric, part("clean", leaked=False))
    within = sampled(results, section.rows, metric, part("leaked", leaked=True))
    for row in section.rows:
        name = row.system
        if name in whole and name in clean and name in within:
            all_rows, some = whole[name], clean[name]
            values = [one - other for one, other in zip(all_rows.scores, some.scores, strict=True)]
            gained = paired(values, all_rows.values - some.values)
            yield Effect(name, fmean(all_rows.scores), fmean(some.scores), fmean(within[name].scores), gained)


# -- as Markdown -----------------------------------------------------------------------------------------------------


def markdown(page: Page, tables: Sequence[Found]) -> str:
    """A part of the task's page; empty where it has no table."""
    looked = [one for one in tables if one.leaks is not None]
    parts = [LEGEND, _counts(looked)] if looked else []
    if len(looked) < len(tables):
        parts.append(UNREAD.format(page.task))
    for one in looked:
        if one.effects:
            parts += [f"{one.title}:", _table(one.effects)]
    return "\n\n".join(["## Leaks", *parts]) if parts else ""


def _counts(tables: Sequence[Found]) -> str:
    rows = []
    for one in tables:
        leaks = one.leaks or ()
        share = fmean(len(own.rows) / own.test for own in leaks)
        rows.append(
            {
                "table": one.title,
                "training rows": _mean([own.train for own in leaks]),
                "test rows": _mean([own.test for own in leaks]),
                "that leak": f"{_mean([len(own.rows) for own in leaks])} ({100 * share:.1f} %)",
                "with the same words": _mean([own.equal for own in leaks]),
            }
        )
    return as_markdown(pd.DataFrame.from_records(rows), left=("table",))


def _mean(numbers: Sequence[int]) -> str:
    return f"{round(fmean(numbers)):,}"


def _table(effects: Sequence[Effect]) -> str:
    rows = [
        {
            "system": words.plain(one.system),
            "all rows": f"{one.whole:.4f}",
            "clean rows": f"{one.clean:.4f}",
            "leaked rows": f"{one.leaked:.4f}",
            "gained by leaks": f"{one.gained.value:+.4f} [{one.gained.low:+.4f}, {one.gained.high:+.4f}]",
        }
        for one in effects
    ]
    return as_markdown(pd.DataFrame.from_records(rows), left=("system",))
