"""What a task file may say of its data: each contradiction is told when the file is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.definitions import load_task, load_tasks
from benchmarks.errors import UserError

TRUTH = "true is no number: YAML reads yes and no, on and off as truth values."
TEXTS = {
    "title": "t",
    "group": "g",
    "language": "en",
    "type": "text-classification",
    "metric": "accuracy",
    "labels": ["negative", "positive"],
    "positive": "positive",
    "label_map": {"pos": "positive"},
    "splits": {"train": "train", "test": "test"},
}
SOURCE = {
    "folder": "f",
    "format": "jsonl",
    "columns": {"text": "text", "label": "label"},
    "files": {"train": [{"path": "a.jsonl"}], "test": [{"path": "b.jsonl"}]},
}
HUB = {"path": "some/where", "parts": {"train": "train"}, "columns": {}}
HELD_OUT = {"take_from": "train", "share": 0.1}


def problem(tmp_path: Path, source=None, **fields) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**TEXTS, "source": {**SOURCE, **(source or {})}, **fields}, sort_keys=False))
    with pytest.raises(UserError) as caught:
        load_task(path)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    "fields, expected",
    [
        (
            {"fallback": {"splits": {"train": "dev", "test": "test"}, "not_comparable": "x"}},
            "fallback.splits.train: no part 'dev' in source.files. One of: train, test.",
        ),
        (
            {"fallback": {"splits": {"train": "test", "test": "test"}}},
            "fallback.not_comparable: required, and not given.",
        ),
        ({"hub": HUB}, "splits.test: no part 'test' in hub.parts. One of: train."),
        (
            {"splits": {"train": "train", "test": {"take_from": "train", "share": 10.5}}},
            "splits.test.share: 10.5, expected a fraction below 1 or a whole number of rows.",
        ),
        (
            {"splits": {"train": "train", "test": {"take_from": "train", "share": 20}, "most_of_a_class": 5}},
            "splits.test.share: 20 rows, expected a fraction below 1 beside most_of_a_class.",
        ),
        (
            {"splits": {"train": "train", "test": {**HELD_OUT, "share": True, "seed": True}}},
            f"2 problems\n  splits.test.share: {TRUTH}\n  splits.test.seed: {TRUTH}",
        ),
        (
            {"splits": {"train": "train", "test": "test", "most_of_a_class": True}},
            f"splits.most_of_a_class: {TRUTH}",
        ),
        (
            {"splits": {"train": "train", "test": HELD_OUT, "validation": {"take_from": "test", "share": 0.5}}},
            "splits.validation.take_from: 'test' is not allowed. One of: train.",
        ),
    ],
)
def test_splits_that_cannot_be_made_are_told(tmp_path, fields, expected):
    assert problem(tmp_path, **fields) == expected


@pytest.mark.parametrize(
    "source, expected",
    [
        (
            {"columns": ["text", "label"]},
            "source.columns: a list, expected a mapping such as {text: headline, label: category}.",
        ),
        ({"encoding": "utf-16"}, "source.encoding: 'utf-16' is not known, or its line ends are not single bytes."),
        ({"encoding": "utf8x"}, "source.encoding: 'utf8x' is not known, or its line ends are not single bytes."),
        (
            {"files": {"train": [{"path": "a", "counts": {"pos": 1}}], "test": [{"path": "b"}]}},
            "source.files.train.a.counts: 'pos' is no label. One of: negative, positive.",
        ),
        (
            {"files": {"train": [{"path": "a", "counts": {"positive": -1}}], "test": [{"path": "b"}]}},
            "source.files.train.a.counts.positive: -1, expected 0 or more.",
        ),
        (
            {"columns": {"text": "text", "label": "label", "lable": "x"}},
            "source.columns.lable: no such field. Did you mean 'label'?",
        ),
        (
            {"format": "csv", "columns": ["text", "x", "x", "text", "label"]},
            "source.columns: 'text' stands there 2 times.",
        ),
        (
            {"format": "lines", "files": {part: [{"path": part, "label": "ngative"}] for part in ("train", "test")}},
            "2 problems\n  source.files.train.train.label: 'ngative' is no label. Did you mean 'negative'? "
            "One of: pos, negative, positive.\n  source.files.test.test.label: 'ngative' is no label. "
            "Did you mean 'negative'? One of: pos, negative, positive.",
        ),
    ],
)
def test_files_that_cannot_be_read_so_are_told(tmp_path, source, expected):
    assert problem(tmp_path, source) == expected


def test_columns_of_conll_are_a_list(tmp_path):
    tags = {"type": "token-classification", "metric": "entity_f1", "positive": None}
    source = {"format": "conll", "columns": {"token": "token", "tag": "tag"}}
    expected = "source.columns: a mapping, expected a list that names every column in order."
    assert problem(tmp_path, source, **tags) == expected


@pytest.mark.parametrize(
    ("columns", "fields", "expected"),
    [
        (["token", "tag", "tag"], {}, "source.columns: 'tag' stands there 2 times."),
        (
            ["token", "tag"],
            {"positive": "PER"},
            "positive: 'PER', but of two classes alone one is positive; here are tags.",
        ),
    ],
)
def test_what_can_only_be_a_mistake_of_tags_is_told(tmp_path, columns, fields, expected):
    tags = {"type": "token-classification", "metric": "entity_f1", "positive": None, "labels": ["PER", "LOC"]}
    own = {**tags, "label_map": {}, **fields}
    assert problem(tmp_path, {"format": "conll", "columns": columns}, **own) == expected


def test_what_can_only_be_a_mistake_of_labels_is_told(tmp_path):
    three = {"labels": ["negative", "positive", "mixed"]}
    expected = "positive: 'positive', but of two classes alone one is positive; here are 3 classes."
    assert problem(tmp_path, **three) == expected
    assert problem(tmp_path, **three | {"labels": ["", "a", "positive"], "positive": None}) == (
        "labels: one of them is empty."
    )


def test_a_label_that_yaml_takes_for_something_else_is_told(tmp_path):
    found = problem(tmp_path, labels=[False, 0])
    assert "labels.0: input should be a valid string; found False." in found
    assert "labels.1: input should be a valid string; found 0." in found
    assert "2 problems" in found, "that pydantic then counts no label is no third one"


def test_every_declared_task_says_where_it_comes_from():
    for task in load_tasks().values():
        assert task.notes and task.licence, task.name
        assert task.sample or (task.homepage and task.citation), task.name
        assert bool(task.sample) == task.title.startswith("Sample:"), task.name


def test_offensive_texts_are_marked():
    assert {name for name, task in load_tasks().items() if task.offensive} == {
        "fox-news-comments",
        "hate-speech-sample",
    }
