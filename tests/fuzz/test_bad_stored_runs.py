"""Stored runs of any content are read by all that reads them, or told in one message that names the file."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kept
import make
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bad import accepted_or_told, changed, damaged, inputs
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import claims, export, leaderboard, report, store
from benchmarks.cli import main
from benchmarks.compare import compared
from benchmarks.definitions import load_claims, load_systems, resolved_recipe
from benchmarks.errors import UserError
from benchmarks.history import History
from benchmarks.runner import failure
from benchmarks.schema import Protocol, RunSpec

CLAIMS = """\
sources: {paper: {title: A paper}}
claims:
  score: {source: paper, says: s, task: mine, system: majority, reported: {accuracy: 0.9, f1: 0.8}}
  cost: {source: paper, says: s, task: mine, system: majority, passes: {rows: 10, pairs: 45}}
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> kept.Kept:
    """Two systems of two seeds each, one with folds, and a failure."""
    own = kept.Kept(tmp_path_factory.mktemp("texts"))
    draw = np.random.default_rng(0)
    for seed in (0, 1):
        for system, wrong in (("majority", 20), ("other", 5)):
            scores = draw.normal(size=(kept.ROWS, 2)).astype(np.float32)
            own.run(system, kept.flipped(own.gold, *range(seed, wrong)), seed=seed, scores=scores)
    for fold in (0, 1):
        own.run("folded", lambda job: job.predictions([0] * len(job.data.test), None), fold=fold, folds=2)
    identity = next(store.read_runs(own.results)).identity_
    spec = spec_of(own, {**identity, "protocol": {**identity["protocol"], "seed": 7}}, seed=7)
    store.save(own.results, spec, failure(spec, ValueError("x\ny")), None)
    return own


def spec_of(own: kept.Kept, identity: dict[str, Any], **protocol: int) -> RunSpec:
    system = load_systems()["majority"]
    return RunSpec(own.task, system, resolved_recipe(system, own.task.type), Protocol(**protocol), identity)


@pytest.fixture(scope="module")
def tags(tmp_path_factory) -> kept.Kept:
    own = kept.Kept(tmp_path_factory.mktemp("tags"), make.tag_task)
    for system, predicted in (("all", lambda row: row), ("none", lambda row: [0] * len(row))):
        own.run(system, lambda job, p=predicted: job.predictions([p(row) for row in job.data.test["tags"]], None))
    return own


# -- who reads them --------------------------------------------------------------------------------------------------


def assess(own: kept.Kept) -> None:
    path = own.folder / "claims.yaml"
    path.write_text(CLAIMS)
    tasks, systems = {"mine": own.task}, load_systems()
    claims.write(own.results, load_claims(tasks, systems, path), tasks, systems)


def compare(own: kept.Kept) -> None:
    compared(own.results, own.task.name, *(("majority", "other") if own.task.name == "mine" else ("all", "none")))


def plan(own: kept.Kept) -> None:
    history = History(store.read_runs(own.results))
    for runs in history.stored.values():
        spec = spec_of(own, runs[0].identity_)
        history.seconds(spec)
        history.changes(spec)


def describe(own: kept.Kept) -> None:
    for path in sorted(store.runs_folder(own.results).glob("*/*/*.json")):
        name = f"{own.task.name}/{path.parent.name}/{path.stem}"
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert main(["describe", name, "--results-dir", str(own.results)]) in (0, 2)


def exported(own: kept.Kept) -> None:
    export.FRAME_WRITERS["json"](export.runs(own.results, (), ()))
    export.model_index(own.results, (), ())
    export.latex(own.results, (), ())


def page(own: kept.Kept) -> None:
    report.write(own.results, report.Declared({}, load_systems(), load_claims({}, load_systems(), nothing(own))))


def nothing(own: kept.Kept) -> Path:
    path = own.folder / "none.yaml"
    path.write_text("sources: {}\nclaims: {}\n")
    return path


def tables(own: kept.Kept) -> None:
    leaderboard.write(own.results)


READERS: dict[str, Callable[[kept.Kept], None]] = {
    "leaderboard": tables, "claims": assess, "compare": compare, "plan": plan, "describe": describe,
    "export": exported, "report": page,
}  # fmt: skip
READERS_OF_TAGS = ("leaderboard", "compare", "export", "report")
OFTEN = st.sampled_from(["leaderboard"] * 4 + ["claims", "compare", "plan", "describe", "export"] * 2 + ["report"])


# -- what is in them -------------------------------------------------------------------------------------------------


@cache
def files(results: Path, suffix: str) -> tuple[tuple[Path, bytes], ...]:
    found = sorted(store.runs_folder(results).glob(f"*/*/*{suffix}"))
    return tuple((path, path.read_bytes()) for path in found)


@contextlib.contextmanager
def replaced(path: Path, before: bytes, content: bytes) -> Iterator[None]:
    """As another file, as whoever writes it does: a cache may know the old one by its time."""
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(1, 1))


