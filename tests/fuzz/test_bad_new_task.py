"""new-task on a file of any content writes a task that loads, or tells in one message why not and leaves nothing."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import pytest
from bad import accepted_or_told, check_message, damaged, inputs
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cli import main
from benchmarks.definitions import load_task

ROWS = [("a good film", "yes"), ("a bad film", "no"), ("not so good", "no"), ("just great", "yes")] * 4
CONTENTS = {
    "train.csv": "id,comment,answer\n" + "".join(f'{n},"{text}",{label}\n' for n, (text, label) in enumerate(ROWS)),
    "train.tsv": "".join(f"{text}\t{label}\n" for text, label in ROWS),
    "train.jsonl": "".join(f'{{"text": "{text}", "label": "{label}"}}\n' for text, label in ROWS),
    "train.conll": "Anna B-PER\nlives O\nin O\nBerlin B-LOC\n\n#x y z\nMaria B-PER\nIda I-PER\nworks O\n\n" * 4,
    "train.json": "1\tde:Anna\tB-PER\n2\tde:lebt\tO\n\n" * 8,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("new")


@inputs(4)
@given(data=st.data())
def test_a_file_of_any_content_becomes_a_task_or_one_message(folder, data):
    name = data.draw(st.sampled_from(sorted(CONTENTS)))
    content = data.draw(damaged(CONTENTS[name].encode()))
    more = data.draw(
        st.sampled_from(((), (), (), ("--header",), ("--no-header",), ("--label", "2"), ("--text", "text")))
    )
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / name).write_bytes(content)
    said = accepted_or_told(lambda: new_task(folder, f"data/{name}", *more))
    made = folder / "mine.yaml"
    if said == "":
        load_task(made)
        made.unlink()
    else:
        assert not made.exists()


def new_task(folder: Path, *arguments: str) -> str:
    """What is told of it; empty where it is made."""
    out, told = io.StringIO(), io.StringIO()
    os.environ["ENCODER_BENCH_CACHE"] = str(folder / "cache")
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        code = main(["new-task", *arguments, "--name", "mine"])
    assert code in (0, 2)
    if code == 2:
        check_message(told.getvalue())
    return told.getvalue()
