"""Names and texts of strangers, declared or in stored runs: they leave no folder, and are shown and never done."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import make
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kept import Kept
from markdown_it import MarkdownIt
from reported import declared, three_systems

from benchmarks import claims, excerpts, export, leaderboard, leaks, report, store
from benchmarks.card import card
from benchmarks.claims import page as claims_page
from benchmarks.cli import main
from benchmarks.definitions import Reported, load_claims, load_systems, load_tasks
from benchmarks.errors import UserError
from benchmarks.report import site
from benchmarks.runner import failure
from benchmarks.schema import Encoder, Protocol, RunResult, RunSpec, System, folder_name

NAMES = [
    "../../evil", "..", ".", "/etc/evil", "~/evil", "a/../../evil", "..\\..\\evil", "C:\\evil", "a\0b", "\0",
    "<script>alert(1)</script>", "CON", "aux.txt", "LPT1", "x" * 5000, "ä" * 3000, "new\nline", "\x1b[2J", "", " ",
    ".git", "\u202eevil", "$(touch evil)", "`touch evil`", "-rf", "*", "a|b", '"; rm', "\ud800",
]  # fmt: skip


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# -- names and folders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_a_name_is_one_folder_inside_of_the_results_whatever_it_holds(tmp_path, name):
    found = folder_name(name)
    assert found not in ("", ".", "..") and not re.search(r"[/\\\0\n\x1b]", found) and not found.startswith(".")
    assert len(found.encode()) <= 255
    assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", found)
    (tmp_path / found).mkdir()


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_what_is_written_and_read_of_a_run_is_inside_of_the_results(tmp_path, name):
    kept = Kept(tmp_path / "there")
    system = System(name=name, method="majority")
    task = kept.task.model_copy(update={"name": name})
    spec = RunSpec(task, system, load_recipe(), Protocol(), {"what": "ever"})
    for trial in (False, True):
        inside(tmp_path, store.path_of(tmp_path, replace(spec, trial=trial)))
    inside(tmp_path, store.model_path(tmp_path, spec))
    run = failure(spec, ValueError("x")).model_copy(update={"key": name})
    inside(tmp_path, store.model_path(tmp_path, run))
    inside(tmp_path, store.predictions_path(tmp_path, name, name, name))
    inside(tmp_path, excerpts.path(tmp_path, name, "a", "b"))
    inside(tmp_path, leaks.path(tmp_path, name, "a", "b", 1, {}))
    for path in store.find(tmp_path, name):
        inside(tmp_path, path)


def load_recipe() -> Any:
    from benchmarks.recipes import RECIPES

    return RECIPES["majority"]()


def inside(folder: Path, path: Path) -> None:
    """No part of it leads upwards, and a disk can have it."""
    rest = path.relative_to(folder)
    assert ".." not in rest.parts and "\0" not in str(rest) and path.resolve().is_relative_to(folder.resolve())
    assert all(len(part.encode()) <= 255 for part in rest.parts)


def test_a_task_file_whose_name_is_a_folder_above_stays_inside(here):
    path = make.text_task(here).rename(here / "...yaml")
    before = everything(here.parent)
    command = ["run", "--tasks", f"./{path.name}", "--data-dir", "data", "--systems", "majority", "--seeds", "1"]
    assert main(command) == 0
    new = everything(here.parent) - before
    assert new and all(name.startswith(("here/results", "here/cache")) for name in new)
    assert (here / "results" / "runs" / "_").is_dir()


@pytest.fixture
def kept(tmp_path) -> Kept:
    return three_systems(Kept(tmp_path))


def records(kept: Kept) -> dict[Path, dict[str, Any]]:
    return {path: json.loads(path.read_text()) for path in sorted(store.runs_folder(kept.results).rglob("*.json"))}


@pytest.mark.parametrize("name", ["../../../evil", "/tmp/evil", "..", "<b>evil</b>", "CON", "x" * 3000])
def test_stored_runs_that_name_another_place_make_nothing_there(kept, tmp_path, name):
    before = {path for path in everything(tmp_path.parent) if "results" not in path}
    for path, record in records(kept).items():
        renamed = {"task": name, "system": f"{name}{record['system']}", "key": f"{name}{record['key']}"}
        path.write_text(json.dumps({**record, **renamed}))
        with pytest.raises(UserError, match="which does not lie there"):
            leaderboard.write(kept.results)
        *folders, stem = map(folder_name, renamed.values())
        there = store.runs_folder(kept.results).joinpath(*folders)
        there.mkdir(parents=True, exist_ok=True)
        for suffix in (".json", ".parquet"):
            path.with_suffix(suffix).rename(there / f"{stem}{suffix}")
    leaderboard.write(kept.results)
    report.write(kept.results, declared())
    assert {path for path in everything(tmp_path.parent) if "results" not in path} == before
    assert not list(kept.results.rglob("*evil.html")) or all(p.parent.name for p in kept.results.rglob("*.html"))
    assert (kept.results / "index.html").is_file()


def test_links_among_stored_results_lead_no_page_to_another_place(kept, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    (kept.results / "LEADERBOARD.md").symlink_to(elsewhere / "mine.txt")
    (kept.results / "index.html").symlink_to(elsewhere / "mine.txt")
    (kept.results / "report").symlink_to(elsewhere)
    leaderboard.write(kept.results)
    report.write(kept.results, declared())
    assert (kept.results / "LEADERBOARD.md").read_text().startswith("# Leaderboard")
    (kept.results / "leaderboards" / "mine.md").unlink()
    (kept.results / "leaderboards").rmdir()
    (kept.results / "leaderboards").symlink_to(elsewhere)
    with pytest.raises(UserError, match="is a link, and nothing is written through it"):
        leaderboard.write(kept.results)
    assert everything(elsewhere) == {"mine.txt"} and (elsewhere / "mine.txt").read_text() == "mine"


# -- texts in pages --------------------------------------------------------------------------------------------------

HTML = "\"><img src=x onerror=alert(1)><script>alert('x')</script>' onmouseover=alert(2) x='"
MARKDOWN = "[click](https://evil.example) <https://evil.example> ![x](https://evil.example/x.png) | x | `y"
DEFINED = "[minilm]: https://evil.example 'x'"
TEXTS = [HTML, MARKDOWN, DEFINED, "# Heading", "\n\n# Heading\n\n[a]: https://evil.example\n", "=cmd|'/C calc'!A0",
         "javascript:alert(1)", "[x](javascript:alert(1))", "<javascript:alert(1)>", "{{ 7 * 7 }}", "&lt;b&gt;",
         "https://evil.example/'onmouseover=alert(1) \"x", "- [ ] a", "1. x", "\\input{/etc/passwd}"]  # fmt: skip
STRUCTURE = {
    "schema", "status", "type", "created", "fingerprint", "primary_metric", "method", "source", "identity.code",
    "identity.method",
}  # fmt: skip


def hostile(value: Any, text: str, place: str = "") -> Any:
    """Every text in it followed by this one, and names of fields, too, where a stranger chooses them; what the code
    goes by stays: with another value the run would not be shown at all.
    """
    if isinstance(value, dict):
        free = place in ("recipe", "about", "environment", "identity.recipe", "report.classes")
        return {
            f"{name}{text if free and name not in NEEDED else ''}": hostile(item, text, f"{place}.{name}".strip("."))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [hostile(item, text, place) for item in value]
    if isinstance(value, str) and place not in STRUCTURE and not place.endswith((".source", ".type", ".scheme")):
        return f"{text}{value}{text}"
    return value


NEEDED = {
    "device", "processor", "cores", "precision", "processes", "encoder_bench", "git", "language", "licence", "homepage",
    "citation", "notes", "offensive",
}  # fmt: skip


def poisoned(kept: Kept, text: str) -> None:
    """Every record, and one that failed, with this text in every field; the folders stay where they are."""
    for path, record in records(kept).items():
        about = dict.fromkeys(("language", "licence", "homepage", "citation", "notes"), "x")
        data = {**record["data"], "notes": ["a note"]}
        changed = hostile({**record, "about": about, "data": data}, text)
        names = {name: hostile(record[name], text) for name in ("task", "system")}
        target = store.predictions_path(kept.results, names["task"], names["system"], record["key"])
        target.parent.mkdir(parents=True, exist_ok=True)
        table = pq.read_table(path.with_suffix(".parquet"))
        for name in ("row_id", "gold", "predicted"):
            column = pa.array([f"{text}{value}{text}" for value in table[name].to_pylist()])
            table = table.set_column(table.column_names.index(name), name, column)
        classes = {"classes": json.dumps(hostile(json.loads(table.schema.metadata[b"classes"]), text))}
        pq.write_table(table.replace_schema_metadata(classes), target)
        path.with_suffix(".parquet").unlink()
        path.unlink()
        target.with_suffix(".json").write_text(json.dumps({**changed, **names, "key": record["key"]}))
    failed = json.loads(target.with_suffix(".json").read_text())
    failed |= {
        "status": "failed",
        "error": {"type": text, "message": text, "traceback": text},
        "seed": 99,
        "key": "failed",
    }
    target.with_name("failed.json").write_text(json.dumps(failed))


class Elements(HTMLParser):
    """Each element of a page with the names of its attributes, and the addresses that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.shapes: set[tuple[str, str]] = set()
        self.addresses: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shapes |= {(tag, name) for name, _ in attrs} | {(tag, "")}
        self.addresses |= {value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")}


def elements(results: Path) -> dict[str, Elements]:
    paths = [results / "index.html", *sorted((results / "report").rglob("*.html"))]
    return {path.name: Elements(path) for path in paths}


OURS = {
    *{(tag, "") for tag in ("ul", "li", "p", "small", "strong", "em", "code", "br", "details", "summary", "a", "i", "b",
                            "u", "span", "div", "bdi", "h2", "h3", "mark", "figure", "img", "figcaption", "nav")},
    ("a", "href"), ("p", "class"), ("small", "class"), ("ul", "class"), ("details", "class"), ("div", "class"),
    ("th", "data-value"), ("tr", "data-aside"),
}  # fmt: skip


@pytest.mark.parametrize("text", [" ".join(TEXTS), HTML, DEFINED], ids=["all", "html", "definition"])
def test_no_text_of_a_stored_run_becomes_an_element_an_attribute_or_an_address_of_the_page(tmp_path, text):
    kept = three_systems(Kept(tmp_path / "honest"))
    report.write(kept.results, declared())
    shapes = {shape for page in elements(kept.results).values() for shape in page.shapes}
    poisoned(kept, text)
    report.write(kept.results, declared())
    for name, page in elements(kept.results).items():
        assert page.shapes <= shapes | OURS, name
        for address in page.addresses:
            assert not re.match(r"(?i)\s*(javascript|vbscript|data:text|//|http)", address), name
    for picture in (kept.results / "report" / "pictures").glob("*.svg"):
        drawn = list(ElementTree.parse(picture).iter())  # noqa: S314  our own file
        assert not [e for e in drawn if e.tag.rpartition("}")[2] in ("script", "a", "foreignObject")]
        hrefs = [value for e in drawn for name, value in e.attrib.items() if name.endswith("href")]
        assert not [href for href in hrefs if not href.startswith(("#", "data:image/png"))]
        assert not [name for e in drawn for name in e.attrib if name.startswith("on")]


@pytest.mark.parametrize("text", [HTML, "<b>bold</b>", "a <!-- b", "<javascript:alert(1)>", "[a](javascript:alert(1))"])
def test_markdown_in_the_report_knows_no_html_and_no_script_though_nobody_escaped_it(text):
    filters = site._environment().filters
    for html in (filters["markdown"](text), filters["markdown_blocks"](text, "")):
        assert not re.search(r"<(?!/?(p|em|code)\b)", html)


def tokens(text: str) -> Iterator[Any]:
    """What a reader of Markdown makes of it, as GitHub's does."""
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12].strip())
def test_no_text_of_a_stored_run_is_read_as_markdown_or_html_in_a_leaderboard(tmp_path, text):
    kept = three_systems(Kept(tmp_path))
    poisoned(kept, text)
    written = leaderboard.write(kept.results)
    for page in [*written.texts.values(), (kept.results / "LEADERBOARD.md").read_text(encoding="utf-8")]:
        found = list(tokens(page))
        assert not [token for token in found if token.type in ("html_inline", "html_block", "image")]
        links = [str(token.attrs["href"]) for token in found if token.type == "link_open"]
        assert not [link for link in links if not link.startswith("leaderboards/")]
        headings = [found[at + 1].content for at, token in enumerate(found) if token.type == "heading_open"]
        assert not [said for said in headings if said.startswith("Heading")]
        for is_table, lines in groupby(page.splitlines(), key=lambda line: line.startswith("|")):
            cells = {line.count("|") - line.count("\\|") for line in lines}
            assert len(cells) == 1 or not is_table  # a name with a bar is one cell all the same


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12].strip())
def test_a_claim_of_a_stranger_is_shown_and_never_done(text):
    tasks, systems = load_tasks(), load_systems()
    found = load_claims(tasks, systems)
    changed = {name: claim.model_copy(update={"says": text, "not_stated": (text,), "assumed": (text,)})
               for name, claim in list(found.claims.items())[:3]}  # fmt: skip
    sources = {name: one.model_copy(update={"title": text, "address": text}) for name, one in found.sources.items()}
    reported = Reported(changed, sources)
    page = claims_page.markdown(claims.assess(Path("none"), reported, tasks, systems), sources)
    seen = list(tokens(page))
    assert not [token for token in seen if token.type in ("html_inline", "html_block", "image")]
    links = [str(token.attrs["href"]) for token in seen if token.type == "link_open"]
    assert not [link for link in links if not link.startswith("#")]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12].strip())