def records(before: bytes) -> st.SearchStrategy[bytes]:
    values = changed(json.loads(before)).map(lambda value: json.dumps(value).encode())
    return st.one_of(values, values, values.flatmap(damaged), damaged(before))


def given_to(own: kept.Kept, path: Path, before: bytes, content: bytes, reader: str) -> None:
    with replaced(path, before, content):
        accepted_or_told(lambda: READERS[reader](own))


@inputs(3)
@given(data=st.data())
def test_a_record_of_any_content_is_read_or_told(texts, data):
    path, before = data.draw(st.sampled_from(files(texts.results, ".json")))
    given_to(texts, path, before, data.draw(records(before)), data.draw(OFTEN))


@pytest.mark.parametrize("value", [7.5, -0.5, 1e15])
@pytest.mark.parametrize("reader", ["leaderboard", "compare", "report"])
def test_a_score_that_is_none_is_told_with_its_file(texts, value, reader):
    path, before = files(texts.results, ".json")[0]
    record = json.loads(before)
    record["metrics"]["f1_macro"] = value
    with replaced(path, before, json.dumps(record).encode()), pytest.raises(UserError) as caught:
        READERS[reader](texts)
    assert str(caught.value).startswith(f"{path}: no stored run: metrics: ")
    assert f"f1_macro is {value:g}, expected 0 to 1" in str(caught.value)


def test_a_score_that_rounding_leaves_above_one_and_a_threshold_anywhere_are_read(texts):
    path, before = files(texts.results, ".json")[0]
    record = json.loads(before)
    record["metrics"] |= {"f1_macro": 1 + 2e-16, "mcc": -1.0, "best_f1_threshold": -40.0, "of_a_newer_version": 9.0}
    with replaced(path, before, json.dumps(record).encode()):
        READERS["leaderboard"](texts)


@inputs()
@given(data=st.data())
def test_a_record_of_tags_of_any_content_is_read_or_told(tags, data):
    path, before = data.draw(st.sampled_from(files(tags.results, ".json")))
    given_to(tags, path, before, data.draw(records(before)), data.draw(st.sampled_from(READERS_OF_TAGS)))


@inputs(1.5)
@given(data=st.data())
def test_torn_predictions_are_told(texts, data):
    path, before = data.draw(st.sampled_from(files(texts.results, ".parquet")))
    given_to(texts, path, before, data.draw(damaged(before)), data.draw(OFTEN))


VALUES = st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["positive", "negative", "test:0", "B-PER", "O"]))
COLUMNS = st.one_of(
    st.lists(VALUES, min_size=60, max_size=60),
    st.lists(st.integers(-3, 3), min_size=60, max_size=60),
    st.lists(st.floats(), min_size=60, max_size=60),
    st.lists(st.lists(VALUES, max_size=3), min_size=60, max_size=60),
    st.lists(st.lists(st.floats(width=16), min_size=2, max_size=2), min_size=60, max_size=60),
)


@st.composite
def other_columns(draw: st.DrawFn, before: bytes) -> bytes:
    table = pq.read_table(pa.BufferReader(before))
    name = draw(st.sampled_from(["row_id", "gold", "predicted", "scores", "silhouette"]))
    match draw(st.integers(0, 3)):
        case 0 if name in table.column_names:
            table = table.drop_columns([name])
        case 1:
            table = table.slice(0, draw(st.integers(0, len(table))))
        case 2 if name in table.column_names and len(table):
            places = st.lists(st.integers(0, len(table) - 1), min_size=len(table), max_size=len(table))
            column = table.column(name).take(draw(places))
            table = table.set_column(table.column_names.index(name), name, column)
        case _ if len(table) == 60:
            column = pa.array(draw(COLUMNS))
            at = table.column_names.index(name) if name in table.column_names else None
            table = table.append_column(name, column) if at is None else table.set_column(at, name, column)
    made = io.BytesIO()
    pq.write_table(table, made)
    return made.getvalue()


@inputs()
@given(data=st.data())
def test_predictions_with_other_columns_are_told(texts, tags, data):
    own = data.draw(st.sampled_from([texts, tags]))
    path, before = data.draw(st.sampled_from(files(own.results, ".parquet")))
    reader = data.draw(OFTEN if own is texts else st.sampled_from(READERS_OF_TAGS))
    given_to(own, path, before, data.draw(other_columns(before)), reader)


@inputs(0.5)
@given(data=st.data())
def test_a_damaged_cache_of_samples_is_made_anew(texts, data):
    tables(texts)
    path = data.draw(st.sampled_from(sorted((texts.results / ".cache").glob("*.npz"))))
    before = path.read_bytes()
    path.write_bytes(data.draw(damaged(before)))
    assert accepted_or_told(lambda: leaderboard.read(texts.results)) is not None
    path.write_bytes(before)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_whole_is_read_by_all(texts, tags, reader):
    READERS[reader](texts)
    if reader in READERS_OF_TAGS:
        READERS[reader](tags)
