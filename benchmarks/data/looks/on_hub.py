"""A Hub data set: which splits and columns it has, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import snapshots
from benchmarks.data import hub as hub_data
from benchmarks.data.looks import SEEN, Looked, counted
from benchmarks.data.looks.columns import text_and_label
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.lock import Lock
from benchmarks.schema import TAGS, TEXTS, Hub, TaskType

if TYPE_CHECKING:
    from datasets import IterableDataset

USUAL = {"train": ("train",), "validation": ("validation", "dev", "valid", "val"), "test": ("test",)}
"""Our split -> the names that data sets give it."""
HIDDEN = (-1, None)
"""In place of labels that are not published."""

Columns = tuple[TaskType, dict[str, str]]


def look(
    hub_id: str,
    config: str | None,
    named: Mapping[str, str | None],
    text: str | None = None,
    label: str | None = None,
    locked: Lock | None = None,
) -> Looked:
    """Downloads it and reads every row. named: the Hub's split for 'validation' and 'test', where the user says so;
    text, label: the columns. Raises UserError where it can't be had, or not be read.
    """
    hub = Hub(path=hub_id, config=config, parts={}, columns={})
    repo = hub_data.repo_of(hub)
    entry = locked.entry(repo) if locked else None
    commit = entry.commit if entry else snapshots.commits_of([repo], ask_hub=True)[repo]  # which the runs will have
    folder = hub_data.fetch(hub, commit, entry).folder
    with hub_data.readable(lambda: hub_data.place(hub)):
        parts = _parts(hub, hub_data.splits(folder, hub), named)
        type_, columns = _columns(hub, hub_data.stream(folder, hub, parts["train"]), text, label)
        hub = hub.model_copy(update={"parts": parts, "columns": columns})
        hidden = type_ == TEXTS and "test" in parts and not named.get("test") and _hidden(folder, hub, "test")
    notes = []
    if hidden:
        notes.append(f"{parts.pop('test')}: its labels are not published; it is left out.")
    if "test" not in parts and "validation" in parts and not named.get("validation"):
        parts["test"] = parts.pop("validation")
        notes.append(f"{parts['test']}: these are the test rows, as no other ones with labels are there.")
    contents = {
        part: counted(f"{hub_data.place(hub)}, {split}", hub_data.rows(hub_id, type_, hub, part, folder))
        for part, split in parts.items()
    }
    origin = {"path": hub_id, "config": config, "parts": parts, "columns": columns}
    return Looked(
        hub_id.split("/")[-1],
        type_,
        f"{hub_data.place(hub)} at {commit[:12]}: {', '.join(f'{ours} = {name!r}' for ours, name in columns.items())}",
        contents,
        dict(parts),
        {"hub": {name: value for name, value in origin.items() if value}},
        notes=tuple(notes),
        known={**hub_data.stated(folder), "homepage": f"https://huggingface.co/datasets/{hub_id}"},
    )


def _parts(hub: Hub, there: Sequence[str], named: Mapping[str, str | None]) -> dict[str, str]:
    """Our split -> the Hub's: as the user says, else by its usual name, of test and validation perhaps none."""
    parts = {}
    for ours, usual in USUAL.items():
        given = named.get(ours)
        if given is not None and given not in there:
            where = f"--{ours} {given!r}: no such split in {hub_data.place(hub)}"
            raise UserError(f"{where}.{nearest(given, there)}{one_of(there)}")
        found = given or next((name for name in usual if name in there), None)
        if found:
            parts[ours] = found
    if "train" not in parts:
        raise UserError(f"{hub_data.place(hub)}: has no split 'train'.{one_of(there)}")
    return parts


def _columns(hub: Hub, stream: IterableDataset, text: str | None, label: str | None) -> Columns:
    """By the types of columns, then by their names and what they hold."""
    rows, where = list(islice(stream, SEEN)), hub_data.place(hub)
    if not rows:
        raise UserError(f"{where}: holds no row.")
    names = {name: hub_data.names_of(feature) for name, feature in (stream.features or {}).items()}
    plain = {name: [str(row[name]) for row in rows] for name in rows[0] if _single(rows, name)}
    lists = {name: [row[name] or [] for row in rows] for name in rows[0] if _is_list(rows, name)}
    tagged = None if label in plain else _tagged(lists, names, text, label)
    if tagged:
        return TAGS, tagged
    if lists and not any(isinstance(rows[0][name], str) for name in plain):
        said = f"{where}: no column of words with one of tags (O, B-TYPE, I-TYPE, by name) beside it"
        raise UserError(f"{said}.{one_of(rows[0])}")
    classes = [name for name in plain if names.get(name)]
    text, label = text_and_label(where, plain, text, label or next(iter(classes), None))
    return TEXTS, {"text": text, "label": label}


def _is_list(rows: Iterable[Mapping[str, Any]], name: str) -> bool:
    return all(isinstance(row[name], list | None) for row in rows) and any(row[name] for row in rows)


def _single(rows: Iterable[Mapping[str, Any]], name: str) -> bool:
    """Whether it holds one text or number a row."""
    return all(isinstance(row.get(name), str | int | None) for row in rows)


def _tagged(
    lists: Mapping[str, Sequence[Sequence[Any]]],
    names: Mapping[str, Sequence[str]],
    text: str | None,
    label: str | None,
) -> dict[str, str] | None:
    """A column of words, and one of as many tags. text, label: their names, where the user says so."""
    begun = [name for name, own in lists.items() if label in (None, name) and _bio(own, names.get(name, ()))]
    words = [name for name, own in lists.items() if text in (None, name) and name not in begun and _strings(own)]
    lengths = {name: list(map(len, own)) for name, own in lists.items()}
    fitting = ((word, tag) for word in words for tag in begun if lengths[word] == lengths[tag])
    return next(({"tokens": word, "tags": tag} for word, tag in fitting), None)


def _strings(rows: Iterable[Iterable[Any]]) -> bool:
    return all(isinstance(item, str) for row in rows for item in row)


def _bio(rows: Iterable[Iterable[Any]], names: Sequence[str]) -> bool:
    """Whether they are tags of entities: not of parts of speech."""
    kinds = set(names) or {str(tag) for row in rows for tag in row}
    return all(kind == "O" or kind[:2] in ("B-", "I-") for kind in kinds)


def _hidden(folder: Path, hub: Hub, part: str) -> bool:
    """Whether no row that is looked at has a label."""
    rows = islice(hub_data.stream(folder, hub, hub.parts[part]), SEEN)
    return all(row.get(hub.columns["label"]) in HIDDEN for row in rows)
