"""Pictures by matplotlib: an SVG that follows the reader's light or dark page, and a PNG for papers."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.leaderboard.words import readable, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 10
"""Curves in one picture: more can't be told apart."""
MOST_CLASSES_WITH_NUMBERS = 14
LONGEST_NAME = 40
DOTS_AN_INCH = 140
PNG_COLOURS = 64
NAME_SIZE = 9
INK = "#0a0b0c"
"""A colour that nothing else has: the SVG says `currentColor` in its place."""
COLOURS = ("#3b82c4", "#e07b39", "#3f9c6b", "#c2569a", "#8a6fd1", "#b8932f", "#2fa3a8", "#d1495b", "#6b7f99", "#8c6d4f")
STYLE = (
    "<style>svg{color:#1c1e21;font-family:'DejaVu Sans',sans-serif}"
    "@media (prefers-color-scheme:dark){svg{color:#e4e6ea}}</style>"
)
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "encoder-bench",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


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


class Picture(NamedTuple):
    """The files of a picture, without their ending, below the report's folder; alt: what it shows, in words."""

    stem: str
    alt: str


def save(folder: Path, stem: str, alt: str, draw: Callable[[Axes], None], size: tuple[float, float]) -> Picture:
    """Writes STEM.svg and STEM.png; size: inches. The same content gives the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # names in scripts that the machine has no font for
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        figure.draw_without_rendering()  # lays it out, which each saving would do anew
        figure.set_layout_engine("none")
        path = folder / f"{stem}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_svg(figure), encoding="utf-8")
        path.with_suffix(".png").write_bytes(_png(figure))
    return Picture(stem, alt)


def _png(figure: Figure) -> bytes:
    """In as few colours as the eye needs, a third of the size of all."""
    from PIL import Image

    drawn, found = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_AN_INCH, facecolor="white")
    image = Image.open(drawn).convert("RGB").quantize(PNG_COLOURS, dither=Image.Dither.NONE)
    image.save(found, format="png", optimize=True)
    return found.getvalue()


def _svg(figure: Figure) -> str:
    """Without a fixed colour of ink, places to a hundredth of a point, and the font named once."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    found = text.getvalue()
    found = found[found.index("<svg") :].replace(INK, "currentColor")
    found = re.sub(r"font-family: [^;\"]*;? ?", "", found)
    places = r'(?<= )(d|points|transform|x|y)="[^"]*"'
    found = re.sub(places, lambda place: re.sub(r"(\.\d{2})\d+", r"\1", place[0]), found)
    return re.sub(r"(<svg[^>]*>)", lambda opening: opening.group(1) + STYLE, found, count=1)


# -- kinds of pictures -----------------------------------------------------------------------------------------------


def curves(lines: Sequence[Line], x: str, y: str, logarithmic: bool) -> Callable[[Axes], None]:
    """Lines with bands, named beside the picture in their order at the right end."""

    def draw(axes: Axes) -> None:
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

    return draw


def losses(lines: Sequence[Line]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        for line, colour in zip(lines, COLOURS, strict=False):
            axes.plot(line.x, line.y, color=colour, label=_name(line.name), linewidth=1.4)
        axes.set(xlabel="share of the training", ylabel="training loss", xlim=(0, 1))
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

    return draw


def trade(spots: Sequence[Spot], x: str, y: str, worded: Callable[[float], str]) -> Callable[[Axes], None]:
    """Scores over a cost on a logarithmic scale; those that no other beats in both are joined and named. worded: how a
    cost is written.
    """
    best = frontier(spots)

    def draw(axes: Axes) -> None:
        for spot in spots:
            on_it = spot in best
            colour = COLOURS[0] if on_it else INK
            alpha = 1.0 if on_it else 0.45
            bars = [[spot.y - spot.low], [spot.high - spot.y]]
            axes.errorbar([spot.x], [spot.y], yerr=bars, color=colour, alpha=alpha, linewidth=1, fmt="o", markersize=5)
        axes.plot([s.x for s in best], [s.y for s in best], color=COLOURS[0], alpha=0.5, linewidth=1.2)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: worded(value))
        axes.minorticks_off()
        axes.margins(x=0.2, y=0.12)
        axes.set(xlabel=x, ylabel=y)
        _named(axes, best)

    return draw


def _named(axes: Axes, spots: Sequence[Spot]) -> None:
    """The best first, each name where none is yet: to the right or left of its spot, above or below it. One that has no
    such place is left to the table.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # before it, no spot has its place
    taken = [axes.transData.transform((spot.x, spot.y)) for spot in spots]
    boxes = [(x - 4, y - 4, x + 4, y + 4) for x, y in taken]
    scale = figure.dpi / 72
    for (x, y), spot in sorted(zip(taken, spots, strict=True), key=lambda pair: -pair[1].y):
        name = _name(spot.name)
        width, height = len(name) * NAME_SIZE * 0.58 * scale, NAME_SIZE * 1.25 * scale
        for right, up in ((False, True), (True, True), (True, False), (False, False)):
            left, below = (x + 5 if right else x - 5 - width), (y + 4 if up else y - 4 - height)
            box = (left, below, left + width, below + height)
            if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes):
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


def confusion(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> Callable[[Axes], None]:
    """Shares of each gold class, rows gold, columns predicted; numbers where there is room for them."""
    counts = np.asarray(matrix, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
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

    return draw


def _name(system: str) -> str:
    return shortened(readable(system), LONGEST_NAME)
