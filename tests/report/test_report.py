"""The report is whole, escapes what comes from outside, says what is missing, and is the same when made again."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, unquote

import make
import numpy as np
import pytest
from kept import Kept, flipped
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image, ImageColor
from records import done
from reported import declared, reported, three_systems

from benchmarks import leaderboard, store
from benchmarks.cli import main
from benchmarks.files import replacing_folder
from benchmarks.leaderboard import tables
from benchmarks.report import drawn, pictures, places, write
from benchmarks.report.browser import _pieces
from benchmarks.report.cells import NOTHING, Cell, Head, Line, Scale, Table
from benchmarks.report.pages import _cut, _lead, _pictures, index, prepared
from benchmarks.report.site import Site

HOSTILE = "<script>alert('task')</script> & \"quotes\" \u202eRTL\u202c 🦊 \x07"


class Seen(HTMLParser):
    """What a browser would make of a page: its elements, and the texts that a person reads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def pages(results: Path) -> dict[str, Seen]:
    paths = [results / "index.html", *sorted((results / "report").rglob("*.html"))]
    return {path.relative_to(results).as_posix(): Seen(path) for path in paths}


def test_every_link_and_picture_of_every_page_is_there(kept):
    reported(kept)
    found = pages(kept.results)
    assert {"index.html", "report/tasks/mine.html", "report/errors/mine.html", "report/systems/good.html"} <= set(found)
    for name, page in found.items():
        here = (kept.results / name).parent
        addresses = [a for tag, key in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src"))
                     for e in page.named(tag) if (a := e.get(key))]  # fmt: skip
        assert addresses
        for address in addresses:
            if address.startswith(("data:", "https://")):
                continue
            path, _, element = address.partition("#")
            target = here / unquote(path) if path else kept.results / name
            assert target.is_file(), f"{name}: {address}"
            if element:
                ids = [e.get("id") for _, e in Seen(target).elements]
                assert element in ids, f"{name}: {address}"


@pytest.mark.parametrize("name", ["my_reviews", "My reviews", "a&b", "Ωmega"])
def test_a_link_to_the_markdown_of_a_task_leads_to_its_page(tmp_path, name):
    own = Kept(tmp_path, name=name)
    own.run("good", flipped(own.gold, 0))
    main(["leaderboard", "--results-dir", str(own.results)])
    written = f"{tmp_path / 'results' / 'leaderboards' / name}.md"
    assert Path(written).is_file()
    reported(own)
    site = Site(tmp_path / "none", None, False)
    found = site._environment.filters["markdown_blocks"](f"[it](leaderboards/{quote(name)}.md#notes)", "")
    (address,) = re.findall('href="([^"]*)"', found)
    assert address.endswith(".html#notes") and (own.results / address.partition("#")[0]).is_file()


def test_no_page_asks_for_anything_from_elsewhere(kept):
    reported(kept)
    for name, page in pages(kept.results).items():
        for tag, attributes in page.elements:
            for key in ("src", "srcset", "poster") + (("href",) if tag == "link" else ()):
                address = attributes.get(key) or ""
                assert not address.startswith(("http", "//")), f"{name}: {tag} {address}"
    style = (kept.results / "report" / "report.css").read_text()
    assert "url(" not in style and "@import" not in style