def test_a_card_of_a_kept_model_holds_no_link_or_element_of_a_task_file(kept, text):
    run = next(run for run in store.read_runs(kept.results) if isinstance(run, RunResult))
    about = {"licence": text, "language": "en"}
    changed = {"title": text, "about": about, "system": f"a{text}", "recipe": {"a": text}}
    said = card(run.model_copy(update=changed), Encoder(checkpoint=f"./{text}"), own_head=False)
    _, head, body = said.split("---\n", 2)
    seen = list(tokens(body))
    assert not [token for token in seen if token.type in ("html_inline", "html_block", "image")]
    assert not [token for token in seen if token.type == "link_open"]
    import yaml

    assert yaml.safe_load(head)["model-index"][0]["results"][0]["dataset"]["name"] == text


# -- texts in files of other programs --------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_cell_of_an_exported_table_is_a_formula(kept, sign):
    poisoned(kept, f"{sign}cmd|'/C calc'!A0")
    report.write(kept.results, declared())
    exported = export.FRAME_WRITERS["csv"](export.runs(kept.results, [], []))
    tables = [path.read_text(encoding="utf-8") for path in (kept.results / "report" / "tables").glob("*.csv")]
    assert tables
    for text in [exported, *tables]:
        cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@")) and "cmd" in cell]


