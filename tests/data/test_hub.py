"""Rows of a Hub data set: the named configuration's split, labels by name, and what is said where something isn't."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import fake_hub
import pytest

from benchmarks.data import hub as hub_data
from benchmarks.data import load, origin_of
from benchmarks.errors import UserError
from benchmarks.schema import Hub, Splits, Task

TEXTS = {"sentence": ["a bad film", "a good film", "good"], "label": [0, 1, 1]}
TAGS = {"tokens": [["anna", "in", "berlin"], [], ["munich"]], "ner_tags": [[1, 0, 3], [], [3]]}
TAG_NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
CONFIGS = {"de": {"train": "de/train-*", "validation": "de/validation.parquet"}, "en": {"train": "en/*"}}


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """A function that puts files on a Hub as org/data and gives their commit."""
    with fake_hub.serving() as hub:
        fake_hub.point_client_at(monkeypatch, hub.url, tmp_path / "hf")
        yield lambda files: hub.add("datasets", "org/data", files)


def task(**hub: Any) -> Task:
    text = {"text": "sentence", "label": "label"}
    fields = {"path": "org/data", "config": "de", "parts": {"train": "train", "test": "validation"}, "columns": text}
    tags = "tokens" in hub.get("columns", {})
    return Task(
        name="mine", title="Mine", group="mine", language="en",
        type="token-classification" if tags else "text-classification",
        metric="entity_f1" if tags else "accuracy",
        labels=("PER", "LOC") if tags else ("negative", "positive"),
        splits=Splits(train="train", test="test"),
        hub=Hub(**{**fields, **hub}),
    )  # fmt: skip


def texts(columns: dict[str, list[Any]] = TEXTS, names: list[str] | None = None) -> dict[str, bytes]:
    table = fake_hub.parquet(columns, {"label": names} if names else None)
    files = ("de/train-0.parquet", "de/validation.parquet", "en/train.parquet")
    return {"README.md": fake_hub.card(CONFIGS), **dict.fromkeys(files, table)}


def rows(task: Task, commit: str, part: str = "train") -> list[dict[str, Any]]:
    return list(hub_data.rows(task, part, commit))


# -- what is there ---------------------------------------------------------------------------------------------------


def test_integer_labels_get_the_names_that_the_data_set_carries(serve):
    commit = serve(texts(names=["neg", "pos"]))
    found = [(row["text"], row["label"]) for row in rows(task(), commit)]
    assert found == [("a bad film", "neg"), ("a good film", "pos"), ("good", "pos")]


def test_names_in_the_task_come_before_those_of_the_data_set(serve):
    commit = serve(texts(names=["neg", "pos"]))
    assert [row["label"] for row in rows(task(labels=("bad", "good")), commit)] == ["bad", "good", "good"]


def test_integers_without_names_stand_for_themselves(serve):
    assert [row["label"] for row in rows(task(), serve(texts()))] == ["0", "1", "1"]


def test_labels_that_are_texts_stay_as_they_are(serve):
    commit = serve(texts({**TEXTS, "label": ["a", "b", "b"]}))
    assert [row["label"] for row in rows(task(), commit)] == ["a", "b", "b"]


def test_several_columns_are_joined_by_a_space(serve):
    commit = serve(texts({**TEXTS, "title": ["x", "y", "z"]}))
    assert rows(task(columns={"text": "title + sentence", "label": "label"}), commit)[0]["text"] == "x a bad film"


@pytest.mark.parametrize("named_by", ["task", "data set"])
def test_tags_get_their_names_and_a_row_without_tokens_is_no_item(serve, named_by):
    table = fake_hub.parquet(TAGS, {"ner_tags": TAG_NAMES} if named_by == "data set" else None)
    commit = serve({"README.md": fake_hub.card(CONFIGS), "de/train-0.parquet": table, "de/validation.parquet": table})
    labels = TAG_NAMES if named_by == "task" else []
    found = rows(task(columns={"tokens": "tokens", "tags": "ner_tags"}, labels=tuple(labels)), commit)
    assert found == [
        {"tokens": ["anna", "in", "berlin"], "tags": ["B-PER", "O", "B-LOC"]}, {"tokens": ["munich"], "tags": ["B-LOC"]}
    ]  # fmt: skip


def test_files_of_one_split_are_read_in_the_order_of_their_names(serve):
    first, second = (fake_hub.parquet({"sentence": [text], "label": [0]}) for text in ("first", "second"))
    commit = serve({**texts(), "de/train-2.parquet": second, "de/train-1.parquet": first})
    assert [row["text"] for row in rows(task(), commit)][-2:] == ["first", "second"]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # datasets 5.2 leaves a CSV to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # which says so in this way
def test_csv_and_json_lines_are_read_too(serve):
    configs = {"de": {"train": "train.csv", "validation": "test.jsonl"}}
    files = {"train.csv": b"sentence,label\ngood,1\n", "test.jsonl": b'{"sentence": "bad", "label": 0}\n'}
    commit = serve({"README.md": fake_hub.card(configs), **files})
    assert rows(task(), commit) == [{"text": "good", "label": "1"}]
    assert rows(task(), commit, "test") == [{"text": "bad", "label": "0"}]
    gc.collect()


def test_without_declared_configurations_the_splits_are_found_by_the_names_of_the_files(serve):
    table = fake_hub.parquet(TEXTS, {"label": ["neg", "pos"]})
    commit = serve({"data/train-0.parquet": table, "data/validation-0.parquet": table, "data.zip": b"no"})
    assert len(rows(task(config=None), commit, "test")) == 3


def test_a_task_is_loaded_from_the_hub_at_the_commit_with_its_labels_as_ids(serve, tmp_path):
    commit = serve(texts(names=["negative", "positive"]))
    loaded = load(task(), origin_of(task(), None, {"org/data": commit}), tmp_path / "cache")
    assert loaded.splits["test"]["label"] == [0, 1, 1]
    assert loaded.provenance["revision"] == commit


# -- what isn't ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": "dee"}, "config: no 'dee'. Did you mean 'de'? One of: de, en."),
        ({"config": None}, "config: required, as the data set has several. One of: de, en."),
        (
            {"parts": {"train": "trian"}},
            "hub.parts.train: no split 'trian' in Hub org/data (de). Did you mean 'train'?",
        ),
        (
            {"columns": {"text": "sentense", "label": "label"}},
            "hub.columns.text: no column 'sentense' in Hub org/data (de). Did you mean 'sentence'? One of: sentence, ",
        ),
        ({"columns": {"text": "sentence"}}, "hub.columns: 'label' is required, and not given."),
        ({"labels": ("only",)}, "train:1: label 1, expected 0 to 0 (only)."),
    ],
)
def test_what_the_data_set_has_not_is_told_with_what_it_has(serve, changes, said):
    commit = serve(texts())
    with pytest.raises(UserError) as raised:
        rows(task(**changes), commit)
    assert said in str(raised.value)


def test_an_unpublished_label_is_told(serve):
    commit = serve(texts({**TEXTS, "label": [0, 1, -1]}))
    with pytest.raises(UserError, match=r"train:2: label -1, expected 0 to 1 \(a, b\); the labels .* not be published"):
        rows(task(labels=("a", "b")), commit)


def test_a_missing_text_is_told_with_its_row(serve):
    commit = serve(texts({**TEXTS, "sentence": ["a", None, "b"]}))
    with pytest.raises(UserError, match="train:1: sentence: None is NoneType, expected a text"):
        rows(task(), commit)


def test_tokens_and_tags_of_different_number_are_told(serve):
    table = fake_hub.parquet({"tokens": [["a", "b"]], "ner_tags": [[0]]})
    commit = serve({"README.md": fake_hub.card(CONFIGS), "de/train-0.parquet": table, "de/validation.parquet": table})
    with pytest.raises(UserError, match="train:0: 2 tokens, 1 tags"):
        rows(task(columns={"tokens": "tokens", "tags": "ner_tags"}, labels=("O",)), commit)


def test_a_file_that_is_no_parquet_is_told(serve):
    with pytest.raises(UserError, match=r"Hub org/data, train.*can.t be read"):
        rows(task(), serve({**texts(), "de/train-0.parquet": b"not parquet"}))


def test_a_card_that_points_outside_of_the_data_set_is_refused(serve, tmp_path: Path):
    commit = serve({**texts(), "README.md": fake_hub.card({"de": {"train": "../../secret.csv"}})})
    with pytest.raises(UserError, match="outside of the data set"):
        rows(task(), commit)
