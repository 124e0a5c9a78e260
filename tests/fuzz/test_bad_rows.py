"""Published files of any content, under any declaration of how they are read, give rows or one message."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from encodings.aliases import aliases
from pathlib import Path

import pytest
import yaml
from bad import accepted_or_told, damaged, inputs
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_task
from benchmarks.lock import Lock

TEXTS = [("a good film", "yes"), ("schlecht, und \u2028lang\n", "no"), ('she said "no"', "no"), ("", "yes")]
TOKENS = "Anna\tB-PER\nlebt\tO\n\n# comment\nIda\tB-PER\nMaria\tI-PER\r\nBerlin\tB-LOC\t\n\n"
COLUMNS = {"text": "text", "label": "label"}
PACKED = (bytes, bytes, gzip.compress, bz2.compress, lzma.compress)


def csv_of(sign: str) -> bytes:
    rows = [f'"{text}"'.replace('""', '"').replace('said "no"', 'said ""no""') + sign + label for text, label in TEXTS]
    return "\n".join([f"text{sign}label", *rows]).encode() + b"\n"


def tar_of(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in members:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        for kind, name in ((tarfile.SYMTYPE, "pos/link.txt"), (tarfile.FIFOTYPE, "pos/pipe"), (tarfile.DIRTYPE, "neg")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    return made.getvalue()


VALID = {
    "conll": TOKENS.encode(),
    "jsonl": "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in TEXTS).encode(),
    "csv": csv_of(","),
    "tsv": csv_of("\t"),
    "lines": b"a good film\nanother one\n\n",
    "tar": tar_of(
        ("pos/1.txt", b"a good film"), ("./pos/2.txt", "gro\u00dfartig".encode()), ("neg/1.txt", b"bad" * 300)
    ),
}


def declared(folder: Path, form: str, source: dict) -> Path:
    tags = form == "conll"
    file = {"path": "data"}
    if form in ("lines", "tar"):
        file["label"] = "yes"
    if form == "tar":
        file["member"] = source.pop("member", "pos/*.txt")
    columns = {"conll": ["token", "tag"], "lines": [], "tar": []}.get(form, COLUMNS)
    fields = {
        "title": "t", "group": "g", "language": "de", "type": f"{'token' if tags else 'text'}-classification",
        "metric": "entity_f1" if tags else "accuracy", "labels": ["PER", "LOC"] if tags else ["yes", "no"],
        "positive": None if tags else "yes", "splits": {"train": "all", "test": {"take_from": "train", "share": 0.5}},
        "source": {"folder": "mine", "format": form, "columns": columns, **source, "files": {"all": [file]}},
    }  # fmt: skip
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


def read(folder: Path, form: str, content: bytes, source: dict) -> None:
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "data").write_bytes(content)
    path = declared(folder, form, dict(source))

    def use() -> None:
        task = load_task(path)
        load(task, origin_of(task, folder, {}), folder / "tables", Lock())

    accepted_or_told(use)


ENCODINGS = st.sampled_from(
    [*sorted(set(aliases.values())), "utf-8", "utf-16", "idna", "punycode", "undefined", "x\0y", ""]
)
SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "encoding": st.one_of(ENCODINGS, st.sampled_from(["utf-8", "latin-1", "utf-7"])),
        "separator": st.sampled_from(["tab", "space"]),
        "comment": st.sampled_from(["#", "", " "]),
        "token_prefix": st.sampled_from(["", "A", "de:"]),
        "quoting": st.booleans(),
    },
)
OF_TEXTS = st.sampled_from(
    [COLUMNS, ["text", "label"], ["label", "text", "x"], {"text": "text + label", "label": "label"}]
)
MEMBERS = st.sampled_from(["pos/*.txt", "*", "*/*", "[", "pos/[!", "*" * 200 + "b", "../*", "/etc/*", "", "\0"])


@pytest.mark.parametrize("form", VALID)
@inputs(2.5)
@given(data=st.data())
def test_a_file_of_any_content_gives_rows_or_one_message(tmp_path_factory, form, data):
    source = data.draw(SOURCES)
    if form in ("jsonl", "csv", "tsv"):
        source |= data.draw(st.fixed_dictionaries({}, optional={"columns": OF_TEXTS}))
    if form == "tar":
        source |= data.draw(st.fixed_dictionaries({}, optional={"member": MEMBERS}))
    content = data.draw(
        st.one_of(damaged(VALID[form]), damaged(VALID[form]), st.just(VALID[form]), st.binary(max_size=80))
    )
    packed = data.draw(st.sampled_from(PACKED))(content)
    if data.draw(st.booleans()):
        packed = data.draw(damaged(packed))
    if form not in FOLDERS:
        FOLDERS[form] = tmp_path_factory.mktemp(form)
    read(FOLDERS[form], form, packed, source)


FOLDERS: dict[str, Path] = {}
"""One for all inputs of a format: a fixture of one input is not hypothesis's."""
