"""YAML -> Task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.definitions.reading import PROJECT, SUFFIXES, named_problem, read_yaml, validated
from benchmarks.errors import nearest, one_of
from benchmarks.metrics import METRICS, primary_for
from benchmarks.schema import TAGS, TEXTS, File, HeldOut, Source, Splits, Task

FORMATS_OF = {TEXTS: ("jsonl", "csv", "tsv", "lines", "tar"), TAGS: ("conll",)}
NEEDED_COLUMNS = {
    "conll": ("token", "tag"),
    "jsonl": ("text", "label"),
    "csv": ("text", "label"),
    "tsv": ("text", "label"),
    "lines": (),
    "tar": (),
}


def load_task(path: Path) -> Task:
    """The task that a YAML file declares; its name is the file's stem. Raises UserError with every problem at once."""
    content = read_yaml(path)
    named = named_problem(Task, content, path.stem)
    content = {**content, "name": path.stem}
    return validated(Task, content, path, chain(named, _metric_problem(content), _joint_problems(content)))


def _joint_problems(content: Mapping[str, Any]) -> Iterator[str]:
    """Those that several fields have together, as far as these are well-formed: said beside what is wrong elsewhere."""
    task, wrong = _well_formed(content)
    for check, fields in JOINT.items():
        if wrong.isdisjoint(fields):
            yield from check(task)


def _well_formed(content: Mapping[str, Any]) -> tuple[Task, set[str]]:
    """The task with a stand-in for each wrong field, and which these are."""
    known = {name: value for name, value in content.items() if name in Task.model_fields}
    try:
        return Task.model_validate(known), set()
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors(include_url=False)}
        stand_ins = {name: STAND_INS[name] for name in wrong & STAND_INS.keys()}
        return Task.model_validate({name: known[name] for name in known.keys() - wrong} | stand_ins), wrong


def _metric_problem(content: Mapping[str, Any]) -> Iterator[str]:
    """Needs no more than two fields, whatever else is wrong."""
    metric, task_type, labels = content.get("metric"), content.get("type"), content.get("labels")
    if isinstance(metric, str) and task_type in (TEXTS, TAGS):
        allowed = primary_for(task_type, len(labels) if isinstance(labels, list) else 2)
        if metric not in allowed:
            why = "does not score" if metric in METRICS else "is no metric of"
            yield f"metric: {metric!r} {why} {task_type}.{nearest(metric, allowed)}{one_of(allowed)}"


def _label_problems(task: Task) -> Iterator[str]:
    labels = Counter(task.labels)
    if len(labels) < len(task.labels):
        yield f"labels: {sorted(label for label, count in labels.items() if count > 1)} stand there twice."
    if any(not label.strip() for label in labels):
        yield "labels: one of them is empty."
    if task.type == TEXTS and len(task.labels) < 2:
        yield f"labels: {len(task.labels)}, expected two or more classes."
    if task.positive is not None and task.positive not in task.labels:
        yield f"positive: {task.positive!r} is no label.{nearest(task.positive, task.labels)}{one_of(task.labels)}"
    elif task.positive is not None and (task.type == TAGS or len(task.labels) > 2):
        found = f"{len(task.labels)} classes" if task.type == TEXTS else "tags"
        yield f"positive: {task.positive!r}, but of two classes alone one is positive; here are {found}."
    if task.type == TEXTS and len(task.labels) == 2 and task.positive is None:
        yield f"positive: required for two classes: which of {list(task.labels)} are precision, recall and F1 about?"
    for target in dict.fromkeys(task.label_map.values()):
        if target not in labels:
            yield f"label_map: {target!r} is no label.{nearest(target, task.labels)}{one_of(task.labels)}"
    for label in task.dropped:
        if label in labels or label in task.label_map:
            yield f"dropped: {label!r} is a label, or named in label_map."
    if task.type == TAGS and task.dropped:
        yield "dropped: a row of a tagging task has no label."
    if task.type == TEXTS and "scheme" in task.model_fields_set:
        yield "scheme: of tags; a text has none."


def _origin_problems(task: Task) -> Iterator[str]:
    if not (task.source or task.hub or task.sample):
        yield "source: required, and not given (or 'hub')."
    if task.sample and (task.source or task.hub):
        yield "sample: synthetic rows stand beside no 'source' and no 'hub': they would be taken for real ones."


def _split_problems(task: Task) -> Iterator[str]:
    for place, splits in (("splits", task.splits), ("fallback.splits", task.fallback and task.fallback.splits)):
        if task.type == TAGS and splits and splits.most_of_a_class is not None:
            yield f"{place}.most_of_a_class: a row of a tagging task has no class."
    if task.sample:
        yield from _splits_problems("splits", task.splits, ["train", "validation", "test"], "the sample")
    if task.source:
        yield from _splits_problems("splits", task.splits, list(task.source.files), "source.files")
    if task.hub:
        yield from _splits_problems("splits", task.splits, list(task.hub.parts), "hub.parts")
    if task.fallback and task.source:
        yield from _splits_problems("fallback.splits", task.fallback.splits, list(task.source.files), "source.files")
    if task.fallback and not task.source:
        yield "fallback: of use only beside 'source', where files may be absent."


