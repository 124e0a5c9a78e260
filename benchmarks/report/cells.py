"""A table of a page as values: what each cell says, what it is sorted by, and the interval that is drawn in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pandas as pd

from benchmarks.leaderboard import words
from benchmarks.report import places


class Bar(NamedTuple):
    """An interval on a column's scale, in hundredths of its width: where it begins, how wide it is, the score, and a
    second mark.
    """

    left: float
    width: float
    score: float
    mark: float | None = None


@dataclass(frozen=True)
class Cell:
    """What is said; value: what the column is sorted by and a file holds, None sorts last. best: no other is
    significantly better; link: a page below RESULTS; note: its interval, where it stands below it; ends: where it
    stands beside it; between: in numbers, as a file holds it in columns of its own.
    """

    text: str
    value: float | str | None = None
    bar: Bar | None = None
    link: str = ""
    best: bool = False
    note: str = ""
    ends: str = ""
    between: tuple[float, float] | None = None
    variant: str = ""
    """What a system's name says of its changes, which stands below it."""

    @property
    def key(self) -> str:
        """What the page's script sorts by, where that isn't what the cell says: of an interval alone, its lower end."""
        value = self.between[0] if self.value is None and self.between else self.value
        if value is None or isinstance(value, str):
            return "" if value is None or value == self.text else value
        try:
            float(self.text)
        except ValueError:
            return f"{value:.6g}"
        return ""


@dataclass(frozen=True)
class Line:
    """A row of a table; about: by what it is filtered."""

    cells: tuple[Cell, ...]
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """Of a column; number: whether its cells are numbers, which stand to the right and are sorted downwards first,
    unless `about` says otherwise; unit: of its values, which cells say themselves; sign: of its note.
    """

    text: str
    number: bool = True
    link: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    sign: str = ""


@dataclass(frozen=True)
class Table:
    """name: of its files; caption: what it holds, for those who hear it; left_out: how many rows are not shown; notes:
    what the signs in its heads mean.
    """

    name: str
    caption: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    left_out: int = 0
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Its values, as a file holds them: intervals in columns of their own, units in the heads."""
        found = [
            column
            for at, head in enumerate(self.heads)
            for column in _columns(head, [line.cells[at] for line in self.lines])
        ]
        frame = pd.DataFrame({at: values for at, (_, values) in enumerate(found)}, dtype=object)
        return frame.set_axis([name for name, _ in found], axis="columns")

    def texts(self) -> pd.DataFrame:
        """Its cells, as a person reads them."""
        rows = [[f"{cell.text}{cell.variant} {cell.ends}".rstrip() for cell in line.cells] for line in self.lines]
        return pd.DataFrame(rows, columns=[f"{head.text}{head.sign}" for head in self.heads])

    def latex(self) -> str:
        """As booktabs draws it; bold is what nothing is significantly better than."""
        from pandas.io.formats.style import Styler

        texts = self.texts().map(escaped)
        for at, line in enumerate(self.lines):
            for place, cell in enumerate(line.cells):
                if cell.best:
                    texts.iat[at, place] = rf"\textbf{{{escaped(cell.text)}}} {escaped(cell.ends)}".rstrip()
        texts.columns = [escaped(column) for column in texts.columns]
        sides = "".join("r" if head.number else "l" for head in self.heads)
        table = str(Styler(texts).hide(axis="index").to_latex(column_format=sides, hrules=True))
        notes = "".join(rf"\par\noindent {escaped(note)}" + "\n" for note in self.notes)
        return f"{table}{{\\footnotesize\n{notes}\\par}}\n" if notes else table

    def without_empty_columns(self) -> Table:
        """Those in which some cell says something."""
        kept = [at for at in range(len(self.heads)) if any(line.cells[at] is not NOTHING for line in self.lines)]
        lines = tuple(replace(line, cells=tuple(line.cells[at] for at in kept)) for line in self.lines)
        return replace(self, heads=tuple(self.heads[at] for at in kept), lines=lines)


LATEX = {
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "[": "{[}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
}  # fmt: skip


RAISED = {sign: rf"\textsuperscript{{{place}}}" for place, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}


def _columns(head: Head, cells: Sequence[Cell]) -> Iterator[tuple[str, list[float | str | None]]]:
    """A column as a file has it: its values, unless it says intervals alone, and the ends of its intervals."""
    name = words.as_cell(f"{head.text} ({head.unit})" if head.unit else head.text)
    intervals = [cell.between for cell in cells]
    if not any(intervals) or any(cell.value is not None for cell in cells):
        yield name, [_value(cell) for cell in cells]
    if any(intervals):
        for end, called in enumerate(("low", "high")):
            yield f"{name} {called}", [_rounded(ends[end]) if ends else None for ends in intervals]


def _value(cell: Cell) -> float | str | None:
    if cell.value is None and cell.text == words.NOTHING:
        return None
    found: float | str = words.as_cell(cell.text if cell.value is None else cell.value)
    return _rounded(found) if isinstance(found, float) else found


def _rounded(value: float) -> float:
    """More digits say nothing of a system, and were half of a file."""
    return round(value, 6)


def escaped(text: str) -> str:
    """Without a sign that LaTeX would take for its own."""
    return "".join(RAISED.get(sign) or LATEX.get(sign, sign) for sign in text)


NOTHING = Cell(words.NOTHING)


def number(value: float | None, digits: int = 4) -> Cell:
    return NOTHING if value is None else Cell(f"{value:.{digits}f}", value)


def system(name: str) -> Cell:
    base, _, changes = words.readable(name).partition("[")
    variant = f"[{words.shortened(changes, 90)}" if changes else ""
    return Cell(words.shortened(base, 60), name, link=places.system(name), variant=variant)


class Scale(NamedTuple):
    low: float
    high: float

    @staticmethod
    def of(values: Iterable[float]) -> Scale:
        """From nothing (or the lowest value below) to the highest."""
        known = list(values)
        low, high = min([0.0, *known]), max([0.0, *known])
        return Scale(low, high if high > low else low + 1.0)

    def place(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 1)

    def bar(self, low: float, score: float, high: float, mark: float | None = None) -> Bar:
        left = self.place(low)
        return Bar(
            left, round(self.place(high) - left, 1), self.place(score), None if mark is None else self.place(mark)
        )
