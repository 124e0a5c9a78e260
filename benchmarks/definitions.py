"""YAML -> Task and System, strictly: every problem of a file at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from benchmarks.errors import UserError, nearest, one_of, problems, short, unknown
from benchmarks.metrics import METRICS, primary_for
from benchmarks.recipes import RECIPES
from benchmarks.schema import TAGS, TEXTS, File, HeldOut, Recipe, Source, Splits, System, Task, TaskType

_PACKAGE = Path(__file__).resolve().parent
PROJECT = _PACKAGE.parent if (_PACKAGE.parent / "systems.yaml").is_file() else _PACKAGE / "declared"
"""Where tasks/ and systems.yaml lie: the checkout's top, or inside an installed package."""
LARGEST_FILE = 5_000_000
SUFFIXES = (".yaml", ".yml")

FORMATS_OF = {TEXTS: ("jsonl", "csv", "tsv", "lines", "tar"), TAGS: ("conll",)}
NEEDED_COLUMNS = {
    "conll": ("token", "tag"),
    "jsonl": ("text", "label"),
    "csv": ("text", "label"),
    "tsv": ("text", "label"),
    "lines": (),
    "tar": (),
}

M = TypeVar("M", bound=BaseModel)


# -- reading YAML ----------------------------------------------------------------------------------------------------


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is built in
    """SafeLoader that refuses a key given twice: the second would silently win."""


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is a list or a mapping", key.start_mark)
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands here twice", key.start_mark)
        seen.add(str(key.value))
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises UserError with file and line."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path}: {path.stat().st_size:,} bytes; a definition has at most {LARGEST_FILE:,}.")
        content = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506  a SafeLoader, made stricter
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{path}: not valid YAML: {type(error).__name__}: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds {type(content).__name__}, expected fields such as 'title: ...'.")
    return content


def read_scalar(text: str) -> Any:
    """A value from the command line as YAML reads it: 3, true, [1, 2], or the text itself ('1e-5' stays one)."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text


# -- wording a problem -----------------------------------------------------------------------------------------------


def _sentence(error: Any, model: type[BaseModel]) -> str:
    steps = [step for step in error["loc"] if not str(step).startswith("~")]
    place = ".".join(str(step) for step in steps) or "the file"
    if not steps and error["type"] == "value_error":  # of several fields together: it names them
        return f"{error['ctx']['error']}."
    match error["type"]:
        case "missing":
            return f"{place}: required, and not given."
        case "extra_forbidden":
            allowed = _fields_at(model, steps[:-1])
            return f"{place}: no such field.{nearest(steps[-1], allowed) or one_of(allowed)}"
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            return f"{place}: {error['input']!r} is not allowed.{nearest(error['input'], allowed)}{one_of(allowed)}"
        case _:
            said = error["msg"].removeprefix("Value error, ")
            return f"{place}: {said[:1].lower()}{said[1:]}; found {short(error['input'])}."


def _fields_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[str]:
    """The fields of the model that sits at this place inside `model`."""
    for step in steps:
        if step in model.model_fields:
            model = next(iter(_models_in(model.model_fields[str(step)].annotation)), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def validated(model: type[M], content: Mapping[str, Any], where: object, more: Iterable[str] = ()) -> M:
    """The model's value. Raises UserError with every problem of `content`, and those in `more`, one line each."""
    try:
        value = model.model_validate(content)
    except ValidationError as error:
        lines = dict.fromkeys(_sentence(item, model) for item in error.errors(include_url=False))
        raise problems(where, [*lines, *more]) from None
    if more := list(more):
        raise problems(where, more)
    return value


# -- tasks -----------------------------------------------------------------------------------------------------------


def load_task(path: Path) -> Task:
    """The task that a YAML file declares; its name is the file's stem. Raises UserError with every problem at once."""
    content = read_yaml(path)
    if "name" in content:
        raise UserError(f"{path}: name: not a field: a task is named by its file, here {path.stem!r}.")
    task = validated(Task, {**content, "name": path.stem}, path, _metric_problem(content))
    if found := list(_task_problems(task)):
        raise problems(path, found)
    return task


