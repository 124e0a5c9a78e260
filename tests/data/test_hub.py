"""Rows of a Hub data set: the named configuration's split, labels by name, and what is said where something isn't."""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import fake_hub
import pytest

from benchmarks import snapshots
from benchmarks.data import hub as hub_data
from benchmarks.data.loading import TaskData, load
from benchmarks.data.origins import origin_of
from benchmarks.data.records import Row
from benchmarks.errors import UserError
from benchmarks.lock import Lock, Locked, Repo
from benchmarks.schema import Hub, Splits, Task

TEXTS = {"sentence": ["a bad film", "a good film", "good"], "label": [0, 1, 1]}
TAGS = {"tokens": [["anna", "in", "berlin"], [], ["munich"]], "ner_tags": [[1, 0, 3], [], [3]]}
TAG_NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
CONFIGS = {"de": {"train": "de/train-*", "validation": "de/validation.parquet"}, "en": {"train": "en/*"}}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with fake_hub.serving() as hub:
        fake_hub.point_client_at(monkeypatch, hub.url, tmp_path / "hf")
        yield hub


@pytest.fixture
def serve(hub):
    """A function that puts files on a Hub as org/data and gives their commit."""
    return lambda files: hub.add("datasets", "org/data", files)


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


def rows(task: Task, commit: str, part: str = "train") -> list[Row]:
    assert task.hub
    return list(hub_data.rows(task.name, task.type, task.hub, part, hub_data.fetch(task.hub, commit, None).folder))


def loaded(folder: Path, commit: str, task: Task, locked: Lock | None = None) -> TaskData:
    return load(task, origin_of(task, None, {"org/data": commit}), folder / "cache", locked or Lock())


# -- what is there ---------------------------------------------------------------------------------------------------


def test_integer_labels_get_the_names_that_the_data_set_carries(serve):
    commit = serve(texts(names=["neg", "pos"]))
    assert rows(task(), commit) == [(0, "a bad film", "neg"), (1, "a good film", "pos"), (2, "good", "pos")]


def test_names_in_the_task_come_before_those_of_the_data_set(serve):
    commit = serve(texts(names=["neg", "pos"]))
    assert [row.label for row in rows(task(labels=("bad", "good")), commit)] == ["bad", "good", "good"]


@pytest.mark.parametrize("labels", [("pos", "neg"), ("good", "NEG"), ("POS", "other")])
def test_names_of_the_task_in_another_order_than_the_data_sets_are_refused(serve, labels):
    commit = serve(texts(names=["neg", "pos"]))
    with pytest.raises(UserError) as raised:
        rows(task(labels=labels), commit)
    assert f"task 'mine': hub.labels: {list(labels)}, but Hub org/data (de) numbers" in str(raised.value)
    assert "['neg', 'pos']" in str(raised.value)


def test_tags_of_the_task_in_another_order_than_the_data_sets_are_refused(serve):
    table = fake_hub.parquet(TAGS, {"ner_tags": TAG_NAMES})
    commit = serve({"README.md": fake_hub.card(CONFIGS), "de/train-0.parquet": table, "de/validation.parquet": table})
    swapped = (TAG_NAMES[0], *reversed(TAG_NAMES[1:]))
    with pytest.raises(UserError, match=r"hub\.labels: \['O', "):
        rows(task(columns={"tokens": "tokens", "tags": "ner_tags"}, labels=swapped), commit)


def test_names_of_the_task_in_the_data_sets_order_are_taken_in_the_tasks_letters(serve):
    commit = serve(texts(names=["neg", "pos"]))
    assert [row.label for row in rows(task(labels=("NEG", "Pos")), commit)] == ["NEG", "Pos", "Pos"]


def test_integers_without_names_stand_for_themselves(serve):
    assert [row.label for row in rows(task(), serve(texts()))] == ["0", "1", "1"]


def test_labels_that_are_texts_stay_as_they_are(serve):
    commit = serve(texts({**TEXTS, "label": ["a", "b", "b"]}))
    assert [row.label for row in rows(task(), commit)] == ["a", "b", "b"]


