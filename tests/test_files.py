"""Files are written whole or not at all, with the rights that the user's umask leaves."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks import files
from benchmarks.errors import UserError


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "record.json"
    files.write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        files.write_text(path, "new \ud800")
    with pytest.raises(KeyboardInterrupt), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


def test_readers_never_see_half_a_file(tmp_path):
    path, texts = tmp_path / "record.json", ["a" * 100_000, "b" * 100_000]
    files.write_text(path, texts[0])
    seen: set[str] = set()

    def read() -> None:
        for _ in range(300):
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(50):
        files.write_text(path, texts[turn % 2])
    reader.join()
    assert seen <= set(texts)


def test_folders_are_made_and_a_long_name_is_no_problem(tmp_path):
    path = tmp_path / "new" / "folder" / ("ü" * 120)
    files.write_text(path, "text")
    assert path.read_text() == "text"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_a_file_has_the_rights_that_the_umask_leaves(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        files.write_text(tmp_path / "record.json", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "record.json").stat().st_mode) == mode


def test_a_checksum_is_that_of_the_bytes_and_a_file_that_is_not_there_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    assert files.sha256(tmp_path / "file") == hashlib.sha256(b"content").hexdigest()
    with pytest.raises(UserError, match="nowhere: can't be read: No such file"):
        files.sha256(tmp_path / "nowhere")


def test_a_checksum_is_computed_once_for_each_state_of_a_file(tmp_path, monkeypatch):
    """Also where the new content has the old one's size and time, as after a copy that keeps times."""
    read, path = [], tmp_path / "file"
    sha256 = files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: read.append(path) or sha256(path))
    path.write_bytes(b"first")
    assert files.checksum(path) == files.checksum(path) == sha256(path) and len(read) == 1
    before = path.stat()
    time.sleep(0.02)  # a file system's clock ticks some hundred times a second
    path.write_bytes(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files.checksum(path) == hashlib.sha256(b"other").hexdigest()
    path.unlink()
    with pytest.raises(UserError, match="can't be read: No such file"):
        files.checksum(path)


def test_a_folder_that_can_not_be_made_is_the_users_to_mend(tmp_path):
    (tmp_path / "task").write_text("a file")
    for path in (tmp_path / "task" / "model", tmp_path / "task" / "system" / "model"):
        refused = pytest.raises(UserError, match=r"model: can't be written: (File exists|Not a directory)\.")
        with refused, files.replacing_folder(path):
            raise AssertionError("a training would begin")


def folder(path: Path, text: str) -> Path:
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


def replace_by_new(path: Path) -> None:
    with files.replacing_folder(path) as temporary:
        (temporary / "file").write_text("new")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", [1, 2])
def test_a_folder_that_can_not_be_replaced_stays(tmp_path, monkeypatch, moment, error):
    path, steps, replace = folder(tmp_path / "model", "old"), [], Path.replace

    def counted(*given):
        steps.append(given)
        if len(steps) == moment:
            raise error
        return replace(*given)

    monkeypatch.setattr(Path, "replace", counted)
    raised = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else UserError
    with pytest.raises(raised, match=None if raised is KeyboardInterrupt else "model: can't be written: No space left"):
        replace_by_new(path)
    assert (path / "file").read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fails", [True, False])
def test_a_link_in_a_folder_s_place_is_replaced_or_stays_and_where_it_leads_to_is_left_alone(
    tmp_path, monkeypatch, fails
):
    theirs = folder(tmp_path / "theirs", "old")
    path, replace = tmp_path / "model", Path.replace
    path.symlink_to(theirs)

    def failing(source, target):
        if fails and source.suffix == ".part" and target == path:
            raise OSError(28, "No space left on device")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UserError) if fails else nullcontext():
        replace_by_new(path)
    assert (theirs / "file").read_text() == "old" and sorted(tmp_path.iterdir()) == [path, theirs]
    assert (path / "file").read_text() == ("old" if fails else "new") and path.is_symlink() == fails


def left_between_two_renames(path: Path) -> Path:
    """The old folder as a kill leaves it."""
    with files.replacing_folder(path) as temporary:
        left = temporary.with_suffix(files.OLD)
    return path.replace(left)


def test_a_folder_that_a_kill_between_two_renames_left_is_put_back_by_whoever_comes_next(tmp_path):
    path = folder(tmp_path / "model", "old")
    left_between_two_renames(path)
    with pytest.raises(RuntimeError), files.replacing_folder(path):
        raise RuntimeError
    assert (path / "file").read_text() == "old" and list(tmp_path.iterdir()) == [path]
    left_between_two_renames(path)
    replace_by_new(path)
    assert (path / "file").read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_an_old_folder_comes_back_neither_over_a_new_one_nor_through_a_link(tmp_path):
    path = folder(tmp_path / "model", "old")
    left = left_between_two_renames(path)
    folder(path, "new")
    files.put_back(path)
    assert (path / "file").read_text() == "new"
    path.rename(tmp_path / "elsewhere")
    (left / "file").unlink()
    left.rmdir()
    left.symlink_to(tmp_path / "elsewhere")
    files.put_back(path)
    assert not path.exists()


def test_two_processes_that_replace_a_folder_at_once_leave_a_whole_one(tmp_path, monkeypatch):
    """The second one comes between the two renames of the first, where it must not be."""
    path, replace, first = folder(tmp_path / "model", "old"), Path.replace, []

    def interrupted(source, target):
        if source.suffix == files.PART and not first:
            first.append(source)
            replace_by_new(path)
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(UserError, match="model: can't be written"):
        replace_by_new(path)
    assert (path / "file").read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_two_files_are_replaced_together_or_not_at_all(tmp_path):
    first, second = tmp_path / "predictions", tmp_path / "record"
    for text in ("old", "new"):
        with files.replacing_two(first, second) as written:
            for path in written:
                path.write_text(text)
        assert (first.read_text(), second.read_text()) == (text, text)
    with pytest.raises(KeyboardInterrupt), files.replacing_two(first, second) as (of_first, _):
        of_first.write_text("half")
        raise KeyboardInterrupt
    assert (first.read_text(), second.read_text()) == ("new", "new")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["predictions", "record"]


@pytest.mark.parametrize("moment", range(3))
def test_a_file_never_stands_beside_another_one_than_its_own(tmp_path, monkeypatch, moment):
    """Interrupted at each of the steps in which two new files take their places."""
    first, second = tmp_path / "predictions", tmp_path / "record"
    files.write_text(first, "old")
    files.write_text(second, "old")
    steps = []
    for name in ("unlink", "replace"):
        step = getattr(Path, name)

        def counted(path, *given, step=step, **named):
            steps.append(path)
            if len(steps) == moment + 1:
                raise KeyboardInterrupt
            return step(path, *given, **named)

        monkeypatch.setattr(Path, name, counted)
    with pytest.raises(KeyboardInterrupt), files.replacing_two(first, second) as written:
        for path in written:
            path.write_text("new")
    assert second.read_text() == first.read_text() == "old" if moment == 0 else not second.exists()
    assert {file.name for file in tmp_path.iterdir()} <= {"predictions", "record"}


COUNTING = """
import sys
from pathlib import Path
from benchmarks.files import alone

count = Path(sys.argv[1])
for _ in range(100):
    with alone(count):
        count.write_text(str(int(count.read_text()) + 1))
"""


def test_processes_that_want_to_be_alone_are_so(tmp_path):
    (tmp_path / "count").write_text("0")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", COUNTING, str(tmp_path / "count")]
    counting = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(timeout=120) for process in counting] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "300"
