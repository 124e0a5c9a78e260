"""What a picture shows: curves, losses, scores over costs, confusions, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.leaderboard.words import readable, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 10
"""Curves in one picture: more can't be told apart."""
MOST_CLASSES_WITH_NUMBERS = 14
LONGEST_NAME = 40
NAME_SIZE = 9
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
    """Scores over a cost on a logarithmic scale; those that no other beats in both are joined and named. worded: how a
    cost is written.
    """
    from matplotlib.ticker import LogLocator

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
    if high < 100 * low:  # powers of ten alone would be one or two ticks
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda value, _: worded(value))
    axes.minorticks_off()
    axes.set(xlabel=x, ylabel=y)
    _named(axes, best)


def _named(axes: Axes, spots: Sequence[Spot]) -> None:
    """The best first, each name where none is yet, within the axes: to the right or left of its spot, above or below
    it. One that has no such place is left to the table.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # before it, no spot has its place
    taken = [axes.transData.transform((spot.x, spot.y)) for spot in spots]
    boxes = [(x - 4, y - 4, x + 4, y + 4) for x, y in taken]
    within = axes.get_window_extent()
    scale = figure.dpi / 72
    for (x, y), spot in sorted(zip(taken, spots, strict=True), key=lambda pair: -pair[1].y):
        name = _name(spot.name)
        width, height = len(name) * NAME_SIZE * 0.58 * scale, NAME_SIZE * 1.25 * scale
        for right, up in ((False, True), (True, True), (True, False), (False, False)):
            left, below = (x + 5 if right else x - 5 - width), (y + 4 if up else y - 4 - height)
            box = (left, below, left + width, below + height)
            fits = within.x0 <= left and box[2] <= within.x1
            if fits and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes):
                boxes.append(box)
                offset = (5 if right else -5, 4 if up else -4)
                axes.annotate(name, (spot.x, spot.y), xytext=offset, textcoords="offset points", fontsize=NAME_SIZE,
                              ha="left" if right else "right", va="bottom" if up else "top")  # fmt: skip
                break


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
