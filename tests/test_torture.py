"""Short forms of the long harnesses: suites that are killed, and disks that are full."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from torture import disk, kills


@pytest.mark.parametrize(("grid", "seed"), [("without training", 0), ("side by side", 1)])
def test_killed_suites_lose_nothing_and_make_nothing_twice(tmp_path, grid, seed):
    tally = kills.torture(tmp_path, kills=2, seed=seed, grids=(grid,))
    assert not tally.problems
    assert tally.kills.total() >= 2 and tally.runs >= 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text(path.read_text()[:-9]),
        lambda path: path.unlink(),
        lambda path: path.write_text(path.read_text().replace('"created":', '"created" :')),
        lambda path: path.with_suffix(".parquet").write_bytes(b"PAR1"),
    ],
    ids=["cut off", "gone", "written again", "without its predictions"],
)
def test_the_harness_sees_what_may_not_happen(tmp_path, made, damage):
    results = shutil.copytree(made, tmp_path / "results")
    before = kills.check_whole(results, {}, tally := kills.Tally())
    assert before and not tally.problems
    damage(results / next(iter(before)))
    kills.check_whole(results, before, tally)
    assert tally.problems


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = kills.prepared(tmp_path_factory.mktemp("made"))
    kills.undisturbed(folder, "without training", str(folder / "results"))
    return folder / "results"


@pytest.mark.skipif(not disk.available(), reason="this system lets nobody mount a file system of their own")
def test_full_disks_are_told_and_lose_nothing(tmp_path):
    tally, too_small = disk.disk(tmp_path, least=40, step=150)
    assert not tally.problems
    assert too_small and tally.runs == 10


def test_what_the_document_on_reliability_names_is_there():
    project = Path(__file__).parents[1]
    document = (project / "docs" / "reliability.md").read_text(encoding="utf-8")
    there = "".join(path.read_text(encoding="utf-8") for path in (project / "tests").rglob("*.py"))
    tests, files = re.findall(r"`(test_\w+)`", document), re.findall(r"`((?:tests|torture)/[\w/]+(?:\.py)?)`", document)
    assert len(tests) >= 5 and len(files) > 10
    assert [name for name in tests if f"def {name}(" not in there] == []
    assert [name for name in files if not (project / name).exists() and not (project / "tests" / name).exists()] == []
