"""Results in and out: atomic, one JSON file a run under RESULTS/runs, its predictions in parquet beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from benchmarks.errors import UserError, short
from benchmarks.files import read_bytes, replacing_two, write_text
from benchmarks.predictions import check_content, read_table
from benchmarks.records import check_fields
from benchmarks.schema import Predictions, RunFailure, RunResult, RunSpec, Stored, folder_name

if TYPE_CHECKING:
    import pyarrow as pa


_RECORD: TypeAdapter[RunResult | RunFailure] = TypeAdapter(
    Annotated[RunResult | RunFailure, Field(discriminator="status")]
)


CONTROL = re.compile(rb"\\u00(?:0[0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF]|[89][0-9a-fA-F])|\x7f|\xc2[\x80-\x9f]")
"""Signs that move a terminal's cursor, or do more to it: a stored run may be a stranger's."""

MODELS = "models"
LARGEST_RECORD = 100_000_000
"""Bytes: the suite's largest has a thousandth of it; a confusion matrix of a thousand labels some megabytes."""


def runs_folder(results: Path) -> Path:
    return results / "runs"


def path_of(results: Path, spec: RunSpec) -> Path:
    """Where the record of a run is: under RESULTS/runs, of a trial under RESULTS/trials."""
    stem = (results / "trials" if spec.trial else runs_folder(results)) / spec.path
    return stem.with_name(f"{stem.name}.json")


def model_path(results: Path, run: RunSpec | Stored) -> Path:
    """The folder of a run's model, where it was kept."""
    if isinstance(run, RunSpec):
        return results / MODELS / run.path
    return results / MODELS / folder_name(run.task) / folder_name(run.system) / folder_name(run.key)


# -- out -------------------------------------------------------------------------------------------------------------


def save(results: Path, spec: RunSpec, outcome: RunResult | RunFailure, predictions: Predictions | None) -> None:
    """Writes predictions and record: a record that is there is complete, and the predictions beside it are its own,
    also where a run is made again by force. A failure never replaces a result.
    """
    path = path_of(results, spec)
    if isinstance(outcome, RunFailure) and path.is_file() and isinstance(parse(path), RunResult):
        return
    record = outcome.model_dump(mode="json", by_alias=True)
    text = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
    if predictions is None:
        write_text(path, text)
        return
    with replacing_two(path.with_suffix(".parquet"), path) as (of_predictions, of_record):
        _write_predictions(of_predictions, predictions, spec.task.classes)
        of_record.write_text(text, encoding="utf-8")


