"""For each task the table that stands for it beside other tasks. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.leaderboard import words
from benchmarks.leaderboard.rows import Row, parted
from benchmarks.leaderboard.sections import Page, Section
from benchmarks.metrics import METRICS
from benchmarks.schema import NOT_COMPARABLE, TAGS, TaskType

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Column:
    """One task by the table that stands for it; `note` says what keeps it from being the whole training split, `sign`
    is the note's.
    """

    page: Page
    section: Section
    note: str
    sign: str

    @property
    def name(self) -> str:
        return words.plain(f"{self.page.group}: {self.page.task} ({self.page.metric})") + self.sign

    @property
    def type(self) -> TaskType:
        return self.section.rows[0].made[0][0].type

    @property
    def ranked(self) -> list[Row]:
        return [row for row in self.section.rows if row.rank is not None]

    @property
    def compared(self) -> bool:
        """Whether it ranks several systems."""
        return len(self.ranked) > 1

    @property
    def parted(self) -> bool:
        return parted(self.ranked)

    @property
    def best(self) -> list[str]:
        """Systems that no other is significantly better than."""
        return [row.system for row in self.ranked if row.may_be_best]

    @property
    def first(self) -> str:
        """In words: which system is first, and which others may be the best one."""
        first, *others = self.ranked
        interval = f" {words.interval(*first.interval)}" if first.interval else ""
        named = f"{first.system} is first, {self.page.metric} {first.score:.4f}{interval}"
        if first.interval is None:
            return f"{named}; without stored predictions nothing says how sure that is"
        if untested := [row.system for row in others if row.interval is None]:
            return f"{named}; not compared with {words.listed(untested)}, whose predictions are not stored"
        tied = [row.system for row in others if row.may_be_best]
        if not tied:
            are = {1: f"{others[0].system} is", 2: "both others are"}.get(len(others), f"all {len(others)} others are")
            return f"{named}; {are} shown not to be the best"
        if not self.parted:
            return f"{named}; no system is shown to be better than any other"
        return f"{named}; may be the best, too: {words.listed(tied)}"

    @property
    def higher_is_better(self) -> bool:
        return self.page.metric not in METRICS or METRICS[self.page.metric].higher_is_better is not False


# -- which table stands for a task -----------------------------------------------------------------------------------


def columns(pages: Sequence[Page]) -> list[Column]:
    """For each task the table that most systems share by their own recipes; of equals the whole training split, then
    folds of all rows, then the most training rows. Of several data, the newest. None for a task without a ranked row.
    Tasks of texts come before those of tags.
    """
    found = []
    for page in pages:
        if newest := _newest_by_protocol(page):
            best = min(newest, key=lambda section: (-_own_recipes(section), _reduced(section.protocol)))
            found.append(Column(page, best, _note(page, best), ""))
    found.sort(key=lambda column: column.type == TAGS)
    numbers = itertools.count(1)
    return [replace(one, sign=str(next(numbers)).translate(RAISED)) if one.note else one for one in found]


def _newest_by_protocol(page: Page) -> list[Section]:
    """The sections that have a ranked row; of several under one protocol, the first, which is the newest."""
    found: dict[str, Section] = {}
    for section in page.sections:
        if _ranked(section):
            found.setdefault(repr(sorted(section.protocol.items())), section)
    return list(found.values())


def _ranked(section: Section) -> int:
    return sum(row.rank is not None for row in section.rows)


def _own_recipes(section: Section) -> int:
    """Ranked rows but those whose recipe was changed or searched: a grid of one system makes no table."""
    ranked = [row for row in section.rows if row.rank is not None]
    settings = [row.made[0][0].settings if row.made else () for row in ranked]
    return sum(all(setting.startswith("encoder=") for setting in own) for own in settings)


def _note(page: Page, best: Section) -> str:
    alike = [section for section in page.sections if section.protocol == best.protocol]
    said = [_in_words(best)] if best.protocol else []
    said += [f"of {len(alike)} tables made on other data or by other definitions, the newest"] if len(alike) > 1 else []
    if any(note.startswith(NOT_COMPARABLE) for note in best.data.get("notes") or ()):
        said.append("not comparable with published scores, see its page")
    return f"{words.plain(page.task)}: {'; '.join(said)}" if said else ""


def _reduced(protocol: Mapping[str, Any]) -> tuple[bool, float, bool, int]:
    """How far a protocol is from all rows: fewer training rows come last; the first of equals wins."""
    size = protocol.get("train_size") or math.inf
    return bool(protocol), -size, bool(protocol.get("balanced")), protocol.get("folds") or 0


def _in_words(section: Section) -> str:
    text = words.protocol(section.protocol)
    return f"{text} of {section.data['rows']['train']:,}" if set(section.protocol) == {"train_size"} else text
