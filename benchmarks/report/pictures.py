"""What a picture shows: curves, losses, scores over costs, confusions, drawn by matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.leaderboard.words import readable, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 10
"""Curves in one picture: more can't be told apart."""
MOST_CLASSES_WITH_NUMBERS = 14
LONGEST_NAME = 40
NAME_SIZE = 9
BESIDE = ((-5, 4), (5, 4), (5, -4), (-5, -4))
"""Where a name begins or ends, in points from its spot."""
LED = tuple((x * s, y * t) for x, y in ((8, 16), (16, 28), (28, 42), (48, 58)) for t in (1, -1) for s in (-1, 1))
"""The same of a name that a line leads to its spot."""
INK = "#0a0b0c"
"""A colour that nothing else has: the SVG says `currentColor` in its place."""
COLOURS = ("#3b82c4", "#e07b39", "#3f9c6b", "#c2569a", "#8a6fd1", "#b8932f", "#2fa3a8", "#d1495b", "#6b7f99", "#8c6d4f")


class Line(NamedTuple):
    """A system's points from left to right, with intervals where these are known."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


class Spot(NamedTuple):
    """A system at its cost, with its score and the interval of that."""

    name: str
    x: float
    y: float
    low: float
    high: float


def curves(axes: Axes, lines: Sequence[Line], x: str, y: str, logarithmic: bool) -> None:
    """Lines with bands, named beside the picture in their order at the right end."""
    for line, colour in zip(lines, COLOURS, strict=False):
        axes.plot(line.x, line.y, color=colour, label=_name(line.name), linewidth=1.8, marker="o", markersize=3.5)
        if line.low is not None and line.high is not None:
            axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.13, linewidth=0)
    if logarithmic:
        axes.set_xscale("log")
        ticks = sorted({value for line in lines for value in line.x})
        axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        axes.minorticks_off()
    axes.set(xlabel=x, ylabel=y)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def losses(axes: Axes, lines: Sequence[Line]) -> None:
    for line, colour in zip(lines, COLOURS, strict=False):
        axes.plot(line.x, line.y, color=colour, label=_name(line.name), linewidth=1.4)
    axes.set(xlabel="share of the training", ylabel="training loss", xlim=(0, 1))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def trade(axes: Axes, spots: Sequence[Spot], x: str, y: str, worded: Callable[[float], str]) -> None:
    """Scores over a cost on a logarithmic scale, a cost of 0 at its left edge; those that no other matches at the same
    cost or less are joined and named. worded: how a cost is written.
    """
    least = min((spot.x for spot in spots if spot.x > 0), default=1.0)
    free = least / 10 if any(spot.x == 0 for spot in spots) else None
    spots = [spot._replace(x=spot.x or least / 10) for spot in spots]
    best = frontier(spots)
    for spot in spots:
        on_it = spot in best
        colour = COLOURS[0] if on_it else INK
        alpha = 1.0 if on_it else 0.45
        bars = [[spot.y - spot.low], [spot.high - spot.y]]
        axes.errorbar([spot.x], [spot.y], yerr=bars, color=colour, alpha=alpha, linewidth=1, fmt="o", markersize=5)
    axes.plot([s.x for s in best], [s.y for s in best], color=COLOURS[0], alpha=0.5, linewidth=1.2)
    axes.set_xscale("log")
    axes.margins(x=0.2, y=0.12)
    low, high = axes.get_xlim()
    ticks = [tick for tick in _ticks(least / 2 if free else low, high) if worded(tick) != worded(0.0)]
    labels = [worded(tick) for tick in ticks]
    axes.set_xticks([free, *ticks] if free else ticks, ["0", *labels] if free else labels)
    axes.minorticks_off()
    axes.set(xlabel=x, ylabel=y)
    _named(axes, best, spots)


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten; where these would be one or two, what lies between them, too."""
    from matplotlib.ticker import LogLocator

    steps = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
    return [float(tick) for tick in LogLocator(subs=steps).tick_values(low, high) if low <= tick <= high]


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    def meets(self, other: Box) -> bool:
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    def within(self, other: Box) -> bool:
        return other.x0 <= self.x0 and self.x1 <= other.x1 and other.y0 <= self.y0 and self.y1 <= other.y1

    def away(self, x: float, y: float) -> float:
        """How far a point is from it."""
        return math.hypot(max(self.x0 - x, 0, x - self.x1), max(self.y0 - y, 0, y - self.y1))


