"""Rows that say almost the same are found, all of them, and nothing else."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data import near_duplicates
from benchmarks.data.near_duplicates import PAIR, Near, form, grams, jaccard, near, pairs


def by_brute_force(forms: list[str]) -> set[tuple[int, int]]:
    sets = [grams(text) for text in forms]
    return {(i, j) for i, j in itertools.combinations(range(len(forms)), 2) if jaccard(sets[i], sets[j]) >= 0.8}


def changed_texts(count: int) -> list[str]:
    """Random sentences, and each of them with some of its words replaced: the more, the later it stands."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(400)]
    found = []
    for number in range(count):
        text = draw.choices(words, k=draw.randint(5, 60))
        found.append(" ".join(text))
        for place in draw.sample(range(len(text)), k=number * len(text) // (8 * count)):
            text[place] = draw.choice(words)
        found.append(" ".join(text))
    return list(dict.fromkeys(found))


def test_every_pair_that_comparing_all_with_all_finds_is_found():
    forms = changed_texts(400)
    found = {(first, second): similarity for first, second, similarity in pairs(forms)}
    assert set(found) == by_brute_force(forms)
    assert 100 < len(found) < 380  # of 400 changed ones: some on each side of the bound
    assert min(found.values()) < 0.82
    assert found == {(i, j): jaccard(grams(forms[i]), grams(forms[j])) for i, j in found}


def test_a_corpus_of_one_template_does_not_take_the_square_of_its_rows(monkeypatch):
    forms = [
        f"the morning newsbrief of number {number:05} with all that you need to know today" for number in range(900)
    ]
    compared = []
    monkeypatch.setattr(near_duplicates, "jaccard", lambda *sets: compared.append(1) or jaccard(*sets))
    found = list(pairs(forms))
    assert len(compared) < 900 * 250 < len(list(itertools.combinations(forms, 2)))
    assert {second for _, second, _ in found} == set(range(1, 900))  # and still each has one that it resembles


def test_rows_of_one_template_that_are_no_near_duplicates_hide_none():
    """Half of their words are the same, so that each is a candidate for many others."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnop", k=7)) for _ in range(2000)]
    frame = " ".join(draw.choices(words, k=8))
    forms = [f"{frame} {' '.join(draw.choices(words, k=5))}" for _ in range(500)]
    copies = [f"{text} again" for text in forms[-50:]]
    found = {(first, second) for first, second, _ in pairs([*forms, *copies])}
    assert found == {(450 + number, 500 + number) for number in range(50)}


def test_other_words_are_never_the_same_words():
    ((_, _, similarity),) = pairs(["ha ha ha ha ha ha", "ha ha ha ha ha ha ha ha ha"])
    assert 0.99 < similarity < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is GOOD, very good!", "it is good   very good"),
        ("Straße", "STRASSE"),
        ("« Polen »", "Polen"),
        ("naïve café", "Naïve Café"),
    ],
)
def test_case_punctuation_and_white_space_make_no_other_form(one, other):
    assert form(one) == form(other)


def test_texts_without_words_are_alike_only_where_they_are_equal():
    assert form("?!") == "?!" != form("...")
    assert form("") == ""


@given(st.lists(st.text(max_size=40), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_texts_can_be_looked_at(tmp_path_factory, texts):
    table = Dataset.from_dict({"text": texts}) if texts else Dataset.from_dict({"text": [""]}).select([])
    found = near([table], tmp_path_factory.mktemp("cache"))
    assert len(found.forms) == len(texts)
    for (i, one), (j, other) in itertools.combinations(enumerate(texts), 2):
        assert (found.forms[i] == found.forms[j]) == (form(one) == form(other))


# -- the closest row -------------------------------------------------------------------------------------------------


def near_of(forms: list[int], *found: tuple[int, int, float]) -> Near:
    return Near(np.array(forms), np.array(list(found), dtype=PAIR))


def closest(of: Near, rows: list[int], among: list[int]) -> list[tuple[int, float]]:
    found, similarity = of.closest(np.array(rows), np.array(among))
    return [(row, round(value, 4)) for row, value in zip(found.tolist(), similarity.tolist(), strict=True)]


def test_an_equal_form_is_closer_than_a_near_one_and_the_first_of_equals_is_told():
    of = near_of([0, 1, 2, 0, 1], (0, 1, 0.9), (1, 2, 0.85))
    assert closest(of, rows=[3, 4], among=[0, 1, 2]) == [(0, 1.0), (1, 1.0)]
    assert closest(of, rows=[4], among=[0, 2]) == [(0, 0.9)]
    assert closest(of, rows=[4], among=[2]) == [(2, 0.85)]
    assert closest(of, rows=[0], among=[2]) == [(-1, 0.0)]  # what resembles its neighbour alone is none of its own
    assert closest(of, rows=[2], among=[1, 4]) == [(1, 0.85)]


def test_pairs_are_looked_at_from_both_sides():
    of = near_of([0, 1], (0, 1, 0.9))
    assert closest(of, rows=[0], among=[1]) == [(1, 0.9)]
    assert closest(of, rows=[1], among=[0]) == [(0, 0.9)]


# -- what is kept ----------------------------------------------------------------------------------------------------


def test_pairs_are_found_once_and_found_anew_where_the_file_is_torn_or_texts_have_changed(tmp_path, monkeypatch):
    def alike(*texts: str) -> int:
        return len(near([Dataset.from_dict({"text": list(texts)})], tmp_path).pairs)

    sentence = "where can I see the film of the year with my whole family"
    assert alike(sentence, f"{sentence} now") == 1
    (kept,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(near_duplicates, "pairs", None)  # whoever looks again fails
        assert alike(sentence, f"{sentence} now") == 1
    kept.write_bytes(kept.read_bytes()[:20])
    assert alike(sentence, f"{sentence} now") == 1
    assert alike(sentence, "something else") == 0
