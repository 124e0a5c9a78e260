"""The report in a real browser: nothing fails, nothing is asked of the network, and all that can be clicked works."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from kept import Kept
from PIL import Image
from records import done
from reported import declared, reported, three_systems

from benchmarks import claims, leaderboard
from benchmarks.report import pages, places
from benchmarks.report.site import Site

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATH = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = pytest.mark.skipif(PATH is None, reason=f"no browser installed (one of {', '.join(BROWSERS)})")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SHEET = 1032  # pixels between the margins of a sheet of A4 that lies on its side


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    kept = three_systems(Kept(tmp_path_factory.mktemp("report"), offensive="true"))
    reported(kept)
    return kept.results


@pytest.fixture(scope="module")
def of_groups(tmp_path_factory) -> Path:
    """An index of three tasks in two groups: `poor` has no score in the second, and `few` was run on one task alone."""
    groups = {"films": "reviews", "books": "reviews", "papers": "news"}
    scores = {"good": (0.9, 0.9, 0.9), "fair": (0.8, 0.8, 0.8), "poor": (0.1, 0.1), "few": (0.95,)}
    runs = [
        done(system, task=task, group=group, score=score)
        for system, own in scores.items()
        for (task, group), score in zip(groups.items(), own, strict=False)
    ]
    folder = tmp_path_factory.mktemp("groups")
    site = Site(folder / "report", None, has_claims=False)
    page = folder / "index.html"
    page.write_text(pages.index(site, leaderboard.tables(runs), {}, set(), ""), encoding="utf-8")
    site.statics()
    return page


@pytest.fixture(scope="module")
def of_claims(tmp_path_factory) -> Path:
    """The page of all declared claims, none of which has a run."""
    folder = tmp_path_factory.mktemp("claims")
    site, known = Site(folder / "report", None, has_claims=True), declared()
    found = claims.assess(folder, known.reported, known.tasks, known.systems)
    pages.claims(site, found, known.reported.sources, "")
    site.statics()
    return folder / places.CLAIMS


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=PATH, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def view(browser, results):
    """Opens a page of the report; at the end of the test nothing may have gone wrong in it."""
    wrong: list[str] = []
    context = browser.new_context(viewport=DESKTOP, offline=True)

    def opened(name: str, **emulated):
        page = context.new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url))
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        if "viewport" in emulated:
            page.set_viewport_size(emulated.pop("viewport"))
        page.emulate_media(**emulated)
        page.goto((results / name).as_uri())
        return page

    yield opened
    context.close()
    assert wrong == []


def every_page(results: Path) -> list[str]:
    return ["index.html", *(path.relative_to(results).as_posix() for path in (results / "report").rglob("*.html"))]


def systems(page) -> list[str]:
    return page.locator("table.sorted").first.locator("tbody tr:not([hidden]) .name bdi").all_inner_texts()


def test_every_page_opens_on_a_desk_and_on_a_phone_without_scrolling_sideways(view, results):
    for name in every_page(results):
        for viewport in (DESKTOP, PHONE):
            page = view(name, viewport=viewport)
            assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"], name
            assert page.evaluate("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
            page.close()


def test_pictures_are_drawn(view):
    page = view("report/tasks/mine.html")
    page.locator("figure img").first.scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].some(image => image.complete && image.naturalWidth > 100)")


def test_a_head_sorts_downwards_then_upwards_and_tells_so(view):
    page = view("index.html")
    assert systems(page) == ["good", "fair", "poor"]
    head = page.locator("thead th", has_text="win rate")
    head.get_by_role("button").click()
    assert (systems(page), head.get_attribute("aria-sort")) == (["good", "fair", "poor"], "descending")
    head.get_by_role("button").click()
    assert (systems(page), head.get_attribute("aria-sort")) == (["poor", "fair", "good"], "ascending")
    page.locator("thead th", has_text="system").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert systems(page) == ["fair", "good", "poor"]
    assert page.locator("th[aria-sort]").count() == 1


def test_where_low_is_good_the_best_comes_first_at_the_first_click(view):
    page = view("report/tasks/mine.html")
    for name in ("rank", "train time"):
        head = page.locator("thead th", has_text=name).first
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == "ascending", name
    page = view("index.html")
    page.locator("thead th", has_text="mean rank").get_by_role("button").click()
    assert systems(page) == ["good", "fair", "poor"]


def test_systems_of_few_tasks_are_last_in_orders_over_all_tasks_and_in_their_place_in_one_tasks(view, of_groups):
    page = view(of_groups)
    assert systems(page) == ["good", "fair", "poor", "few"]
    up, down = ["good", "fair", "poor", "few"], ["poor", "fair", "good", "few"]
    line = "e => getComputedStyle(e).borderTopWidth"
    few = page.locator("tr[data-aside] td").first
    for head, orders in (
        ("win rate", (up, down)),
        ("films", (["few", "good", "fair", "poor"], ["poor", "fair", "good", "few"])),
        ("mean rank", (up, down)),
    ):
        for expected in orders:
            page.locator("thead th", has_text=head).get_by_role("button").click()
            assert systems(page) == expected
        assert few.evaluate(line) == ("0px" if head == "films" else "2px")


def test_a_group_of_tasks_leaves_the_systems_that_have_a_score_in_it(view, of_groups):
    page = view(of_groups)
    said = page.locator("output").first
    for group, expected in {"news": ["good", "fair"], "reviews": ["good", "fair", "poor", "few"]}.items():
        page.locator("select[data-columns]").select_option(group)
        assert (systems(page), said.inner_text()) == (expected, f"{len(expected)} of 4 shown")
        heads = page.locator("thead th:visible button").all_inner_texts()
        assert heads == ["system", *({"news": ["papers"], "reviews": ["books", "films"]}[group])]
    page.get_by_label("Search").fill("poor")
    page.locator("select[data-columns]").select_option("news")
    assert said.inner_text() == "0 of 4 shown"
    page.locator("select[data-columns]").select_option("")
    assert systems(page) == ["poor"]


def test_words_among_numbers_come_last_and_the_numbers_stay_in_order(view):
    page = view("index.html")
    cell = "[...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes('fair')).cells[1]"
    page.evaluate(f"{cell}.firstChild.data = 'above'")
    head = page.locator("thead th", has_text="win rate")
    for expected in (["good", "poor", "fair"], ["poor", "good", "fair"]):
        head.get_by_role("button").click()
        assert systems(page) == expected


def test_the_line_below_the_head_stays_where_the_rows_move(view):
    page = view("index.html", viewport={"width": 390, "height": 200})
    box, head = page.locator(".scroll").first, page.locator("thead .name").first
    box.evaluate("box => { box.scrollTop = 20; }")
    line = head.evaluate("e => getComputedStyle(e).borderBottomColor")
    below = round(head.bounding_box()["y"] + head.bounding_box()["height"] - box.bounding_box()["y"])
    shot = Image.open(io.BytesIO(box.screenshot())).convert("RGB")
    assert line in {"rgb({}, {}, {})".format(*shot.getpixel((5, y))) for y in range(below - 3, below + 3)}


def test_each_interval_is_seen_in_numbers_below_its_score_at_every_width_and_on_paper(view):
    for viewport, media in ((PHONE, "screen"), (DESKTOP, "screen"), ({"width": SHEET, "height": 700}, "print")):
        score = view("index.html", viewport=viewport, media=media).locator("tbody tr").first.locator("td").last
        interval = score.locator("small")
        assert re.fullmatch(r"\[0\.\d{3}, \d\.\d{3}\]", interval.inner_text().strip())
        box, cell = interval.bounding_box(), score.bounding_box()
        assert box["width"] > 40 and box["height"] > 8 and box["y"] > cell["y"] + 8


def test_the_bar_of_an_interval_is_told_from_what_is_around_it_and_its_score_from_the_bar(view):
    paper = """e => { for (; e; e = e.parentElement) { const found = getComputedStyle(e).backgroundColor;
        if (found !== 'rgba(0, 0, 0, 0)') return found; } }"""
    marks = "e => ['::before', '::after'].map(part => getComputedStyle(e, part).backgroundColor)"
    for scheme in ("light", "dark"):
        page = view("index.html", color_scheme=scheme)
        for cell in (page.locator("td.best").last, page.locator("td:not(.best):has(.bar)").first):
            bar, score = cell.locator(".bar").evaluate(marks)
            assert contrast(bar, cell.evaluate(paper)) >= 3
            assert contrast(bar, score) >= 3


def test_rows_are_whole_pixels_high_so_that_the_line_below_a_name_that_sticks_meets_that_of_its_row(view):
    for name in ("index.html", "report/tasks/mine.html", "report/systems/good.html"):
        heights = "rows => rows.map(row => row.getBoundingClientRect().height)"
        found = view(name).locator("tbody tr").evaluate_all(heights)
        assert found and [height for height in found if height % 1] == [], name


def test_a_phone_shows_the_verdict_beside_each_claim_in_rows_of_a_few_lines(view, of_claims):
    places_of = "rows => rows.map(row => [...row.cells].slice(0, 2).map(cell => cell.getBoundingClientRect().toJSON()))"
    for viewport, height in ((DESKTOP, 150), (PHONE, 120)):
        page = view(of_claims, viewport=viewport)
        for name, verdict in page.locator("table.sorted tbody tr").evaluate_all(places_of):
            assert verdict["left"] == pytest.approx(name["right"], abs=1)
            assert verdict["right"] <= viewport["width"]
            assert name["height"] < height
    colours = "e => [getComputedStyle(e).color, getComputedStyle(e.nextElementSibling).color]"
    verdict, task = page.locator("tr[data-verdict='not run'] td:nth-child(2)").first.evaluate(colours)
    assert verdict != task


def test_search_and_method_choose_rows_and_say_how_many(view):
    page = view("index.html")
    page.get_by_label("Search").fill("GOO")
    assert systems(page) == ["good"]
    assert page.locator("output").first.inner_text() == "1 of 3 shown"
    page.get_by_label("Search").fill("")
    page.get_by_label("Method").select_option("majority")
    assert len(systems(page)) == 3


def test_the_rows_of_a_system_that_is_wrong_can_be_chosen(view):
    page = view("report/errors/mine.html")
    shown = page.locator(".rows > li:not([hidden])")
    everything = shown.count()
    page.get_by_label("Wrong by").select_option("good")
    assert shown.count() == 2
    page.get_by_label("Right by").select_option("fair")
    assert shown.count() == 0
    page.get_by_label("Wrong by").select_option("")
    page.get_by_label("Right by").select_option("")
    assert shown.count() == everything == 40


def test_the_words_of_a_row_are_searched_without_the_kinds_of_its_entities(view):
    row = "row.innerHTML = 'by <mark>mel brooks<small>DIRECTOR</small></mark>'"
    found = f"() => {{ const row = document.createElement('p'); {row}; return wordsOf(row); }}"
    assert view("report/errors/mine.html").evaluate(found) == "by mel brooks"


def test_texts_that_may_offend_are_blurred_and_silent_until_they_are_asked_for(view):
    page = view("report/errors/mine.html")
    text = page.locator(".text").first
    state = "e => [getComputedStyle(e).filter, e.getAttribute('aria-hidden')]"
    assert text.evaluate(state) == ["blur(7px)", "true"]
    page.get_by_label("Show the texts").check()
    page.wait_for_timeout(300)
    assert text.evaluate(state) == ["none", None]


def test_a_dark_page_is_dark_and_its_words_are_read(view):
    for scheme in ("light", "dark"):
        page = view("index.html", color_scheme=scheme)
        ink, paper = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert (luminance(paper) > 0.5) == (scheme == "light")
        assert contrast(ink, paper) > 7  # WCAG's level AAA


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it."""
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Of 'rgb(r, g, b)', as WCAG 2 has it."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_without_its_script_a_page_shows_all_that_it_has(browser, results):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((results / "report/errors/mine.html").as_uri())
    assert page.locator(".rows > li").count() == 40
    assert page.locator(".rows > li").first.is_visible()
    assert page.locator(".choose select:visible, .choose input[type=search]:visible").count() == 0
    page.get_by_label("Show the texts").check()
    page.wait_for_timeout(300)
    assert page.locator(".text").first.evaluate("e => getComputedStyle(e).filter") == "none"
    page.goto((results / "index.html").as_uri())
    assert page.locator(".choose :visible").count() == 0
    arrow = "e => getComputedStyle(e, '::after').display"
    assert page.locator("thead button").first.evaluate(arrow) == "none"
    context.close()


