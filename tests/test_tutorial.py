"""The tutorial's commands, one after the other, on a file like the one that it shows."""

from __future__ import annotations

import random
import re
import shlex
from pathlib import Path

import pytest

from benchmarks.cli import main

TUTORIAL = (Path(__file__).parent.parent / "docs" / "your-data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TUTORIAL, re.S | re.M)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The file that the tutorial shows, with two hundred rows more, each some words of one of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENCODER_BENCH_DATA", raising=False)
    (shown,) = blocks("csv")
    header, *rows = shown.strip().splitlines()
    pairs = [row.rsplit(",", 1) for row in rows]
    draw = random.Random(0)
    for at in range(200):
        text, label = pairs[at % 4]
        label = label if draw.random() < 0.8 else pairs[(at + 1) % 4][1]
        rows.append(f'"{" ".join(draw.sample(text.strip(chr(34)).replace(",", "").split(), 5))}",{label}')
    folder = tmp_path / "data" / "reviews"
    folder.mkdir(parents=True)
    (folder / "train.csv").write_text("\n".join([header, *rows]) + "\n")
    return tmp_path


def test_every_command_works_and_the_page_is_there_at_the_end(here, capsys):
    commands = [shlex.split(line)[1:] for block in blocks("console") for line in block.splitlines()]
    assert [command[0] for command in commands] == ["new-task", "validate", "run", "compare", "report"]
    said = {}
    for command in commands:
        assert main(command) == 0, capsys.readouterr().err
        said[command[0]] = capsys.readouterr().out
    assert "reviews.yaml: a task" in said["new-task"]
    assert "significant" in said["run"] and "encoder-bench report" in said["run"]
    assert "difference" in said["compare"]
    assert (here / "results" / "index.html").is_file()
    errors = (here / "results" / "report" / "errors" / "reviews.html").read_text()
    assert "The texts are not stored" not in errors and "film" in errors
