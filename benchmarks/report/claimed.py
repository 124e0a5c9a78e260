"""Claims -> the table of a source: reported beside ours, drawn, with the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.claims import told as claims_told
from benchmarks.claims.told import Told
from benchmarks.claims.verdicts import Assessment
from benchmarks.leaderboard import words
from benchmarks.report import places
from benchmarks.report.cells import NOTHING, Cell, Head, Line, Scale, Table


def claims(found: Sequence[Assessment], source: str) -> Table:
    """Reported beside ours, drawn; one line a number."""
    heads = ["claim", "verdict", "task", "system", "metric", "reported", "ours", "another run", "by"]
    numbers = {"reported", "ours", "another run"}
    lines = [line for one in found for line in _of_claim(one)]
    return Table(
        f"claims-{source}", f"Claims of {source}", tuple(Head(head, head in numbers) for head in heads), tuple(lines)
    )


def _of_claim(one: Assessment) -> list[Line]:
    lines = []
    for measured in one.measured:
        by = "its own system" if measured.stand_in is None else f"stand-in {measured.stand_in}"
        lines += [_line(one, told, by, *_verdict(one, told)) for told in claims_told.told(measured, one.claim)]
    return lines or list(_not_run(one))


def _not_run(one: Assessment) -> Iterator[Line]:
    """One line a reported number, with what keeps it from a verdict."""
    for told in claims_told.not_run(one.claim, one.missing or one.not_comparable):
        yield _line(one, told, "", told.verdict, told.kind)


def _verdict(one: Assessment, told: Told) -> tuple[str, str]:
    """In words, and as the page colours it."""
    if one.not_comparable:
        return f"not comparable; {told.verdict or 'no verdict'}", "not comparable"
    return told.verdict or "no verdict", told.kind or "not run"


def _line(one: Assessment, told: Told, by: str, verdict: str, kind: str) -> Line:
    claim, ends = one.claim, told.ends
    bar = None
    if ends and told.value is not None:
        bar = Scale(0.0, 1.0).bar(ends[0], told.value, ends[1], told.mark)
    cells = (
        Cell(claim.name, claim.name, link=f"{places.CLAIMS}#{claim.name}"),
        Cell(words.readable(verdict), verdict),
        Cell(claim.task, claim.task),
        Cell(words.readable(f" {claims_told.order_of(claim)} ".join(one.systems)), claim.system),
        Cell(told.metric, told.metric),
        Cell(told.reported or words.NOTHING, told.mark),
        Cell(told.ours or words.NOTHING, told.value),
        Cell(told.another_run, None, bar, between=ends) if told.another_run else NOTHING,
        Cell(words.readable(by) or words.NOTHING, by),
    )
    return Line(cells, {"verdict": kind, "by": "own" if by == "its own system" else "stand-in" if by else ""})
