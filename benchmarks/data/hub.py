"""Rows of a Hub data set at a commit: the files of one configuration, read as data; no script of it ever runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import snapshots
from benchmarks.data.records import Row, RowError, TextRow, fields_of, tag_row, text_row
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.lock import Locked, Repo
from benchmarks.schema import TAGS, Hub, TaskType
from benchmarks.snapshots import Snapshot

if TYPE_CHECKING:
    from datasets import IterableDataset

CARD = "README.md"
"""Names the configurations, and the files of each."""

SETTINGS = ".huggingface.yaml"

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json"}
"""File suffix -> the module of `datasets` that reads it."""

READER_OPTIONS = ("sep", "delimiter", "header", "names", "column_names", "quotechar", "skiprows", "field")
"""What a configuration may say about its files; anything else in it is not handed on."""

Configuration = Mapping[str, Any]


# -- files -----------------------------------------------------------------------------------------------------------


def repo_of(hub: Hub) -> Repo:
    return Repo("dataset", hub.path)


def fetch(hub: Hub, commit: str, locked: Locked | None) -> Snapshot:
    """The card and the configuration's data files, from the cache or downloaded. Raises UserError, see `fetched`."""
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
    from yaml import YAMLError

    if (folder / SETTINGS).is_file():  # another program may have fetched it, and `datasets` would do as it says
        raise UserError(f"Hub {hub.path}: {folder / SETTINGS}: is not read here; remove it.")
    try:
        found = _metadata(folder).get("configs") or []
        for path in (path for entry in found for path in _paths(entry)):
            _check_inside(path)
        return [entry for entry in found if "config_name" in entry and "data_files" in entry]
    except (YAMLError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"Hub {hub.path}: {CARD}: can't be read: {str(error).splitlines()[0]}") from None


def _metadata(folder: Path) -> Mapping[str, Any]:
    """What the card says in its head; a data set without a card says nothing."""
    from huggingface_hub import metadata_load

    return (metadata_load(folder / CARD) or {}) if (folder / CARD).is_file() else {}


def stated(folder: Path) -> dict[str, str]:
    """The language and the licence, as far as the fetched folder's card names one of each."""
    metadata = _metadata(folder)
    found = {ours: metadata.get(theirs) for ours, theirs in (("language", "language"), ("licence", "license"))}
    single = {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in found.items()}
    return {name: value for name, value in single.items() if isinstance(value, str)}


def _patterns(configuration: Configuration) -> dict[str, list[str]]:
    """Split -> patterns of its files, of the three forms that a card may have: a path, paths, or paths by split."""
    files = configuration["data_files"]
    entries = [files] if isinstance(files, str) else list(files)
    splits: dict[str, list[str]] = {}
    for entry in entries:
        split, paths = ("train", entry) if isinstance(entry, str) else (str(entry["split"]), entry["path"])
        splits.setdefault(split, []).extend([paths] if isinstance(paths, str) else paths)
    inside = f"{configuration['data_dir'].strip('/')}/" if configuration.get("data_dir") else ""
    return {split: [f"{inside}{path}" for path in paths] for split, paths in splits.items()}


def _paths(named: Any) -> Iterator[str]:
    """Every path in a configuration, or in a part of it: also in one that we don't read, as `datasets` might."""
    if isinstance(named, str):
        yield named
    elif isinstance(named, list):
        yield from (path for entry in named for path in _paths(entry))
    else:
        yield from (path for key in ("data_dir", "data_files", "path") for path in _paths(named.get(key) or []))


def _check_inside(path: str) -> None:
    """Neither a folder above, nor an address: `datasets` would follow both."""
    if path.startswith(("/", "~")) or ".." in path.split("/") or ":" in path:
        raise UserError(f"{CARD}: configs: {path!r} is outside of the data set.")


# -- rows ------------------------------------------------------------------------------------------------------------


def place(hub: Hub) -> str:
    """How messages name the data set: 'Hub org/name (configuration)'."""
    return f"Hub {hub.path}{f' ({hub.config})' if hub.config else ''}"


