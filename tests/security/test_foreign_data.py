"""Declarations and data of strangers are read as data: nothing in them runs, and they reach no other file."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fake_hub
import make
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.cli import main
from benchmarks.data import hub as hub_data
from benchmarks.data.readers import read_tar
from benchmarks.data.records import Row
from benchmarks.data.tables import cached
from benchmarks.definitions import load_claims, load_systems, load_task, read_yaml
from benchmarks.embeddings.store import Vectors, find, key_of, write
from benchmarks.errors import UserError
from benchmarks.schema import TEXTS, File, Hub, Source

COLUMNS = {"text": ["bad", "good"], "label": ["negative", "positive"]}
TABLE = fake_hub.parquet(COLUMNS)


def task_file(folder: Path, *replaced: str) -> Path:
    """A small task's, with these texts replaced, in pairs."""
    path = make.text_task(folder)
    for old, new in zip(replaced[::2], replaced[1::2], strict=True):
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    return path


# -- declarations ----------------------------------------------------------------------------------------------------

TAGS = {
    "python/object/apply": "!!python/object/apply:os.mkdir ['{}']",
    "python/object/new": "!!python/object/new:os.mkdir ['{}']",
    "python/name": "!!python/name:os.mkdir",
    "python/module": "!!python/module:evil",
    "python/object": "!!python/object:evil.Model {{}}",
    "an own one": "!function evil.Model",
}


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("read", [load_task, load_systems, lambda path: load_claims({}, {}, path)])
def test_yaml_that_asks_for_a_python_object_is_refused(tmp_path, mark, monkeypatch, read, tag):
    (tmp_path / "evil.py").write_text(mark.code)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "task.yaml"
    path.write_text(f"title: {TAGS[tag].format(mark.path)}\n")
    with pytest.raises(UserError, match="not valid YAML: could not determine a constructor for the tag"):
        read(path)
    assert not mark.left()


def test_a_declaration_holds_no_sign_that_moves_a_terminal(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text('title: "\\e]52;c;ZXZpbA==\\a"\n')
    with pytest.raises(UserError, match="holds a control character") as raised:
        read_yaml(path)
    assert "\x1b" not in str(raised.value)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("place", ["title", "labels", "label_map", "x"])
def test_anchors_that_blow_up_or_hold_themselves_take_no_time(tmp_path, place):
    path = tmp_path / "task.yaml"
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 14)]
    path.write_text("\n".join(["a0: &a0 [lol, lol]", *levels, f"{place}: *a13"]))
    with pytest.raises(UserError, match="more than 50,000 values, counting what aliases stand for"):
        load_task(path)
    path.write_text(f"{place}: &a [*a]")
    with pytest.raises(UserError, match="recursive node"):
        load_task(path)


@pytest.mark.parametrize("place", ["/etc", "..", "a/../..", "a/../../b"])
def test_a_task_names_no_folder_or_file_outside_of_the_data_folder(tmp_path, place):
    with pytest.raises(UserError, match=r"source\.folder: .* expected a folder inside of the data folder"):
        load_task(task_file(tmp_path, "folder: mine", f"folder: {place}"))
    with pytest.raises(UserError, match="must lie inside the source's folder"):
        load_task(task_file(tmp_path, "path: train.csv", f"path: {place}/passwd"))


# -- published files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_is_never_unpacked_and_its_links_are_not_followed(tmp_path, kind):
    (tmp_path / "secret.txt").write_text("secret")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("a/../../x.txt")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("pos/1.txt")
        link.type, link.linkname = kind, str(tmp_path / "secret.txt")
        archive.addfile(link)
    source = Source(folder=".", format="tar", files={})
    with pytest.raises(UserError, match="a link or device, expected a regular file"):
        list(read_tar(tmp_path / "a.tar", File(path="a.tar", label="a", member="pos/*.txt"), source))
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "secret.txt"}


@pytest.mark.parametrize("name", ["train.csv", "train.jsonl"])
def test_a_data_file_that_is_a_pickle_is_no_data(here, mark, capsys, name):
    task_file(here, "format: csv", f"format: {name.rpartition('.')[2]}", "path: train.csv", f"path: {name}")
    (here / "data" / "mine" / name).write_bytes(mark.pickled)
    assert main(["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority"]) == 2
    assert f"{name}:1: " in capsys.readouterr().err
    assert not mark.left()


