"""Where rows come from, and what of it is part of a run's identity."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.data.origins import FilesOrigin, HubOrigin, origin_of
from benchmarks.data.sample import SAMPLE_VERSION
from benchmarks.definitions import load_tasks
from benchmarks.errors import UserError
from benchmarks.schema import Task

GIVEN = "a" * 64


def task(**fields) -> Task:
    content = {
        "name": "mine",
        "title": "t",
        "group": "g",
        "language": "en",
        "type": "text-classification",
        "metric": "accuracy",
        "labels": ["x", "y"],
        "homepage": "https://example.org/data",
        "splits": {"train": "train", "validation": "dev", "test": "test"},
        "fallback": {"splits": {"train": "dev", "test": "test"}, "not_comparable": "trained on dev."},
        "source": {
            "folder": "mine",
            "format": "lines",
            "files": {
                "train": [{"path": "train.x", "label": "x"}],
                "dev": [{"path": "dev.x", "label": "x", "sha256": GIVEN}],
                "test": [{"path": "test.x", "label": "x"}, {"path": "test.y", "label": "y"}],
                "more": [{"path": "never.x", "label": "x"}],
            },
        },
    }
    return Task.model_validate({**content, **fields})


HUB = {"path": "someone/something", "parts": {"train": "train", "dev": "validation", "test": "test"}, "columns": {}}


def folder_of(path: Path, *names: str) -> Path:
    (path / "mine").mkdir(exist_ok=True)
    for name in names:
        (path / "mine" / name).write_text(f"{name}\n")
    return path


def digest(name: str) -> str:
    return sha256(f"{name}\n".encode()).hexdigest()


def test_files_are_identified_by_declared_checksums_or_else_by_their_own(tmp_path):
    origin = origin_of(task(), folder_of(tmp_path, "train.x", "dev.x", "test.x", "test.y"), {})
    assert isinstance(origin, FilesOrigin)
    assert (origin.summary, origin.not_comparable) == (f"files in {tmp_path / 'mine'}", None)
    assert origin.identity == {
        "source": "files",
        "parts": {
            "train": [[digest("train.x"), "x", None]],
            "dev": [[GIVEN, "x", None]],
            "test": [[digest("test.x"), "x", None], [digest("test.y"), "y", None]],
        },
    }


def test_a_fallback_has_another_identity_and_says_that_it_is_not_comparable(tmp_path):
    origin = origin_of(task(), folder_of(tmp_path, "dev.x", "test.x", "test.y"), {})
    assert origin.splits.train == "dev" and origin.splits.validation is None
    assert origin.not_comparable == "trained on dev."
    assert set(origin.identity["parts"]) == {"dev", "test"}
    assert origin.identity["splits"]["train"] == "dev"


def test_both_reasons_of_a_fallback_are_told(tmp_path):
    origin = origin_of(task(not_comparable="Cut."), folder_of(tmp_path, "dev.x", "test.x", "test.y"), {})
    assert origin.not_comparable == "Cut. trained on dev."


def test_the_hub_stands_in_for_files_that_are_not_there(tmp_path):
    asked = task(hub=HUB, fallback=None)
    for folder in (None, tmp_path, folder_of(tmp_path, "train.x")):
        origin = origin_of(asked, folder, {"someone/something": "c0ffee", "another/one": "dead"})
        assert isinstance(origin, HubOrigin)
        assert (origin.commit, origin.identity["commit"]) == ("c0ffee", "c0ffee")
    assert {"source": "hub", "path": "someone/something", "config": None}.items() <= origin.identity.items()
    assert origin_of(asked, None, {}).identity["commit"] is None
    files = folder_of(tmp_path, "train.x", "dev.x", "test.x", "test.y")
    assert isinstance(origin_of(asked, files, {}), FilesOrigin)


def test_a_sample_task_reads_nothing_else(tmp_path):
    asked = task(source=None, fallback=None, sample="ner")
    assert origin_of(asked, tmp_path, {}).identity == {"source": "sample", "corpus": "ner", "version": SAMPLE_VERSION}
    with pytest.raises(UserError, match=r"No sample corpus 'nre'\. Did you mean 'ner'\?"):
        origin_of(task(source=None, fallback=None, sample="nre"), None, {})


def message(asked: Task, folder: Path | None) -> str:
    with pytest.raises(UserError) as caught:
        origin_of(asked, folder, {})
    return str(caught.value)


def test_what_is_missing_is_told_with_where_it_comes_from_and_how_to_give_it(tmp_path):
    found = message(task(), folder_of(tmp_path, "train.x", "dev.x"))
    assert found.startswith("Task 'mine': no data: not in ") and "problems" not in found
    assert f"not in {tmp_path / 'mine'}: test.x, test.y." in found
    assert "fallback: not in" in found
    assert "The files come from https://example.org/data" in found
    assert "Give the folder that holds 'mine' with --data-dir (or ENCODER_BENCH_DATA)." in found
    assert "no folder of published files was given" in message(task(), None)
    assert "mine2: no such folder." in message(task(source={**task().source.model_dump(), "folder": "mine2"}), tmp_path)


def test_a_data_folder_that_is_none_is_an_error_even_where_the_hub_has_a_copy(tmp_path):
    (tmp_path / "file").touch()
    assert message(task(hub=HUB), tmp_path / "file") == f"{tmp_path / 'file'}: not a folder (--data-dir)."
    assert message(task(hub=HUB), tmp_path / "nowhere") == f"{tmp_path / 'nowhere'}: no such folder (--data-dir)."


def test_germeval_without_its_training_file_is_trained_on_dev_and_with_it_is_not(tmp_path):
    folder = tmp_path / "germeval2014-ner"
    folder.mkdir()
    for name in ("NER-de-dev.tsv", "NER-de-test.tsv"):
        (folder / name).touch()
    germeval = load_tasks()["germeval2014"]
    without = origin_of(germeval, tmp_path, {})
    (folder / "NER-de-train.tsv").touch()
    complete = origin_of(germeval, tmp_path, {})
    assert without.not_comparable and not complete.not_comparable
    assert (without.splits.train, complete.splits.train, complete.splits.validation) == ("dev", "train", "dev")
    assert without.identity != complete.identity


def test_planning_imports_neither_numpy_nor_pandas_nor_datasets():
    heavy = "{'numpy', 'pandas', 'datasets', 'pyarrow', 'torch'}"
    code = f"import sys, benchmarks.data.origins; sys.exit(bool({heavy} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