def test_numbers_of_a_page_are_those_of_its_files_and_of_the_leaderboard(kept):
    reported(kept)
    main(["leaderboard", "--results-dir", str(kept.results)])
    (table,) = (kept.results / "report" / "tables").glob("mine-1.csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["system"] for row in rows] == ["good", "fair", "poor"]
    assert float(rows[0]["accuracy"]) == pytest.approx(58 / 60)
    seen = pages(kept.results)["report/tasks/mine.html"].text
    markdown = (kept.results / "leaderboards" / "mine.md").read_text()
    for row in rows:
        score = f"{float(row['accuracy']):.4f}"
        assert score in seen and score in markdown
    (command,) = (line for line in markdown.splitlines() if line.startswith("encoder-bench run"))
    assert command in seen


def test_a_tasks_page_begins_with_what_is_first_and_shows_each_interval(kept):
    reported(kept)
    text = (kept.results / "report" / "tasks" / "mine.html").read_text(encoding="utf-8")
    (page,) = leaderboard.read(kept.results, "mine")
    best = page.sections[0].rows[0]
    low, high = best.interval
    lead = re.search(r'<p class="lead"><bdi>(.*?)</bdi>', text)[1]
    first = f"Whole training split: {best.system} is first, accuracy {best.score:.4f} [{low:.3f}, {high:.3f}];"
    assert lead.startswith(first)
    assert f'{best.score:.4f} <small class="ends">[{low:.3f}, {high:.3f}]</small>' in text
    latex = (kept.results / "report" / "tables" / "mine-1.tex").read_text(encoding="utf-8")
    assert f"{{[}}{low:.3f}, {high:.3f}]" in latex


def test_files_of_tables_hold_places_intervals_and_units_and_no_signs_of_notes(kept):
    reported(kept)
    folder = kept.results / "report" / "tables"
    task, board, system = (
        list(csv.DictReader((folder / f"{name}.csv").read_text().splitlines()))
        for name in ("mine-1", "text-classification", "system-good")
    )
    (page,) = leaderboard.read(kept.results, "mine")
    for row, line in zip(page.sections[0].rows, task, strict=True):
        assert (line["rank"], line["rank low"], line["rank high"]) == (
            str(row.rank), str(row.places[0]), str(row.places[-1])
        )  # fmt: skip
        assert [float(line[f"accuracy {end}"]) for end in ("low", "high")] == pytest.approx(row.interval, abs=1e-6)
        assert float(line["train time (s)"]) == pytest.approx(row.train_seconds, abs=1e-6)
    assert "peak memory (bytes)" in task[0]
    assert {"win rate low", "mean rank high", "mine low", "mine high"} <= set(board[0])
    assert (system[0]["rank low"], system[0]["score low"]) == (task[0]["rank low"], task[0]["accuracy low"])
    noted = Table("a", "b", (Head("huffpost", sign="³"),), (Line((NOTHING,)),), notes=("³ of a part",))
    assert noted.frame().columns.tolist() == ["huffpost"] and noted.frame().isna().all(axis=None)
    assert r"huffpost\textsuperscript{3}" in noted.latex()


def test_a_file_has_both_ends_of_a_column_that_says_intervals_alone():
    cell = Cell("0.1 to 0.2", bar=None, between=(0.1, 0.2))
    found = Table("a", "b", (Head("another run"),), (Line((cell,)), Line((NOTHING,)))).frame()
    assert found.to_csv(index=False, lineterminator="\n").splitlines()[:2] == [
        "another run low,another run high", "0.1,0.2"
    ]  # fmt: skip
    assert cell.key == "0.1"


def test_what_comes_from_outside_is_shown_as_a_text_and_never_done(tmp_path):
    kept = Kept(tmp_path, title=f"'{HOSTILE.replace(chr(39), chr(39) * 2).replace(chr(7), '')}'")
    path = tmp_path / "data" / "mine" / "test.csv"
    lines = path.read_text().splitlines()
    texts = [
        "<script>alert('row')</script>",
        "=cmd|calc",
        "x" * 10_000,
        "\u202eטקסט",
        "👩‍🔬 $x^2$ `code` [a](javascript:1)",
    ]
    for at, text in enumerate(texts, 1):
        lines[at] = f'"{text}",{lines[at].rpartition(",")[2]}'
    path.write_text("\n".join(lines) + "\n")
    kept = Kept(tmp_path, write=lambda folder, **fields: tmp_path / "mine.yaml")
    names = ["good<img src=x onerror=alert(1)>", "a\"b'c&d", "../../etc", "$\\alpha$ _x_ {y}", "long" * 60]
    for at, name in enumerate(names):
        kept.run(name, flipped(kept.gold, *range(at, at + 5)))
    reported(kept)
    found = pages(kept.results)
    for name, page in found.items():
        assert [script.get("src") for script in page.named("script")] == [
            f"{'../' * name.count('/')}report/report.js"
        ], name
        assert not [e for _, e in page.elements if any(key.startswith("on") for key in e)], name
        assert not [e for e in page.named("a") if (e.get("href") or "").startswith("javascript")], name
        assert "\u202e" not in page.text and "\x07" not in page.text, name
    assert "alert('task')" in found["report/tasks/mine.html"].text
    errors = found["report/errors/mine.html"].text
    assert "<script>alert('row')</script>" in errors and "👩‍🔬" in errors
    assert "x" * 400 not in errors
    everything = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert not [path for path in everything if "etc" in path.parts]
    for picture in (kept.results / "report" / "pictures").glob("*.svg"):
        assert "<script" not in picture.read_text() and "<img" not in picture.read_text()


def test_made_again_it_is_the_same_byte_for_byte(kept):
    def content() -> dict[str, bytes]:
        folder = kept.results / "report"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    index = reported(kept)
    before = index.read_bytes(), content()
    assert (write(kept.results, declared()).read_bytes(), content()) == before


def test_what_is_gone_from_the_store_is_gone_from_the_report(kept):
    reported(kept)
    shutil.rmtree(kept.results / "runs" / "mine" / "poor")
    write(kept.results, declared())
    assert not (kept.results / "report" / "systems" / "poor.html").exists()
    assert "poor" not in pages(kept.results)["index.html"].text


def test_without_predictions_there_are_scores_and_no_errors(kept):
    for path in (kept.results / "runs").rglob("*.parquet"):
        path.unlink()
    reported(kept)
    found = pages(kept.results)
    assert "report/errors/mine.html" not in found
    assert "0.9667" in found["index.html"].text


def test_failures_alone_are_told(kept):
    for path in (kept.results / "runs").rglob("*.json"):
        record = store.parse(path)
        failed = {"status": "failed", "error": {"type": "RuntimeError", "message": "<b>no</b> memory", "traceback": ""}}
        kept_fields = record.model_dump(mode="json", by_alias=True)
        shared = ("schema", "task", "system", "seed", "train_size", "fold", "sample", "limited", "fingerprint", "key",
                  "identity", "protocol", "recipe", "environment", "created")  # fmt: skip
        path.with_suffix(".parquet").unlink()
        path.write_text(json.dumps({**{name: kept_fields[name] for name in shared}, **failed}))
    write(kept.results, declared())
    page = pages(kept.results)["report/tasks/mine.html"]
    assert "<b>no</b> memory" in page.text
    assert not page.named("b")


def test_an_empty_store_says_what_to_do(tmp_path):
    (tmp_path / "results" / "runs").mkdir(parents=True)
    page = Seen(write(tmp_path / "results", declared()))
    assert "No run is stored yet" in page.text


def test_texts_that_may_offend_are_marked_so(tmp_path):
    kept = three_systems(Kept(tmp_path, offensive="true"))
    reported(kept)
    page = pages(kept.results)["report/errors/mine.html"]
    assert [e for e in page.named("div") if e.get("class") == "offensive"]
    assert [e for e in page.named("input") if e.get("id") == "reveal"]


def test_entities_are_marked_in_gold_and_in_what_is_predicted(tmp_path):
    kept = Kept(tmp_path, write=make.tag_task)
    gold = [list(row) for row in kept.data.splits["test"]["tags"]]
    wrong = [[0] * len(row) for row in gold[:5]] + gold[5:]
    for name, tags in (("right", gold), ("blind", wrong)):
        kept.run(name, lambda job, tags=tags: job.predictions(tags))
    reported(kept)
    page = pages(kept.results)["report/errors/names.html"]
    marked = page.named("mark")
    assert marked
    assert "PER" in page.text and "anna" in page.text


def test_the_verb_takes_excerpts_and_says_where_the_page_is(kept, capsys):
    assert main(["report", "--results-dir", str(kept.results)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"The page to open: {(kept.results / 'index.html').as_uri()}"
    page = pages(kept.results)["report/errors/mine.html"]
    assert "The texts are not stored." in page.text


def test_excerpts_that_no_page_shows_stay_since_they_need_the_data(kept):
    reported(kept)
    (path,) = (kept.results / "report" / "excerpts").glob("*/*.json")
    other = path.with_name("0123456789abcdef.json")
    other.write_text('{"test:0": "of another version of the data"}')
    (path.parent / "linked.json").symlink_to(kept.folder / "mine.yaml")
    write(kept.results, declared())
    assert {one.name for one in path.parent.iterdir()} == {path.name, other.name}
    assert other.read_text() == '{"test:0": "of another version of the data"}'
    elsewhere = kept.folder / "elsewhere"
    (kept.results / "report" / "excerpts").rename(elsewhere)
    (kept.results / "report" / "excerpts").symlink_to(elsewhere)
    write(kept.results, declared())
    assert not (kept.results / "report" / "excerpts").exists() and elsewhere.is_dir()


@pytest.mark.parametrize("verb", [["report"], ["run", "--tasks", "ner", "--sample", "--systems", "majority"]])
def test_excerpts_of_a_report_that_was_about_to_be_replaced_are_not_lost(kept, verb):
    reported(kept)
    report = kept.results / "report"
    (path,) = (report / "excerpts").glob("*/*.json")
    with replacing_folder(report) as temporary:
        left = temporary.with_suffix(".old")
    report.replace(left)  # as a kill leaves it
    assert main([*verb, "--results-dir", str(kept.results)]) == 0
    assert path.is_file() and not left.exists()


def test_the_verb_takes_excerpts_of_a_task_of_the_users(kept, capsys, tmp_path):
    command = ["report", "--results-dir", str(kept.results), "--data-dir", str(tmp_path / "data")]
    assert main([*command, "--tasks", str(tmp_path / "mine.yaml")]) == 0
    page = pages(kept.results)["report/errors/mine.html"]
    assert "The texts are not stored." not in page.text
    assert kept.data.splits["test"][0]["text"] in page.text


def test_a_folder_without_runs_is_refused(tmp_path, capsys):
    assert main(["report", "--results-dir", str(tmp_path)]) == 2
    assert "holds no stored runs" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_names_that_a_disk_may_take_for_one_have_files_of_their_own():
    names = [
        "org/model",
        "org__model",
        "org-model",
        "Org-Model",
        "模型",
        "編碼",
        "bert[encoder=a]",
        "bert-encoder-a",
        "",
    ]
    assert len({places.slug(name) for name in names}) == len(names)
    assert places.slug("mit-movie") == "mit-movie"


def test_a_system_without_capitals_has_its_recipe_for_each_type_of_task(tmp_path):
    texts, tags = Kept(tmp_path / "a"), Kept(tmp_path / "b", write=make.tag_task)
    tags.results = texts.results
    texts.run("probe", texts.gold, method="tfidf", recipe={"c": 2.0})
    gold = [list(row) for row in tags.data.splits["test"]["tags"]]
    tags.run("probe", lambda job: job.predictions(gold), method="tag-features", recipe={"c": 3.0})
    write(texts.results, declared())
    text = pages(texts.results)["report/systems/probe.html"].text
    assert "Recipe for text-classification" in text and "c 2.0" in text
    assert "Recipe for token-classification" in text and "c 3.0" in text


def test_a_picture_rounds_places_and_no_text(tmp_path):
    lines = [pictures.Line("dropout=0.125", [1, 2], [0.80101, 0.80402])]
    drawn.save(tmp_path, None, "curve", "", _curve(lines), (4, 3))
    text = (tmp_path / "curve.svg").read_text()
    assert "dropout=0.125" in text and "0.801" in text
    places = re.findall(r"[\d.]+", " ".join(re.findall(r' [dxy]="([^"]*)"', text)))
    assert places and max(len(place.replace(".", "").lstrip("0")) for place in places) <= drawn.SCOURED.digits
    assert text.startswith("<svg")


def _curve(lines) -> partial[None]:
    return partial(pictures.curves, lines=lines, x="rows", y="F1", logarithmic=False)


def test_lines_keep_their_colours_in_a_png_of_few(tmp_path):
    draw = np.random.default_rng(0)
    steps = np.arange(1, 41)
    losses = [pictures.Line(colour, list(steps / 40), list(1 / steps + draw.random(40))) for colour in pictures.COLOURS]
    drawn.save(tmp_path, None, "loss", "", partial(pictures.losses, lines=losses), (7.2, 3.6))
    with Image.open(tmp_path / "loss.png") as found:
        pixels = [pixel for _, pixel in found.convert("RGB").getcolors()]
    for colour in map(ImageColor.getrgb, pictures.COLOURS):
        assert min(max(map(abs, np.subtract(pixel, colour))) for pixel in pixels) <= 4


def test_names_of_systems_stay_within_the_axes_and_a_narrow_scale_has_ticks():
    spots = [pictures.Spot(f"a-long-name-of-a-system-{i}", 1e6 * (1 + i), i / 10, i / 10, i / 10) for i in range(1, 5)]
    axes = Figure(figsize=(7, 3.6), layout="constrained").subplots()
    pictures.trade(axes, spots, "parameters", "F1", lambda value: f"{value:,.0f}")
    axes.figure.draw_without_rendering()
    places = [text.get_window_extent() for text in axes.texts]
    assert places and all(axes.bbox.x0 <= place.x0 and place.x1 <= axes.bbox.x1 for place in places)
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [2e6, 5e6]
    alike = Figure().subplots()
    pictures.trade(alike, [pictures.Spot(f"{x}", x, 0.5, 0.4, 0.6) for x in (22.6e6, 22.8e6)], "parameters", "F1", str)
    assert len(alike.get_xticks()) > 1, "of costs within a hundredth"


def _traded(*systems: tuple[str, float, float]):
    axes = Figure(figsize=(7.2, 3.6), layout="constrained").subplots()
    spots = [pictures.Spot(name, x, y, y - 0.02, y + 0.02) for name, x, y in systems]
    pictures.trade(axes, spots, "training time", "F1", lambda value: f"{value:.1f} s")
    axes.figure.draw_without_rendering()
    return axes


def test_what_costs_nothing_is_drawn_at_the_left_edge_and_beats_what_is_dearer_and_worse():
    axes = _traded(("free", 0.0, 0.6), ("worse", 0.4, 0.5), ("good", 80.0, 0.9))
    assert {text.get_text() for text in axes.texts} == {"free", "good"}
    ticks = dict(zip((text.get_text() for text in axes.get_xticklabels()), axes.get_xticks(), strict=True))
    left = min(line.get_xdata()[0] for line in axes.lines)
    assert ticks["0"] == left == min(ticks.values())
    assert [label for label in ticks if label not in ("0", "0.0 s")] == ["1.0 s", "10.0 s", "100.0 s"]


def test_a_name_in_a_picture_is_nearest_to_its_own_spot_or_a_line_leads_to_it():
    systems = [("majority", 0.396, 0.51), ("tfidf-logreg", 0.744, 0.7737), ("tfidf-svm", 1.19, 0.7748),
               ("minilm-probe", 57.2, 0.788), ("minilm-frozen", 70.3, 0.793), ("lstm-bert", 83.0, 0.796),
               ("bert", 126.4, 0.85), ("cosine", 210.2, 0.856), ("minilm", 412.8, 0.861)]  # fmt: skip
    axes = _traded(*systems)
    places = {name: axes.transData.transform((x, y)) for name, x, y in systems}
    led = 0
    for text in axes.texts:
        box = Text.get_window_extent(text)
        away = {name: np.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1))
                for name, (x, y) in places.items()}  # fmt: skip
        led += text.arrow_patch is not None
        assert text.arrow_patch or min(away, key=away.__getitem__) == text.get_text()
    assert {"tfidf-logreg", "tfidf-svm"} <= {text.get_text() for text in axes.texts}
    assert 0 < led < len(axes.texts)


def test_captions_say_what_stands_at_the_edge_and_how_many_systems_are_left_out(kept, monkeypatch):
    monkeypatch.setattr("benchmarks.report.pages.MOST_LINES", 2)
    lines = [pictures.Line(name, [0, 1], [2, 1]) for name in "abc"]
    assert _cut(lines) == "; the best 2 of 3 systems" and _cut(lines[:2]) == ""
    (page,) = leaderboard.read(kept.results)
    made = prepared(kept.results, page)
    rows = [replace(row, train_seconds=at, parameters=1 + at) for at, row in enumerate(made.column.ranked)]
    section = replace(made.column.section, rows=tuple(rows))
    made = replace(made, column=replace(made.column, section=section))
    said = {picture.stem: picture.alt for picture in _pictures(Site(kept.folder, None, False), made, "mine")}
    assert "A cost of 0 stands at the left edge." in said[f"mine-{places.slug('training time')}"]
    assert "A cost of 0" not in said["mine-parameters"]


def test_a_confusion_names_the_seed_that_it_is_of(kept):
    """The first row's record is gone, and the next one was made with another seed."""
    kept.run("better", flipped(kept.gold, 0), seed=7)
    kept.run("best", kept.gold, seed=3)
    next(kept.results.glob("runs/mine/best/*.parquet")).unlink()
    (page,) = leaderboard.read(kept.results)
    made = prepared(kept.results, page)
    made = replace(made, details={name: made.details[name] for name in ("better", "poor")})
    assert made.column.ranked[0].system == "best"
    said = {picture.stem: picture.alt for picture in _pictures(Site(kept.folder, None, False), made, "mine")}
    assert said["mine-confusion"] == "Confusion of better, seed 7: rows gold, columns predicted."


def test_a_picture_is_drawn_again_only_where_it_shows_something_else(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    line = pictures.Line("a", [1, 2], [0.8, 0.9])
    drawn.save(tmp_path / "before", cache, "curve", "", _curve([line]), (4, 3))
    made = []
    monkeypatch.setattr(drawn, "_drawn", lambda *given: made.append(given) or ("<svg></svg>", b""))
    drawn.save(tmp_path / "after", cache, "other", "", _curve([line._replace(y=[0.8, 0.9000000001])]), (4, 3))
    assert not made
    for ending in ("svg", "png"):
        assert (tmp_path / f"after/other.{ending}").read_bytes() == (tmp_path / f"before/curve.{ending}").read_bytes()
    drawn.save(tmp_path, cache, "curve", "", _curve([line._replace(y=[0.8, 0.901])]), (4, 3))
    drawn.save(tmp_path, cache, "curve", "", _curve([line]), (4, 4))
    monkeypatch.setattr(drawn, "CODE", (__file__,))
    drawn.save(tmp_path, cache, "curve", "", _curve([line]), (4, 3))
    assert len(made) == 3


def test_no_picture_of_a_strangers_folder_of_results_lives_on(kept, tmp_path):
    reported(kept)
    before = {}
    for path in (kept.results / "report" / "pictures").iterdir():
        before[path] = path.read_bytes()
        if path.suffix == ".svg":
            path.write_text(path.read_text().replace("</svg>", "<script>alert(1)</script></svg>"))
        else:
            path.unlink()
            path.symlink_to(__file__)
    write(kept.results, declared(), tmp_path / "cache")
    assert before and {path: path.read_bytes() for path in before} == before
    assert not any(path.is_symlink() for path in before)


def test_a_report_needs_no_place_to_keep_pictures(kept, tmp_path):
    (tmp_path / "file").touch()
    write(kept.results, declared(), tmp_path / "file")
    assert list((kept.results / "report" / "pictures").glob("*.svg"))


def test_words_beyond_an_excerpt_are_told_by_their_number():
    tags = ["O"] * 60 + ["B-PER", "I-PER"]
    pieces = _pieces(tags, [f"w{at}" for at in range(60)], "IOB2")
    assert pieces[-1]["text"] == "… words 61–62" and pieces[-1]["kind"] == "PER"


def test_a_bar_is_where_its_interval_is_on_the_scale():
    scale = Scale.of([0.2, 0.8])
    assert scale.bar(0.2, 0.4, 0.6) == (25.0, 50.0, 50.0, None)
    assert Scale.of([-0.5, 0.5]).place(0.0) == 50.0
    assert Scale.of([]) == (0.0, 1.0)


def test_a_table_as_latex_holds_no_sign_of_its_own(tmp_path):
    table = Table("a&b", "c", (Head("100 %_$"), Head("empty")), (Line((Cell("x_y {z} \\ #1"), NOTHING)),))
    text = table.without_empty_columns().latex()
    assert r"100 \%\_\$" in text and r"x\_y \{z\} \textbackslash{} \#1" in text and "empty" not in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1


def test_scores_of_classes_are_means_over_seeds(kept):
    from benchmarks import leaderboard
    from benchmarks.report.details import details

    (page,) = leaderboard.read(kept.results)
    row = next(row for row in page.sections[0].rows if row.system == "poor")
    found = details(kept.results, row)
    per_seed = []
    for seed in (0, 1):
        gold, predicted = kept.gold, flipped(kept.gold, *range(20 + seed, 50 + seed))
        hit = np.sum((gold == 1) & (predicted == 1))
        per_seed.append(2 * hit / (np.sum(gold == 1) + np.sum(predicted == 1)))
    assert found.classes["positive"]["f1"] == pytest.approx(np.mean(per_seed))
    assert np.sum(found.confusion) == 60


def test_a_system_without_an_error_is_drawn(tmp_path):
    kept = Kept(tmp_path)
    kept.run("perfect", kept.gold)
    kept.run("useless", 1 - kept.gold)
    reported(kept)
    assert "1.0000" in pages(kept.results)["report/tasks/mine.html"].text


def test_each_type_and_sample_corpora_have_boards_and_files_of_their_own(tmp_path):
    tags = {"type": "token-classification", "group": "ner"}
    runs = [done(name, task=task, sample=sample, score=score, **more)
        for sample in (False, True)
        for task, more in ((f"films-{sample}", {}), (f"names-{sample}", tags))
        for name, score in (("a", 0.9), ("b", 0.8))
    ]  # fmt: skip
    text = index(Site(tmp_path, None, has_claims=False), tables(runs), {}, set(), "")
    titles = re.findall(r"<h([23])>(Text classification|Token classification|Sample corpora)</h", text)
    types = ["Text classification", "Token classification"]
    assert titles == [*(("2", name) for name in types), ("2", "Sample corpora"), *(("3", name) for name in types)]
    names = {"text-classification", "token-classification"}
    assert {path.stem for path in (tmp_path / "tables").glob("*.csv")} == names | {f"sample-{name}" for name in names}
    assert all((tmp_path / "tables" / f"{name}.csv").read_text().count("False") == 1 for name in names)
    assert text.count("a has the highest win rate") == 4


def test_the_first_of_all_tasks_is_told_with_those_whose_win_rates_reach_its_own():
    column = SimpleNamespace(compared=True, ranked=[SimpleNamespace(may_be_best=best) for best in (True, False)])

    def standing(system: str, share: float, interval: tuple[float, float] | None, tasks: int = 2, few: bool = False):
        return SimpleNamespace(system=system, win_rate=share, win_rates=interval, places=(None,) * tasks, aside=few)

    def lead(*found: SimpleNamespace) -> list[str]:
        return _lead(SimpleNamespace(columns=(column,), standings=found))

    first = standing("good", 0.8, (0.7, 0.9))
    far, near = standing("poor", 0.2, (0.1, 0.3)), standing("fair", 0.7, (0.6, 0.75))
    assert lead(first, far) == ["good has the highest win rate: over 2 tasks above 80% of the others."]
    assert lead(first, near, far)[1] == "Its interval and those of 1 other system overlap."
    elsewhere, few = standing("other", 0.7, (0.6, 0.75), tasks=5), standing("few", 0.9, (0.8, 1.0), few=True)
    said = lead(first, near, elsewhere, few)[1]
    assert said == "Its interval and those of 2 other systems overlap, not all over the same tasks."
    assert len(lead(first, standing("unknown", 0.7, None))) == 1
    among = "good has the highest win rate of the systems that were run on half of these tasks or more: over 2 tasks"
    assert lead(first, few)[0].startswith(among)
