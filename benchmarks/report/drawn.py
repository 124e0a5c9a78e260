"""A picture's files: an SVG that follows the reader's light or dark page, and a PNG for papers; drawn once."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import re
import shutil
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_AN_INCH = 140
PNG_COLOURS = 64
CONTENT = re.compile(r"<!-- (\w+) -->")
INK = "#0a0b0c"
"""A colour that nothing else has: the SVG says `currentColor` in its place."""
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


class Picture(NamedTuple):
    """The files of a picture, without their ending, below the report's folder; alt: what it shows, in words."""

    stem: str
    alt: str


def save(folder: Path, before: Path, stem: str, alt: str, draw: partial[None], size: tuple[float, float]) -> Picture:
    """Writes STEM.svg and STEM.png; size: inches. before: a folder of pictures, whose own is taken where it shows the
    same and was drawn by this code.
    """
    content = _content(draw, size)
    files = [f"{stem}.svg", f"{stem}.png"]
    folder.mkdir(parents=True, exist_ok=True)
    if content_of(before / files[0]) == content and (before / files[1]).is_file():
        for file in files:
            shutil.copyfile(before / file, folder / file)
    else:
        svg, png = _drawn(draw, size)
        (folder / files[0]).write_text(svg.replace(">", f"><!-- {content} -->", 1), encoding="utf-8")
        (folder / files[1]).write_bytes(png)
    return Picture(stem, alt)


def content_of(svg: Path) -> str:
    """What a picture says that it was drawn from, "" where there is none."""
    if not svg.is_file():
        return ""
    with svg.open(encoding="utf-8", errors="replace") as stream:
        found = CONTENT.search(stream.read(1000))
    return found[1] if found else ""


def _content(draw: partial[None], size: tuple[float, float]) -> str:
    """A checksum of what is drawn, in numbers as exact as a picture shows them, and of the code that draws it."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return f"{value:.5g}"
        if callable(value):
            return value.__qualname__
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    shown = json.dumps(plain([draw.func, *draw.args, *draw.keywords.items(), size]))
    code = b"".join(Path(path).read_bytes() for path in (__file__, inspect.getfile(draw.func)))
    return hashlib.sha256(code + shown.encode()).hexdigest()[:16]


def _drawn(draw: partial[None], size: tuple[float, float]) -> tuple[str, bytes]:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # names in scripts that the machine has no font for
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        figure.draw_without_rendering()  # lays it out, which each saving would do anew
        figure.set_layout_engine("none")
        return _svg(figure), _png(figure)


def _png(figure: Figure) -> bytes:
    """In as few colours as the eye needs, a third of the size of all."""
    from PIL import Image

    drawn, found = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_AN_INCH, facecolor="white")
    image = Image.open(drawn).convert("RGB").quantize(PNG_COLOURS, dither=Image.Dither.NONE)
    image.save(found, format="png", optimize=True)
    return found.getvalue()


def _svg(figure: Figure) -> str:
    """Without a fixed colour of ink, places to a hundredth of a point, the font named once, and nothing that isn't
    drawn.
    """
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    found = text.getvalue()
    found = found[found.index("<svg") :].replace(INK, "currentColor")
    found = re.sub(r"font-family: [^;\"]*;? ?", "", found)
    found = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", found, flags=re.S)
    used = set(re.findall(r"#([^\")]+)", found))
    found = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", found)
    places = r'(?<= )(d|points|transform|x|y)="[^"]*"'
    found = re.sub(places, lambda place: re.sub(r"(\.\d{2})\d+", r"\1", place[0]), found)
    found = re.sub(r"\s*\n\s*", "\n", found)
    return re.sub(r"(<svg[^>]*>)", lambda opening: opening.group(1) + STYLE, found, count=1)