def test_a_table_as_latex_reads_no_file_and_defines_nothing(kept):
    poisoned(kept, r"\input{/etc/passwd}\write18{evil}")
    report.write(kept.results, declared())
    for path in (kept.results / "report" / "tables").glob("*.tex"):
        assert not re.search(r"\\(input|write)\b", path.read_text(encoding="utf-8"))


def test_no_text_of_a_stored_run_moves_the_cursor_of_a_terminal(kept, capsys):
    poisoned(kept, "\x1b]52;c;ZXZpbA==\x07\x9b2J")
    assert main(["leaderboard", "--results-dir", str(kept.results)]) == 2, "names are what their folders say"
    for folder in sorted(store.runs_folder(kept.results).rglob("*/"), reverse=True):
        for path in sorted(folder.rglob("*.json"))[:1]:
            run = store.parse(path)
            folder.rename(folder.with_name(folder_name(run.system if path.parent == folder else run.task)))
    runs = list(store.read_runs(kept.results))
    assert not re.search(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]", "".join(run.model_dump_json() for run in runs))
    main(["describe", f"{runs[0].task}/{runs[0].system}", "--results-dir", str(kept.results)])
    main(["export", "--format", "csv", "--results-dir", str(kept.results)])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err and "\x9b" not in said.out + said.err
