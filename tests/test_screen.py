"""What a person sees while runs are made: on a terminal how many are where and how fast, elsewhere a line an event."""

from __future__ import annotations

import io
import time
from pathlib import Path
from types import SimpleNamespace

import make
import pytest
from rich.console import Console

from benchmarks.cli.arguments import parse
from benchmarks.cli.grid import planned
from benchmarks.cli.screen import Screen
from benchmarks.execute.making import Event
from benchmarks.execute.prepare import Options, Prepared
from benchmarks.history import History
from benchmarks.lock import Lock
from benchmarks.runner import failure
from benchmarks.schema import RunResult


@pytest.fixture
def grid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make.text_task(tmp_path)
    command = "run --tasks ./mine.yaml --data-dir data --systems lstm-word2vec,tfidf-nb --seeds 2 --set recipe.epochs=2"
    return planned(parse(command.split()), Lock())[0]


def screen_of(grid, terminal: bool) -> tuple[Screen, io.StringIO]:
    screen, seen = Screen(grid.runs, grid, History([])), io.StringIO()
    screen.console.file, screen.console._force_terminal, screen.console.width = seen, terminal, 200
    screen.progress.disable = not terminal
    screen.sizes = {"mine": 60}
    return screen, seen


def drawn(screen: Screen) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    console.print(screen.progress.get_renderable())
    return console.file.getvalue().splitlines()


def result_of(spec) -> RunResult:
    return RunResult.model_construct(metrics={"accuracy": 0.75}, primary_metric="accuracy")


def test_a_terminal_shows_how_many_runs_are_where_and_how_fast_they_go(grid, monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.seconds)
    screen, _ = screen_of(grid, terminal=True)
    assert "checking" in drawn(screen)[0]
    first, second, third, _ = grid.runs
    screen.tell(Event(first))
    screen.tell(Event(second))
    now.seconds += 2
    screen.tell(Event(first, 0.5))
    overall, own, other = drawn(screen)
    assert overall.startswith("2 running · 2 queued") and "30 rows/s" in overall  # half of 2 epochs of 60 rows, in 2 s
    assert own.startswith("[1/4] mine lstm-word2vec[epochs=2] seed 0") and "30 rows/s" in own
    assert "rows/s" not in other
    screen.tell(Event(first, 1.0, result_of(first)))
    screen.tell(Event(second, 1.0, failure(second, ValueError("no"))))
    screen.tell(Event(third))
    assert drawn(screen)[0].startswith("1 done · 1 failed · 1 running · 1 queued")
    screen.looking("mine")
    assert drawn(screen)[0].startswith("mine: looking for near-duplicates")


def test_elsewhere_every_event_is_a_line_without_a_bar(grid):
    screen, seen = screen_of(grid, terminal=False)
    first, second, *_ = grid.runs
    screen.tell(Event(first))
    screen.tell(Event(first, 0.5))
    screen.tell(Event(first, 1.0, result_of(first)))
    screen.tell(Event(second, 1.0, failure(second, ValueError("no"))))
    lines = seen.getvalue().splitlines()
    assert lines[0].startswith("[1/4] mine lstm-word2vec[epochs=2] seed 0: started")
    assert "accuracy 0.7500 in" in lines[1] and "FAILED: ValueError: no" in lines[2]
    assert len(lines) == 3


def test_all_runs_are_looked_at_once_a_second_however_many_words_they_say(grid, monkeypatch):
    now, looked = SimpleNamespace(seconds=100.0), []
    monkeypatch.setattr(time, "monotonic", lambda: now.seconds)
    screen, _ = screen_of(grid, terminal=True)
    left = screen.pace.left
    monkeypatch.setattr(screen.pace, "left", lambda *given: looked.append(now.seconds) or left(*given))
    for _ in range(1000):
        for spec in grid.runs:
            screen.tell(Event(spec, 0.5))
        now.seconds += 0.01
    assert len(looked) == 10


@pytest.mark.parametrize(("force", "told"), [
    (False, "4 left; the same command goes on"),
    (True, "4 left; --force begins anew; without it what is stored stays"),
])  # fmt: skip
def test_an_interruption_says_how_to_go_on(grid, force, told):
    screen, seen = screen_of(grid, terminal=False)
    screen.prepared(Prepared(list(grid.runs), [], {}, {}, Path(), Options(force=force)))
    screen.interrupted()
    assert seen.getvalue().splitlines()[-1] == f"interrupted: 0 runs made and stored, {told}"
