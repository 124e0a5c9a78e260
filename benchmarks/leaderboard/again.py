"""The commands that make the runs of a table again, from what is stored of them. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.sections import Section

OF_PROTOCOL = {"train_size": "--train-sizes", "folds": "--folds", "limit": "--limit"}
"""Flags; all else that a protocol asks for is set by its name."""
SOURCES = {"files": "--data-dir DIR", "sample": "--sample"}
"""What says where the rows are from; those of the Hub are had without a flag."""


class Made(NamedTuple):
    """A row's systems.yaml name, flags that make the variant, the encoder's identity, and how many seeds there are."""

    system: str
    flags: tuple[str, ...]
    encoder: str
    seeds: int


def commands(task: str, section: Section) -> list[str]:
    """Each makes all runs of some rows, those of the most systems first; nothing but those is made.

    A variant of an encoder needs a flag, which the systems that have that encoder, or none, can be given, too.
    """
    made = [_made(row) for row in chain(section.rows, section.clusterings)]
    encoders = {one.flags: one.encoder for one in made if len(one.flags) == 1 and one.flags[0].startswith("encoder=")}
    together: dict[tuple[tuple[str, ...], int], list[str]] = {}
    for one in made:
        flags = one.flags or next((flags for flags, own in encoders.items() if one.encoder in ("", own)), ())
        together.setdefault((flags, one.seeds), []).append(one.system)
    ordered = sorted(together.items(), key=lambda group: -len(group[1]))
    return [" ".join(_words(task, section, systems, *key)) for key, systems in ordered]


def _made(row: Row) -> Made:
    """Of the runs that bear the row's name: those of another name are the same, but say nothing of this one's flags."""
    runs = [folds[0] for folds in row.made]
    named = next(run for run in runs if run.slot.system == row.system)
    return Made(row.system.partition("[")[0], named.settings, named.encoder, max(run.slot.seed for run in runs) + 1)


def _words(task: str, section: Section, systems: Sequence[str], flags: Sequence[str], seeds: int) -> Iterator[str]:
    yield f"encoder-bench run --tasks {shlex.quote(task)} --systems {shlex.quote(','.join(systems))}"
    for flag in flags:
        name, _, value = flag.partition("=")
        yield f"--tune {value}" if name == "tune" else f"--set {shlex.quote(flag)}"
    for name, value in section.protocol.items():
        yield f"{OF_PROTOCOL[name]} {value}" if name in OF_PROTOCOL else f"--set protocol.{name}={json.dumps(value)}"
    yield f"--seeds {seeds}"
    if section.data["source"] in SOURCES:
        yield SOURCES[section.data["source"]]
