"""The folder of static files: templates filled, pictures drawn, tables as CSV and LaTeX, each under its place."""

from __future__ import annotations

import re
from functools import cache, partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from benchmarks import __version__
from benchmarks.report import drawn, places
from benchmarks.report.cells import Table
from benchmarks.report.drawn import Picture

HERE = Path(__file__).parent
SCROLLED = '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'
"""A table of a text: on a phone it is moved sideways, and not the page."""


class Site:
    """Pages below `folder`, which stands for RESULTS/report; cache: where pictures are kept, drawn once."""

    def __init__(self, folder: Path, cache: Path | None, has_claims: bool) -> None:
        self.folder, self._cache = folder, cache
        self._environment = _environment()
        self._environment.globals |= {"places": places, "version": __version__, "has_claims": has_claims}

    def text(self, template: str, address: str, values: dict[str, Any]) -> str:
        """The page that stands at an address below RESULTS."""
        root = "../" * address.count("/")
        return self._environment.get_template(template).render(root=root, **values)

    def page(self, template: str, address: str, path: Path, **values: Any) -> None:
        """path: of the file below `folder`."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.text(template, address, values), encoding="utf-8")

    def picture(self, stem: str, alt: str, draw: partial[None], size: tuple[float, float]) -> Picture:
        return drawn.save(self.folder / "pictures", self._cache, stem, alt, draw, size)

    def table(self, table: Table) -> Table:
        """Writes its files; gives it back."""
        folder = self.folder / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        stem = places.slug(table.name)
        table.frame().to_csv(folder / f"{stem}.csv", index=False, lineterminator="\n")
        (folder / f"{stem}.tex").write_text(table.latex(), encoding="utf-8")
        return table

    def statics(self) -> None:
        """Style and script."""
        for path in sorted((HERE / "static").iterdir()):
            (self.folder / path.name).write_bytes(path.read_bytes())


# -- templates -------------------------------------------------------------------------------------------------------


@cache
def _markdown() -> MarkdownIt:
    """Without HTML: what is in a text stays a text."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _task_page(name: str) -> str:
    """name: of the task's Markdown without ending, as an address has it."""
    return f"{places.FOLDER}/tasks/{places.slug(unquote(unescape(name)))}.html"


def _linked(html: str, root: str) -> str:
    """Links of a text that stands in RESULTS: to a task's page of the report in place of its Markdown."""
    html = re.sub(r'href="leaderboards/([^"]+)\.md', lambda found: f'href="{_task_page(found[1])}', html)
    html = html.replace("<table>", SCROLLED).replace("</table>", "</table></div>")
    html = html.replace(' style="text-align:right"', "").replace(' style="text-align:left"', ' class="words"')
    return re.sub(r'href="(?![a-z]+:|#|/)', f'href="{root}', html)


def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "slug": places.slug,
        "markdown": lambda text: Markup(_markdown().renderInline(text)),  # noqa: S704  # it escapes all HTML
        "markdown_blocks": lambda text, root: Markup(_linked(_markdown().render(text), root)),  # noqa: S704
    }
    return found