def test_a_published_file_with_another_checksum_is_not_read(here, capsys):
    task_file(here, "path: train.csv", f"path: train.csv, sha256: {'a' * 64}")
    assert main(["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority"]) == 2
    assert "train.csv: not the published file: sha256 " in capsys.readouterr().err


# -- data sets of the Hub --------------------------------------------------------------------------------------------


def of_hub(**fields: Any) -> Hub:
    columns = {"text": "text", "label": "label"}
    return Hub(**{"path": "org/data", "parts": {"train": "train"}, "columns": columns, **fields})


def rows(hub: fake_hub.FakeHub, files: dict[str, bytes], **fields: Any) -> list[Row]:
    commit = hub.add("datasets", "org/data", files)
    folder = hub_data.fetch(of_hub(**fields), commit, None).folder
    return list(hub_data.rows("mine", TEXTS, of_hub(**fields), "train", folder))


def test_scripts_pickles_and_arrays_beside_the_data_are_neither_fetched_nor_read(hub, mark, tmp_path):
    array = io.BytesIO()
    np.save(array, np.array([mark.object], dtype=object), allow_pickle=True)
    bad = {"data.py": mark.code.encode(), "org.py": mark.code.encode(), "train.pkl": mark.pickled,
           "train.pickle": mark.pickled, "train.npy": array.getvalue(), "dataset.pt": mark.pickled}  # fmt: skip
    assert len(rows(hub, {**bad, "train.parquet": TABLE})) == 2
    assert not mark.left()
    assert not [path for path in (tmp_path / "hf").rglob("*") if path.name in bad]


@pytest.mark.parametrize("name", ["train.pkl", "train.npy", "train.py", "train.tar", "train.arrow", "train.txt"])
def test_a_card_that_names_pickles_arrays_or_scripts_as_data_is_refused(hub, mark, name):
    card = fake_hub.card({"default": {"train": name}})
    with pytest.raises(UserError, match=r"can't be read: \.\w+ suffix\. One of: \.parquet, \.csv"):
        rows(hub, {"README.md": card, name: mark.pickled})
    assert not mark.left()


CARDS = {
    "a folder above": "data_dir: ../../../secret",
    "a folder of its own": "data_dir: /secret",
    "a home": "data_dir: ~/secret",
    "a file above": "data_files: ../../../secret/train.csv",
    "one of several": "data_files: [train.csv, ../../../secret/train.csv]",
    "of a split": "data_files: [{split: train, path: [/secret/train.csv]}]",
    "an address": "data_files: https://elsewhere.example/train.csv",
    "a chain": "data_files: 'zip://train.csv::https://elsewhere.example/a.zip'",
}


@pytest.mark.parametrize("kind", CARDS)
def test_a_card_reaches_no_file_outside_of_its_data_set_and_no_address(hub, tmp_path, kind):
    secret = tmp_path / "secret" / "train.csv"
    secret.parent.mkdir()
    secret.write_text("text,label\nsecret,positive\n")
    card = f"---\nconfigs:\n- config_name: default\n  {CARDS[kind]}\n---\n".replace("/secret", str(secret.parent))
    with pytest.raises(UserError, match="is outside of the data set"):
        rows(hub, {"README.md": card.encode(), "train.csv": b"text,label\na,positive\n"})


def test_settings_of_a_data_set_that_another_program_has_fetched_are_not_followed(hub, tmp_path):
    commit = hub.add("datasets", "org/data", {"train.parquet": TABLE})
    folder = hub_data.fetch(of_hub(), commit, None).folder
    (folder / ".huggingface.yaml").write_text("configs: [{config_name: default, data_dir: /}]")
    with pytest.raises(UserError, match=r"\.huggingface\.yaml: is not read here"):
        list(hub_data.rows("mine", TEXTS, of_hub(), "train", folder))


@pytest.fixture
def listener():
    """An address, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815  the server asks for this name

        def log_message(self, *arguments: object) -> None:
            """Not on the tests' screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/picture.png", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("configured", [True, False])
