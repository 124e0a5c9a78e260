"""A lock file of any content is read, or told with its name; what is read can be written again."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bad import SIGNS, accepted_or_told, changed, damaged, inputs
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import lock

ENTRY = {"commit": "a" * 40, "files": {"config.json": "1" * 64, "model.safetensors": "2" * 64}}
LOCK = {"schema": 1, "encoders": {"org/bert": ENTRY, "org/other": ENTRY}, "datasets": {"org/data": ENTRY}}
WRITTEN = json.dumps(LOCK, indent=2).encode()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def read_and_write(path: Path) -> None:
    found = lock.read(path)
    lock.write(found, path)
    assert lock.read(path) == found


@inputs(3)
@given(
    st.one_of(
        damaged(WRITTEN),
        changed(LOCK).map(as_json),
        changed(LOCK).map(as_json).flatmap(damaged),
        st.sampled_from([b"[" * 100_000, b'{"a":' * 100_000, b'"' + b"\\ud800" * 3 + b'"', b"1" * 100_000]),
        st.sampled_from(SIGNS).map(lambda sign: WRITTEN.replace(b"org/bert", sign.encode())),
    )
)
def test_a_lock_file_of_any_content_is_read_or_one_message_that_names_it(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, lock.NAME)
        path.write_bytes(content)
        accepted_or_told(lambda: read_and_write(path), path)


def test_an_entry_that_stands_there_twice_is_told(tmp_path):
    path = tmp_path / lock.NAME
    entry = json.dumps(ENTRY)
    path.write_text(f'{{"encoders": {{"org/bert": {entry}, "org/bert": {entry}}}}}')
    assert accepted_or_told(lambda: lock.read(path), path, "'org/bert' stands here twice") is None
