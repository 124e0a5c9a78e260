"""Whether the rows that tasks declare suffice for what is asked of them: known before any row is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.data.origins import FilesOrigin, Origin
from benchmarks.schema import TAGS, File, Protocol, RunSpec, Splits, Task


def check(runs: Iterable[RunSpec], origins: Mapping[str, Origin]) -> None:
    """Raises UserError where declared counts can't give the splits of a run.

    Left for when the rows are read: files without counts, the Hub, the sample, and a limit, whose rows are the first
    ones and not in proportion.
    """
    asked = {(spec.task.name, spec.protocol.model_copy(update={"seed": 0})): spec for spec in runs if _asks(spec)}
    for spec in asked.values():
        origin = origins[spec.task.name]
        if isinstance(origin, FilesOrigin):
            _check(spec, origin)


def _asks(spec: RunSpec) -> bool:
    """For rows that may not be there. Of the folds the first has the fewest training rows, the last the fewest of its
    own: they speak for all.
    """
    protocol = spec.protocol
    if protocol.fold is not None and protocol.folds is not None and 0 < protocol.fold < protocol.folds - 1:
        return False
    return protocol.limit is None and protocol != Protocol(seed=protocol.seed)


def _check(spec: RunSpec, origin: FilesOrigin) -> None:
    files = {part: [planned.file for planned in own] for part, own in origin.files.items()}
    _chosen(spec.task, origin.splits, files, spec.protocol)


def check_declared(task: Task, protocol: Protocol) -> None:
    """Raises UserError where the rows that a task declares, all files of it there, can't give what a protocol asks."""
    if task.source:
        for fold in (None,) if protocol.folds is None else (0, protocol.folds - 1):
            _chosen(task, task.splits, task.source.files, protocol.model_copy(update={"fold": fold}))


def _chosen(task: Task, splits: Splits, files: Mapping[str, Sequence[File]], protocol: Protocol) -> None:
    import numpy as np

    from benchmarks.data.splits import Part, chosen

    parts = {}
    for part, own in files.items():
        counts = [_counts(file, task) for file in own]
        if not all(counts):
            continue
        total = np.sum(counts, axis=0)
        parts[part] = Part(np.repeat(np.arange(len(total)), total), np.array([0]))
    if {part for part in (splits.train, splits.validation, splits.test) if isinstance(part, str)} <= parts.keys():
        chosen(task, splits, parts, protocol)


def _counts(file: File, task: Task) -> list[int]:
    """Rows of each class that draws are stratified by (a tagging task has one); none where they are not known."""
    if task.type == TAGS:
        return [] if file.rows is None else [file.rows]
    return [file.counts.get(label, 0) for label in task.labels] if file.counts else []
