"""What would fill the memory is told by the command, in memory that does not grow with what is packed into a file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bad
import make
import pytest
from hypothesis import settings

LONG = settings().max_examples > bad.SHORT
MB = 1 << 20
MOST_MB = 700
"""The command's own libraries take half of it."""
PROGRAM = """
import atexit, pathlib, re, sys

used = pathlib.Path(sys.argv.pop(1))
most = lambda: re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]
atexit.register(lambda: used.write_text(most()))
from benchmarks.cli import main
raise SystemExit(main())
"""
"""Its own peak: getrusage's holds that of the process which started it, and so of the tests before."""
LONG_LINE = 1024 if LONG else 64
"""MB: of the long form a gigabyte."""


def command(*arguments: str, folder: Path) -> tuple[int, str, float]:
    """Exit code, what is told, and the most memory in MB that `encoder-bench` took."""
    own = {**os.environ, "ENCODER_BENCH_CACHE": str(folder / "cache")}
    told, used = folder / "told.txt", folder / "used.txt"
    with told.open("wb") as stream:
        program = [sys.executable, "-c", PROGRAM, str(used), *arguments]
        done = subprocess.run(program, stdout=stream, stderr=stream, cwd=folder, env=own, preexec_fn=_limited)
    return done.returncode, told.read_text(errors="replace"), int(used.read_text()) / 1024


def _limited() -> None:
    for kind, wanted in ((resource.RLIMIT_AS, 16 << 30), (resource.RLIMIT_CPU, 240)):
        hard = resource.getrlimit(kind)[1]
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)  # no process may raise its own
        resource.setrlimit(kind, (most, most))


def told(*arguments: str, folder: Path) -> str:
    code, said, used = command(*arguments, folder=folder)
    bad.INPUTS[os.environ.get("PYTEST_CURRENT_TEST", "").removesuffix(" (call)")] += 1
    assert code == 2, said[-2000:]
    bad.check_message(said)
    assert used < MOST_MB, f"{used:.0f} MB"
    return said


TASK = """\
title: t
group: g
language: en
type: {type}-classification
metric: {metric}
labels: [a, b]
splits: {{train: all, test: {{take_from: train, share: 0.5}}}}
{more}
source: {{folder: mine, format: {form}, files: {{all: [{{path: data{of_file}}}]}}, columns: {columns}}}
"""
OF_FILE = {"lines": ", label: a", "tar": ", label: a, member: '*'"}


def of_format(folder: Path, content: Callable[[Path], None], form: str, more: str = "") -> str:
    """What `validate` tells of a task whose one file is this."""
    (folder / "mine").mkdir()
    content(folder / "mine" / "data")
    tags = form == "conll"
    text = TASK.format(
        type="token" if tags else "text", metric="token_accuracy" if tags else "accuracy", form=f"{form}{more}",
        more="" if tags else "positive: a", of_file=OF_FILE.get(form, ""),
        columns="[token, tag]" if tags else "{text: text, label: label}",
    )  # fmt: skip
    (folder / "bomb.yaml").write_text(text)
    said = told("validate", "bomb.yaml", "--data-dir", ".", folder=folder)
    assert "mine/data" in said
    return said


