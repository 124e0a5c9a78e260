"""What tests of attacks share."""

from __future__ import annotations

import shutil
from pathlib import Path

import fake_hub
import jobs
import pytest
import tiny
from marks import Mark


@pytest.fixture
def mark(tmp_path) -> Mark:
    return Mark(tmp_path)


@pytest.fixture(scope="session")
def honest(tmp_path_factory) -> Path:
    """A tiny checkpoint without anything bad."""
    return tiny.checkpoint(tmp_path_factory.mktemp("honest") / "enc", "bert", [*tiny.SENTENCES, *jobs.VOCABULARY])


@pytest.fixture
def encoder(tmp_path, honest) -> Path:
    """A copy of it to put something bad in."""
    return Path(shutil.copytree(honest, tmp_path / "enc"))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub on 127.0.0.1, asked by this very process."""
    with fake_hub.serving() as hub:
        fake_hub.point_client_at(monkeypatch, hub.url, tmp_path / "hf")
        yield hub


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to stand in, with a cache of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("ENCODER_BENCH_DATA", raising=False)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "here" / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "here"
