"""The test rows of a protocol that are near-duplicates of its training rows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

from benchmarks import leaks
from benchmarks.data.loading import TaskData
from benchmarks.data.near_duplicates import Near, near
from benchmarks.data.splits import Rows, chosen
from benchmarks.leaks import Closest, Leaks
from benchmarks.schema import CODE_PROTOCOL, Protocol


def look(results: Path, data: TaskData, protocols: Iterable[Protocol], cache_dir: Path) -> list[tuple[Protocol, Leaks]]:
    """The leaks of each protocol; seeds that draw nothing are one. Those not stored yet are found and stored."""
    paths = _paths(results, data, protocols)
    found = {path: leaks.read(path) for path in paths}
    new = [path for path, own in found.items() if own is None]
    alike = near(data.tables.values(), cache_dir) if new else None
    for path in new:
        assert alike is not None
        found[path] = own = leaked(data, alike, paths[path])
        leaks.save(path, own)
    return [(paths[path], own) for path, own in found.items() if own is not None]


def missing(results: Path, data: TaskData, protocols: Iterable[Protocol]) -> bool:
    """Whether `look` has to search."""
    return any(leaks.read(path) is None for path in _paths(results, data, protocols))


def _paths(results: Path, data: TaskData, protocols: Iterable[Protocol]) -> dict[Path, Protocol]:
    paths: dict[Path, Protocol] = {}
    for protocol in protocols:
        paths.setdefault(
            leaks.path(results, data.task.name, *data.fingerprints, CODE_PROTOCOL, protocol.model_dump()), protocol
        )
    return paths


def leaked(data: TaskData, alike: Near, protocol: Protocol) -> Leaks:
    """alike: of the rows of all published parts, one part after the other."""
    rows = chosen(data.task, data.origin.splits, data.published, protocol)
    starts = dict(zip(data.tables, accumulate(map(len, data.tables.values()), initial=0), strict=False))
    places = {split: starts[rows[split].part] + rows[split].index for split in ("train", "test")}
    closest, similarity = alike.closest(places["test"], places["train"])
    there = closest >= 0
    train_part = rows["train"].part
    tested = _ids(data, Rows(rows["test"].part, rows["test"].index[there]))
    trained = _ids(data, Rows(train_part, closest[there] - starts[train_part]))
    found = zip(tested, map(Closest, trained, similarity[there].tolist()), strict=True)
    return Leaks(len(rows["train"]), len(rows["test"]), dict(found))


def _ids(data: TaskData, rows: Rows) -> list[str]:
    return list(data.tables[rows.part].select(rows.index)["row_id"])
