"""Rows of a Hub data set at a commit: the files of one configuration, read as data; no script of it ever runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import snapshots
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.lock import Locked, Repo
from benchmarks.schema import TAGS, Hub, Task
from benchmarks.snapshots import Snapshot

if TYPE_CHECKING:
    from datasets import IterableDataset

CARD = "README.md"
"""Names the configurations, and the files of each."""

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json"}
"""File suffix -> the module of `datasets` that reads it."""

READER_OPTIONS = ("sep", "delimiter", "header", "names", "column_names", "quotechar", "skiprows", "field")
"""What a configuration may say about its files; anything else in it is not handed on."""

Configuration = Mapping[str, Any]


# -- files -----------------------------------------------------------------------------------------------------------


def repo_of(hub: Hub) -> Repo:
    return Repo("dataset", hub.path)


def fetch(hub: Hub, commit: str, locked: Locked | None = None) -> Snapshot:
    """The card and the configuration's data files, from the cache or downloaded. Raises UserError."""
    card = snapshots.fetched(repo_of(hub), commit, [CARD], Path.is_dir, locked)
    configuration = _configuration(card.folder, hub)
    if configuration is None:  # no configuration is declared: `datasets` finds the splits by the files' names
        patterns = [f"*{suffix}" for suffix in BUILDERS]
        return snapshots.fetched(repo_of(hub), commit, [CARD, *patterns], _any_of(patterns), locked)
    patterns = [pattern for split in _patterns(configuration).values() for pattern in split]
    # The client's '*' crosses '/', and its '**/' needs one: without it, files at the top would be missed.
    wanted = [CARD, *patterns, *(pattern.replace("**/", "") for pattern in patterns if "**/" in pattern)]
    return snapshots.fetched(repo_of(hub), commit, wanted, _all_of(patterns), locked)


def _all_of(patterns: Sequence[str]) -> Callable[[Path], bool]:
    return lambda folder: all(any(folder.glob(pattern)) for pattern in patterns)


def _any_of(patterns: Sequence[str]) -> Callable[[Path], bool]:
    return lambda folder: any(any(folder.rglob(pattern)) for pattern in patterns)


def _configuration(folder: Path, hub: Hub) -> Configuration | None:
    """The card's entry for the task's configuration; None where the card declares none at all."""
    declared = {str(entry["config_name"]): entry for entry in _declared(folder, hub)}
    if not declared and hub.config is None:
        return None
    defaults = [name for name, entry in declared.items() if entry.get("default") or name == "default"]
    name = hub.config or next(iter(defaults or (declared if len(declared) == 1 else [])), None)
    if name is None:
        raise UserError(f"Hub {hub.path}: config: required, as the data set has several.{one_of(declared)}")
    if name not in declared:
        raise UserError(f"Hub {hub.path}: config: no {name!r}.{nearest(name, declared)}{one_of(declared)}")
    return declared[name]


def _declared(folder: Path, hub: Hub) -> list[Configuration]:
    """Every configuration of the card that names its files."""
    from huggingface_hub import metadata_load
    from yaml import YAMLError

    if not (folder / CARD).is_file():
        return []
    try:
        found = (metadata_load(folder / CARD) or {}).get("configs") or []
        return [entry for entry in found if "config_name" in entry and "data_files" in entry]
    except (YAMLError, ValueError, TypeError) as error:
        raise UserError(f"Hub {hub.path}: {CARD}: can't be read: {str(error).splitlines()[0]}") from None


def _patterns(configuration: Configuration) -> dict[str, list[str]]:
    """Split -> patterns of its files, of the three forms that a card may have: a path, paths, or paths by split."""
    files = configuration["data_files"]
    entries = [files] if isinstance(files, str) else list(files)
    splits: dict[str, list[str]] = {}
    for entry in entries:
        split, paths = ("train", entry) if isinstance(entry, str) else (str(entry["split"]), entry["path"])
        splits.setdefault(split, []).extend([paths] if isinstance(paths, str) else paths)
    inside = f"{configuration['data_dir'].strip('/')}/" if configuration.get("data_dir") else ""
    found = {split: [f"{inside}{path}" for path in paths] for split, paths in splits.items()}
    for path in (path for paths in found.values() for path in paths):
        if path.startswith("/") or ".." in path.split("/"):
            raise UserError(f"{CARD}: configs: {path!r} is outside of the data set.")
    return found


# -- rows ------------------------------------------------------------------------------------------------------------


def rows(task: Task, part: str, commit: str) -> Iterator[dict[str, Any]]:
    """{"text", "label"} or {"tokens", "tags"} of one part, labels and tags by their published names.

    Raises UserError that says what there is, where the task names a configuration, split, column or label that isn't.
    """
    assert task.hub
    split = task.hub.parts[part]
    table = _split(fetch(task.hub, commit), task, part)
    row_of, labels = (_tagged_row, "tags") if task.type == TAGS else (_text_row, "label")
    columns = _columns(table, task)
    names = task.hub.labels or _names((table.features or {}).get(columns[labels]))
    number = 0
    try:
        for record in table:
            if row := row_of(record, columns, names):
                yield row
            number += 1
    except _RowError as problem:
        raise UserError(f"Hub {task.hub.path}, {split}:{number}: {problem}") from None
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise _unreadable(task.hub, f"{split}:{number}", error) from None


