"""Numbers in prose that say where they come from, and what the store gives for each.

    .883<!-- mit-movie minilm entity_f1 -->              the mean over seeds, on the whole training split
    .872<!-- mit-movie@5000 minilm entity_f1 -->         on 5,000 training rows
    .595<!-- fox-news-comments/10 minilm f1 -->          of ten folds together, as their table has it: its main metric
    .38<!-- p fox-news-comments minilm tfidf-svm f1 -->  of this pair alone; also `difference`, `low`, `high`
    12<!-- runs mit-movie -->                            how many are done; of all tasks without a name; also `hours`
    .443<!-- all-positive fox-news-comments -->          the F1 of calling every test row positive
    4<!-- systems mit-movie@5000 -->                     how many have a row; `first`: how many may have the first place
    94.4<!-- reported S3-bert token_f1_micro % -->       what a claim reports, as a share or in per cent

Comments are not shown. `python tests/prose.py` writes into the documents what the store gives now, and into README.md
the first table of each type in results/LEADERBOARD.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import api
from benchmarks.definitions import Reported, load_claims, load_systems, load_tasks

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.compare import Comparison

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "results/README.md", "results/findings.md")
SOURCED = re.compile(r"(?P<number>[−-]?(?:\d{1,3}(?:,\d{3})+|\d*\.?\d+))<!-- (?P<source>[^>]+?) -->")

TABLES = re.compile(r"(?<=<!-- leaderboards -->\n\n).*?(?=\n\n<!-- end of leaderboards -->)", re.DOTALL)


def value(results: Path, source: str) -> float:
    """What the store gives for a source. Raises ValueError for one that it has nothing of."""
    kind, *words = source.split()
    if kind in ("runs", "hours"):
        frame = _done(results)
        frame = frame[frame.task.isin(words)] if words else frame
        return len(frame) if kind == "runs" else (frame.train_seconds.fillna(0) + frame.predict_seconds).sum() / 3600
    if kind == "reported":
        claim, metric, *percent = words
        known = _reported().claims
        if claim not in known or metric not in known[claim].reported or percent not in ([], ["%"]):
            raise ValueError(f"nothing is reported of {source!r}")
        return known[claim].reported[metric] * (100 if percent else 1)
    if kind in ("p", "low", "high", "difference"):
        task, first, second, *metric = words
        return float(getattr(_compared(results, task, first, second, *metric), kind))
    if kind == "all-positive":
        share = value(results, f"{words[0]} majority average_precision")  # of equal scores: that of positive rows
        return 2 * share / (1 + share)
    if kind in ("systems", "first"):
        rows = _table(results, words[0])
        return len(rows) if kind == "systems" else int((rows.best_rank == 1).sum())
    system, metric = words
    if "/" in kind:
        rows = _table(results, kind)
        found = rows[(rows.system == system) & (rows.metric == metric)].score
    else:
        task, protocol = _named(kind)
        frame = _done(results)
        frame = frame[(frame.task == task) & (frame.system == system) & (frame.protocol == protocol)]
        found = frame.get(metric, frame.task[:0])
    if found.empty or found.isna().any():
        raise ValueError(f"nothing is stored of {source!r}")
    return float(found.mean())


def _named(place: str) -> tuple[str, str]:
    """The task and the title of its table."""
    task, how, number = re.fullmatch(r"([^@/]+)(?:([@/])(\d+))?", place).groups()
    if how is None:
        return task, "Whole training split"
    return task, f"{int(number):,} training rows" if how == "@" else f"{number}-fold cross-validation"


@cache
def _scores(results: Path, task: str) -> pd.DataFrame:
    return api.scores(task, results)


def _table(results: Path, place: str) -> pd.DataFrame:
    task, protocol = _named(place)
    rows = _scores(results, task)
    return rows[rows.protocol == protocol]


@cache
def _done(results: Path) -> pd.DataFrame:
    frame = api.runs(results)
    return frame[(frame.status == "done") & ~frame["sample"].astype(bool) & ~frame["limited"].astype(bool)]


@cache
def _reported() -> Reported:
    return load_claims(load_tasks(), load_systems())


@cache
def _compared(results: Path, task: str, first: str, second: str, metric: str | None = None) -> Comparison:
    from benchmarks.leaderboard import words

    name, protocol = _named(task)
    found = api.compare(first, second, name, results, metric)
    (one,) = (each for each in found if words.protocol(each.section.protocol) == protocol)
    return one


def written(number: float, like: str) -> str:
    """With as many decimals, and a 0 before them or none, as the text has."""
    _, point, decimals = like.partition(".")
    text = f"{number:,.{len(decimals)}f}" if point else f"{round(number):,}"
    sign, text = ("−" if "−" in like else "-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (text if re.match(r"[−-]?\d", like) else text.removeprefix("0"))


def renewed(text: str, of: Callable[[str], float]) -> str:
    """The text with what each source gives."""
    return SOURCED.sub(lambda m: f"{written(of(m['source']), m['number'])}<!-- {m['source']} -->", text)


def with_leaderboards(text: str, overview: str) -> str:
    """The text with the first table under each heading of an overview that has one; sample corpora have none."""
    real = f"\n{overview}".split("\n# Sample corpora")[0]
    parts = [part.strip().split("\n\n") for part in real.split("\n## ")]
    shown = [
        f"**{heading}**\n\n{tables[0]}" for heading, *rest in parts if (tables := [p for p in rest if p[0] == "|"])
    ]
    return TABLES.sub(lambda _: "\n\n".join(shown), text)


if __name__ == "__main__":
    results = PROJECT / "results"
    overview = (results / "LEADERBOARD.md").read_text(encoding="utf-8")
    for document in DOCUMENTS:
        path = PROJECT / document
        text = with_leaderboards(path.read_text(encoding="utf-8"), overview)
        path.write_text(renewed(text, lambda source: value(results, source)), encoding="utf-8")
