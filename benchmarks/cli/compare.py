"""The verb compare: two systems, table by table, in words and numbers."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from benchmarks import amounts
from benchmarks.compare import Comparison, Disagreement, Example, Scored, compared
from benchmarks.leaderboard import words

LEVEL = 0.05


def compare(arguments: Namespace) -> int:
    """Prints difference, interval, p, in how many rows the systems differ, and some of these rows."""
    first, second = arguments.systems
    found = compared(arguments.results_dir, arguments.task, first, second, arguments.metric)
    print("\n\n".join("\n".join(_lines(one, len(found))) for one in found))
    return 0


def _lines(found: Comparison, tables: int) -> Iterator[str]:
    first, second = found.first, found.second
    yield f"{words.protocol(found.section.protocol)}: {found.metric} on {amounts.counted(found.rows, 'row')}"
    width = max(len(first.system), len(second.system), len("difference"))
    for scored in (first, second):
        yield f"  {scored.system:{width}}  {_value(scored)}"
    yield f"  {'difference':{width}}  {found.difference:+.4f}  [{found.low:+.4f}, {found.high:+.4f}]"
    of_tables = f", by Holm for {tables} tables {words.p(found.corrected)}" if tables > 1 else ""
    yield f"  over seeds and rows: {words.p(found.p)}{of_tables}: {_verdict(found)}"
    if found.corrected < LEVEL and len(found.section.rows) > 2:
        others = f"{len(found.section.rows)} systems"
        yield f"  of this pair alone: the leaderboard, which corrects for all of its {others}, may call them tied"
    if min(len(first.values), len(second.values)) == 1:
        yield "  one seed of a system says nothing of how far another seed would be: its part is not in these numbers"
    if found.exchanged is not None:
        by_holm = f", by Holm for {tables} tables" if tables > 1 else ""
        yield f"  permutation test over rows (these trained models only): {words.p(found.exchanged)}{by_holm}"
    if len(found.seeds) * tables > 1:
        yield "  row by row, McNemar's p by Holm for all seeds and tables:"
    yield from (f"  {_row_by_row(seed, first.system, second.system)}" for seed in found.seeds)
    if not found.seeds:
        yield "  no seed of both has the same test rows: nothing can be said row by row"
    if found.examples:
        yield f"  rows of seed {found.seeds[0].seed} that they predict differently:"
        yield from (f"    {line}" for line in _examples(found))


def _value(scored: Scored) -> str:
    seeds = amounts.counted(len(scored.values), "seed")
    return f"{scored.mean:7.4f}  [{scored.low:.4f}, {scored.high:.4f}]  {seeds}"


def _verdict(found: Comparison) -> str:
    if found.corrected >= LEVEL:
        return "not significant"
    better = found.first if found.difference > 0 else found.second
    return f"{better.system} has the higher {found.metric}"


def _row_by_row(found: Disagreement, first: str, second: str) -> str:
    rows = found.both + found.only_first + found.only_second + found.neither
    return (
        f"seed {found.seed}: they differ in {found.differing:,} of {rows:,} rows; both right {found.both:,}, "
        f"only {first} {found.only_first:,}, only {second} {found.only_second:,}, neither {found.neither:,} "
        f"(McNemar {words.p(found.p)})"
    )


def _examples(found: Comparison) -> Iterator[str]:
    tags = any(isinstance(example.gold, list) for example in found.examples)
    for example in found.examples:
        told = _tags(example) if tags else f"gold {example.gold}: {example.first} / {example.second}"
        yield f"{example.row_id}  {told}"


def _tags(example: Example) -> str:
    """The words at which the two differ, by their number from 0."""
    places = zip(example.gold, example.first, example.second, strict=True)
    told = [f"{i} gold {g}: {a} / {b}" for i, (g, a, b) in enumerate(places) if a != b]
    return words.listed([f"word {said}" for said in told], "; ")
