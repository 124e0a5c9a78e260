"""Leaderboard rows and standings -> the tables of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import amounts
from benchmarks.leaderboard import words
from benchmarks.leaderboard.boards import Board, Standing
from benchmarks.leaderboard.page import seeds_of, titles
from benchmarks.leaderboard.rows import Row, parted
from benchmarks.leaderboard.sections import Page, Section, columns
from benchmarks.metrics import CLUSTERING_METRIC, METRICS
from benchmarks.report import places
from benchmarks.report.cells import NOTHING, Cell, Head, Line, Scale, Table, number, system
from benchmarks.report.details import Details

MOST_CLASSES = 200
MOST_SYSTEMS = 40
LOW = {"first": "ascending"}
"""About a column in which low is good: its first sorting."""
ASIDE = {"aside": "last"}
"""About a column of all tasks: systems set aside stay last in its order."""
COSTS = (Head("train time", about=LOW, unit="s"), Head("peak memory", about=LOW, unit="bytes"))


def _scale(rows: Sequence[Row]) -> Scale:
    return Scale.of(end for row in rows for end in row.interval or ([row.score] if row.score is not None else []))


def _score(row: Row, scale: Scale, marks: bool, room: bool = True) -> Cell:
    """The primary metric with its interval, drawn and, where there is room, in numbers."""
    if row.score is None:
        return NOTHING
    bar, note, ends = None, "", ""
    if row.interval:
        low, high = row.interval
        bar = scale.bar(low, row.score, high)
        said = words.interval(low, high)
        note, ends = ("", said) if room else (said, "")
    return Cell(f"{row.score:.4f}", row.score, bar, best=marks and row.may_be_best, note=note, ends=ends,
                between=row.interval)  # fmt: skip


def _rank(row: Row) -> Cell:
    between = (row.places[0], row.places[-1]) if row.places else None
    return Cell(words.places(row.rank, row.places), row.rank, between=between)


# -- over all tasks --------------------------------------------------------------------------------------------------


def leaderboard(board: Board, tags: Mapping[str, Sequence[str]], name: str) -> Table:
    """Systems by tasks; tags: of each system, its families."""
    shown = board.columns
    heads = [Head("system", number=False), Head("win rate", about=ASIDE), Head("mean rank", about=LOW | ASIDE)]
    heads += [Head("tasks")]
    heads += [
        Head(words.readable(column.page.task), link=places.task(column.page), sign=column.sign,
             about={"group": column.page.group, "metric": column.page.metric or ""})
        for column in shown
    ]  # fmt: skip
    scales = [_scale(column.ranked) for column in shown]
    of_tasks = [{row.system: row for row in column.section.rows} for column in shown]
    methods = {row.system: row.made[0][0].method for column in shown for row in column.section.rows if row.made}
    lines = []
    for standing in board.standings:
        cells = [system(standing.system), *_standing(standing)]
        for column, scale, rows in zip(shown, scales, of_tasks, strict=True):
            row = rows.get(standing.system)
            cells.append(_score(row, scale, column.parted, room=False) if row and row.rank is not None else NOTHING)
        about = {"method": methods.get(standing.system, ""), "family": " ".join(tags.get(standing.system, ()))}
        if standing.aside:
            about["aside"] = ""
        lines.append(Line(tuple(cells), about))
    notes = tuple(f"{column.sign} {column.note}" for column in shown if column.note)
    return Table(name, f"{board.title}: systems by tasks", tuple(heads), tuple(lines), notes=notes)


def _standing(standing: Standing) -> list[Cell]:
    if not standing.places:
        return [NOTHING, NOTHING, Cell("0", 0)]
    rates, ranks = standing.win_rates, standing.mean_ranks
    bar = Scale(0.0, 1.0).bar(rates[0], standing.win_rate, rates[1]) if rates else None
    said = f"[{ranks[0]:.1f}, {ranks[1]:.1f}]" if ranks else ""
    between = f"[{rates[0]:.2f}, {rates[1]:.2f}]" if rates else ""
    tasks = len(standing.places)
    return [
        Cell(f"{standing.win_rate:.2f}", standing.win_rate, bar, note=between, between=rates),
        Cell(f"{standing.mean_rank:.1f}", standing.mean_rank, note=said, between=ranks),
        Cell(str(tasks), tasks),
    ]


# -- one task --------------------------------------------------------------------------------------------------------


def ranked(rows: Sequence[Row], section: Section, metric: str, name: str, caption: str) -> Table:
    """The rows of one of a task's tables, best first."""
    first, *also = columns(metric)
    scale, folds = _scale(rows), section.protocol.get("folds")
    heads = [Head("rank", about=LOW), Head("system", number=False), Head(words.header(first, section.scheme))]
    heads += [Head(words.header(other, section.scheme)) for other in also]
    heads += [*COSTS, Head("parameters", about=LOW)]
    heads += [Head("folds × seeds" if folds else "seeds")]
    lines = []
    for row in rows:
        memory = row.peak_memory_mb and row.peak_memory_mb * 2**20
        cells = [
            _rank(row),
            system(row.system),
            _score(row, scale, parted(rows)),
            *(number(row.metrics.get(other)) for other in also),
            NOTHING if row.train_seconds is None else Cell(amounts.duration(row.train_seconds), row.train_seconds),
            NOTHING if memory is None else Cell(amounts.size(memory), memory),
            NOTHING if row.parameters is None else Cell(words.parameters(row.parameters), row.parameters),
            Cell(next(iter(seeds_of(row, folds).values())), row.seeds),
        ]
        lines.append(Line(tuple(cells)))
    return Table(name, caption, tuple(heads), tuple(lines)).without_empty_columns()