def _write_predictions(path: Path, predictions: Predictions, classes: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {
        "row_id": pa.array(predictions.row_ids, pa.string()),
        "gold": _names(predictions.gold, classes),
        "predicted": _names(predictions.predicted, classes),
    }
    if predictions.scores is not None:
        flat = pa.array(predictions.scores.astype("float16").ravel(), pa.float16())
        columns["scores"] = pa.FixedSizeListArray.from_arrays(flat, predictions.scores.shape[1])
    if predictions.silhouettes is not None:
        columns["silhouette"] = pa.array(predictions.silhouettes, pa.float32())
    table = pa.table(columns, metadata={"classes": json.dumps(list(classes), ensure_ascii=False)})
    pq.write_table(table, path, compression="zstd")


def _names(ids: Sequence[Any], classes: Sequence[str]) -> pa.Array:
    """Class ids, or lists of them, as names: a stored prediction must not depend on the order of a label list."""
    import pyarrow as pa

    if ids and isinstance(ids[0], list):
        return pa.array([[classes[i] for i in row] for row in ids], pa.list_(pa.string()))
    return pa.array([classes[i] for i in ids], pa.string())


# -- in --------------------------------------------------------------------------------------------------------------


Signature: TypeAlias = tuple[int, int, int]
"""Of a file as it is: another one in its place has another."""


def signature(results: Path, spec: RunSpec) -> Signature | None:
    """Of a run's record; None where there is none."""
    try:
        found = path_of(results, spec).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def stored(results: Path, spec: RunSpec) -> RunResult | RunFailure | None:
    """The outcome of exactly this run. Raises UserError for a record that can't be read."""
    path = path_of(results, spec)
    return parse(path) if path.is_file() else None


def read_runs(results: Path, task: str | None = None) -> Iterator[RunResult | RunFailure]:
    """Every stored run (of one task), in the order of the paths; not what is removed before it is read.

    Raises UserError for a record that can't be read.
    """
    for path in records(results, task):
        if (run := _if_there(path)) is None:
            continue
        if tuple(map(folder_name, (run.task, run.system, run.key))) != (*path.parts[-3:-1], path.stem):
            raise _no_run(path, f"it is {short(f'{run.task}/{run.system}/{run.key}')}, which does not lie there")
        yield run


def records(results: Path, task: str | None = None, system: str | None = None) -> list[Path]:
    """Of all runs, of a task's, of a system's on it, sorted. Raises UserError for a folder that can't be read: what
    lies in it would be missing without a word.
    """
    folders = [runs_folder(results)]
    for name in (task, system):
        folders = [inner for folder in folders for inner in ([folder / folder_name(name)] if name else _in(folder))]
    return [path for folder in folders for path in _in(folder) if path.suffix == ".json"]


def _in(folder: Path) -> list[Path]:
    """Without what is none of ours, such as what a Mac leaves beside each file."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UserError(f"{folder}: can't be read: {error.strerror}.") from None


def _if_there(path: Path) -> RunResult | RunFailure | None:
    """A run that was there a moment ago, and may be made anew by another process."""
    try:
        return parse(path)
    except UserError:
        return parse(path) if os.path.lexists(path) else None


def parse(path: Path) -> RunResult | RunFailure:
    """One stored run. Raises UserError for a file that holds none."""
    try:
        content = CONTROL.sub(rb"\\ufffd", read_bytes(path, LARGEST_RECORD))
        run = _RECORD.validate_python(from_json(content, allow_inf_nan=False))
        check_fields(run)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        steps = [str(step).removesuffix("_") for step in first["loc"] if step not in ("done", "failed")]
        raise _no_run(path, f"{'.'.join(steps) or 'the file'}: {first['msg']}") from None
    except ValueError as error:
        raise _no_run(path, f"no JSON: {error}") from None
    return run


def _no_run(path: Path, why: str) -> UserError:
    return UserError(f"{path}: no stored run: {why}. Move it away to go on without it.")


def predictions_path(results: Path, task: str, system: str, key: str) -> Path:
    """Where the predictions of a stored run are; its record is beside it."""
    return runs_folder(results) / folder_name(task) / folder_name(system) / f"{folder_name(key)}.parquet"


def read_predictions(results: Path, run: Stored) -> pa.Table:
    """row_id, gold, predicted and, where the method gives them, scores or silhouette of a stored run, in data-set
    order. Raises UserError for a file that isn't there, can't be read, or holds anything else.
    """
    path = predictions_path(results, run.task, run.system, run.key)
    with _told_if_torn(path):
        table = read_table(path)
        check_content(table, run.identity_["task"])
    return table


def has_scores(path: Path) -> bool:
    """Whether stored predictions have scores; reads the file's schema alone."""
    import pyarrow.parquet as pq

    with _told_if_torn(path):
        return "scores" in pq.read_schema(path).names


@contextlib.contextmanager
def _told_if_torn(path: Path) -> Iterator[None]:
    import pyarrow as pa

    if not path.is_file():
        raise UserError(f"{path}: no such file.")
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:  # OSError: a page of it that can't be decoded
        raise UserError(f"{path}: no stored predictions: {error}. Move it away to go on without it.") from None


# -- by name ---------------------------------------------------------------------------------------------------------


def find(results: Path, text: str) -> list[Path]:
    """The records that a person means: a path of one, or TASK/SYSTEM or TASK/SYSTEM/KEY, of which the key's beginning
    is enough. Empty where none is.
    """
    path = Path(text)
    if path.suffix == ".json" and path.is_file():
        return [path]
    task, _, rest = text.partition("/")
    system, _, key = rest.rpartition("/")
    whole = records(results, task, rest) if task and rest else []
    begun = records(results, task, system) if task and system else []
    return whole or [path for path in begun if path.name.startswith(key)]
