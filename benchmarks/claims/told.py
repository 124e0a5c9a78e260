"""What is measured of a claim, one line a number: as every page of claims tells it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.claims.verdicts import SEVERAL, Measured, Value
from benchmarks.schema import LOSS, Claim


@dataclass(frozen=True)
class Told:
    """A number in words. verdict: empty where a number has none; kind: the same as one word; value, ends, mark: ours,
    the interval of another run and the reported score, where they are scores on one scale.
    """

    metric: str
    reported: str
    ours: str
    another_run: str
    verdict: str
    kind: str
    value: float | None = None
    ends: tuple[float, float] | None = None
    mark: float | None = None


def told(measured: Measured, claim: Claim) -> Iterator[Told]:
    """The claim's numbers by one encoder; those of single classes are counted."""
    for line in _lines(measured, claim):
        alone = measured.seeds < SEVERAL and line.verdict and not measured.cost
        yield replace(line, verdict=f"{line.verdict} (one seed)") if alone else line


def _lines(measured: Measured, claim: Claim) -> Iterator[Told]:
    yield from (_of_value(value) for value in measured.values if value.label is None)
    if of_classes := [value for value in measured.values if value.label is not None]:
        held = sum(value.verdict == "reproduced" for value in of_classes)
        kind = "reproduced" if held == len(of_classes) else "undecided"
        yield Told("per class", f"{len(of_classes)} values", "", "", f"{held} reproduced", kind)
    if order := measured.order:
        interval = "" if math.isnan(order.low) else f"{order.low:+.3f} to {order.high:+.3f}"
        ours = f"{order.first:.4f} and {order.second:.4f}"
        yield Told(order.metric, order_of(claim), ours, interval, order.verdict, order.verdict)
    if bound := measured.bound:
        ends = (bound.low, bound.high)
        between = "" if math.isnan(bound.low) else _between(ends)
        on_a_scale = (bound.ours, ends, bound.at_most) if bound.metric != LOSS else ()
        yield Told(
            bound.metric,
            _at_most(bound.at_most),
            f"{bound.ours:.4f}",
            between,
            bound.verdict,
            bound.verdict,
            *on_a_scale,
        )
    if cost := measured.cost:
        yield Told("passes", _amount(claim), f"{cost.pairs:,}", "", cost.verdict, cost.verdict)


def _of_value(value: Value) -> Told:
    ends, verdict = (value.low, value.high), value.verdict or ""
    reported = "" if value.reported is None else number(value.reported)
    return Told(
        value.metric, reported, f"{value.ours:.4f}", _between(ends), verdict, verdict, value.ours, ends, value.reported
    )


def not_run(claim: Claim, why: str) -> Iterator[Told]:
    """All that a claim says, without an answer."""
    said: list[tuple[str, str, float | None]] = []
    if claim.per_class and not claim.reported:
        said.append(("per class", f"{len(claim.per_class)} classes", None))
    said += [(metric, number(value), value) for metric, value in claim.reported.items()]
    said += [(metric, _at_most(value), value) for metric, value in claim.at_most.items()]
    if claim.above:
        said.append((claim.metric or "", order_of(claim), None))
    if claim.passes:
        said.append(("passes", _amount(claim), claim.passes.pairs))
    for metric, reported, value in said:
        yield Told(metric, reported, "", "", why, "not run", mark=value)


def order_of(claim: Claim) -> str:
    """Where the first system of an order is said to be, who is the better one."""
    return "below" if claim.metric == LOSS else "above"


def number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").ljust(4, "0") if value == round(value, 4) else f"{value:.4f}"


def _at_most(value: float) -> str:
    return f"≤ {value}"


def _amount(claim: Claim) -> str:
    return f"{claim.passes.pairs:,}" if claim.passes else ""


def _between(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"