def conventions(section: Section, name: str) -> Table:
    """Every metric that the same predictions have: systems by metrics."""
    rows = [row for row in section.rows if row.metrics]
    found = [metric for metric in METRICS if any(metric in row.metrics for row in rows)]
    heads = [Head("system", number=False), *(Head(words.header(metric, section.scheme)) for metric in found)]
    lines = [Line((system(row.system), *(number(row.metrics.get(metric)) for metric in found))) for row in rows]
    return Table(name, "The same predictions under every convention of the metric", tuple(heads), tuple(lines))


def classes(found: Mapping[str, Details], name: str) -> Table:
    """F1 of every class by every system; the rarest classes are left out where there are very many."""
    there = {one: details for one, details in found.items() if details.classes}
    support: dict[str, float] = {}
    for details in there.values():
        for label, scores in details.classes.items():
            support.setdefault(label, scores["support"])
    labels = sorted(support, key=lambda label: -support[label])
    shown = list(there)[:MOST_SYSTEMS]
    heads = [
        Head("class", number=False),
        Head("rows"),
        *(Head(words.readable(one)) for one in shown),
    ]
    lines = [
        Line((
            Cell(words.shortened(words.readable(label), 60), label),
            Cell(f"{support[label]:,.0f}", support[label]),
            *(number(there[one].classes.get(label, {}).get("f1"), 3) for one in shown),
        ))
        for label in labels[:MOST_CLASSES]
    ]  # fmt: skip
    return Table(name, "F1 of each class", tuple(heads), tuple(lines), max(0, len(labels) - MOST_CLASSES))


# -- one system ------------------------------------------------------------------------------------------------------


def of_system(name: str, pages: Sequence[Page]) -> Table:
    """Every table that the system stands in."""
    heads = [
        Head("task", number=False),
        Head("rows", number=False),
        Head("rank", about=LOW),
        Head("of"),
        Head("metric", number=False),
    ]
    heads += [Head("score"), COSTS[0], Head("seeds")]
    lines = []
    for page in pages:
        for title, section in zip(titles(page.sections), page.sections, strict=True):
            for rows, metric in ((section.rows, page.metric), (section.clusterings, CLUSTERING_METRIC)):
                lines += [Line(_of_task(row, rows, page, title, metric or "")) for row in rows if row.system == name]
    return Table(f"system-{name}", f"Results of {words.readable(name)}", tuple(heads), tuple(lines))


def _of_task(row: Row, rows: Sequence[Row], page: Page, title: str, metric: str) -> tuple[Cell, ...]:
    made_up = " (synthetic rows)" if page.sample else ""
    return (
        Cell(f"{words.readable(page.task)}{made_up}", page.task, link=places.task(page)),
        Cell(title, title),
        _rank(row),
        Cell(str(sum(other.rank is not None for other in rows)), len(rows)),
        Cell(metric, metric),
        _score(row, Scale.of([1.0, *(row.interval or ())]), parted(rows)),
        NOTHING if row.train_seconds is None else Cell(amounts.duration(row.train_seconds), row.train_seconds),
        Cell(str(row.seeds), row.seeds),
    )
