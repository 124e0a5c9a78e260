"""Stored runs in the forms of other tools: data frames, a model card's model-index, the Hub's eval results, LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import amounts, leaderboard, store
from benchmarks.errors import UserError, one_of, unknown
from benchmarks.leaderboard import Page, Row, Section, words
from benchmarks.leaderboard.boards import boards
from benchmarks.schema import RunResult, Stored, Task, asked

FRAMES = ("csv", "json", "parquet")
DIGITS = 4


def runs(results: Path, tasks: Sequence[str], systems: Sequence[str]) -> pd.DataFrame:
    """One row a stored run, those of --limit among them: what it is, its metrics, its cost; failures with their error.

    tasks, systems: names; none: all. Raises UserError for a record that can't be read, or where no run is left.
    """
    rows, there = [], set()
    for run in store.read_runs(results):
        there.add((run.task, run.system))
        if _wanted(run, tasks, systems):
            rows.append(_record(run))
    _check_names("task", tasks, (task for task, _ in there))
    _check_names("system", systems, (system for _, system in there))
    if not rows:
        raise UserError("nothing to export: no stored run of these tasks and systems.")
    return pd.DataFrame.from_records(rows)


def _wanted(run: Stored, tasks: Sequence[str], systems: Sequence[str]) -> bool:
    return (not tasks or run.task in tasks) and (not systems or run.system in systems)


def _check_names(kind: str, names: Sequence[str], stored: Iterable[str]) -> None:
    """Raises UserError for one that isn't stored: beside others it would be left out without a word."""
    there = sorted(set(stored))
    for name in names:
        if there and name not in there:
            raise UserError(f"nothing to export: {unknown(kind, name, there, f'Stored:{one_of(there)}')}")


def _record(run: Any) -> dict[str, Any]:
    drawn = asked(run.protocol, without=("seed", "fold", "limit"))
    shared = {
        "task": run.task, "system": run.system, "seed": run.seed, "fold": run.fold, "protocol": words.protocol(drawn),
        "train_rows": run.train_size, "sample": run.sample, "limited": run.limited, "status": run.status,
        "created": run.created, "key": run.key,
    }  # fmt: skip
    if not isinstance(run, RunResult):
        return {**shared, "error": f"{run.error['type']}: {run.error['message']}"}
    own = {"group": run.group, "type": run.type, "method": run.method, "primary_metric": run.primary_metric}
    return {**shared, **own, **run.metrics, **run.cost, "device": run.environment["device"]}


TOLD = ("seed", "fold", "protocol", "train_rows", "limited", "key")
"""Of a run, what tells it from others of the same system on the same task."""


