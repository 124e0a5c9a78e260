"""What was measured, kept part by part as JSON, and RESULTS/SPEED.md made of all parts."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.environment import environment
from benchmarks.files import write_text
from benchmarks.speed import PARTS
from benchmarks.speed.timing import Goal, Measured, Ratio, Table

NOT_MEASURED = "not measured"
NOTES = "notes.md"
"""In the folder of the parts: what a person has to say of what falls short, after the goals."""

ABOUT = """# Speed

Every ratio is of one round in which all ways did the same work in turn: the middle of all rounds, and in brackets the
lowest and the highest. Seconds in the tables are the middle ones of their own: their quotient may be another.
`encoder-bench speed` makes this page; `encoder-bench speed training` measures one part anew."""


def keep(results: Path, part: str, measured: Measured, asked: str = "") -> None:
    """One part, with where, when and by which arguments it was measured."""
    record = {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": environment(1, None),
        "asked": asked,
        "goals": [goal._asdict() for goal in measured.goals],
        "tables": [table._asdict() for table in measured.tables],
    }
    write_text(_folder(results) / f"{part}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def write(results: Path) -> Path:
    """The page of all parts that are kept."""
    parts = _read(results)
    notes = _folder(results) / NOTES
    said = [notes.read_text(encoding="utf-8").strip()] if notes.is_file() else []
    sections = [ABOUT, "## What was to be reached", reached(results), *said]
    for record in parts.values():
        sections += [text for table in record["tables"] for text in _section(Table(**table))]
        sections.append(_where(record))
    path = results / "SPEED.md"
    write_text(path, "\n\n".join(sections) + "\n")
    return path


def reached(results: Path) -> str:
    """The table of all goals."""
    return _goals([_goal(said) for record in _read(results).values() for said in record["goals"]])


def _read(results: Path) -> dict[str, dict[str, Any]]:
    paths = {part: _folder(results) / f"{part}.json" for part in PARTS}
    return {part: json.loads(path.read_text(encoding="utf-8")) for part, path in paths.items() if path.is_file()}


def _folder(results: Path) -> Path:
    return results / "speed"


def _goal(said: dict[str, Any]) -> Goal:
    return Goal(**{**said, "reached": Ratio(*said["reached"]) if said["reached"] else None})


def _goals(goals: Sequence[Goal]) -> str:
    lines = [[goal.what, _wanted(goal), _reached(goal), _verdict(goal), "" if goal.met else goal.why] for goal in goals]
    return _markdown(["what", "goal", "reached", "", "why"], lines)


def _wanted(goal: Goal) -> str:
    return f"{'≤' if goal.at_most else '≥'} {_said(goal, goal.wanted)}"


def _reached(goal: Goal) -> str:
    if goal.reached is None:
        return NOT_MEASURED
    middle, low, high = (_said(goal, value) for value in goal.reached)
    return middle if low == high else f"{middle} ({low} to {high})"


def _verdict(goal: Goal) -> str:
    return "" if goal.met is None else "met" if goal.met else "**missed**"


def _said(goal: Goal, value: float) -> str:
    if goal.unit == "share":
        return f"{value:.1%}".replace("%", " %")
    if goal.unit == "times":
        return f"{value:.2g} ×" if value < 10 else f"{value:.0f} ×"
    return f"{value:.2g} s" if goal.unit == "seconds" else f"{value:,.0f} MB"


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    if table.note:
        yield table.note
    yield _markdown(table.headers, table.rows, ["left", *["right"] * (len(table.headers) - 1)])


def _where(record: dict[str, Any]) -> str:
    found = record["environment"]
    machine = f"{found['processor']}, {found['cores']} cores" if found["device"] == "cpu" else found["device"]
    versions = f"torch {found['torch']}, transformers {found['transformers']}"
    asked = f"; `encoder-bench speed {record['asked']}`" if record.get("asked") else ""
    return f"*{machine}; {versions}; commit {_commit(found['git'])}; {record['created'][:10]}{asked}.*"


def _commit(git: str | None) -> str:
    """With a word on what was not committed."""
    digits, plus, changes = (git or "unknown").partition("+")
    return f"{digits[:12]}{plus}{changes}"


def _markdown(headers: Sequence[str], rows: Sequence[Sequence[object]], aligned: Sequence[str] | None = None) -> str:
    from tabulate import tabulate

    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True, colalign=aligned)
