"""What is stored is complete or not there, comes back as it was, and is never replaced by something worse."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import make
import numpy as np
import pytest

from benchmarks import store
from benchmarks.definitions import load_systems, load_task, resolved_recipe
from benchmarks.errors import UserError
from benchmarks.runner import failure
from benchmarks.schema import Predictions, Protocol, RunResult, RunSpec


@pytest.fixture
def spec(tmp_path) -> RunSpec:
    task = load_task(make.text_task(tmp_path / "task"))
    system = load_systems()["majority"]
    identity = {"code": 1, "task": task.identity(), "data": {"source": "files"}, "recipe": {}, "protocol": {"seed": 0}}
    return RunSpec(task, system, resolved_recipe(system, task.type), Protocol(), identity)


def result(spec: RunSpec, **fields: object) -> RunResult:
    sizes = {"train": 2, "test": 2}
    failed = failure(spec, ValueError("x")).model_dump(by_alias=True, exclude={"status", "error"})
    return RunResult(**{**failed, "title": "t", "group": "g", "type": spec.task.type, "method": "majority",
        "metrics": {"accuracy": 0.5}, "primary_metric": "accuracy", "report": {},
        "cost": {"train_seconds": 1.0, "predict_seconds": 1.0, "peak_memory_mb": 9.0},
        "data": {"source": "files", "sha256": {}, "rows": sizes, "used": sizes}, "training": {}, **fields})  # fmt: skip


PREDICTIONS = Predictions(["test:0", "test:1"], [0, 1], [1, 1], np.array([[-0.1, -2.3], [-4.0, -0.02]]))


def test_a_stored_run_comes_back_as_it_was(tmp_path, spec):
    stored = result(spec)
    store.save(tmp_path, spec, stored, PREDICTIONS)
    assert list(store.read_runs(tmp_path)) == [stored]


def test_a_stored_run_has_the_fields_of_the_contract(tmp_path, spec):
    store.save(tmp_path, spec, result(spec), PREDICTIONS)
    record = json.loads((tmp_path / "runs" / f"{spec.path}.json").read_text())
    assert {
        "schema", "status", "task", "system", "seed", "train_size", "fold", "sample", "limited", "metrics",
        "primary_metric", "cost", "protocol", "recipe", "data", "environment", "fingerprint",
    } <= record.keys()  # fmt: skip
    assert (record["schema"], record["status"], record["fingerprint"]) == (1, "done", spec.fingerprint)


def test_predictions_are_stored_by_row_id_with_the_names_of_their_labels(tmp_path, spec):
    stored = result(spec)
    store.save(tmp_path, spec, stored, PREDICTIONS)
    table = store.read_predictions(tmp_path, stored)
    assert table.column("row_id").to_pylist() == ["test:0", "test:1"]
    assert table.column("gold").to_pylist() == ["negative", "positive"]
    assert table.column("predicted").to_pylist() == ["positive", "positive"]
    assert np.allclose(table.column("scores").to_pylist(), PREDICTIONS.scores, rtol=1e-3)


def test_silhouettes_are_a_column_of_their_own(tmp_path, spec):
    stored = result(spec)
    store.save(tmp_path, spec, stored, Predictions(["a", "b"], [0, 1], [0, 1], silhouettes=np.array([0.5, -0.25])))
    table = store.read_predictions(tmp_path, stored)
    assert table.column_names == ["row_id", "gold", "predicted", "silhouette"]
    assert table.column("silhouette").to_pylist() == [0.5, -0.25]


def test_a_failure_never_replaces_a_result_but_a_result_replaces_a_failure(tmp_path, spec):
    store.save(tmp_path, spec, failure(spec, ValueError("first")), None)
    assert [run.status for run in store.read_runs(tmp_path)] == ["failed"]
    store.save(tmp_path, spec, result(spec), PREDICTIONS)
    store.save(tmp_path, spec, failure(spec, ValueError("second")), None)
    assert [run.status for run in store.read_runs(tmp_path)] == ["done"]


@pytest.mark.parametrize(
    ("title", "rows"), [("t", 20_000), ("t" * 200_000, 2)], ids=["for the predictions", "for the record"]
)
def test_a_disk_without_room_leaves_what_is_stored(tmp_path, spec, title, rows):
    """A limit on the size of a file stands for the disk's: the system refuses the same call."""
    before = result(spec)
    store.save(tmp_path, spec, before, PREDICTIONS)
    row_ids = [f"test:{row * 7919}" for row in range(rows)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(UserError, match="can't be written"):
            store.save(tmp_path, spec, result(spec, title=title), Predictions(row_ids, [0] * rows, [1] * rows))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(store.read_runs(tmp_path)) == [before]
    assert store.read_predictions(tmp_path, before).num_rows == 2
    assert sorted(path.suffix for path in (tmp_path / "runs").rglob("*.*")) == [".json", ".parquet"]


def test_a_run_that_is_removed_before_it_is_read_is_left_out(tmp_path, spec):
    specs = [
        RunSpec(spec.task, spec.system, spec.recipe, Protocol(seed=seed), {**spec.identity, "protocol": {"seed": seed}})
        for seed in range(3)
    ]
    for one in specs:
        store.save(tmp_path, one, result(one), PREDICTIONS)
    runs = store.read_runs(tmp_path)
    found = [next(runs).seed]
    store.path_of(tmp_path, specs[1]).unlink()
    assert [*found, *(run.seed for run in runs)] == [0, 2]


def test_a_torn_record_is_one_message_that_names_the_file(tmp_path, spec):
    store.save(tmp_path, spec, result(spec), PREDICTIONS)
    path = tmp_path / "runs" / f"{spec.path}.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(UserError, match=str(path)):
        list(store.read_runs(tmp_path))


def test_a_record_of_a_newer_version_keeps_its_fields(tmp_path, spec):
    stored = result(spec, more="to come")
    store.save(tmp_path, spec, stored, PREDICTIONS)
    assert next(store.read_runs(tmp_path)).model_dump()["more"] == "to come"


def test_a_hidden_file_is_no_run(tmp_path, spec):
    store.save(tmp_path, spec, result(spec), PREDICTIONS)
    folder = (tmp_path / "runs" / spec.path).parent
    Path(folder, "._seed0.json").write_text("\0")
    assert len(list(store.read_runs(tmp_path))) == 1


@pytest.mark.parametrize("above", range(3), ids=["of a system", "of a task", "of all"])
def test_a_folder_of_runs_that_cannot_be_read_is_named(tmp_path, spec, above):
    """Else its leaderboards would be emptied without a word."""
    store.save(tmp_path, spec, result(spec), PREDICTIONS)
    folder = store.path_of(tmp_path, spec).parents[above]
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(folder.name)  # to itself, which root can't read either
    with pytest.raises(UserError, match=f"^{folder}: can't be read: "):
        list(store.read_runs(tmp_path))
    with pytest.raises(UserError, match=f"^{folder}.*: can't be read: "):
        store.find(tmp_path, f"{spec.task.name}/{spec.system.name}")


def test_records_are_of_a_task_and_of_a_system(tmp_path, spec):
    store.save(tmp_path, spec, result(spec), PREDICTIONS)
    path = store.path_of(tmp_path, spec)
    task, system = spec.task.name, spec.system.name
    assert store.records(tmp_path) == store.records(tmp_path, task) == store.records(tmp_path, system=system) == [path]
    assert store.records(tmp_path, "other") == store.records(tmp_path, task, "other") == []
    assert store.find(tmp_path, f"{task}/{system}") == store.find(tmp_path, f"{task}/{system}/{spec.key[:9]}") == [path]
    assert store.find(tmp_path, str(path)) == [path] and store.find(tmp_path, f"{task}/{system}/x") == []