def _metric_problem(content: Mapping[str, Any]) -> Iterator[str]:
    """Said together with the shape problems, since it needs only two fields."""
    metric, task_type, labels = content.get("metric"), content.get("type"), content.get("labels")
    if isinstance(metric, str) and task_type in (TEXTS, TAGS):
        allowed = primary_for(task_type, len(labels) if isinstance(labels, list) else 2)
        if metric not in allowed:
            why = "does not score" if metric in METRICS else "is no metric of"
            yield f"metric: {metric!r} {why} {task_type}.{nearest(metric, allowed)}{one_of(allowed)}"


def _task_problems(task: Task) -> Iterator[str]:
    if len(set(task.labels)) < len(task.labels):
        yield f"labels: {sorted({x for x in task.labels if task.labels.count(x) > 1})} stand there twice."
    if task.type == TEXTS and len(task.labels) < 2:
        yield f"labels: {len(task.labels)}, expected two or more classes."
    if task.positive is not None and task.positive not in task.labels:
        yield f"positive: {task.positive!r} is no label.{nearest(task.positive, task.labels)}{one_of(task.labels)}"
    if task.type == TEXTS and len(task.labels) == 2 and task.positive is None:
        yield f"positive: required for two classes: which of {list(task.labels)} are precision, recall and F1 about?"
    for target in dict.fromkeys(task.label_map.values()):
        if target not in task.labels:
            yield f"label_map: {target!r} is no label.{nearest(target, task.labels)}{one_of(task.labels)}"
    if not (task.source or task.hub or task.sample):
        yield "source: required, and not given (or 'hub')."
    if task.sample and (task.source or task.hub):
        yield "sample: synthetic rows stand beside no 'source' and no 'hub': they would be taken for real ones."
    yield from _split_problems(task)
    if task.source:
        yield from _source_problems(task, task.source)


def _split_problems(task: Task) -> Iterator[str]:
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


def _source_problems(task: Task, source: Source) -> Iterator[str]:
    if source.format not in FORMATS_OF[task.type]:
        yield f"source.format: {source.format!r} holds no {task.type}.{one_of(FORMATS_OF[task.type])}"
        return
    needed = NEEDED_COLUMNS[source.format]
    missing = [name for name in needed if name not in source.columns]
    if missing:
        found = list(source.columns)
        yield f"source.columns: {missing[0]!r} is not among {found}; {source.format} needs {list(needed)}."
    elif source.format == "conll" and isinstance(source.columns, dict):
        yield "source.columns: a mapping, expected a list that names every column in order."
    elif source.format == "jsonl" and not isinstance(source.columns, dict):
        yield "source.columns: a list, expected a mapping such as {text: headline, label: category}."
    if not _is_line_encoding(source.encoding):
        yield f"source.encoding: {source.encoding!r} is not known, or its line ends are not single bytes."
    for part, files in source.files.items():
        if not files:
            yield f"source.files.{part}: no file."
        for file in files:
            yield from _file_problems(f"source.files.{part}.{file.path}", file, task, source)


def _file_problems(place: str, file: File, task: Task, source: Source) -> Iterator[str]:
    if Path(file.path).is_absolute() or ".." in Path(file.path).parts:
        yield f"{place}: must lie inside the source's folder."
    if source.format in ("lines", "tar") and file.label is None:
        yield f"{place}.label: required for {source.format}, where the file is the label."
    if source.format == "tar" and file.member is None:
        yield f"{place}.member: required for tar, such as 'reviews/train/pos/*.txt'."
    if file.label is not None and task.label_map.get(file.label, file.label) not in task.labels:
        allowed = [*task.label_map, *task.labels]
        yield f"{place}.label: {file.label!r} is no label.{nearest(file.label, allowed)}{one_of(allowed)}"
    for label in file.counts:
        if label not in task.labels:
            yield f"{place}.counts: {label!r} is no label.{nearest(label, task.labels)}{one_of(task.labels)}"


