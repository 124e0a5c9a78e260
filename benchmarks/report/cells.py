"""A table of a page as values: what each cell says, what it is sorted by, and the interval that is drawn in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    significantly better; link: a page below RESULTS; note: its interval, heard, shown where one points and
    seen on a phone; ends: its interval, where it stands beside it.
    """

    text: str
    value: float | str | None = None
    bar: Bar | None = None
    link: str = ""
    best: bool = False
    note: str = ""
    ends: str = ""
    variant: str = ""
    """What a system's name says of its changes, which stands below it."""

    @property
    def key(self) -> str:
        """What the page's script sorts by, where that isn't what the cell says."""
        if self.value is None or isinstance(self.value, str):
            return "" if self.value is None or self.value == self.text else self.value
        try:
            float(self.text)
        except ValueError:
            return f"{self.value:.6g}"
        return ""


@dataclass(frozen=True)
class Line:
    """A row of a table; about: by what it is filtered."""

    cells: tuple[Cell, ...]
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """Of a column; number: whether its cells are numbers, which stand to the right and are sorted downwards first,
    unless `about` says otherwise.
    """

    text: str
    number: bool = True
    link: str = ""
    about: Mapping[str, str] = field(default_factory=dict)


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
        """Its values, as a file holds them."""
        rows = [[None if cell is NOTHING else _value(cell) for cell in line.cells] for line in self.lines]
        return pd.DataFrame(rows, columns=[words.as_cell(head.text) for head in self.heads])

    def texts(self) -> pd.DataFrame:
        """Its cells, as a person reads them."""
        rows = [[f"{cell.text}{cell.variant} {cell.ends}".rstrip() for cell in line.cells] for line in self.lines]
        return pd.DataFrame(rows, columns=[head.text for head in self.heads])

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


def _value(cell: Cell) -> float | str:
    found: float | str = words.as_cell(cell.text if cell.value is None else cell.value)
    return found


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