def predictions(results: Path, task: str, system: str) -> pd.DataFrame:
    """One row a test row of every run of a system on a task that is done, with what tells the runs apart.

    Raises UserError for names of which nothing is stored, and for a file that can't be read.
    """
    paths = store.find(results, f"{task}/{system}")
    if not paths:
        there = {(run.task, run.system) for run in store.read_runs(results)}
        _check_names("task", [task], (name for name, _ in there))
        _check_names("system", [system], (name for of, name in there if of == task))
        raise UserError(f"nothing to export: {results} holds no stored run.")
    frames = []
    for run in map(store.parse, paths):
        if run.status == "done":
            record = _record(run)
            frame = store.read_predictions(results, run).to_pandas()
            frames.append(frame.assign(**{name: record[name] for name in TOLD}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


# -- a system's scores on the Hub ------------------------------------------------------------------------------------


def model_index(results: Path, tasks: Sequence[str], systems: Sequence[str]) -> dict[str, Any]:
    """The metadata of a model card: every system of the leaderboards with its means over seeds, a result a table.

    In the form of the Hub's client (`huggingface_hub.repocard_data`). Raises UserError where nothing is left.
    """
    from huggingface_hub import EvalResult
    from huggingface_hub.repocard_data import eval_results_to_model_index

    by_system: dict[str, list[Any]] = {}
    for page, section, row in _rows(results, tasks, systems):
        for name, value in row.metrics.items():
            by_system.setdefault(row.system, []).append(
                EvalResult(
                    task_type=row.made[0][0].type,
                    dataset_type=str(section.place) if section.data["source"] == "hub" else page.task,
                    dataset_name=page.title,
                    dataset_config=words.protocol(section.protocol),  # by it the client keeps tables apart
                    dataset_split="test",
                    dataset_revision=section.data.get("revision") if section.data["source"] == "hub" else None,
                    dataset_args={"seeds": row.seeds, "data": section.conditions.data},
                    metric_type=name,
                    metric_name=words.header(name, section.scheme),
                    metric_value=round(value, DIGITS),
                )
            )
    index = [eval_results_to_model_index(system, found)[0] for system, found in by_system.items()]
    return {"model-index": index}


def eval_results(
    results: Path, tasks: Sequence[str], systems: Sequence[str], declared: Mapping[str, Task]
) -> list[dict[str, Any]]:
    """One system's primary scores as a file of a model repository's folder .eval_results.

    Of tasks alone whose data are a data set of the Hub. Raises UserError for several systems, or where nothing is left.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    rows = list(_rows(results, tasks, systems))
    names = list(dict.fromkeys(row.system for _, _, row in rows))
    if len(names) > 1:
        raise UserError(f"--format eval-results: is of one model; name one with --systems: {words.listed(names)}.")
    entries = []
    for page, section, row in rows:
        hub = declared[page.task].hub if page.task in declared else None
        if hub is None or row.score is None:
            continue
        protocol = words.protocol(section.protocol).lower()
        entries.append(
            EvalResultEntry(
                dataset_id=hub.path,
                task_id=hub.config or "default",
                value=round(row.score, DIGITS),
                dataset_revision=section.data.get("revision") if section.data["source"] == "hub" else None,
                date=row.made[0][0].created,
                notes=f"{page.metric}, {protocol}, mean of {amounts.counted(row.seeds, 'seed')}, by encoder-bench",
            )
        )
    if not entries:
        raise UserError("--format eval-results: none of these tasks is declared with a data set of the Hub.")
    found: list[dict[str, Any]] = eval_result_entries_to_yaml(entries)
    return found


def _rows(results: Path, tasks: Sequence[str], systems: Sequence[str]) -> Iterator[tuple[Page, Section, Row]]:
    """Every ranked row of every table of real tasks. Raises UserError where none is left."""
    count = 0
    pages = leaderboard.read(results, intervals=False)
    _check_pages(pages, tasks, systems)
    for page in pages:
        for section in page.sections:
            for row in section.rows:
                wanted = (not tasks or page.task in tasks) and (not systems or row.system in systems)
                if wanted and row.rank is not None and not page.sample:
                    count += 1
                    yield page, section, row
    if not count:
        raise UserError("nothing to export: no leaderboard of real data has these tasks and systems.")


def _check_pages(pages: Sequence[Page], tasks: Sequence[str], systems: Sequence[str]) -> None:
    """Raises UserError for a name that is in none of them."""
    rows = (row for page in pages for section in page.sections for row in (*section.rows, *section.clusterings))
    _check_names("task", tasks, (page.task for page in pages))
    _check_names("system", systems, (row.system for row in rows))


# -- a paper ---------------------------------------------------------------------------------------------------------


def latex(results: Path, tasks: Sequence[str], systems: Sequence[str]) -> str:
    """The leaderboard of each type of task as booktabs draws it; bold is what nothing is significantly better than."""
    from benchmarks.report.tables import leaderboard as table_of

    pages = [page for page in leaderboard.read(results) if not page.sample]
    _check_pages(pages, tasks, systems)
    found = []
    for board in boards([page for page in pages if not tasks or page.task in tasks]):
        wanted = tuple(standing for standing in board.standings if not systems or standing.system in systems)
        if wanted:
            found.append(f"% {board.title}\n{table_of(replace(board, standings=wanted), {}, board.type).latex()}")
    if not found:
        raise UserError("nothing to export: no leaderboard of real data has these tasks and systems.")
    return "\n".join(found)


FRAME_WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "csv": lambda frame: frame.map(words.as_cell).to_csv(index=False, lineterminator="\n"),
    "json": lambda frame: frame.to_json(orient="records", lines=True, force_ascii=False),
}
"""As texts; parquet is none."""
