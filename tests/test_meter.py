"""Costs are those of the run at hand."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from benchmarks.environment import environment
from benchmarks.meter import Meter
from benchmarks.recipes import RECIPES


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can start anew with the peak of a process")
def test_peak_memory_is_this_runs_and_not_that_of_the_run_before():
    before = Meter().cost()["peak_memory_mb"]
    meter = Meter()
    block = bytearray(200 * 2**20)
    assert meter.cost()["peak_memory_mb"] > before + 150
    del block
    pieces = [bytes(3000) for _ in range(60_000)]
    assert meter.cost()["peak_memory_mb"] > before + 150
    left = pieces[::300]  # what is freed between these the allocator keeps, unless it is told to give it back
    del pieces
    assert Meter().cost()["peak_memory_mb"] < before + 60
    assert len(left) == 200


def test_a_run_on_the_processor_has_no_gpus_memory_or_name_in_a_process_that_uses_one(monkeypatch):
    cuda = SimpleNamespace(
        is_available=lambda: True,
        is_initialized=lambda: True,
        reset_peak_memory_stats=lambda: None,
        max_memory_allocated=lambda: 7 * 2**20,
        get_device_name=lambda: "a GPU",
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, get_num_threads=lambda: 2))
    assert RECIPES["finetune"].on_gpu() and RECIPES["probe"].on_gpu() and RECIPES["recurrent-word2vec"].on_gpu()
    assert not (RECIPES["majority"].on_gpu() or RECIPES["tfidf"].on_gpu() or RECIPES["tag-features"].on_gpu())
    assert Meter(on_gpu=True).cost()["peak_memory_mb"] == 7
    assert Meter(on_gpu=False).cost()["peak_memory_mb"] > 20
    assert [environment(1, None, on_gpu)["device"] for on_gpu in (True, False)] == ["a GPU", "cpu"]


def test_seconds_and_rows_add_up_over_several_measurements():
    meter = Meter()
    for _ in range(2):
        with meter.measuring("train", rows=50):
            pass
    assert meter.rows == {"train": 100}
    assert meter.cost()["train_rows_per_second"] > 0
    assert meter.cost()["predict_seconds"] == 0.0


def test_a_run_that_trained_nothing_has_no_rate():
    assert Meter().cost()["train_rows_per_second"] is None