def line_of(unit: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            for _ in range(LONG_LINE):
                file.write(unit * (MB // len(unit)))

    return write


def packed(opened: Callable[..., object], unit: bytes, size: int, head: bytes = b"") -> Callable[[Path], None]:
    """size: in MB, once it is unpacked."""

    def write(path: Path) -> None:
        with opened(path, "wb") as file:  # type: ignore[attr-defined]
            file.write(head)
            for _ in range(size):
                file.write(unit * (MB // len(unit)))

    return write


long_form = pytest.mark.skipif(not LONG, reason="of the long form")


@long_form
@pytest.mark.parametrize("form", ["csv", "jsonl", "lines", "conll"])
def test_a_line_that_never_ends_is_told_before_it_fills_the_memory(tmp_path, form):
    assert "a line of more than 16,777,216 bytes" in of_format(tmp_path, line_of(b"a,"), form)


def test_a_gigabyte_of_one_line_is_told_by_new_task(tmp_path):
    line_of(b"ab ")(tmp_path / "train.csv")
    assert "a line of more than 16,777,216 bytes" in told("new-task", "train.csv", folder=tmp_path)


@long_form
@pytest.mark.parametrize(("form", "unit"), [("csv", b"a,"), ("jsonl", b"[],"), ("tsv", b"a\t")])
def test_a_line_of_many_fields_is_told_in_little_memory(tmp_path, form, unit):
    def write(path: Path) -> None:
        path.write_bytes((b"[" if form == "jsonl" else b"") + unit * (15 * MB // len(unit)))

    of_format(tmp_path, write, form, ", quoting: false" if form == "tsv" else "")


@long_form
def test_tagged_words_without_a_blank_line_are_no_item(tmp_path):
    def write(path: Path) -> None:
        path.write_bytes(b"anna\tO\n" * (8 * MB))

    assert "an item of more than 1,000,000 words" in of_format(tmp_path, write, "conll")


@pytest.mark.parametrize("opened", [gzip.open, bz2.open, lzma.open] if LONG else [lzma.open])
@pytest.mark.parametrize("unit", [b"\n", b"a film\n"] if LONG else [b"\n"])
def test_a_small_file_that_unpacks_to_much_is_told(tmp_path, opened, unit):
    said = of_format(tmp_path, packed(opened, unit, 60), "lines")
    assert "unpacks to more than 200 times its size" in said


def header(kind: bytes, size: int, name: str = "a.txt") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


TARS = {
    "a member of zeros": (header(tarfile.REGTYPE, 400 * MB), 400, "tar", ": "),
    "a long name": (header(tarfile.GNUTYPE_LONGNAME, 600 * MB), 4, "tar", "the archive has a header larger than 1 MiB"),
    "a long pax header": (header(tarfile.XHDTYPE, 600 * MB), 4, "tar", "the archive has a header larger than 1 MiB"),
    "sparse for ever": (header(tarfile.GNUTYPE_SPARSE, 9)[:482] + b"\1" + bytes(29), 60, "tar", ""),
    "many long names": (header(tarfile.GNUTYPE_LONGLINK, 1) * 3000, 1, "tar", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", TARS if LONG else ["a long pax header"])
def test_an_archive_that_would_fill_the_memory_is_told(tmp_path, name):
    head, size, form, expected = TARS[name]
    assert expected in of_format(tmp_path, packed(gzip.open, b"\0" * MB, size, head), form)


def archive(*members: tuple[str, bytes, str]) -> bytes:
    """Of name, kind, and where a link leads."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = 6 if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(b"a film"))
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "kind", "target"),
    [
        ("../evil.txt", tarfile.REGTYPE, ""), ("/tmp/evil.txt", tarfile.REGTYPE, ""), ("evil", tarfile.SYMTYPE, "/etc"),
        ("evil.txt", tarfile.LNKTYPE, "../../x"), ("evil.txt", tarfile.CHRTYPE, ""), ("evil.txt", tarfile.FIFOTYPE, ""),
    ],
)  # fmt: skip
def test_members_that_lead_out_of_an_archive_write_nothing(tmp_path, name, kind, target):
    from benchmarks.data.readers import read_tar
    from benchmarks.schema import File, Source

    path = tmp_path / "in" / "a.tar"
    path.parent.mkdir()
    path.write_bytes(archive((name, kind, target)))
    before = sorted(tmp_path.rglob("*"))
    source = Source(folder="f", format="tar", files={})
    for pattern in (name, "*.txt", "*/*"):
        file = File(path="a.tar", label="x", member=pattern)
        bad.accepted_or_told(lambda own=file: list(read_tar(path, own, source)))
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/tmp/evil.txt").exists()


def imports() -> Iterator[tuple[str, str]]:
    folder = Path(make.__file__).parent.parent / "benchmarks"
    for path in sorted(folder.rglob("*.py")):
        for line in path.read_text().splitlines():
            words = line.replace(",", " ").split()
            if words[:1] in (["import"], ["from"]):
                yield path.relative_to(folder).as_posix(), words[1]


def test_archives_are_opened_in_two_places_and_nothing_is_ever_unpacked_onto_the_disk():
    """Who opens one elsewhere has to say here how a bomb is told."""
    opening = {(path, module) for path, module in imports() if module in ("tarfile", "zipfile", "gzip", "bz2", "lzma")}
    assert opening == {
        ("data/readers.py", "tarfile"),
        ("data/opened.py", "gzip"), ("data/opened.py", "bz2"), ("data/opened.py", "lzma"),
        ("leaderboard/samples.py", "zipfile"),  # the name of an error alone
        ("recipes/vectors.py", "gzip"), ("methods/word2vec.py", "gzip"),  # pretrained vectors, a line at a time
    }  # fmt: skip
    folder = Path(make.__file__).parent.parent / "benchmarks"
    for path in folder.rglob("*.py"):
        assert not any(word in path.read_text() for word in ("unpack_archive", ".extractall(", ".extract("))