class _RowError(Exception):
    """What is wrong with a row, without its place."""


def _split(snapshot: Snapshot, task: Task, part: str) -> IterableDataset:
    """One split as a stream: our own table is the only copy that is written."""
    from datasets import load_dataset

    assert task.hub
    configuration = _configuration(snapshot.folder, task.hub)
    split = task.hub.parts[part]
    try:
        if configuration is None:
            splits = load_dataset(str(snapshot.folder), streaming=True)
            return splits[_existing(split, list(splits), task, part)]
        files = _files(snapshot.folder, configuration)
        paths = files[_existing(split, list(files), task, part)]
        suffix = Path(paths[0]).suffix
        options = {name: configuration[name] for name in READER_OPTIONS if name in configuration}
        options |= {"sep": "\t"} if suffix == ".tsv" and not {"sep", "delimiter"} & options.keys() else {}
        return load_dataset(_builder(suffix), data_files={split: paths}, split=split, streaming=True, **options)
    except (OSError, ValueError) as error:
        raise _unreadable(task.hub, split, error) from None


def _files(folder: Path, configuration: Configuration) -> dict[str, list[str]]:
    """Split -> its files in the order of their names."""
    splits = _patterns(configuration).items()
    return {
        split: sorted({str(path) for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
        for split, patterns in splits
    }


def _builder(suffix: str) -> str:
    if suffix not in BUILDERS:
        raise ValueError(f"{suffix or 'no'} suffix.{one_of(BUILDERS)}")
    return BUILDERS[suffix]


def _existing(split: str, splits: Sequence[str], task: Task, part: str) -> str:
    if split not in splits:
        where = f"task {task.name!r}: hub.parts.{part}"
        raise UserError(f"{where}: no split {split!r} in {_place(task)}.{nearest(split, splits)}{one_of(splits)}")
    return split


def _columns(table: IterableDataset, task: Task) -> dict[str, str]:
    """Our column -> theirs, all of which are there; 'headline + story' stands for several joined by a space."""
    assert task.hub
    there = table.column_names or list(next(iter(table), {}))  # CSV and JSON tell their columns with the first row
    for ours in ("tokens", "tags") if task.type == TAGS else ("text", "label"):
        if ours not in task.hub.columns:
            raise UserError(f"task {task.name!r}: hub.columns: {ours!r} is required, and not given.")
        for name in _joined(task.hub.columns[ours]):
            if name not in there:
                where = f"task {task.name!r}: hub.columns.{ours}"
                raise UserError(f"{where}: no column {name!r} in {_place(task)}.{nearest(name, there)}{one_of(there)}")
    return task.hub.columns


def _joined(columns: str) -> list[str]:
    return [name.strip() for name in columns.split(" + ")]


def _place(task: Task) -> str:
    assert task.hub
    return f"Hub {task.hub.path}{f' ({task.hub.config})' if task.hub.config else ''}"


def _unreadable(hub: Hub, place: str, error: Exception) -> UserError:
    said = str(error).strip().splitlines()
    return UserError(f"Hub {hub.path}, {place}: can't be read: {said[0] if said else type(error).__name__}")


def _names(feature: Any) -> Sequence[str]:
    """Class names of a label column, or of the items of a column of lists; empty where the data set has none."""
    while not hasattr(feature, "names") and hasattr(feature, "feature"):
        feature = feature.feature
    return list(getattr(feature, "names", ()))


def _text_row(record: Mapping[str, Any], columns: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    texts = [record[name] for name in _joined(columns["text"])]
    for name, text in zip(_joined(columns["text"]), texts, strict=True):
        if not isinstance(text, str):
            raise _RowError(f"{name}: {text!r} is {type(text).__name__}, expected a text.")
    return {"text": " ".join(texts), "label": _label(record[columns["label"]], names)}


def _tagged_row(record: Mapping[str, Any], columns: Mapping[str, str], names: Sequence[str]) -> dict[str, Any] | None:
    tokens, tags = record[columns["tokens"]] or [], record[columns["tags"]] or []
    if len(tokens) != len(tags):
        raise _RowError(f"{len(tokens)} tokens, {len(tags)} tags.")
    if not tokens:
        return None  # as in published files, where blank lines hold no item
    return {"tokens": list(tokens), "tags": [_label(tag, names) for tag in tags]}


def _label(found: Any, names: Sequence[str]) -> str:
    """The name behind a number; a number without names stands for itself, to be named by `label_map`."""
    if isinstance(found, str):
        return found
    if isinstance(found, bool) or not isinstance(found, int):
        raise _RowError(f"label {found!r} is {type(found).__name__}, expected a name or a number.")
    if names and not 0 <= found < len(names):
        why = "; the labels of this split may not be published" if found == -1 else ""
        raise _RowError(f"label {found}, expected 0 to {len(names) - 1} ({', '.join(names)}){why}.")
    return names[found] if names else str(found)
