"""Leaderboards as files."""

from __future__ import annotations

import subprocess
import sys

from records import done, failed

from benchmarks.leaderboard import tables, write
from benchmarks.schema import RunResult
from benchmarks.store import runs_folder, write_text


def store(results, *runs):
    for run in runs:
        path = runs_folder(results) / run.task / run.system / f"{run.key}.json"
        write_text(path, run.model_dump_json(by_alias=True))


def test_pages_are_written_and_given_back(tmp_path):
    store(tmp_path, done(), failed("other"), done(task="jokes"))
    given = write(tmp_path).texts
    assert list(given) == ["films", "jokes"]
    assert (tmp_path / "leaderboards" / "films.md").read_text() == f"{given['films']}\n"
    assert (tmp_path / "LEADERBOARD.md").read_text().startswith("# Leaderboard\n")


def test_a_file_is_written_only_if_its_text_changes_and_pages_without_runs_stay(tmp_path):
    store(tmp_path, done(), done(task="jokes"))
    write(tmp_path)
    old = tmp_path / "leaderboards" / "gone.md"
    old.write_text("an old page")
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*.md")}  # a replaced file has another number
    store(tmp_path, done(task="jokes", seed=1))
    write(tmp_path)
    changed = {path.name for path, number in before.items() if path.stat().st_ino != number}
    assert changed == {"jokes.md"}
    assert old.read_text() == "an old page"


def test_no_stored_run_gives_an_overview_that_says_so(tmp_path):
    assert write(tmp_path).texts == {}
    assert "No finished run" in (tmp_path / "LEADERBOARD.md").read_text()


def test_each_stored_run_is_read_once_and_let_go():
    """Ten thousand records don't lie in memory together: when the next is read, the last is gone."""
    import gc
    import weakref

    alive: list[weakref.ref[RunResult]] = []

    def runs():
        for seed in range(5):
            run = done(seed=seed)
            alive.append(weakref.ref(run))
            yield run
            del run
            gc.collect()
            assert sum(ref() is not None for ref in alive[:-1]) == 0

    (found,) = tables(runs())
    assert found.sections[0].rows[0].seeds == 5


def test_leaderboards_import_nothing_that_needs_a_model():
    code = "import sys, benchmarks.leaderboard; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "datasets", "sklearn", "evaluate"} & set(loaded)
