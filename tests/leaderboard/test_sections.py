"""Runs that can be compared share a table, and no others."""

from __future__ import annotations

import pytest
from records import DATA, cells, done, headings, page

from benchmarks.leaderboard import tables
from benchmarks.leaderboard.overview import markdown as overview
from benchmarks.leaderboard.page import markdown


def test_protocols_have_tables_of_their_own_in_order():
    asked = [
        {"folds": 5, "fold": 0},
        {"train_size": 500, "balanced": True},
        {"train_size": 5000},
        {"train_size": 1000},
        {},
    ]
    assert headings(page(*(done(protocol=protocol) for protocol in asked))) == [
        "Whole training split",
        "1,000 training rows",
        "5,000 training rows",
        "500 training rows, classes balanced",
        "5-fold cross-validation",
    ]


def test_different_data_of_one_task_are_never_in_one_table():
    other = {**DATA, "sha256": {"train.csv": "b" * 64}}
    text = page(done("a"), done("b", content="b", data=other), done("c"))
    assert headings(text) == [
        "Whole training split · files train.csv (sha256 aaaaaaaa)",
        "Whole training split · files train.csv (sha256 bbbbbbbb)",
    ]
    assert [row["rank"] for row in cells(text)] == ["1", "1", "1"]
    assert text.index("| a ") < text.index("| c ") < text.index("bbbbbbbb)\n") < text.index("| b ")


@pytest.mark.parametrize("change", [{"code": 2}, {"definition": {"labels": ["x"]}}, {"content": "b"}])
def test_what_is_made_under_other_conditions_is_in_another_table_with_a_title_of_its_own(change):
    first, second = headings(page(done("a"), done("b", **change)))
    assert first != second


def test_a_protocol_setting_that_is_off_is_the_same_as_one_that_did_not_exist():
    before = done("a")
    before.protocol.pop("test_size")
    assert len(headings(page(before, done("b")))) == 1


def test_samples_are_marked_and_never_in_a_table_with_real_rows():
    pages = tables([done(), done(sample=True, title="Sample: films"), done(task="notes", sample=True)])
    assert [(found.task, found.sample) for found in pages] == [("films", False), ("films", True), ("notes", True)]
    assert markdown(pages[1]).startswith("# Sample: films; synthetic rows\n")
    real, samples = overview(pages).split("# Sample corpora (synthetic rows, not results)")
    assert "notes" not in real
    assert "notes" in samples


def test_a_run_on_newer_data_takes_no_neighbour_out_of_the_older_table():
    (found,) = tables([
        done("minilm", created="2026-11-20T12:00:00+00:00"), done("tfidf-svm", score=0.8),
        done("tfidf-svm", score=0.7, content="b", created="2026-11-21T12:00:00+00:00"),
    ])  # fmt: skip
    by_table = [[row.system for row in section.rows] for section in found.sections]
    assert by_table == [["tfidf-svm"], ["minilm", "tfidf-svm"]]
    assert not any(section.left_out for section in found.sections)
