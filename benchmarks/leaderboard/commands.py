"""The commands that make the runs of a table again, from what is stored of them. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.sections import Section

OF_PROTOCOL = {"train_size": "--train-sizes", "folds": "--folds"}
"""Flags; all else that a protocol asks for is set by its name."""
PLACE = "again"
"""Where they are stored: beside what is stored nothing would be made."""


class Asked(NamedTuple):
    """What makes a row: a name, flags that make the variant, what its encoder is known by, and seeds from 0 on."""

    system: str
    flags: tuple[str, ...]
    encoder: str
    seeds: int


def commands(task: str, section: Section, place: str = PLACE, data: str = "DIR") -> list[str]:
    """Each makes all runs of some rows, those of the most systems first; seeds that a row lacks are made, too.

    task: its name or file; place: where they are stored; data: the folder of published files, "" where none is named.

    A variant of an encoder needs a flag, which the systems that have that encoder, or none, can be given, too.
    """
    asked = [_asked(row) for row in chain(section.rows, section.clusterings)]
    encoders = {one.flags: one.encoder for one in asked if len(one.flags) == 1 and one.flags[0].startswith("encoder=")}
    together: dict[tuple[tuple[str, ...], int], list[str]] = {}
    for one in asked:
        flags = one.flags or next((flags for flags, own in encoders.items() if one.encoder in ("", own)), ())
        together.setdefault((flags, one.seeds), []).append(one.system)
    ordered = sorted(together.items(), key=lambda group: -len(group[1]))
    where = list(_where(section.data["source"], place, data))
    return [" ".join([*_words(task, section, systems, *key), *where]) for key, systems in ordered]


def _where(source: str, place: str, data: str) -> Iterator[str]:
    """Rows of the Hub are had without a flag."""
    yield f"--results-dir {shlex.quote(place)}"
    if source == "files" and data:
        yield f"--data-dir {shlex.quote(data)}"
    if source == "sample":
        yield "--sample"


def _asked(row: Row) -> Asked:
    """Of a run that bears the row's name: one of another name is the same, but says nothing of this one's flags."""
    runs = [run for folds in row.made for run in folds]
    named = next((run for run in runs if run.slot.system == row.system), runs[0])
    name = named.slot.system.partition("[")[0]
    return Asked(name, named.settings, named.encoder, max(run.slot.seed for run in runs) + 1)


def _words(task: str, section: Section, systems: Sequence[str], flags: Sequence[str], seeds: int) -> Iterator[str]:
    yield f"encoder-bench run --tasks {shlex.quote(task)} --systems {shlex.quote(','.join(systems))}"
    for flag in flags:
        name, _, value = flag.partition("=")
        yield f"--tune {value}" if name == "tune" else f"--set {shlex.quote(flag)}"
    for name, value in section.protocol.items():
        yield f"{OF_PROTOCOL[name]} {value}" if name in OF_PROTOCOL else f"--set protocol.{name}={json.dumps(value)}"
    yield f"--seeds {seeds}"
