"""Claims -> the table of a source: reported beside ours, drawn, with the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.claims.verdicts import Assessment, Measured, Verdict
from benchmarks.leaderboard import words
from benchmarks.report import places
from benchmarks.report.cells import NOTHING, Cell, Head, Line, Scale, Table, number
from benchmarks.schema import Claim


def claims(found: Sequence[Assessment], source: str) -> Table:
    """Reported beside ours, drawn; one line a number."""
    heads = ["claim", "task", "system", "metric", "reported", "ours", "another run", "by", "verdict"]
    numbers = {"reported", "ours", "another run"}
    lines = [line for one in found for line in _of_claim(one)]
    return Table(
        f"claims-{source}", f"Claims of {source}", tuple(Head(head, head in numbers) for head in heads), tuple(lines)
    )


def _of_claim(one: Assessment) -> list[Line]:
    lines = [line for measured in one.measured for line in _measured(one, measured)]
    return lines or list(_not_run(one))


def _not_run(one: Assessment) -> Iterator[Line]:
    """One line a reported number, with what keeps it from a verdict."""
    claim, why = one.claim, one.missing or one.not_comparable
    reported: dict[str, float | None] = {**claim.reported, **claim.at_most}
    for metric, value in (reported or {claim.metric or "": None}).items():
        yield _line(claim, metric, value, "", None, None, "", why, "not run")


def _measured(one: Assessment, measured: Measured) -> list[Line]:
    by = "its own system" if measured.stand_in is None else f"stand-in {measured.stand_in}"
    lines = []
    for value in measured.values:
        if value.label is None:
            verdict = _verdict(one, value.verdict)
            ends = (value.low, value.high)
            lines.append(
                _line(one.claim, value.metric, value.reported, f"{value.ours:.4f}", value.ours, ends, by, *verdict)
            )
    if of_classes := [value for value in measured.values if value.label is not None]:
        held = sum(value.verdict == "reproduced" for value in of_classes)
        said = f"{held} of {len(of_classes)} reproduced"
        kind = "reproduced" if held == len(of_classes) else "undecided"
        lines.append(_line(one.claim, "per class", None, "see below", None, None, by, said, kind))
    if order := measured.order:
        said = f"{order.first:.4f} against {order.second:.4f}"
        lines.append(_line(one.claim, order.metric, None, said, None, None, by, *_verdict(one, order.verdict)))
    if bound := measured.bound:
        ends = (bound.low, bound.high)
        verdict = _verdict(one, bound.verdict)
        lines.append(_line(one.claim, bound.metric, bound.at_most, f"{bound.ours:.4f}", bound.ours, ends, by, *verdict))
    if cost := measured.cost:
        lines.append(_line(one.claim, "passes", None, f"{cost.pairs:,}", None, None, by, *_verdict(one, cost.verdict)))
    return lines


def _verdict(one: Assessment, verdict: Verdict | None) -> tuple[str, str]:
    """In words, and as the page colours it."""
    if one.not_comparable:
        return f"not comparable; {verdict or 'no verdict'}", "not comparable"
    return verdict or "no verdict", verdict or "not run"


def _line(
    claim: Claim, metric: str, reported: float | None, ours: str, value: float | None,
    ends: tuple[float, float] | None, by: str, verdict: str, kind: str,
) -> Line:  # fmt: skip
    bar = Scale(0.0, 1.0).bar(ends[0], value, ends[1], reported) if ends and value is not None else None
    between = Cell(f"{ends[0]:.3f} to {ends[1]:.3f}", ends[0], bar) if ends else NOTHING
    cells = (
        Cell(claim.name, claim.name, link=f"{places.CLAIMS}#{claim.name}"),
        Cell(claim.task, claim.task),
        Cell(words.readable(" above ".join(claim.systems)), claim.system),
        Cell(metric, metric),
        number(reported),
        Cell(ours or words.NOTHING, value),
        between,
        Cell(words.readable(by) or words.NOTHING, by),
        Cell(words.readable(verdict), verdict),
    )
    return Line(cells, {"verdict": kind, "by": "own" if by == "its own system" else "stand-in" if by else ""})
