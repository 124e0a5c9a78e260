"""What each page of the report holds, put together from leaderboards, details, claims and errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import amounts
from benchmarks.claims import page as claims_page
from benchmarks.claims.verdicts import Assessment
from benchmarks.excerpts import Excerpt
from benchmarks.leaderboard import curves as learning
from benchmarks.leaderboard import leaks, overview, words
from benchmarks.leaderboard import page as task_page
from benchmarks.leaderboard.across import Column, columns
from benchmarks.leaderboard.boards import Board, Standing, boards
from benchmarks.leaderboard.curves import Curve
from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.sections import Page, Section
from benchmarks.metrics import CLUSTERING_METRIC, METRICS
from benchmarks.report import claimed, pictures, places, tables
from benchmarks.report.cells import Table
from benchmarks.report.details import Details, details
from benchmarks.report.drawn import Picture
from benchmarks.report.errors import Errors, errors, excerpts_of
from benchmarks.report.pictures import MOST_LINES, Line, Spot
from benchmarks.report.site import Site
from benchmarks.schema import TAGS, Publication, System

SIZE = (7.2, 3.6)
COSTS = (("train_seconds", "training time", amounts.duration), ("parameters", "parameters", words.parameters))
MOST_CLASSES = 60
"""In a picture of a confusion matrix."""


# -- all tasks -------------------------------------------------------------------------------------------------------


def index(
    site: Site, pages: Sequence[Page], declared: Mapping[str, System], with_errors: set[str], claims_lead: str
) -> str:
    """The text of RESULTS/index.html; with_errors: addresses of the error pages that there are."""
    parts = {synthetic: [page for page in pages if page.sample is synthetic] for synthetic in (False, True)}
    of_parts = {synthetic: boards(part) for synthetic, part in parts.items() if part}
    shown = {
        (one.page.task, sample): one for sample, part in of_parts.items() for board in part for one in board.columns
    }
    values = {
        "parts_": [
            {"sample": sample, "boards": [_board(site, board, declared, sample) for board in part]}
            for sample, part in of_parts.items()
        ],
        "order": overview.ORDER,
        "cards": [_card(page, shown.get((page.task, page.sample)), with_errors) for page in pages],
        "claims_lead": claims_lead,
    }
    return site.text("index.html", "index.html", values)


def _board(site: Site, board: Board, declared: Mapping[str, System], sample: bool) -> dict[str, Any]:
    tags = {standing.system: _tags(standing.system, declared) for standing in board.standings}
    table = site.table(tables.leaderboard(board, tags, f"sample-{board.type}" if sample else board.type))
    return {
        "title": board.title,
        "table": table,
        "lead": [*filter(None, [board.of_one_encoder]), *_lead(board)],
        "notes": table.notes,
        "groups": sorted({column.page.group for column in board.columns}),
        "families": sorted({tag for own in tags.values() for tag in own}),
        "methods": sorted({line.about["method"] for line in table.lines} - {""}),
    }


def _tags(system: str, declared: Mapping[str, System]) -> tuple[str, ...]:
    """Of a variant those of the system that it changes."""
    entry = declared.get(system.partition("[")[0])
    return entry.tags if entry else ()


def _lead(board: Board) -> list[str]:
    """What wins, and how sure that is."""
    compared = [column for column in board.columns if column.compared]
    said = list(_highest(*board.standings))
    tied = sum(sum(row.may_be_best for row in column.ranked) > 1 for column in compared)
    if tied:
        of = "the one task" if len(compared) == 1 else f"{tied} of {len(compared)} tasks"
        said.append(f"On {of} no single system is shown to be the best.")
    return said


def _highest(first: Standing, *others: Standing) -> Iterator[str]:
    """Which win rate is the highest, and whose intervals reach its own."""
    if not first.places:
        return
    tasks = amounts.counted(len(first.places), "task")
    few = any(one.aside for one in others if one.places)
    among = " of the systems that were run on half of these tasks or more" if few else ""
    name, share = words.readable(first.system), f"{first.win_rate:.0%}"
    yield f"{name} has the highest win rate{among}: over {tasks} above {share} of the others."
    near = [one for one in others if not one.aside and _reaches(one, first)]
    if near:
        over = ", not all over the same tasks" if any(len(one.places) != len(first.places) for one in near) else ""
        yield f"Its interval and those of {amounts.counted(len(near), 'other system')} overlap{over}."


def _reaches(one: Standing, first: Standing) -> bool:
    """Whether the interval of its win rate reaches that of the first."""
    return bool(one.win_rates and first.win_rates and one.win_rates[1] >= first.win_rates[0])


def _card(page: Page, column: Column | None, with_errors: set[str]) -> dict[str, Any]:
    ranked = column.ranked if column else []
    best = [words.shortened(words.readable(name), 40) for name in (column.best if column else [])]
    return {
        "title": words.readable(page.title),
        "link": places.task(page),
        "group": page.group or "no run done",
        "sample": page.sample,
        "counted": amounts.counted(len(ranked), "system"),
        "best": words.listed(best) if column and column.parted else "",
        "tied": len(ranked) > 1 and column is not None and not column.parted,
        "errors": places.errors(page) if places.errors(page) in with_errors else "",
    }


# -- one task --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prepared:
    """A task with what its pages are made of; column: the table that stands for it, None where nothing is ranked."""

    page: Page
    column: Column | None
    details: Mapping[str, Details]
    curves: Sequence[Curve]
    leaks: str
    errors: Errors | None
    excerpts: Mapping[str, Excerpt]


def prepared(results: Path, page: Page) -> Prepared:
    """Raises UserError for a record or predictions that can't be read."""
    column = next(iter(columns([page])), None)
    known = {row.system: details(results, row) for row in column.section.rows} if column else {}
    return Prepared(
        page,
        column,
        {name: found for name, found in known.items() if found},
        learning.curves(page),
        leaks.markdown(leaks.found(results, page)),
        errors(results, column) if column else None,
        excerpts_of(results, column) if column else {},
    )


