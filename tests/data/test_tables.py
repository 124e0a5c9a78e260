"""What each format gives, held to the letter: kept tables are used again as long as `TABLES_VERSION` stands."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import fake_hub

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.readers import READERS
from benchmarks.data.tables import TABLES_VERSION
from benchmarks.lock import Lock
from benchmarks.schema import TAGS, TEXTS, Task

VERSION = 2
GIVES = {
    "jsonl": [("A  b\u2028c\u00a0", 1), ("d ", 0)],
    "csv": [('x a, "b"\nc', 0), ("y   d ", 1)],
    "tsv": [('"open  b "', 1), ("c ", 0)],
    "lines": [("a \x85 b", 1), ("c\x0cd", 1), ("", 1), (" e", 1)],
    "tar": [("b\r\n", 1), ("a <br />\n\nc", 1), ("ü", 0)],
    "conll": [(["Ann", "#"], [1, 1]), (["\u00a0x", "Rom"], [0, 3])],
    "hub texts": [("a c ", 1), (" b ", 0)],
    "hub tags": [(["Ann", "x"], [1, 0]), (["Rom"], [3])],
}
"""Where a reader gives something else, raise TABLES_VERSION, and VERSION here: a table that was kept of the same files
must not be taken for what the reader gives now."""

TEXT_COLUMNS = {"text": "title + text", "label": "label"}
JSONL = (
    '{"title": "A", "text": " b\\u2028c\\u00a0", "label": 1}\n\n{"text": "", "title": "d", "label": "neg", "more": []}'
)
CSV = '\ufefflabel,text,title\r\nneg,"a, ""b""\nc",x\r\n\r\n1,  d ,y'
TSV = 'title\ttext\tlabel\n"open \tb "\t1\nc\t\tneg\n'
LINES = b"a \x85 b\nc\x0cd\r\n\n e"
CONLL = "-DOCSTART-\n\n#\tsource\n1\tde:Ann\tB-PER\n2\tde:#\tI-PERderiv\n \n\n3\tde:\u00a0x\tO\t\n4\tde:Rom\tI-LOC"


def archive() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in [("r/1/b.txt", b"b\r\n"), ("./r/1/a.txt", b"a <br />\n\nc"), ("r/0/c.txt", "ü".encode())]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


FORMATS = {
    "jsonl": (JSONL.encode(), {"columns": TEXT_COLUMNS}, [{}]),
    "csv": (CSV.encode(), {"columns": TEXT_COLUMNS}, [{}]),
    "tsv": (TSV.encode(), {"columns": TEXT_COLUMNS, "quoting": False}, [{}]),
    "lines": (gzip.compress(LINES), {"encoding": "latin-1"}, [{"label": "1"}]),
    "tar": (archive(), {}, [{"label": label, "member": f"r/{label}/*.txt"} for label in ("1", "0")]),
    "conll": (
        CONLL.encode(), {"columns": ["index", "token", "tag"], "comment": "#", "token_prefix": "de:"}, [{}]
    ),
}  # fmt: skip


def task(task_type: str, **fields: object) -> Task:
    names = ["PER", "LOC"] if task_type == TAGS else ["negative", "positive"]
    renamed = {"PERderiv": "PER"} if task_type == TAGS else {"0": "negative", "neg": "negative", "1": "positive"}
    return Task.model_validate({
        "name": "mine", "title": "t", "group": "g", "language": "en", "type": task_type, "metric": "m",
        "labels": names, "label_map": renamed, "splits": {"train": "train", "test": "train"}, **fields,
    })  # fmt: skip


def of_files(folder: Path, fmt: str) -> Task:
    content, source, files = FORMATS[fmt]
    (folder / fmt).mkdir()
    (folder / fmt / "file").write_bytes(content)
    declared = {
        "folder": fmt,
        "format": fmt,
        "files": {"train": [{"path": "file", **file} for file in files]},
        **source,
    }
    return task(TAGS if fmt == "conll" else TEXTS, source=declared)


def of_the_hub(columns: dict[str, str], config: str) -> Task:
    hub = {"path": "org/data", "config": config, "parts": {"train": "all"}, "columns": columns}
    return task(TAGS if "tokens" in columns else TEXTS, hub=hub)


def hub_files() -> dict[str, bytes]:
    texts = {"title": ["a", " b"], "text": ["c ", ""], "label": [1, 0]}
    tags = {"tokens": [["Ann", "x"], [], ["Rom"]], "tags": [[1, 0], [], [2]]}
    configs = {"texts": {"all": "texts/*"}, "tags": {"all": "tags/*"}}
    return {
        "README.md": fake_hub.card(configs),
        "texts/1.parquet": fake_hub.parquet(texts, {"label": ["neg", "positive"]}),
        "tags/1.parquet": fake_hub.parquet(tags, {"tags": ["O", "B-PERderiv", "I-LOC"]}),
    }


def rows(asked: Task, data_dir: Path | None, commits: dict[str, str], cache: Path) -> list[tuple[object, object]]:
    table = load(asked, origin_of(asked, data_dir, commits), cache, Lock()).tables["train"]
    assert table["row_id"][:] == [f"train:{number}" for number in range(len(table))]
    text, label = ("tokens", "tags") if asked.type == TAGS else ("text", "label")
    return list(zip(table[text], table[label], strict=True))


def test_every_format_gives_the_tables_that_this_version_has_always_given(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    found = {fmt: rows(of_files(tmp_path, fmt), tmp_path, {}, cache) for fmt in FORMATS}
    with fake_hub.serving() as hub:
        fake_hub.point_client_at(monkeypatch, hub.url, tmp_path / "hf")
        commits = {"org/data": hub.add("datasets", "org/data", hub_files())}
        for config, columns in {"texts": TEXT_COLUMNS, "tags": {"tokens": "tokens", "tags": "tags"}}.items():
            found[f"hub {config}"] = rows(of_the_hub(columns, config), None, commits, cache)
    assert found == GIVES
    assert set(FORMATS) == set(READERS)
    assert TABLES_VERSION == VERSION