def test_several_columns_are_joined_by_a_space(serve):
    commit = serve(texts({**TEXTS, "title": ["x", "y", "z"]}))
    assert rows(task(columns={"text": "title + sentence", "label": "label"}), commit)[0].text == "x a bad film"


@pytest.mark.parametrize("named_by", ["task", "data set"])
def test_tags_get_their_names_and_a_row_without_tokens_is_no_item(serve, named_by):
    table = fake_hub.parquet(TAGS, {"ner_tags": TAG_NAMES} if named_by == "data set" else None)
    commit = serve({"README.md": fake_hub.card(CONFIGS), "de/train-0.parquet": table, "de/validation.parquet": table})
    labels = TAG_NAMES if named_by == "task" else []
    found = rows(task(columns={"tokens": "tokens", "tags": "ner_tags"}, labels=tuple(labels)), commit)
    assert found == [
        ([0, 0, 0], ["anna", "in", "berlin"], ["B-PER", "O", "B-LOC"]),
        ([2], ["munich"], ["B-LOC"]),
    ]


def test_files_of_one_split_are_read_in_the_order_of_their_names(serve):
    first, second = (fake_hub.parquet({"sentence": [text], "label": [0]}) for text in ("first", "second"))
    commit = serve({**texts(), "de/train-2.parquet": second, "de/train-1.parquet": first})
    assert [row.text for row in rows(task(), commit)][-2:] == ["first", "second"]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # datasets 5.2 leaves a CSV to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # which says so in this way
def test_csv_and_json_lines_are_read_too(serve):
    configs = {"de": {"train": "train.csv", "validation": "test.jsonl"}}
    files = {"train.csv": b"sentence,label\ngood,1\n", "test.jsonl": b'{"sentence": "bad", "label": 0}\n'}
    commit = serve({"README.md": fake_hub.card(configs), **files})
    assert rows(task(), commit) == [(0, "good", "1")]
    assert rows(task(), commit, "test") == [(0, "bad", "0")]
    gc.collect()


def test_without_declared_configurations_the_splits_are_found_by_the_names_of_the_files(serve):
    table = fake_hub.parquet(TEXTS, {"label": ["neg", "pos"]})
    commit = serve({"data/train-0.parquet": table, "data/validation-0.parquet": table, "data.zip": b"no"})
    assert len(rows(task(config=None), commit, "test")) == 3


def test_a_task_is_loaded_from_the_hub_at_the_commit_with_its_labels_as_ids(serve, tmp_path):
    commit = serve(texts(names=["negative", "positive"]))
    data = loaded(tmp_path, commit, task())
    assert data.splits["test"][:] == {
        "row_id": ["test:0", "test:1", "test:2"], "text": TEXTS["sentence"], "label": [0, 1, 1]
    }  # fmt: skip
    assert (data.provenance["source"], data.provenance["revision"]) == ("hub", commit)


def test_a_table_of_a_commit_is_kept_and_its_files_are_verified_by_the_lock_all_the_same(serve, tmp_path):
    commit = serve(texts(names=["negative", "positive"]))
    assert loaded(tmp_path, commit, task())
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    files = hub_data.fetch(task().hub, commit, None).checksums()
    lock = Lock().with_entry(Repo("dataset", "org/data"), Locked(commit=commit, files=files))
    assert loaded(tmp_path, commit, task(), lock)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == before
    other = Locked(commit=commit, files={**files, "de/train-0.parquet": "0" * 64})
    with pytest.raises(UserError, match=r"train-0.parquet: not the locked file: sha256 [0-9a-f]{64}, expected 0{64}"):
        loaded(tmp_path, commit, task(), lock.with_entry(Repo("dataset", "org/data"), other))


def test_a_locked_data_set_is_asked_for_once_and_leaves_the_caches_main_alone(serve, hub, tmp_path):
    commit = serve(texts(names=["negative", "positive"]))
    lock = Lock().with_entry(Repo("dataset", "org/data"), Locked(commit=commit, files={}))
    assert loaded(tmp_path, commit, task(), lock)
    assert len([request for request in hub.requests if request.endswith("README.md") and request[:3] == "GET"]) == 1
    assert snapshots.cached_commit(Repo("dataset", "org/data")) is None


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
        ({"labels": ("only",)}, "train:1: label: 1, expected 0 to 0 (only)."),
    ],
)
def test_what_the_data_set_has_not_is_told_with_what_it_has(serve, changes, said):
    commit = serve(texts())
    with pytest.raises(UserError) as raised:
        rows(task(**changes), commit)
    assert said in str(raised.value)