def task(site: Site, made: Prepared) -> None:
    """The page of a task."""
    page, column = made.page, made.column
    name = places.file_name(page)
    ordered = sorted(
        zip(task_page.titles(page.sections), page.sections, strict=True),
        key=lambda part: column is None or part[1] is not column.section,
    )
    facts = [list(task_page.facts(section)) for _, section in ordered]
    shared = [line for line in facts[0] if all(line in lines for lines in facts)] if facts else []
    parts = []
    for number, ((title, section), lines) in enumerate(zip(ordered, facts, strict=True)):
        found = _tables(section, page, f"{name}-{number + 1}", title)
        parts.append({
            "title": title,
            "facts": [line for line in lines if line not in shared],
            "tables": [site.table(table) for table in found],
            "below": task_page.below(section),
            "made_by": task_page.made_by(page, section),
            "counted": amounts.counted(sum(len(table.lines) for table in found), "system"),
        })  # fmt: skip
    by_class = tables.classes(made.details, f"{name}-classes")
    site.page(
        "task.html",
        places.task(page),
        Path("tasks") / f"{name}.html",
        title=words.readable(page.title),
        sample=page.sample,
        lead=_first(column) if column and len(column.ranked) > 1 else "",
        facts=[*task_page.about(page), *shared],
        parts_=parts,
        pictures=_pictures(site, made, name),
        conventions=site.table(tables.conventions(column.section, f"{name}-conventions")) if column else None,
        classes=site.table(by_class) if by_class.lines else None,
        unit="entities" if _is_tagged(made) else "rows",
        curves=learning.markdown(made.curves),
        leaks=made.leaks,
        legend=task_page.legend(page),
        clusterings=task_page.CLUSTERINGS,
        errors_link=places.errors(page) if made.errors else "",
    )


def _first(column: Column) -> str:
    """Of the table that stands for the task."""
    return f"{words.protocol(column.section.protocol)}: {words.readable(column.first)}"


def _tables(section: Section, page: Page, name: str, title: str) -> list[Table]:
    found = []
    if section.rows:
        found.append(tables.ranked(section.rows, section, page.metric or "", name, f"{page.task}: {title}"))
    if section.clusterings:
        found.append(tables.ranked(section.clusterings, section, CLUSTERING_METRIC, f"{name}-clusterings", title))
    return found


def _is_tagged(made: Prepared) -> bool:
    return made.page.metric in METRICS and METRICS[made.page.metric].task_type == TAGS


def _pictures(site: Site, made: Prepared, name: str) -> list[Picture]:
    column, page = made.column, made.page
    if column is None:
        return []
    metric = words.header(page.metric or "", column.section.scheme)
    found = []
    for cost, label, worded in COSTS:
        spots = [_spot(row, cost) for row in column.ranked if getattr(row, cost) is not None]
        if len(spots) > 1:
            alt = f"{metric} over {label}: joined are the systems that no other matches at the same cost or less."
            if not all(spot.x for spot in spots):
                alt += " A cost of 0 stands at the left edge."
            if cost == "train_seconds":
                alt += _times(column)
            draw = partial(pictures.trade, spots=spots, x=label, y=metric, worded=worded)
            found.append(site.picture(f"{name}-{places.slug(label)}", alt, draw, SIZE))
    if lines := _learning(made.curves):
        alt = f"{metric} over training rows, with 95 % intervals{_cut(lines)}."
        draw = partial(pictures.curves, lines=lines[:MOST_LINES], x="training rows", y=metric, logarithmic=True)
        found.append(site.picture(f"{name}-learning", alt, draw, SIZE))
    if lines := _losses(made):
        alt = f"Training loss from the beginning to the end of one run, the first seed's{_cut(lines)}."
        found.append(site.picture(f"{name}-loss", alt, partial(pictures.losses, lines=lines[:MOST_LINES]), SIZE))
    best = next((row for row in column.ranked if row.system in made.details), None)
    known = made.details[best.system] if best else None
    if best and known and 1 < len(known.labels) <= MOST_CLASSES and known.confusion:
        labels, matrix = known.labels, known.confusion
        side = min(9.0, max(3.6, 1.8 + 0.24 * len(labels)))
        alt = f"Confusion of {best.system}, seed {best.made[0][0].slot.seed}: rows gold, columns predicted."
        draw = partial(pictures.confusion, labels=labels, matrix=matrix)
        found.append(site.picture(f"{name}-confusion", alt, draw, (max(side, 5.0), side)))
    return found