def test_paper_shows_what_is_folded(view):
    for name in ("index.html", "report/tasks/mine.html"):
        page = view(name, media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details").count() > 0
        assert page.locator("details:not([open])").count() == 0, name


def test_every_control_has_a_name_for_a_screen_reader(view):
    for name in ("index.html", "report/tasks/mine.html", "report/errors/mine.html"):
        page = view(name)
        unnamed = """[...document.querySelectorAll('input, select, button, a')].filter(
            e => !(e.labels && e.labels.length) && !e.ariaLabel && !e.textContent.trim()).length"""
        assert page.evaluate(unnamed) == 0, name
        assert page.locator("img:not([alt])").count() == 0
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("committed", [False, True], ids=["a small report", "the committed one"])
def test_on_paper_no_table_is_wider_than_the_sheet(view, results, committed):
    folder = Path(__file__).parent.parent.parent / "results" if committed else results
    if not (folder / "index.html").is_file():
        pytest.skip("this checkout has no committed report")
    for name in ("index.html", *(path.relative_to(folder).as_posix() for path in folder.glob("report/tasks/*.html"))):
        page = view(folder / name, viewport={"width": SHEET, "height": 700}, media="print")
        wide = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth + 1).length"
        assert page.evaluate(wide) == 0, name
        assert page.evaluate("document.scrollingElement.scrollWidth") <= SHEET, name
        page.close()