def _named(axes: Axes, spots: Sequence[Spot], everyone: Sequence[Spot]) -> None:
    """The best first, each name within the axes where nothing is yet, nearest to its own spot or led to it by a line.
    One that has no such place is left to the table.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # before it, no spot has its place
    places = {spot: tuple(axes.transData.transform((spot.x, spot.y))) for spot in everyone}
    taken = [Box(x - 4, y - 4, x + 4, y + 4) for x, y in places.values()]
    whole = Box(*axes.get_window_extent().extents)
    for spot in sorted(spots, key=lambda one: -one.y):
        others = [place for one, place in places.items() if one != spot]
        for offset in (*BESIDE, *LED):
            box, line = _place(places[spot], len(_name(spot.name)), offset, figure.dpi / 72)
            clear = box.within(whole) and not any(one.meets(other) for one in (box, *line) for other in taken)
            if clear and (line or all(box.away(*places[spot]) < box.away(*other) for other in others)):
                taken += [box, *line]
                _write(axes, spot, offset)
                break


def _place(spot: Sequence[float], letters: int, offset: tuple[int, int], scale: float) -> tuple[Box, list[Box]]:
    """Where a name would stand, and the line that leads to it in pieces; none beside the spot."""
    width, height = letters * NAME_SIZE * 0.58 * scale, NAME_SIZE * 1.25 * scale
    x, y = (at + scale * by for at, by in zip(spot, offset, strict=True))
    left, below = x - (width if offset[0] < 0 else 0), y - (height if offset[1] < 0 else 0)
    box = Box(left, below, left + width, below + height)
    if offset in BESIDE:
        return box, []
    points = zip(np.linspace(spot[0], x, 10)[3:-1], np.linspace(spot[1], y, 10)[3:-1], strict=True)
    return box, [Box(at - 1, up - 1, at + 1, up + 1) for at, up in points]


def _write(axes: Axes, spot: Spot, offset: tuple[int, int]) -> None:
    right, up = offset[0] > 0, offset[1] > 0
    line: dict[str, Any] = {"arrowstyle": "-", "color": INK, "alpha": 0.5, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 3}
    axes.annotate(_name(spot.name), (spot.x, spot.y), xytext=offset, textcoords="offset points", fontsize=NAME_SIZE,
                  ha="left" if right else "right", va="bottom" if up else "top",
                  arrowprops=None if offset in BESIDE else line | {"relpos": (not right, not up)})  # fmt: skip


def frontier(spots: Sequence[Spot]) -> list[Spot]:
    """Those than which no other costs as little or less and scores more (Pareto), the cheapest first."""
    found: list[Spot] = []
    for spot in sorted(spots, key=lambda one: (one.x, -one.y)):
        if not found or spot.y > found[-1].y:
            found.append(spot)
    return found


def confusion(axes: Axes, labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> None:
    """Shares of each gold class, rows gold, columns predicted; numbers where there is room for them."""
    counts = np.asarray(matrix, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
    places = range(len(labels))
    names = [shortened(readable(label), 22) for label in labels]
    size = 9 if len(labels) <= MOST_CLASSES_WITH_NUMBERS else 6.5
    axes.set_xticks(places, names, rotation=90 if len(labels) > 4 else 0, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)
    axes.grid(False)
    axes.set(xlabel="predicted", ylabel="gold")
    if len(labels) <= MOST_CLASSES_WITH_NUMBERS:
        for gold, predicted in np.ndindex(*shares.shape):
            colour = "#ffffff" if shares[gold, predicted] > 0.55 else "#1c1e21"
            axes.text(predicted, gold, f"{counts[gold, predicted]:,.0f}", ha="center", va="center", fontsize=8,
                      color=colour)  # fmt: skip


def _name(system: str) -> str:
    return shortened(readable(system), LONGEST_NAME)