def _splits_problems(place: str, splits: Splits, parts: list[str], where: str) -> Iterator[str]:
    for name, split in (("train", splits.train), ("validation", splits.validation), ("test", splits.test)):
        if isinstance(split, str) and split not in parts:
            yield f"{place}.{name}: no part {split!r} in {where}.{nearest(split, parts)}{one_of(parts)}"
        if isinstance(split, HeldOut):
            # From a published test split only: one that is itself held out would be divided twice.
            owners = ["train"] if name == "test" or isinstance(splits.test, HeldOut) else ["train", "test"]
            if split.take_from not in owners:
                yield f"{place}.{name}.take_from: {split.take_from!r} is not allowed.{one_of(owners)}"
            if split.share >= 1 and split.share != int(split.share):
                yield f"{place}.{name}.share: {split.share}, expected a fraction below 1 or a whole number of rows."
            if split.share >= 1 and split.take_from == "train" and splits.most_of_a_class is not None:
                yield f"{place}.{name}.share: {split.share:g} rows, expected a fraction below 1 beside most_of_a_class."


def _source_problems(task: Task) -> Iterator[str]:
    source = task.source
    if source is None:
        return
    if source.format not in FORMATS_OF[task.type]:
        yield f"source.format: {source.format!r} holds no {task.type}.{one_of(FORMATS_OF[task.type])}"
        return
    yield from _column_problems(source)
    if _leads_out(source.folder):
        yield f"source.folder: {source.folder!r}, expected a folder inside of the data folder."
    if not _is_line_encoding(source.encoding):
        yield f"source.encoding: {source.encoding!r} is not known, or its line ends are not single bytes."
    for part, files in source.files.items():
        if not files:
            yield f"source.files.{part}: no file."
        for file in files:
            yield from _file_problems(f"source.files.{part}.{file.path}", file, task, source)


def _column_problems(source: Source) -> Iterator[str]:
    needed, columns = NEEDED_COLUMNS[source.format], list(source.columns)
    is_mapping = isinstance(source.columns, dict)
    missing = [name for name in needed if name not in columns]
    if missing:
        yield f"source.columns: {missing[0]!r} is not among {columns}; {source.format} needs {list(needed)}."
    elif source.format == "conll" and is_mapping:
        yield "source.columns: a mapping, expected a list that names every column in order."
    elif source.format == "jsonl" and not is_mapping:
        yield "source.columns: a list, expected a mapping such as {text: headline, label: category}."
    for name in needed:
        if columns.count(name) > 1:
            yield f"source.columns: {name!r} stands there {columns.count(name)} times."
    for name in columns if needed and is_mapping and not missing else ():
        if name not in needed:
            yield f"source.columns.{name}: no such field.{nearest(name, needed) or one_of(needed)}"


def _file_problems(place: str, file: File, task: Task, source: Source) -> Iterator[str]:
    if _leads_out(file.path):
        yield f"{place}: must lie inside the source's folder."
    if source.format in ("lines", "tar") and file.label is None:
        yield f"{place}.label: required for {source.format}, where the file is the label."
    if source.format == "tar" and file.member is None:
        yield f"{place}.member: required for tar, such as 'reviews/train/pos/*.txt'."
    if file.label is not None and task.label_map.get(file.label, file.label) not in task.labels:
        allowed = [*task.label_map, *task.labels]
        yield f"{place}.label: {file.label!r} is no label.{nearest(file.label, allowed)}{one_of(allowed)}"
    for label, count in file.counts.items():
        if label not in task.labels:
            yield f"{place}.counts: {label!r} is no label.{nearest(label, task.labels)}{one_of(task.labels)}"
        if count < 0:
            yield f"{place}.counts.{label}: {count}, expected 0 or more."


JOINT: dict[Callable[[Task], Iterator[str]], tuple[str, ...]] = {
    _label_problems: ("type", "labels", "positive", "label_map", "dropped", "scheme"),
    _origin_problems: ("source", "hub", "sample"),
    _split_problems: ("type", "splits", "fallback", "source", "hub", "sample"),
    _source_problems: ("type", "labels", "label_map", "source"),
}
"""A check -> the fields that it looks at."""
STAND_INS = {
    **dict.fromkeys(("name", "title", "group", "language", "metric"), ""),
    "type": TEXTS, "labels": ["-"], "splits": {"train": "", "test": ""},
}  # fmt: skip
"""Of the fields that every task has."""


def _leads_out(path: str) -> bool:
    return Path(path).is_absolute() or ".." in Path(path).parts or "\0" in path


def _is_line_encoding(name: str) -> bool:
    """Whether a line can be cut off before it is decoded: so in ASCII's descendants, not in UTF-16."""
    try:
        return "\n".encode(name) == b"\n"
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return False


def task_files(folder: Path = PROJECT / "tasks") -> dict[str, Path]:
    """The declared tasks' files by name."""
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}


def load_tasks(folder: Path = PROJECT / "tasks") -> dict[str, Task]:
    """All declared tasks by name."""
    return {name: load_task(path) for name, path in task_files(folder).items()}
