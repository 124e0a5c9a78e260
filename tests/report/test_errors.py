"""The rows worth a look: all on which systems fail or disagree are counted, and the telling ones are shown."""

from __future__ import annotations

import numpy as np
import pytest
from kept import ROWS, Kept, flipped

from benchmarks import excerpts, leaderboard
from benchmarks.data.excerpts import take
from benchmarks.leaderboard.across import columns
from benchmarks.report import wanted_excerpts
from benchmarks.report.browser import _error, _lead
from benchmarks.report.errors import MOST_ROWS, Failing, Group, errors, excerpts_of
from benchmarks.report.pages import prepared


def found_in(kept: Kept):
    (column,) = columns(leaderboard.read(kept.results))
    return errors(kept.results, column)


@pytest.fixture
def kept(tmp_path) -> Kept:
    """Of 60 rows good has the first wrong, fair the first ten, poor the first and twenty later ones."""
    kept = Kept(tmp_path)
    kept.run("good", flipped(kept.gold, 0))
    kept.run("fair", flipped(kept.gold, *range(10)))
    kept.run("poor", flipped(kept.gold, 0, *range(30, 50)))
    return kept


def test_a_row_that_all_have_wrong_fails_and_one_that_some_have_wrong_is_disputed(kept):
    found = found_in(kept)
    assert found.rows == ROWS
    assert found.counts == {"all fail": 1, "disagree": 29}
    expected = "1 is wrong in all 3 systems (seed 0); 29 are right in some and wrong in others."
    assert _lead(found) == f"of {ROWS} test rows, {expected}"
    first = found.shown[0]
    assert (first.row_id, first.kind, first.right, first.systems) == ("test:0", "all fail", 0, 3)
    (group,) = first.groups
    assert sorted(group.systems) == ["fair", "good", "poor"]
    assert not group.right
    assert {row.row_id for row in found.shown[1:]} == {f"test:{row}" for row in (*range(1, 10), *range(30, 50))}


def test_systems_are_named_in_all_groups_but_the_largest_which_are_the_others(kept):
    made = prepared(kept.results, leaderboard.read(kept.results)[0])

    def said(*groups: tuple[str, int]) -> list[tuple[str, int]]:
        names = iter(range(100))
        own = [Group(label, tuple(f"s{next(names)}" for _ in range(count)), label == "a") for label, count in groups]
        places = {system: "" for group in own for system in group.systems}
        shown = _error(Failing("test:0", "disagree", "a", tuple(own)), made, places)["groups"]
        return [(group["counted"], len(group["systems"])) for group in shown]

    assert said(("a", 9), ("b", 5)) == [("the 9 others", 0), ("5 systems", 5)]
    assert said(("a", 4), ("b", 4)) == [("4 systems", 4), ("the 4 others", 0)]
    assert said(("b", 9)) == [("all 9 systems", 0)]
    assert said(("a", 2), ("b", 1)) == [("s0, s1", 0), ("s2", 0)]
    many = said(*((label, 12 - place) for place, label in enumerate("abcdefghijk")))
    assert many[0] == ("12 systems", 12) and len(many) == 8  # others stand in groups that aren't shown


def test_the_right_group_comes_first_and_says_who_is_in_it(kept):
    by_row = {row.row_id: row for row in found_in(kept).shown}
    right, wrong = by_row["test:5"].groups
    assert right.right and sorted(right.systems) == ["good", "poor"] and right.predicted == by_row["test:5"].gold
    assert not wrong.right and wrong.systems == ("fair",)


def test_a_system_that_says_one_thing_of_every_row_disputes_none(kept):
    before = found_in(kept)
    kept.run("constant", np.zeros(ROWS, int))
    after = found_in(kept)
    assert after.left_out == ("constant",)
    assert after.counts == before.counts
    assert "constant" not in after.systems


def test_one_system_alone_has_nobody_to_disagree_with_and_what_it_has_wrong_is_shown(tmp_path):
    kept = Kept(tmp_path)
    kept.run("good", flipped(kept.gold, 0, 3))
    kept.run("constant", np.zeros(ROWS, int))
    found = found_in(kept)
    assert found.counts == {"all fail": 2} and found.systems == ("good",)
    assert _lead(found) == f"of {ROWS} test rows, good (seed 0) has 2 wrong."


def test_rows_that_none_has_wrong_everywhere_are_not_told_as_systems_without_an_error(tmp_path):
    kept = Kept(tmp_path)
    kept.run("one", flipped(kept.gold, 0))
    kept.run("two", flipped(kept.gold, 1, 2))
    expected = "none is wrong in both systems (seed 0); 3 are right in some and wrong in others."
    assert _lead(found_in(kept)) == f"of {ROWS} test rows, {expected}"


def test_systems_that_say_one_thing_of_every_row_show_none(tmp_path):
    kept = Kept(tmp_path)
    kept.run("constant", np.zeros(ROWS, int))
    assert found_in(kept) is None


def test_where_every_system_is_right_there_is_nothing_to_look_at(tmp_path):
    kept = Kept(tmp_path)
    kept.run("one", kept.gold)
    kept.run("two", kept.gold)
    assert found_in(kept) is None


def test_of_many_rows_as_many_of_each_kind_are_shown_as_there_is_room_for(tmp_path):
    kept = Kept(tmp_path, rows=400)
    kept.run("one", flipped(kept.gold, *range(200)))
    kept.run("two", flipped(kept.gold, *range(100, 300)))
    found = found_in(kept)
    assert found.counts == {"all fail": 100, "disagree": 200}
    assert [row.kind for row in found.shown] == ["all fail"] * (MOST_ROWS // 2) + ["disagree"] * (MOST_ROWS // 2)


def test_excerpts_are_of_the_rows_that_are_shown_and_no_others(kept):
    (column,) = columns(leaderboard.read(kept.results))
    assert excerpts_of(kept.results, column) == {}
    wanted = wanted_excerpts(kept.results, kept.task.name)
    rows = wanted[kept.data.fingerprints]
    take(kept.results, kept.data, rows)
    stored = excerpts_of(kept.results, column)
    assert list(stored) == rows == [row.row_id for row in found_in(kept).shown]
    assert stored["test:0"] == kept.data.splits["test"][0]["text"]
    take(kept.results, kept.data, rows[:2])
    assert list(excerpts_of(kept.results, column)) == rows[:2]


def test_a_long_text_and_a_long_row_of_words_are_cut():
    assert excerpts.of("a  b\n" * 400) == ("a b " * 400)[: excerpts.MOST_CHARACTERS - 1] + "…"
    assert excerpts.of(["x" * 10_000] * 100) == ["x" * (excerpts.MOST_CHARACTERS - 1) + "…"] * excerpts.MOST_WORDS


def test_torn_excerpts_are_taken_anew(kept):
    wanted = wanted_excerpts(kept.results, kept.task.name)[kept.data.fingerprints]
    take(kept.results, kept.data, wanted)
    path = excerpts.path(kept.results, kept.task.name, *kept.data.fingerprints)
    path.write_text(path.read_text()[:40])
    assert excerpts.read(path) == {}
    take(kept.results, kept.data, wanted)
    assert list(excerpts.read(path)) == wanted