def test_an_address_in_a_column_of_pictures_is_never_opened(hub, listener, configured):
    from datasets import Dataset, Features, Image, Value

    address, asked = listener
    features = Features({"text": Value("string"), "label": Value("string"), "picture": Image()})
    pictures = [{"path": address, "bytes": None}] * 2
    stream = io.BytesIO()
    pq.write_table(Dataset.from_dict({**COLUMNS, "picture": pictures}, features=features).data.table, stream)
    card = {"README.md": fake_hub.card({"default": {"train": "train.parquet"}})} if configured else {}
    assert len(rows(hub, {**card, "train.parquet": stream.getvalue()})) == 2
    assert asked == []


def with_pickled_type(mark: Any) -> pa.Table:
    """As pyarrow wrote types of Python before version 15: read again, the type was unpickled (CVE-2023-47248)."""
    pickled = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": mark.pickled}
    fields = [pa.field("text", pa.string(), metadata=pickled), pa.field("label", pa.string())]
    return pa.table(COLUMNS, schema=pa.schema(fields))


def test_a_type_of_parquet_that_is_a_pickle_is_not_unpickled(hub, mark):
    stream = io.BytesIO()
    pq.write_table(with_pickled_type(mark), stream)
    rows(hub, {"train.parquet": stream.getvalue()})
    assert not mark.left()


# -- caches ----------------------------------------------------------------------------------------------------------


def test_a_prepared_table_that_was_replaced_by_a_pickle_is_made_anew(tmp_path, mark):
    task = load_task(make.text_task(tmp_path))
    record = {"row_id": "test:0", "text": "good", "label": 1}

    def table() -> list[dict[str, Any]]:
        return cached(lambda: [record], task, "content", tmp_path / "cache").to_list()

    assert table() == [record]
    (path,) = (tmp_path / "cache").glob("*.arrow")
    path.write_bytes(mark.pickled)
    assert table() == [record]
    schema = pa.schema([pa.field("text", pa.string(), metadata=with_pickled_type(mark).schema.field("text").metadata)])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch({"text": ["other"]}, schema=schema))
    table()
    assert not mark.left()


@pytest.mark.parametrize("kind", ["a pickle", "an array of objects", "another's vectors"])
def test_vectors_that_were_replaced_are_not_read(tmp_path, mark, kind):
    folder, key = tmp_path / "vectors", key_of("good")
    write([Vectors(key, False, 0.1, np.ones((1, 4), dtype=np.float32))], folder)
    assert find([key], folder)
    (path,) = folder.glob("*.arrow")
    if kind == "another's vectors":
        write([Vectors(key, False, 0.1, np.zeros((1, 4), dtype=np.float32))], tmp_path / "other")
        (other,) = (tmp_path / "other").glob("*.arrow")
        other.replace(path)
    else:
        array = io.BytesIO()
        np.save(array, np.array([mark.object], dtype=object), allow_pickle=True)
        path.write_bytes(mark.pickled if kind == "a pickle" else array.getvalue())
    assert find([key], folder) == {}
    assert not mark.left()


def test_a_lock_in_a_shared_cache_that_is_a_link_changes_nothing_where_it_leads(tmp_path):
    task = load_task(make.text_task(tmp_path))
    victim, cache = tmp_path / "victim", tmp_path / "cache"
    victim.write_text("mine")
    before = victim.stat().st_mode
    record = {"row_id": "test:0", "text": "good", "label": 1}
    cached(lambda: [record], task, "content", cache)
    (lock,) = cache.glob(".*.lock")
    (table,) = cache.glob("*.arrow")
    lock.unlink()
    table.unlink()
    lock.symlink_to(victim)
    with pytest.raises(UserError, match="the cache folder can't be written"):
        cached(lambda: [record], task, "content", cache)
    assert victim.read_text() == "mine" and victim.stat().st_mode == before


def test_a_lock_file_that_is_a_pickle_is_no_lock(here, mark, capsys):
    make.text_task(here)
    Path("encoder-bench.lock").write_bytes(pickle.dumps(mark.object))
    assert main(["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority"]) == 2
    assert "encoder-bench.lock: can't be read" in capsys.readouterr().err
    outside = {"encoders": {"../../x": {"commit": "../../x", "files": {}}}}
    Path("encoder-bench.lock").write_text(json.dumps(outside))
    assert main(["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", "majority"]) == 2
    assert not mark.left()
