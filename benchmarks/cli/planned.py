"""The plan as a person reads it: counts, estimated time, what is left out, and which stored runs are stale and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.amounts import counted, duration
from benchmarks.history import History
from benchmarks.lock import Repo
from benchmarks.plan import Plan, left_out
from benchmarks.schema import RunSpec


def print_plan(
    grid: Plan, todo: Sequence[RunSpec], history: History, without_commit: Sequence[Repo], abreast: int
) -> None:
    """Prints one line for each (task, system), and the notes on the plan as a whole; abreast: runs at a time, by which
    the time of all is divided.
    """
    from tabulate import tabulate

    counts = f"{counted(len(grid.runs), 'run')}: {len(grid.runs) - len(todo)} stored, {len(todo)} to make"
    beside = f" with {abreast} at a time" if abreast > 1 else ""
    print(f"{counts}, {_time(todo, history, abreast)}{beside}\n")
    headers = ["task", "system", "runs", "stored", "to make", "time"]
    print(tabulate(_lines(grid.runs, todo, history), headers, disable_numparse=True))
    if any(not history.seconds(spec)[1] for spec in todo):
        print("\n(?) a guess: no stored run to learn from")
    _print_all("\nLeft out:", left_out(grid.skipped))
    _print_all("\nStored under another name:", twins(grid.runs, history))
    _print_all("\nStored, but made otherwise:", _stale(todo, history))
    for repo in without_commit:
        print(
            f"\n{repo}: commit not known yet (resolved at download), so stored runs of it can't be recognised yet; the "
            "counts above assume none."
        )


def _lines(runs: Sequence[RunSpec], todo: Sequence[RunSpec], history: History) -> list[list[object]]:
    all_of, open_of = (_by_pair(specs) for specs in (runs, todo))
    return [
        [*pair, len(specs), len(specs) - len(open_of.get(pair, ())), len(open_of.get(pair, ())),
         _time(open_of.get(pair, ()), history)]
        for pair, specs in all_of.items()
    ]  # fmt: skip


def _by_pair(specs: Sequence[RunSpec]) -> dict[tuple[str, str], list[RunSpec]]:
    pairs: dict[tuple[str, str], list[RunSpec]] = {}
    for spec in specs:
        pairs.setdefault((spec.task.name, spec.system.name), []).append(spec)
    return pairs


def _time(runs: Sequence[RunSpec], history: History, abreast: int = 1) -> str:
    estimates = [history.seconds(spec) for spec in runs]
    guess = "" if all(known for _, known in estimates) else " (?)"
    return f"about {duration(sum(seconds for seconds, _ in estimates) / abreast)}{guess}" if runs else "-"


def _stale(todo: Sequence[RunSpec], history: History) -> list[str]:
    reasons = Counter((spec.task.name, spec.system.name, changes) for spec in todo for changes in history.changes(spec))
    return [
        f"{task} x {system}: {counted(n, 'run')}; changed: {changes}" for (task, system, changes), n in reasons.items()
    ]


def twins(runs: Sequence[RunSpec], history: History) -> list[str]:
    """Variants that were made as another system, which they are the same as."""
    found = Counter((spec.task.name, spec.system.name, twin) for spec in runs if (twin := history.twin(spec)))
    return [f"{task} x {system}: {counted(n, 'run')}, as {twin}" for (task, system, twin), n in found.items()]


def _print_all(title: str, lines: Sequence[str]) -> None:
    for line in [title, *(f"  {line}" for line in lines)] if lines else []:
        print(line)
