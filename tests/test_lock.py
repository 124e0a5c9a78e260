"""The lock: what it holds, that it reads back, and what a broken one is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import lock
from benchmarks.errors import UserError
from benchmarks.lock import Lock, Locked, Repo

BERT, SAME_ID = Repo("encoder", "org/bert"), Repo("dataset", "org/bert")
OLD, NEW = "a" * 40, "b" * 40
ONE, TWO = "1" * 64, "2" * 64


def test_no_file_is_an_empty_lock(tmp_path):
    assert lock.read(tmp_path / lock.NAME) == Lock()


def test_a_written_lock_reads_back_and_is_sorted_text_that_does_not_depend_on_the_order_of_locking(tmp_path):
    entry = Locked(commit=OLD, files={"b": ONE, "a": TWO})
    first = Lock().with_entry(BERT, entry).with_entry(Repo("encoder", "org/a"), entry)
    second = Lock().with_entry(Repo("encoder", "org/a"), entry).with_entry(BERT, entry)
    lock.write(first, tmp_path / "one")
    lock.write(second, tmp_path / "two")
    text = (tmp_path / "one").read_text()
    assert text == (tmp_path / "two").read_text()
    assert text.index("org/a") < text.index("org/bert")
    assert lock.read(tmp_path / "one") == first


def test_an_encoder_and_a_data_set_of_the_same_id_are_kept_apart():
    both = Lock().with_entry(BERT, Locked(commit=OLD, files={})).with_entry(SAME_ID, Locked(commit=NEW, files={}))
    assert both.commits("encoder") == {"org/bert": OLD}
    assert both.commits("dataset") == {"org/bert": NEW}


def test_files_of_the_same_commit_are_added_and_those_of_another_commit_are_forgotten():
    first = Lock().with_entry(SAME_ID, Locked(commit=OLD, files={"de.parquet": ONE}))
    same = first.with_entry(SAME_ID, Locked(commit=OLD, files={"en.parquet": TWO})).entry(SAME_ID)
    other = first.with_entry(SAME_ID, Locked(commit=NEW, files={"en.parquet": TWO})).entry(SAME_ID)
    assert same is not None and same.files == {"de.parquet": ONE, "en.parquet": TWO}
    assert other is not None and other.files == {"en.parquet": TWO}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n<<<<<<< HEAD\n", "encoder-bench.lock:2: not valid JSON"),
        ("[]", "holds list, expected 'encoders' and 'datasets'"),
        ('{"encoder": {}}', "encoder: no such field. Did you mean 'encoders'?"),
        ('{"schema": 2}', "schema: 2 is not allowed"),
        ('{"encoders": {"org/bert": {"files": {}}}}', "encoders.org/bert.commit: required, and not given."),
        (json.dumps({"datasets": {"x": {"commit": "main", "files": {}}}}), "datasets.x.commit: string should match"),
        (json.dumps({"datasets": {"x": {"commit": OLD, "files": {"f": "0"}}}}), "datasets.x.files.f: string should"),
    ],
)
def test_a_broken_lock_says_file_field_and_what_is_allowed(tmp_path, text, said):
    path = tmp_path / lock.NAME
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        lock.read(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)


def test_a_lock_that_is_a_folder_or_no_text_is_the_users_to_mend(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, Path(tmp_path / "binary")):
        with pytest.raises(UserError, match="can't be read"):
            lock.read(path)