def test_an_unpublished_label_is_told(serve):
    commit = serve(texts({**TEXTS, "label": [0, 1, -1]}))
    with pytest.raises(
        UserError, match=r"train:2: label: -1, expected 0 to 1 \(a, b\); the labels .* not be published"
    ):
        rows(task(labels=("a", "b")), commit)


def test_a_missing_text_is_told_with_its_row(serve):
    commit = serve(texts({**TEXTS, "sentence": ["a", None, "b"]}))
    with pytest.raises(UserError, match="train:1: sentence: None is NoneType, expected a text"):
        rows(task(), commit)


def test_half_a_character_and_a_token_that_is_none_are_told_with_their_row(serve):
    configs = {"de": {"train": "train.jsonl", "validation": "train.jsonl"}}
    half = {"README.md": fake_hub.card(configs), "train.jsonl": b'{"sentence": "\\ud83d", "label": 0}\n'}
    with pytest.raises(UserError, match=r"Hub org/data \(de\), train:0: "):
        rows(task(), serve(half))
    table = fake_hub.parquet({"tokens": [["a"], ["b", None]], "ner_tags": [[0], [0, 0]]})
    commit = serve({"README.md": fake_hub.card(CONFIGS), "de/train-0.parquet": table, "de/validation.parquet": table})
    with pytest.raises(UserError, match="train:1: tokens: None is NoneType, expected a text"):
        rows(task(columns={"tokens": "tokens", "tags": "ner_tags"}, labels=("O",)), commit)


def test_a_strange_label_is_told_with_its_row(serve, tmp_path):
    commit = serve(texts({**TEXTS, "label": ["negative", "positive", "positiv"]}))
    said = r"Hub org/data \(de\), train:2: 'positiv' is no label of mine. Did you mean 'positive'\?"
    with pytest.raises(UserError, match=said):
        loaded(tmp_path, commit, task())


def test_a_disk_that_takes_no_file_is_told_under_its_own_name(serve, tmp_path, monkeypatch):
    from huggingface_hub import constants

    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hf"))
    with pytest.raises(UserError, match=r"file/hf.*: Not a directory \(while dataset 'org/data' was fetched\)"):
        rows(task(), serve(texts()))


@pytest.mark.parametrize("ask_hub", [False, True])
def test_names_that_the_hub_can_not_have_are_told_together_whether_it_is_asked_or_not(hub, ask_hub):
    strange = [Repo("dataset", "two words/and more"), Repo("encoder", "org/na..me"), Repo("encoder", "org/name")]
    with pytest.raises(UserError) as told:
        snapshots.commits_of(strange, ask_hub)
    for name in ("dataset 'two words/and more'", "encoder 'org/na..me'"):
        assert re.search(f"^{re.escape(name)}: .*can't be fetched from the Hub", str(told.value), re.MULTILINE)
    assert "org/name" not in str(told.value)


def test_tokens_and_tags_of_different_number_are_told(serve):
    table = fake_hub.parquet({"tokens": [["a", "b"]], "ner_tags": [[0]]})
    commit = serve({"README.md": fake_hub.card(CONFIGS), "de/train-0.parquet": table, "de/validation.parquet": table})
    with pytest.raises(UserError, match="train:0: 2 tokens, 1 tags"):
        rows(task(columns={"tokens": "tokens", "tags": "ner_tags"}, labels=("O",)), commit)


def test_a_file_that_is_no_parquet_is_told(serve):
    with pytest.raises(UserError, match=r"Hub org/data \(de\), train.*can.t be read"):
        rows(task(), serve({**texts(), "de/train-0.parquet": b"not parquet"}))


def test_a_card_that_points_outside_of_the_data_set_is_refused(serve, tmp_path: Path):
    commit = serve({**texts(), "README.md": fake_hub.card({"de": {"train": "../../secret.csv"}})})
    with pytest.raises(UserError, match="outside of the data set"):
        rows(task(), commit)