def _cut(lines: Sequence[Line]) -> str:
    """What a picture of these leaves out."""
    return f"; the best {MOST_LINES} of {len(lines)} systems" if len(lines) > MOST_LINES else ""


def _times(column: Column) -> str:
    """What else to know of the times."""
    said = " A search for the recipe counts." if any(_searched(row) for row in column.ranked) else ""
    if task_page.several_machines(column.section):
        said += f" {task_page.SEVERAL_MACHINES}"
    return said


def _searched(row: Row) -> float:
    """Seconds that the search of a run's recipe took; none is part of its training time."""
    runs = [run.tuning["seconds"] if run.tuning else 0.0 for folds in row.made for run in folds]
    return fmean(runs) if runs else 0.0


def _spot(row: Row, cost: str) -> Spot:
    score = row.score or 0.0
    low, high = row.interval or (score, score)
    x = float(getattr(row, cost)) + (_searched(row) if cost == "train_seconds" else 0.0)
    # at a bound of the metric, the interval's end may lie a rounding error on the wrong side of the score
    return Spot(row.system, x, score, min(low, score), max(high, score))


def _learning(found: Sequence[Curve]) -> list[Line]:
    """Of the protocol and the data that most systems share."""
    protocols = [repr((curve.protocol, curve.conditions)) for curve in found]
    most = max(protocols, key=protocols.count, default="")
    return [
        Line(
            curve.system,
            [point.rows for point in curve.points],
            [point.score for point in curve.points],
            [point.low for point in curve.points],
            [point.high for point in curve.points],
        )
        for curve in found
        if repr((curve.protocol, curve.conditions)) == most
    ]


def _losses(made: Prepared) -> list[Line]:
    lines = []
    for name, found in made.details.items():
        if len(found.losses) > 1:
            last = found.losses[-1][0]
            steps, losses = zip(*found.losses, strict=True)
            lines.append(Line(name, [step / last for step in steps], losses))
    return lines


# -- one system, and claims ------------------------------------------------------------------------------------------


def system(
    site: Site, name: str, pages: Sequence[Page], known: Sequence[Details], declared: Mapping[str, System]
) -> None:
    """known: of one of its runs on each task, real tasks first."""
    entry = declared.get(name.partition("[")[0])
    facts = [f"Method: {words.code(known[0].method)}"] if known else []
    if known and known[0].encoder:
        weights = ", ".join(f"{key} {str(value)[:12]}" for key, value in known[0].encoder.items())
        facts.append(f"Encoder, by its weights: {words.code(weights)}{_named(known[0].encoder, declared)}")
    recipes = {own.task_type: own.recipe for own in reversed(known)}
    for task_type, fields in sorted(recipes.items()):
        recipe = ", ".join(f"{key} {value}" for key, value in fields.items() if value is not None)
        if recipe:
            facts.append(f"Recipe for {task_type}: {words.plain(recipe)}")
    if entry and entry.tags:
        facts.append(f"Families: {words.plain(', '.join(entry.tags))}")
    variant = "A variant of: " if name != name.partition("[")[0] else ""
    site.page(
        "system.html",
        places.system(name),
        places.system_file(name),
        name=words.shortened(words.readable(name), 200),
        summary=f"{variant}{entry.summary}" if entry else "",
        facts=facts,
        table=site.table(tables.of_system(name, pages)),
    )


def _named(encoder: Mapping[str, Any], declared: Mapping[str, System]) -> str:
    """The checkpoint that a declared system knows by these weights."""
    entries = (entry.encoder for entry in declared.values() if entry.encoder and entry.encoder.sha256)
    names = {own.sha256: own.checkpoint for own in entries}
    name = names.get(encoder.get("sha256"))
    return f", {words.plain(name)}" if name else ""


def claims(site: Site, found: Sequence[Assessment], sources: Mapping[str, Publication], findings: str) -> None:
    parts: list[dict[str, Any]] = []
    for source, publication in sources.items():
        if own := [one for one in found if one.claim.source == source]:
            parts.append({
                "name": source, "title": words.readable(publication.title),
                "table": site.table(claimed.claims(own, source)),
            })  # fmt: skip
    verdicts = {line.about["verdict"] for part in parts for line in part["table"].lines}
    site.page(
        "claims.html",
        places.CLAIMS,
        Path("claims.html"),
        findings=findings,
        lead=claims_page.counts(found),
        rule=claims_page.RULE,
        verdicts=sorted(verdicts),
        sources=parts,
        evidence=[{"name": one.claim.name, "text": claims_page.section(one)} for one in found],
    )
