"""The Markdown of all claims: a table of verdicts, then each claim with its evidence."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence

import pandas as pd

from benchmarks import amounts
from benchmarks.claims.arithmetic import MOST_ROWS, can_be_asked, fewest, is_share, of_rows
from benchmarks.claims.told import not_run, number, order_of, told
from benchmarks.claims.verdicts import SEVERAL, Assessment, Bound, Cost, Measured, Order, Value
from benchmarks.leaderboard import words
from benchmarks.leaderboard.page import as_markdown
from benchmarks.metrics import METRICS
from benchmarks.schema import CLASS_METRICS, Claim, Publication

RULE = """\
A score is **reproduced** where the report lies in the 95 % prediction interval of one more run of ours: another seed,
on as many other test rows as the report's. Else ours is **above** or **below** it. An order of two systems is
**reproduced** or **contradicted** where their difference is significant (p < 0.05 over seeds and test rows), else
**undecided**. **One seed** tells nothing of how far seeds lie apart, and its interval is of test rows alone: what lies
outside of it is undecided, too, and so is any score where the interval is wider than 90 % of the metric's range; such
an interval *may give* every number, and none is named.
*With a stand-in*: by the claim's method, recipe and rows on another encoder, which says nothing of the claim's own.
docs/statistics.md tells how the intervals are made and how often they are right."""


def markdown(found: Sequence[Assessment], sources: Mapping[str, Publication], findings: str = "") -> str:
    """The whole page, without a line end after it; findings: what stands first."""
    parts = ["# Reported numbers, and what we measure", findings.strip(), RULE, counts(found), overview(found)]
    for source, publication in sources.items():
        own = [one for one in found if one.claim.source == source]
        if own:
            parts.append(f"## {words.plain(source)}: {words.plain(publication.title)}")
            if publication.address:
                parts.append(words.linked(publication.address))
            parts += [section(one) for one in own]
    return "\n\n".join(part for part in parts if part)


def counts(found: Sequence[Assessment]) -> str:
    """How many there are, and by what they were measured."""
    own = [one for one in found if any(measured.stand_in is None for measured in one.measured)]
    comparable = sum(not one.not_comparable for one in own)
    stand_in = sum(bool(one.measured) for one in found) - len(own)
    return (
        f"{amounts.counted(len(found), 'reported result')}: {comparable} measured by the claim's own system on "
        f"comparable rows{_verdicts(own)}, {len(own) - comparable} in a way that is not comparable, {stand_in} by a "
        f"stand-in encoder alone, which says nothing of the claim's own, {len(found) - len(own) - stand_in} not run "
        f"yet or not runnable here."
    )


def _verdicts(own: Sequence[Assessment]) -> str:
    """How many of the numbers that are comparable have which verdict."""
    measured = [(one, m) for one in own if not one.not_comparable for m in one.measured if m.stand_in is None]
    kinds = Counter(line.kind for one, m in measured for line in told(m, one.claim) if line.kind)
    if not kinds:
        return ""
    seeds = ", all with one seed" if all(m.seeds < SEVERAL for _, m in measured) else ""
    return f" (of their numbers {words.listed([f'{count} {kind}' for kind, count in kinds.most_common()])}{seeds})"


# -- the table of verdicts -------------------------------------------------------------------------------------------


def overview(found: Sequence[Assessment]) -> str:
    """One row a number and encoder."""
    rows = [row for one in found for row in _rows(one)]
    return as_markdown(pd.DataFrame.from_records(rows), left=("claim", "system", "metric", "verdict"))


def _rows(one: Assessment) -> Iterator[dict[str, str]]:
    claim = one.claim
    system = words.plain(f" {order_of(claim)} ".join(one.systems))
    head = {"claim": f"[{claim.name}](#{claim.name.lower()})", "task": words.plain(claim.task), "system": system}
    rows = [
        {"metric": line.metric, "reported": line.reported, "ours": line.ours, "another run": line.another_run,
         "verdict": _verdict(line.verdict, measured.stand_in, one)}
        for measured in one.measured
        for line in told(measured, claim)
    ]  # fmt: skip
    if not rows:
        said = list(not_run(claim, words.plain(one.missing)))
        metrics, values = (", ".join(filter(None, of)) for of in ([x.metric for x in said], [x.reported for x in said]))
        rows = [{"metric": metrics, "reported": values, "ours": "", "another run": "", "verdict": said[0].verdict}]
    yield from ({**head, **row} for row in rows)


def _verdict(verdict: str, stand_in: str | None, one: Assessment) -> str:
    if one.not_comparable:
        said = f"not comparable (see below); {verdict}"
    else:
        said = f"**{verdict}**" if stand_in is None else verdict
    return said if stand_in is None else f"with a stand-in ({words.plain(stand_in)}): {said}"


# -- one claim -------------------------------------------------------------------------------------------------------


def section(one: Assessment) -> str:
    """A claim with all that is known of it."""
    lines = [f"- {line}" for line in _facts(one)]
    parts = [f"### {one.claim.name}", words.plain(one.claim.says) + ".", "\n".join(lines)]
    for measured in one.measured:
        parts += _evidence(measured, one)
    return "\n\n".join(part for part in parts if part)


def _facts(one: Assessment) -> Iterator[str]:
    claim = one.claim
    yield f"Task {words.code(claim.task)}, system {f' {order_of(claim)} '.join(map(words.code, one.systems))}"
    yield f"Rows: {words.protocol(claim.protocol).lower()}{_stated_size(claim)}"
    if claim.not_stated:
        yield f"Not stated: {'; '.join(map(words.plain, claim.not_stated))}"
    if claim.assumed:
        yield f"Our assumptions: {'; '.join(map(words.plain, claim.assumed))}"
    if one.not_comparable:
        yield f"Not comparable: {words.plain(one.not_comparable)}"
    if one.missing:
        command = "" if claim.needs else f"; `encoder-bench run --claims {claim.name}` makes its runs"
        yield f"The claim's own runs: {words.plain(one.missing)}{command}"
    yield from _arithmetic(claim)


def _stated_size(claim: Claim) -> str:
    if claim.test_size is None:
        return "; size of the report's test set not stated"
    return f"; reported on {claim.test_size:,} test rows{_worth(claim.test_size, claim.reported)}"


def _worth(rows: int, metrics: Container[str]) -> str:
    """Of one row more or less that is right."""
    return f", of which one is worth {1 / rows:.2g} of accuracy" if "accuracy" in metrics else ""


def _arithmetic(claim: Claim) -> Iterator[str]:
    """Whether the numbers can be of as many rows as are stated, and if so of which classes these were."""
    accuracy, size = claim.reported.get("accuracy"), claim.test_size
    if accuracy is None or size is None:
        return
    rounding = {name: claim.rounding(value) for name, value in claim.reported.items()}
    if not is_share(accuracy, size, rounding["accuracy"]):
        yield f"No number of {size:,} rows gives an accuracy of {accuracy}{_of_fewest(claim, rounding)}"
    elif can_be_asked(claim.reported) and size <= MOST_ROWS:
        counts = list(itertools.islice(of_rows(size, claim.reported, rounding), 2))
        if not counts:
            yield f"No counts of {size:,} rows give all reported numbers{_of_fewest(claim, rounding)}"
        elif len(counts) == 1:
            share = f"{counts[0].gold:,} of the {size:,} rows ({counts[0].gold / size:.0%}) are positive"
            yield f"The reported numbers say that {share}: no other counts give them all"


def _of_fewest(claim: Claim, rounding: Mapping[str, float]) -> str:
    counts = fewest(claim.reported, rounding) if can_be_asked(claim.reported) else None
    if counts is None:
        return ""
    which = f"{counts.right} right of {counts.predicted} predicted and {counts.gold} true positives"
    return f"; the fewest rows that can give all of them are {counts.rows:,} ({which})"


def _evidence(measured: Measured, one: Assessment) -> Iterator[str]:
    encoder = "the claim's own system" if measured.stand_in is None else f"a stand-in, {words.code(measured.stand_in)}"
    worth = _worth(measured.rows, {value.metric for value in measured.conventions})
    yield f"By {encoder}, {amounts.counted(measured.seeds, 'seed')}, {measured.rows:,} test rows{worth}:"
    if measured.untold:
        yield f"Its predictions can't give {' and '.join(measured.untold)}: they hold no scores."
    if measured.order:
        yield _order(measured.order, one.systems)
    if measured.bound:
        yield _bound(measured.bound)
    if measured.cost:
        yield _cost(measured.cost)
    if measured.conventions:
        yield _conventions(measured, one.claim)
    if one.claim.per_class:
        yield _classes(measured.values)


def _order(order: Order, systems: Sequence[str]) -> str:
    values = zip((order.first, order.second), systems, strict=True)
    both = " and ".join(f"{value:.4f} of {words.code(system)}" for value, system in values)
    difference = f"{order.metric} {both}: difference {order.first - order.second:+.4f}"
    if math.isnan(order.p):
        return f"{difference}, of which one seed tells no interval: {order.verdict}."
    return f"{difference} [{order.low:+.4f}, {order.high:+.4f}], {words.p(order.p)}: {order.verdict}."


def _bound(bound: Bound) -> str:
    interval = "" if math.isnan(bound.low) else f" [{bound.low:.4f}, {bound.high:.4f}]"
    return f"{bound.metric} {bound.ours:.4f}{interval}, said to be at most {bound.at_most}."


def _cost(cost: Cost) -> str:
    pairs, single = (amounts.duration(number * cost.seconds_a_row) for number in (cost.pairs, cost.rows))
    pace = f"{cost.seconds_a_row * 1000:.1f} ms a row"
    return (
        f"{cost.rows:,} rows have {cost.pairs:,} pairs. At the stored run's pace of {pace}, {cost.rows:,} embeddings "
        f"take {single} and so many passes {pairs}, if a pair took no longer than a row."
    )


def _conventions(measured: Measured, claim: Claim) -> str:
    """The same predictions under every convention: which of them may give a reported number?"""
    rows = []
    for value in measured.conventions:
        known = METRICS[value.metric]
        holds = [number(v) for v in claim.reported.values() if value.holds(v, claim.rounding(v))]
        majority = (measured.majority or {}).get(value.metric)
        rows.append({
            "convention": known.header.format(scheme="as the task's") if "{scheme}" in known.header else known.header,
            "reported": number(claim.reported[value.metric]) if value.metric in claim.reported else "",
            "ours": f"{value.ours:.4f}",
            "another run": f"{value.low:.3f} to {value.high:.3f}",
            "may give": ", ".join(dict.fromkeys(holds)),
            "majority": words.NOTHING if majority is None else f"{majority:.4f}",
        })  # fmt: skip
    return as_markdown(pd.DataFrame.from_records(rows), left=("convention",))


def _classes(values: Sequence[Value]) -> str:
    by_class: dict[str, dict[str, Value]] = {}
    for value in values:
        if value.label is not None:
            by_class.setdefault(value.label, {})[value.metric] = value
    rows = [
        {"class": words.plain(label), **{metric: _beside(own[metric]) for metric in CLASS_METRICS if metric in own}}
        for label, own in by_class.items()
    ]
    return as_markdown(pd.DataFrame.from_records(rows), left=("class",))


def _beside(value: Value) -> str:
    sign = {"reproduced": "=", "above": "↑", "below": "↓"}.get(value.verdict or "", "")
    return f"{number(value.reported or 0.0)} / {value.ours:.2f} {sign}"
