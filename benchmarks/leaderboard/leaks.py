"""Test rows that resemble a training row: how many, and each score on all rows beside that on the clean ones."""

from __future__ import annotations

import math
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
from benchmarks.leaderboard.uncertain import Sampled
from benchmarks.leaks import LEAKS_VERSION, Leaks, path, read
from benchmarks.stats.spread import Difference, paired

LEGEND = (
    "A test row leaks where a row of the training split shares at least 0.8 of their 5-grams of characters (Jaccard "
    "similarity; case, punctuation and white space don't count). *All − clean*: the score on all test rows minus that "
    "on the clean ones, with its 95 % interval over seeds and rows. It holds what leaks gain, and also how easy the "
    "leaked rows are and of which classes: compare with systems that can't gain, such as `majority`. Where training "
    "rows are drawn anew for each seed or fold, the numbers of rows are means."
)
UNREAD = "Not looked for in every table: `encoder-bench leaks` does, given the task (its name, or its YAML file)."
FEWEST = 20
"""Clean rows of which a difference is told."""


@dataclass(frozen=True)
class Effect:
    """One system's means over seeds on all test rows, on the clean and on the leaked ones, where these define the
    metric, and what the first has more than the second.
    """

    system: str
    whole: float
    clean: float | None
    leaked: float | None
    difference: Difference | None


@dataclass(frozen=True)
class Found:
    """The leaks of one table. leaks: of each training that it holds, None where one was not looked at; effects: of its
    ranked systems, best first; none where nothing leaks or the metric is not defined on the leaked rows.
    """

    title: str
    leaks: tuple[Leaks, ...] | None
    effects: tuple[Effect, ...]


def found(results: Path, page: Page) -> list[Found]:
    """Of every table of the page. Raises UserError for predictions that can't be read."""
    tables = []
    for title, section in zip(titles(page.sections), page.sections, strict=True):
        runs = (run for row in section.rows for folds in row.made for run in folds)
        of_a_training = {run.slot._replace(system=""): run for run in runs}  # those of one seed and fold share its rows
        paths = {_path(results, run) for run in of_a_training.values()}
        leaks = {own: one for own in sorted(paths) if (one := read(own)) is not None}
        if len(leaks) < len(paths):
            tables.append(Found(title, None, ()))
        elif leaks:
            effects = _effects(results, section, page.metric or "", leaks)
            tables.append(Found(title, tuple(leaks.values()), tuple(effects)))
    return tables


def _path(results: Path, run: Made) -> Path:
    protocol = {**dict(run.slot.protocol), "seed": run.slot.seed, "fold": run.slot.fold}
    return path(results, run.task, run.conditions.task, run.conditions.data, run.conditions.code, protocol)


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
        if row.system in whole:
            yield _effect(row.system, whole[row.system], clean.get(row.system), within.get(row.system))


def _effect(system: str, whole: Sampled, clean: Sampled | None, leaked: Sampled | None) -> Effect:
    difference = None
    if clean is not None and _score(clean) is not None and clean.rows >= FEWEST:
        values = [one - other for one, other in zip(whole.scores, clean.scores, strict=True)]
        difference = paired(values, whole.values - clean.values)
    return Effect(system, fmean(whole.scores), _score(clean), _score(leaked), difference)


def _score(part: Sampled | None) -> float | None:
    """None where a seed has no such rows, or none that define the metric."""
    mean = math.nan if part is None else fmean(part.scores)
    return None if math.isnan(mean) else mean


# -- as Markdown -----------------------------------------------------------------------------------------------------


def markdown(tables: Sequence[Found]) -> str:
    """A part of the task's page; empty where it has no table."""
    looked = [one for one in tables if one.leaks is not None]
    parts = [LEGEND, _counts(looked)] if looked else []
    if len(looked) < len(tables):
        parts.append(UNREAD)
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
            "all rows": _number(one.whole),
            "clean rows": _number(one.clean),
            "leaked rows": _number(one.leaked),
            "all − clean": _difference(one.difference),
        }
        for one in effects
    ]
    return as_markdown(pd.DataFrame.from_records(rows), left=("system",))


def _number(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.4f}"


def _difference(found: Difference | None) -> str:
    return words.NOTHING if found is None else f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