def _is_line_encoding(name: str) -> bool:
    """Whether a line can be cut off before it is decoded: so in ASCII's descendants, not in UTF-16."""
    try:
        return "\n".encode(name) == b"\n"
    except (LookupError, UnicodeError):
        return False


def task_files(folder: Path = PROJECT / "tasks") -> dict[str, Path]:
    """The declared tasks' files by name."""
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}


def load_tasks(folder: Path = PROJECT / "tasks") -> dict[str, Task]:
    """All declared tasks by name."""
    return {name: load_task(path) for name, path in task_files(folder).items()}


# -- systems ---------------------------------------------------------------------------------------------------------


def load_systems(path: Path = PROJECT / "systems.yaml") -> dict[str, System]:
    """All declared systems by name. Raises UserError with every problem of the file at once."""
    systems, found = {}, []
    entries = read_yaml(path)
    for name, entry in entries.items():
        try:
            systems[str(name)] = _system(str(name), entry, entries)
        except UserError as error:
            found.append(str(error))
    if found:
        raise problems(path, found)
    return systems


def _system(name: str, entry: Any, entries: Mapping[str, Any]) -> System:
    if not isinstance(entry, dict):
        raise UserError(f"{name}: holds {short(entry)}, expected fields such as 'method: finetune'.")
    encoder = entry.get("encoder")
    if isinstance(encoder, str):
        entry = {**entry, "encoder": _encoder(encoder, entries, (name,))}
    system = validated(System, {**entry, "name": name}, name)
    if system.method not in RECIPES:
        raise UserError(f"{name}.method: {unknown('method', system.method, list(RECIPES), one_of(RECIPES).strip())}")
    if RECIPES[system.method].needs_encoder and system.encoder is None:
        raise UserError(f"{name}.encoder: required for method {system.method!r}, and not given.")
    if system.encoder and not RECIPES[system.method].needs_encoder:
        raise UserError(f"{name}.encoder: method {system.method!r} reads none.")
    for task_type in system.recipe_by_type:
        if task_type not in RECIPES[system.method].task_types:
            raise UserError(f"{name}.recipe_by_type: method {system.method!r} does no {task_type}.")
    for task_type in RECIPES[system.method].task_types:
        resolved_recipe(system, task_type)
    return system


def _encoder(name: str, entries: Mapping[str, Any], of: tuple[str, ...]) -> Any:
    """The encoder of another entry by that entry's name, as --set encoder=NAME means it; else a checkpoint.

    of: the entries that have asked for it. Raises UserError.
    """
    if name in entries:
        encoder = entries[name].get("encoder") if isinstance(entries[name], dict) else None
        if encoder is None or name in of:
            raise UserError(f"{of[0]}.encoder: system {name!r} has no encoder of its own.")
        return _encoder(encoder, entries, (*of, name)) if isinstance(encoder, str) else encoder
    if "/" in name or folder_named(name):
        return {"checkpoint": name}
    having_one = [other for other, entry in entries.items() if isinstance(entry, dict) and "encoder" in entry]
    raise UserError(f"{of[0]}.encoder: " + unknown("encoder", name, having_one))


def folder_named(checkpoint: str) -> Path | None:
    """The local folder that a checkpoint's name means, whether it exists or not; None for a Hub id ('org/name')."""
    path = Path(checkpoint).expanduser()
    if path.is_dir() or path.is_absolute() or checkpoint.startswith(".") or checkpoint.count("/") > 1:
        return path
    return None


def resolved_recipe(system: System, task_type: TaskType) -> Recipe:
    """The system's recipe for a type of task: the method's defaults, then the system's changes."""
    changes = {**system.recipe, **system.recipe_by_type.get(task_type, {})}
    return validated(RECIPES[system.method], changes, f"{system.name}.recipe")
