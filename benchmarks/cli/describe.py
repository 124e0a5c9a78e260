"""The verb describe: all that is known of a task, a system or a run."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import amounts, definitions, lock, store
from benchmarks.cli.predict import no_run
from benchmarks.definitions import SUFFIXES, load_task
from benchmarks.definitions.systems import resolved_recipe
from benchmarks.errors import UserError, unknown
from benchmarks.leaderboard import words
from benchmarks.metrics import METRICS, names_for
from benchmarks.recipes import RECIPES
from benchmarks.schema import TAGS, RunFailure, RunResult, System, Task, TaskType, asked, seed_and_fold


def describe(arguments: Namespace) -> int:
    """Prints it; a name that is a task's and a system's, both."""
    name, results = arguments.name, arguments.results_dir
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    found = []
    if name in tasks or name.endswith(SUFFIXES):
        found.append(_task(tasks.get(name) or load_task(Path(name)), results))
    if name in systems:
        found.append(_system(systems[name], results))
    if not found:
        records = store.find(results, name)
        if not records:
            known = [*tasks, *systems]
            raise UserError(no_run(results, name) if "/" in name else unknown("task or system", name, known))
        runs = [(store.parse(path), path) for path in records]
        found = [_run(*runs[0], results)] if len(runs) == 1 else [_several(runs)]
    print("\n\n".join("\n".join(lines) for lines in found))
    return 0


def _fields(values: Mapping[str, Any]) -> Iterator[str]:
    """'name   value', of those that say something."""
    there = {name: value for name, value in values.items() if value not in (None, "", (), {}, [])}
    width = max(map(len, there), default=0)
    for name, value in there.items():
        yield f"  {name:{width}}  {value}"


def _stored(results: Path, task: str | None = None, system: str | None = None) -> str:
    count = len(store.records(results, task, system))
    return f"{amounts.counted(count, 'run')} in {results}" if count else "none"


def _task(task: Task, results: Path) -> Iterator[str]:
    yield f"{task.name}: {task.title}"
    parts = task.source.files if task.source else {}
    sizes = {part: sum(file.rows or 0 for file in files) for part, files in parts.items()}
    splits = {name: split for name, split in task.splits if split is not None}
    yield from _fields({
        "group": task.group,
        "type": task.type,
        "language": task.language,
        f"{'entity types' if task.type == TAGS else 'labels'}": f"{len(task.labels)}: {', '.join(task.labels)}",
        "positive": task.positive,
        "scheme": task.scheme if task.type == TAGS else None,
        "primary metric": f"{task.metric}, {METRICS[task.metric].summary}",
        "all metrics": ", ".join(names_for(task.type, len(task.labels))),
        "longest row": f"{task.max_length} word pieces",
        "splits": ", ".join(f"{name} = {split}" for name, split in splits.items()),
        "published rows": ", ".join(f"{part} {rows:,}" for part, rows in sizes.items() if rows),
        "data": _data(task),
        "licence": task.licence,
        "homepage": task.homepage,
        "citation": task.citation,
        "notes": " ".join(task.notes.split()) if task.notes else None,
        "not comparable": task.not_comparable,
        "offensive": "yes: the texts may offend" if task.offensive else None,
        "stored runs": _stored(results, task=task.name),
    })  # fmt: skip


def _data(task: Task) -> str:
    if task.sample:
        return f"embedded sample corpus {task.sample}"
    said = []
    if task.source:
        said.append(f"files in DIR/{task.source.folder} (--data-dir DIR)")
    if task.hub:
        commit = lock.read().commits("dataset").get(task.hub.path)
        said.append(f"Hub {task.hub.path}{f' at {commit[:12]}' if commit else ''}")
    return ", else ".join(said)


def _system(system: System, results: Path) -> Iterator[str]:
    yield f"{system.name}: {system.summary}"
    yield from _fields({
        "method": system.method,
        "encoder": system.encoder.checkpoint if system.encoder else "none",
        "tags": ", ".join(system.tags),
        **{f"recipe ({task_type.partition('-')[0]}s)": _recipe(system, task_type) for task_type in _types(system)},
        "searched by --tune": ", ".join(RECIPES[system.method].space),
        "stored runs": _stored(results, system=system.name),
    })  # fmt: skip


def _types(system: System) -> tuple[TaskType, ...]:
    return RECIPES[system.method].task_types


def _recipe(system: System, task_type: TaskType) -> str:
    """What the method reads for such a task, with its defaults."""
    recipe = resolved_recipe(system, task_type)
    read = {k: v for k, v in recipe.model_dump().items() if k not in recipe.unread(task_type) and v is not None}
    return ", ".join(f"{k} {v}" for k, v in read.items())


def _several(runs: Sequence[tuple[RunResult | RunFailure, Path]]) -> Iterator[str]:
    """One line each, to choose from."""
    for run, path in runs:
        said: str = run.status
        if isinstance(run, RunResult) and run.primary_metric in run.metrics:
            said = f"{run.primary_metric} {run.metrics[run.primary_metric]:.4f}"
        yield f"{run.task}/{run.system}/{path.stem}  {said}"


def _run(run: RunResult | RunFailure, path: Path, results: Path) -> Iterator[str]:
    yield f"{run.task} {run.system} {seed_and_fold(run.seed, run.fold)}: {run.status}"
    facts = {"made": run.created, "protocol": words.protocol(asked(run.protocol)).lower()}
    if isinstance(run, RunFailure):
        yield from _fields({**facts, "error": f"{run.error['type']}: {run.error['message']}", "record": path})
        return
    cost = run.cost
    model = store.model_path(results, run)
    yield from _fields({
        **facts,
        "rows": ", ".join(f"{split} {count:,}" for split, count in run.data["used"].items()),
        **{name: f"{value:.4f}" for name, value in run.metrics.items()},
        "train time": amounts.duration(cost["train_seconds"]),
        "predict time": amounts.duration(cost["predict_seconds"]),
        "peak memory": cost["peak_memory_mb"] and amounts.size(cost["peak_memory_mb"] * 2**20),
        "parameters": _parameters(cost),
        "method": run.method,
        "recipe": ", ".join(f"{k} {v}" for k, v in run.recipe.items() if v is not None),
        "chosen": run.tuning and ", ".join(f"{k} {v}" for k, v in run.tuning["chosen"].items()),
        "machine": run.environment["processor"] or run.environment["device"],
        "trained in": run.environment["precision"],  # 'precision' is a metric
        "code": f"encoder-bench {run.environment['encoder_bench']} at {run.environment['git'] or 'no commit'}",
        "record": path,
        "predictions": path.with_suffix(".parquet"),
        "model": model if model.is_dir() else None,
    })  # fmt: skip


def _parameters(cost: Mapping[str, Any]) -> str:
    sizes = [cost.get(name) for name in ("parameters", "trainable_parameters")]
    return "" if None in sizes else "{:,} ({:,} trained)".format(*sizes)
