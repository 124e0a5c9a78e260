"""The declared tasks on the published files: declared counts, and the duplicates that were counted by hand."""

from __future__ import annotations

import pytest

from benchmarks.data.checks import conflicting, duplicates, hashes_of
from benchmarks.data.loading import load
from benchmarks.data.origins import FilesOrigin, origin_of
from benchmarks.data.splits import select
from benchmarks.definitions import load_tasks
from benchmarks.lock import Lock
from benchmarks.schema import Protocol

TASKS = {name: task for name, task in load_tasks().items() if task.sample is None}

SPLITS = {
    "europarl-ner-de": {"train": 3184, "validation": 354, "test": 858},
    "fox-news-comments": {"train": 1222, "test": 306},
    "germeval2014": {"train": 2200, "test": 5100},
    "germeval2014-coarse": {"train": 2200, "test": 5100},
    "germeval2014-inner": {"train": 2200, "test": 5100},
    "huffpost": {"train": 20907, "test": 20907},
    "huffpost-33": {"train": 26078, "test": 6519},
    "huffpost-41x900": {"train": 29520, "validation": 3690, "test": 3690},
    "imdb": {"train": 25000, "test": 25000},
    "letter-author": {"train": 183, "test": 121},
    "letter-language": {"train": 183, "test": 121},
    "mit-movie": {"train": 9775, "test": 2443},
    "mit-movie-trivia": {"train": 7816, "test": 1953},
    "rotten-tomatoes": {"train": 8530, "validation": 1066, "test": 1066},
    "sst2": {"train": 67349, "test": 872},
    "wikiann-de": {"train": 20000, "validation": 10000, "test": 10000},
}

# Of published parts, as counted when the files were gathered: repeats within, rows shared, texts of several labels.
WITHIN = {
    "europarl-ner-de": {"train": 44, "dev": 1, "test": 4},
    "fox-news-comments": {"all": 8},
    "huffpost": {"val": 19, "test": 20},
    "huffpost-33": {"all": 59},
    "huffpost-41x900": {"all": 193},
    "imdb": {"train": 96, "test": 199},
    "mit-movie": {"train": 43, "test": 1},
    "sst2": {"train": 371, "dev": 0},
    "wikiann-de": {"train": 1483, "dev": 624, "test": 582},
}
ACROSS = {
    "europarl-ner-de": {"test in train": 6, "validation in train": 6},
    "huffpost": {"test in train": 39},
    "imdb": {"test in train": 123},
    "mit-movie": {"test in train": 24},
    "wikiann-de": {"test in train": 1121, "validation in train": 1175, "test in validation": 862},
}
CONFLICTING = {
    "mit-movie": {"train": 9},
    "sst2": {"train": 5},
    "wikiann-de": {"train": 15, "dev": 10, "test": 5},
}
# Held out at random out of one pool, so that what is shared is no property of the published data.
HELD_OUT = ("fox-news-comments", "huffpost-33", "huffpost-41x900")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_every_declared_task_is_checked_here():
    assert set(TASKS) == set(SPLITS)


@pytest.mark.parametrize("name", TASKS)
def test_a_declared_task_loads_with_its_published_counts_and_known_duplicates(name, real_data, cache):
    task = TASKS[name]
    origin = origin_of(task, real_data, {})
    assert isinstance(origin, FilesOrigin)
    data = load(task, origin, cache, Lock())
    assert data.provenance["rows"] == SPLITS[name]

    by_part = {part: hashes_of(table, task) for part, table in data.tables.items()}
    assert duplicates(by_part)["within"] == WITHIN.get(name, dict.fromkeys(by_part, 0))
    expected = {part: CONFLICTING.get(name, {}).get(part, 0) for part in by_part}
    assert {part: conflicting(*hashes) for part, hashes in by_part.items()} == expected
    if name not in HELD_OUT:
        across = data.provenance["duplicates"]["across"]
        known = ACROSS.get(name) or dict.fromkeys(across, 0)
        assert {pair: across[pair] for pair in known} == known


@pytest.mark.parametrize("name", ["germeval2014", "huffpost", "huffpost-33", "letter-author", "letter-language"])
def test_partial_data_say_that_scores_are_not_comparable(name, real_data, cache):
    data = load(TASKS[name], origin_of(TASKS[name], real_data, {}), cache, Lock())
    assert any(note.startswith("Not comparable with published scores: ") for note in data.provenance["notes"])


def test_a_label_of_the_test_split_alone_is_known(real_data, cache):
    task = TASKS["letter-language"]
    data = load(task, origin_of(task, real_data, {}), cache, Lock())
    french = task.labels.index("fr")
    assert data.splits["test"]["label"][:].count(french) == 2
    assert french not in data.splits["train"]["label"][:]


def test_the_balanced_comments_are_870_and_divide_as_in_the_source(real_data, cache):
    task = TASKS["fox-news-comments"]
    data = load(task, origin_of(task, real_data, {}), cache, Lock())
    run = select(data, Protocol(balanced=True, test_size=170, train_size=700))
    assert len(run.train) == 700 and sum(run.train["label"]) == 350
    assert len(run.test) == 170 and sum(run.test["label"]) == 85
