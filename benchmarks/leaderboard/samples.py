"""The scores of a table's runs on samples of their test rows, computed once and kept in RESULTS/.cache.

To read the predictions of a run and score 2,000 samples takes a second where there are many rows or classes; tables are
written after every command.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import __version__, files, store
from benchmarks.errors import UserError
from benchmarks.leaderboard.folds import tested
from benchmarks.leaderboard.made import Made
from benchmarks.leaderboard.uncertain import Sampled
from benchmarks.stats.resampling import COUNT, Run, replicates

if TYPE_CHECKING:
    from benchmarks.leaderboard.rows import Row

FOLDER = ".cache"
SAMPLES_VERSION = 3
"""Raised whenever samples or a metric of them are computed in another way."""


class Column(NamedTuple):
    """What is kept of one seed: how many test rows it has, of how many its score tells, that, and (samples,) values."""

    rows: int
    effective: float
    score: float
    values: npt.NDArray[np.float32]


class Part(NamedTuple):
    """A part of the test rows. places: a seed's runs, and the ids of their rows -> which of them are of the part."""

    name: str
    places: Callable[[Sequence[Made], Sequence[str]], Sequence[int]]


WHOLE = Part("whole", lambda folds, row_ids: range(len(row_ids)))


def sampled(results: Path, rows: Sequence[Row], metric: str, part: Part = WHOLE) -> dict[str, Sampled]:
    """Of every ranked row of one table whose predictions are stored and can give the metric, its seeds on the same
    samples of a part of their test rows; NaN for a seed that has no row in it.

    Raises UserError for predictions that can't be read.
    """
    ranked = [row for row in rows if row.rank is not None]
    if not ranked:
        return {}
    path = results / FOLDER / f"{_table(ranked[0].made[0][0], metric, part.name)}.npz"
    kept = _read(path)
    names = {row.system: [_identity(results, folds) for folds in row.made] for row in ranked}
    seeds = {name: folds for row in ranked for name, folds in zip(names[row.system], row.made, strict=True)}
    if made := _made(results, [(name, folds) for name, folds in seeds.items() if name not in kept], metric, part):
        kept = {name: column for name, column in {**kept, **made}.items() if name in seeds}
        _write(path, kept)
    columns = {system: [kept.get(name) for name in own] for system, own in names.items()}
    return {system: _joined(own) for system, own in columns.items() if None not in own}


def unsampled(rows: Sequence[Row], metric: str) -> dict[str, Sampled]:
    """No system's: for tables whose intervals nobody reads."""
    return {}


def _joined(columns: Sequence[Column | None]) -> Sampled:
    there = [column for column in columns if column is not None]
    values = np.stack([column.values for column in there], axis=1).astype(np.float64)
    scores = tuple(column.score for column in there)
    return Sampled(max(column.rows for column in there), max(column.effective for column in there), scores, values)


def _made(results: Path, seeds: Sequence[tuple[str, Sequence[Made]]], metric: str, part: Part) -> dict[str, Column]:
    """Of the seeds whose predictions are there and can give the metric."""
    runs, scores, effective, empty = {}, {}, {}, {}
    for name, folds in seeds:
        found = tested(results, folds)
        if isinstance(found, str):
            continue
        kept = part.places(folds, found.row_ids)
        if not kept:
            empty[name] = Column(0, 0.0, math.nan, np.full(COUNT, np.nan, dtype=np.float32))
            continue
        try:
            named = found.named.rows(kept)
            metric_of = found.scoring.weighted(named, metric)
        except KeyError:  # predictions without scores
            continue
        runs[name] = Run([found.row_ids[place] for place in kept], metric_of)
        scores[name] = float(metric_of(np.ones((1, len(kept))))[0])
        effective[name] = found.scoring.effective_rows(named, metric, scores[name])
    values = replicates(list(runs.values())).astype(np.float32)
    places = {name: place for place, name in enumerate(runs)}
    columns = {
        name: Column(len(run.rows), effective[name], scores[name], values[:, places[name]])
        for name, run in runs.items()
    }
    return empty | columns


# -- what is kept ----------------------------------------------------------------------------------------------------


def _table(run: Made, metric: str, part: str) -> str:
    made_by = (__version__, SAMPLES_VERSION, COUNT)
    return _digest(*made_by, metric, part, run.task, run.sample, run.slot.protocol, run.conditions)


def _identity(results: Path, folds: Sequence[Made]) -> str:
    """Of one seed. A run that was made again has the same key, perhaps within the same second, and another file."""
    paths = [store.predictions_path(results, fold.task, fold.slot.system, fold.key) for fold in folds]
    return _digest(*((fold.key, fold.created) for fold in folds), *map(_as_it_is, paths))


def _as_it_is(path: Path) -> tuple[int, int] | None:
    """When the file was written and how long it is; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _read(path: Path) -> dict[str, Column]:
    """By the seed's identity; nothing where no such file is there, or it is torn: it is made anew then."""
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            numbers = (stored[name].tolist() for name in ("rows", "effective", "scores"))
            columns = zip(*numbers, stored["values"].T, strict=True)
            return {name: Column(*column) for name, column in zip(stored["seeds"].tolist(), columns, strict=True)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def _write(path: Path, columns: dict[str, Column]) -> None:
    """A store that can only be read is read all the same."""
    with suppress(UserError), files.replacing(path) as temporary, temporary.open("wb") as file:
        files.ignored_by_git(path.parent)
        np.savez(
            file,
            seeds=np.array(list(columns)),
            rows=np.array([column.rows for column in columns.values()]),
            effective=np.array([column.effective for column in columns.values()]),
            scores=np.array([column.score for column in columns.values()]),
            values=np.stack([column.values for column in columns.values()], axis=1),
        )
