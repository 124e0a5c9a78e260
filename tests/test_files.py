"""Files are written whole or not at all, with the rights that the user's umask leaves."""

from __future__ import annotations

import hashlib
import os
import stat
import threading

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
