"""The page of the rows that systems get wrong: texts with gold and predictions, entities marked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import amounts
from benchmarks.leaderboard import words
from benchmarks.metrics.spans import spans
from benchmarks.report import places
from benchmarks.report.errors import Errors, Failing, Group
from benchmarks.report.pages import Prepared
from benchmarks.report.site import Site

MOST_GROUPS = 8
"""Different predictions of one row that are shown."""
FEW = 3
"""Systems that are named where others are counted."""


def browser(site: Site, made: Prepared) -> None:
    """The page of the rows on which systems fail or disagree."""
    page, found = made.page, made.errors
    assert found is not None
    places_of = {system: str(number) for number, system in enumerate(found.systems)}
    labels = sorted({words.readable(row.gold) for row in found.shown if isinstance(row.gold, str)})
    site.page(
        "errors.html",
        places.errors(page),
        Path("errors") / f"{places.file_name(page)}.html",
        title=words.readable(page.title),
        task_link=places.task(page),
        offensive=bool(page.about.get("offensive")),
        lead=_lead(found),
        explained=_explained(found),
        excerpts=bool(made.excerpts) or not found.shown,
        labels=labels if len(labels) > 1 else [],
        systems=[words.readable(system) for system in found.systems],
        rows=[_error(row, made, places_of) for row in found.shown],
    )


def _lead(found: Errors) -> str:
    fail, disagree = (found.counts.get(kind, 0) for kind in ("all fail", "disagree"))
    if len(found.systems) == 1:
        return (
            f"of {found.rows:,} test rows, {words.readable(found.systems[0])} (seed {found.seed}) has {fail:,} wrong."
        )
    systems = "both systems" if len(found.systems) == 2 else f"all {len(found.systems)} systems"
    return (
        f"of {found.rows:,} test rows, {_are(fail)} wrong in {systems} (seed {found.seed}); {_are(disagree)} right in "
        f"some and wrong in others."
    )


def _are(rows: int) -> str:
    return f"{rows:,} are" if rows > 1 else "1 is" if rows else "none is"


def _explained(found: Errors) -> str:
    said = f"{len(found.shown):,} of them are here"
    if len(found.systems) > 1:
        said += (
            ": where all fail, those first in which most systems say the same, since the gold label itself may be "
            "wrong; else those that part the systems most evenly"
        )
    said += "."
    if found.left_out:
        said += f" Left out, since they predict one thing of every row: {words.listed(found.left_out)}."
    return said


def _error(row: Failing, made: Prepared, places_of: Mapping[str, str]) -> dict[str, Any]:
    excerpt = made.excerpts.get(row.row_id)
    scheme = made.column.section.scheme if made.column else ""
    tagged = not isinstance(row.gold, str)
    right, wrong = (
        " ".join(places_of[name] for group in row.groups if group.right is which for name in group.systems)
        for which in (True, False)
    )
    words_ = excerpt if isinstance(excerpt, list) else None
    text = words.readable(excerpt) if isinstance(excerpt, str) else ""
    more = row.groups[MOST_GROUPS:]
    largest = None if more else max(reversed(row.groups), key=lambda group: len(group.systems))
    return {
        "row_id": row.row_id,
        "kind": row.kind,
        "said": "all fail" if row.kind == "all fail" else f"{row.right} of {row.systems} right",
        "gold": words.readable(row.gold) if isinstance(row.gold, str) else "",
        "right": right,
        "wrong": wrong,
        "text": text,
        "pieces": _pieces(row.gold, words_, scheme) if tagged else [],
        "groups": [_group(group, group is largest, row, words_, scheme) for group in row.groups[:MOST_GROUPS]],
        "others": f"and {amounts.counted(len(more), 'more prediction')}, all wrong" if more else "",
    }


def _group(group: Group, largest: bool, row: Failing, words_: list[str] | None, scheme: str) -> dict[str, Any]:
    tagged = not isinstance(group.predicted, str)
    counted, named = _systems(group, largest, row)
    return {
        "predicted": words.readable(group.predicted) if isinstance(group.predicted, str) else "",
        "pieces": _pieces(group.predicted, words_, scheme) if tagged else None,
        "right": group.right,
        "counted": counted,
        "systems": named,
    }


def _systems(group: Group, largest: bool, row: Failing) -> tuple[str, list[str]]:
    """What is said of them at once, and the names to unfold: none of the largest group, which are those that stand in
    no other.
    """
    count, names = len(group.systems), [words.readable(system) for system in group.systems]
    if count <= FEW:
        return ", ".join(names), []
    if not largest:
        return amounts.counted(count, "system"), names
    return (f"all {count} systems" if count == row.systems else f"the {count} others"), []


def _pieces(tags: Any, said: list[str] | None, scheme: str) -> list[dict[str, Any]]:
    """Stretches of a row, each an entity with its kind or what stands between two; without its words, the entities by
    the numbers of theirs.
    """
    found = spans(tags, scheme, "conlleval")
    if said is None:
        return [_piece(f"words {start + 1}–{end}", kind) for kind, start, end in found] or [_piece("no entity", "")]
    pieces, at, after = [], 0, [_piece(f"… words {b + 1}–{e}", kind) for kind, b, e in found if b >= len(said)]
    for kind, start, end in found:
        if start >= len(said):
            break
        pieces += [_piece(" ".join(said[at:start]), ""), _piece(" ".join(said[start:end]), kind)]
        at = end
    return [piece for piece in [*pieces, _piece(" ".join(said[at:]), ""), *after] if piece["text"]]


def _piece(text: str, kind: str) -> dict[str, Any]:
    return {"text": words.readable(text), "kind": words.readable(kind), "hue": _hue(kind)}


def _hue(kind: str) -> int:
    """Of a kind of entity, the same on every page."""
    return sum(ord(sign) * (place + 7) for place, sign in enumerate(kind)) * 47 % 360
