"""What tests of methods share."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import jobs
import pytest
import tiny


@pytest.fixture(scope="session", autouse=True)
def imports_are_no_garbage():
    """A training collects garbage three times, and looks at all that torch and scikit-learn have imported: half of the
    second that a tiny one takes.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    """A tiny checkpoint of each family, whose tokenizer knows the words of jobs' tasks."""
    folder = tmp_path_factory.mktemp("checkpoints")
    words = [*tiny.SENTENCES, *jobs.VOCABULARY]
    return {family: tiny.checkpoint(folder / family, family, words) for family in tiny.FAMILIES}


@pytest.fixture(scope="session")
def bert(checkpoints) -> Path:
    return checkpoints["bert"]


@pytest.fixture
def configured(bert, tmp_path) -> Callable[..., Path]:
    """The same checkpoint with other fields in its config.json."""

    def written(**fields) -> Path:
        folder = shutil.copytree(bert, tmp_path / "configured")
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
        return folder

    return written