def rows(task: str, type_: TaskType, hub: Hub, part: str, folder: Path) -> Iterator[Row]:
    """One part out of the fetched folder, labels and tags by their published names; a row without tokens is none.

    task: its name, for messages. Raises UserError that says what there is, where `hub` names a configuration, split,
    column or label that isn't.
    """
    number = 0
    as_row, needed = (tag_row, ("tokens", "tags")) if type_ == TAGS else (text_row, ("text", "label"))
    with readable(lambda: f"{place(hub)}, {hub.parts[part]}:{number}"):
        _check_split(splits(folder, hub), task, hub, part)
        table = stream(folder, hub, hub.parts[part])
        there = table.column_names or list(next(iter(table), {}))  # CSV and JSON tell their columns with the first row
        _check_columns(there, needed, task, hub)
        names = _label_names(task, hub, names_of((table.features or {}).get(hub.columns[needed[1]])))
        for record in table:
            row = as_row(number, record, hub.columns, names)
            if isinstance(row, TextRow) or row.tokens:  # as in published files, where blank lines hold no item
                yield row
            number += 1


@contextmanager
def readable(where: Callable[[], str]) -> Iterator[None]:
    """Raises UserError for what can't be read; where: names the place."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except RowError as problem:
        raise UserError(f"{where()}: {problem}") from None
    except (OSError, ValueError, DatasetsError) as error:  # pyarrow's errors are ValueErrors
        said = str(error).strip().splitlines()
        raise UserError(f"{where()}: can't be read: {said[0] if said else type(error).__name__}") from None


def splits(folder: Path, hub: Hub) -> list[str]:
    """Those of the fetched folder's configuration that have files."""
    from datasets import load_dataset

    configuration = _configuration(folder, hub)
    if configuration is None:
        return list(load_dataset(str(folder), streaming=True))
    return [name for name, paths in _files(folder, configuration).items() if paths]


def stream(folder: Path, hub: Hub, split: str) -> IterableDataset:
    """One split, row by row: our own table is the only copy that is written."""
    from datasets import load_dataset

    configuration = _configuration(folder, hub)
    if configuration is None:
        return _undecoded(load_dataset(str(folder), streaming=True)[split])
    files = _files(folder, configuration)
    suffix = Path(files[split][0]).suffix
    options = {name: configuration[name] for name in READER_OPTIONS if name in configuration}
    options |= {"sep": "\t"} if suffix == ".tsv" and not {"sep", "delimiter"} & options.keys() else {}
    found = load_dataset(_builder(suffix), data_files={split: files[split]}, split=split, streaming=True, **options)
    return _undecoded(found)


def _undecoded(table: IterableDataset) -> IterableDataset:
    """With pictures and sounds as they are: a file may name any address for them, which would be opened."""
    return table.decode(False) if table.features else table


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


def _check_split(there: Sequence[str], task: str, hub: Hub, part: str) -> None:
    if (split := hub.parts[part]) not in there:
        where = f"task {task!r}: hub.parts.{part}"
        raise UserError(f"{where}: no split {split!r} in {place(hub)}.{nearest(split, there)}{one_of(there)}")


def _check_columns(there: Sequence[str], needed: Sequence[str], task: str, hub: Hub) -> None:
    for ours in needed:
        where = f"task {task!r}: hub.columns"
        if ours not in hub.columns:
            raise UserError(f"{where}: {ours!r} is required, and not given.")
        for name in fields_of(hub.columns[ours]):
            if name not in there:
                what = f"{where}.{ours}: no column {name!r} in {place(hub)}"
                raise UserError(f"{what}.{nearest(name, there)}{one_of(there)}")


def _label_names(task: str, hub: Hub, published: Sequence[str]) -> Sequence[str]:
    """The task's own, else the published ones. Raises UserError where a name has another number in the two lists: rows
    would get each other's labels without a word.
    """
    ours, theirs = ([name.casefold() for name in names] for names in (hub.labels, published))
    moved = [name for name in ours if name in theirs and ours.index(name) != theirs.index(name)]
    if moved:
        both = f"{list(hub.labels)}, but {place(hub)} numbers its classes {list(published)}"
        raise UserError(f"task {task!r}: hub.labels: {both}. Leave them away: label_map renames the published ones.")
    return hub.labels or published


def names_of(feature: Any) -> Sequence[str]:
    """Class names of a label column, or of the items of a column of lists; empty where the data set has none."""
    while not hasattr(feature, "names") and hasattr(feature, "feature"):
        feature = feature.feature
    return list(getattr(feature, "names", ()))
