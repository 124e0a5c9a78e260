"""The verb speed: training beside reference loops, many runs, start and growth; writes RESULTS/SPEED.md."""

from __future__ import annotations

import gc
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import definitions, lock, selection
from benchmarks.cli import USUAL
from benchmarks.cli.run import check_results_dir
from benchmarks.encoders import locate
from benchmarks.environment import cache_dir
from benchmarks.errors import UserError
from benchmarks.places import search
from benchmarks.schema import TEXTS, Protocol, System, Task

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData
    from benchmarks.speed.loops import Work
    from benchmarks.speed.timing import Measured

SYSTEM = "minilm"
TASKS, SAMPLE_TASKS = ["rotten-tomatoes", "mit-movie"], ["sentiment-sample", "ner-sample"]


class Setting(NamedTuple):
    """What is trained on what, how many rows of it, and how often."""

    names: Sequence[str]
    """Of the tasks, as they were given."""
    tasks: Sequence[Task]
    system: System
    encoder: Path
    arguments: Namespace

    @property
    def rounds(self) -> int:
        return int(self.arguments.rounds)

    def data(self, task: Task) -> TaskData:
        from benchmarks.data.loading import load

        locked = lock.read()
        found = search([task], [], self.arguments.data_dir, self.arguments.sample).places(locked, ask_hub=True)
        return load(task, found.origins[task.name], cache_dir(), locked)

    def check(self, parts: Sequence[str]) -> None:
        """Whether there are rows for them. Raises UserError before anything is measured."""
        from benchmarks.data.splits import select

        if "training" in parts or "many" in parts:
            for task in self.tasks:
                select(self.data(task), Protocol(train_size=self.arguments.rows))
        if "frozen" in parts:
            select(self.texts(), Protocol(train_size=self.arguments.rows))

    def texts(self) -> TaskData:
        """Of the first task whose rows are texts. Raises UserError where there is none."""
        for task in self.tasks:
            if task.type == TEXTS:
                return self.data(task)
        raise UserError(
            "--tasks: a head on a frozen encoder is measured on texts; name a text-classification task, too."
        )


def speed(arguments: Namespace) -> int:
    """Measures the parts that are asked for, keeps each, and writes the page of all that are kept."""
    from benchmarks.environment import machine
    from benchmarks.speed import page

    check_results_dir(arguments.results_dir)
    system = definitions.load_systems()[SYSTEM]
    assert system.encoder
    encoder = locate(system.encoder, {}, offline=True).folder
    assert encoder
    names = arguments.tasks or (SAMPLE_TASKS if arguments.sample else TASKS)
    tasks = selection.select_tasks(names, definitions.load_tasks(), arguments.sample)
    setting = Setting(names, tasks, system, encoder, arguments)
    parts = arguments.parts or list(MEASURED)
    setting.check(parts)
    machine()
    gc.set_threshold(*USUAL)
    for part in parts:
        print(f"== {part}", flush=True)
        where = " --sample" if arguments.sample else " --data-dir DIR" if arguments.data_dir else ""
        asked = f"{part} --tasks {','.join(names)} --rows {arguments.rows} --rounds {arguments.rounds}{where}"
        page.keep(arguments.results_dir, part, MEASURED[part](setting), asked)
    written = page.write(arguments.results_dir)
    print(f"\n{page.reached(arguments.results_dir)}\n\n{written}")
    return 0


def _tell(said: str) -> None:
    print(said, flush=True)


# -- the parts -------------------------------------------------------------------------------------------------------


def _training(setting: Setting) -> Measured:
    from benchmarks.speed.training import one_run

    with tempfile.TemporaryDirectory() as cache:
        return one_run([_work(task, setting, Path(cache)) for task in setting.tasks], setting.rounds, _tell)


def _work(task: Task, setting: Setting, cache: Path) -> Work:
    from benchmarks.recipes import Finetune
    from benchmarks.speed.loops import Work

    recipe = definitions.resolved_recipe(setting.system, task.type).model_copy(update={"epochs": 1})
    assert isinstance(recipe, Finetune)
    return Work(setting.data(task), setting.encoder, recipe, setting.arguments.rows, cache)


def _frozen(setting: Setting) -> Measured:
    from benchmarks.speed.frozen import frozen_heads

    with tempfile.TemporaryDirectory() as cache:
        data, rows = setting.texts(), setting.arguments.rows
        return frozen_heads(data, setting.encoder, rows, Path(cache), setting.rounds, _tell)


def _many(setting: Setting) -> Measured:
    from benchmarks.speed.many import many_runs

    with tempfile.TemporaryDirectory() as cache:
        task = setting.tasks[0]
        return many_runs(_small_runs(setting), setting.rounds, Path(cache), lambda: setting.data(task), _tell)


def _small_runs(setting: Setting) -> list[str]:
    """The arguments of `run` for one system on one task."""
    arguments = setting.arguments
    where = ["--sample"] if arguments.sample else ["--data-dir", str(arguments.data_dir)] if arguments.data_dir else []
    return ["--tasks", setting.names[0], "--systems", SYSTEM, "--train-sizes", str(arguments.rows // 4), *where]


def _starting(setting: Setting) -> Measured:
    from benchmarks.speed.starting import starting

    return starting(setting.rounds, _tell)


def _vocabulary(setting: Setting) -> Measured:
    from benchmarks.speed.vocabulary import multilingual

    return multilingual(setting.rounds, _tell)


def _together(setting: Setting) -> Measured:
    from benchmarks.speed.together import seeds_together

    return seeds_together(setting.encoder, setting.rounds, _tell)


def _growth(setting: Setting) -> Measured:
    from benchmarks.speed.growth import growth

    return growth(setting.encoder, _tell)


def _gpu(setting: Setting) -> Measured:
    from benchmarks.speed.gpu import on_a_gpu

    with tempfile.TemporaryDirectory() as cache:
        return on_a_gpu(setting.encoder, _small_runs(setting), setting.rounds, Path(cache), _tell)


MEASURED: dict[str, Callable[[Setting], Measured]] = {
    "training": _training,
    "frozen": _frozen,
    "many": _many,
    "starting": _starting,
    "vocabulary": _vocabulary,
    "together": _together,
    "growth": _growth,
    "gpu": _gpu,
}
