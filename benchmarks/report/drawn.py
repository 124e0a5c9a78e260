"""A picture's files: an SVG that follows the reader's light or dark page, and a PNG for papers; drawn once."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import amounts, files
from benchmarks.errors import UserError
from benchmarks.leaderboard import words
from benchmarks.report import pictures
from benchmarks.report.pictures import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_AN_INCH = 120
PNG_COLOURS = 48
CONTENT = re.compile(r"<!-- (\w+) -->")
CODE = (__file__, pictures.__file__, words.__file__, amounts.__file__)
"""Of what a picture looks like."""
STYLE = (
    "<style>svg{color:#1c1e21;font-family:'DejaVu Sans',sans-serif}"
    "@media (prefers-color-scheme:dark){svg{color:#e4e6ea}}</style>"
)
SCOURED = SimpleNamespace(
    digits=5,
    strip_comments=True,
    strip_ids=True,
    shorten_ids=True,
    strip_xml_prolog=True,
    remove_metadata=True,
    embed_rasters=False,
    group_create=True,
    indent_type="none",
    newlines=False,
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


def save(
    folder: Path, cache: Path | None, stem: str, alt: str, draw: partial[None], size: tuple[float, float]
) -> Picture:
    """Writes STEM.svg and STEM.png; size: inches. What this code drew of the same content before is taken from the
    user's cache, and never from a folder of results, which may be a stranger's.
    """
    content = _content(draw, size)
    written = [folder / f"{stem}.svg", folder / f"{stem}.png"]
    kept = [cache / "pictures" / f"{content}{path.suffix}" for path in written] if cache else []
    folder.mkdir(parents=True, exist_ok=True)
    if kept and all(files.is_file(path) for path in kept):
        for path, target in zip(kept, written, strict=True):
            shutil.copyfile(path, target)
        return Picture(stem, alt)
    svg, png = _drawn(draw, size)
    written[0].write_text(svg.replace(">", f"><!-- {content} -->", 1), encoding="utf-8")
    written[1].write_bytes(png)
    with suppress(UserError):  # without a place to keep it, it is drawn each time
        for path, target in zip(kept, written, strict=False):
            with files.replacing(path) as temporary:
                shutil.copyfile(target, temporary)
    return Picture(stem, alt)


def content_of(svg: Path) -> str:
    """The checksum of what a picture was drawn from, as it says itself."""
    found = CONTENT.search(svg.read_text(encoding="utf-8"))
    return found[1] if found else ""


def _content(draw: partial[None], size: tuple[float, float]) -> str:
    """A checksum of what is drawn, in numbers as exact as a picture shows them, and of the code that draws it."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return f"{value:.6g}"
        if callable(value):
            return value.__qualname__
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    shown = json.dumps(plain([draw.func, *draw.args, *draw.keywords.items(), size]))
    code = b"".join(Path(path).read_bytes() for path in CODE)
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
    """In as few colours as the eye needs, a quarter of the size of all: chosen so that lines keep the colours by which
    they are told apart.
    """
    from PIL import Image

    drawn, found = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_AN_INCH, facecolor="white")
    image = Image.open(drawn).convert("RGB")
    image = image.quantize(PNG_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    image.save(found, format="png", optimize=True)
    return found.getvalue()


def _rounded(number: re.Match[str]) -> str:
    """Of a place to the digits that scour gives to paths alone."""
    return f"{float(number[0]):.{SCOURED.digits}g}"


def _scoured(svg: str) -> str:
    from scour import scour

    found: str = scour.scourString(svg, scour.sanitizeOptions(SCOURED))
    return found[found.index("<svg") :]


def _svg(figure: Figure) -> str:
    """Without a fixed colour of ink, the font named once, two fifths of the size."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    found = re.sub(r"font-family: [^;\"]*;? ?", "", text.getvalue().replace(INK, "currentColor"))
    found = _scoured(found)
    found = re.sub(r'(?<= [xy]=")-?\d+\.\d+(?=")', _rounded, found)
    found = re.sub(r' transform="rotate\(-0 [^"]*"|<path d="[^"]*" fill="none"/>', "", found)  # nothing that is seen
    found = _scoured(found)  # what the first took out of groups of their own shares one with its neighbours
    return re.sub(r"(<svg[^>]*>)", lambda opening: opening.group(1) + STYLE, found, count=1)
