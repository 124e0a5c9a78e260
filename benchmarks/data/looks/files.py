"""Files: how their rows are read, and what they hold."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mode
from typing import Any, TypeVar

from benchmarks.data.looks import SEEN, Content, Looked, counted
from benchmarks.data.looks.columns import repeats, text_and_label
from benchmarks.data.readers import READERS, lines, records
from benchmarks.errors import UserError, short
from benchmarks.files import is_file, sha256
from benchmarks.schema import TAGS, TEXTS, File, Format, Source, TaskType

FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".conll": "conll", ".bio": "conll", ".iob": "conll", ".iob2": "conll", ".ner": "conll",
}  # fmt: skip
MOST_CHARACTERS = 20_000_000
"""Of the lines or records that are looked at."""
ONLY_TEXTS = (".csv", ".jsonl", ".ndjson")
T = TypeVar("T")
TAG = re.compile(r"O|[BI]-.+")
OTHER_TAG = re.compile(r"[ESLU]-.+")
"""Of schemes that are not read: the reader says so, and on which line."""
LANGUAGE = re.compile(r"[a-z]{2,3}:")


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are read."""

    type: TaskType
    format: Format
    columns: tuple[str, ...] | Mapping[str, str]
    separator: str = "tab"
    comment: str | None = None
    token_prefix: str = ""

    @property
    def header(self) -> bool:
        """False only for csv and tsv without a line of column names at the top."""
        return self.type == TAGS or isinstance(self.columns, Mapping)

    def named(self) -> str:
        """Its columns in words."""
        if isinstance(self.columns, Mapping):
            return ", ".join(f"{ours} = {theirs!r}" for ours, theirs in self.columns.items())
        return ", ".join(self.columns)

    def fields(self) -> dict[str, Any]:
        """Of a source."""
        columns = dict(self.columns) if isinstance(self.columns, Mapping) else list(self.columns)
        found: dict[str, Any] = {"format": self.format, "columns": columns}
        found |= {"separator": self.separator} if self.separator != "tab" else {}
        found |= {"comment": self.comment} if self.comment else {}
        return found | ({"token_prefix": self.token_prefix} if self.token_prefix else {})


def look(
    parts: Mapping[str, Path], text: str | None = None, label: str | None = None, header: bool | None = None
) -> Looked:
    """Of 'train', perhaps 'validation' and 'test', read as the training file is. text, label, header: as in `layout`.

    Raises UserError for what can't be read.
    """
    found = layout(parts["train"], text, label, header)
    folder = parts["train"].parent
    contents = {name: content(path, found) for name, path in parts.items()}
    declared = {name: [_file(path, folder, contents[name])] for name, path in parts.items()}
    return Looked(
        folder.name,
        found.type,
        f"{found.format}{'' if found.header else ' without header'}: {found.named()}",
        contents,
        {name: path.name for name, path in parts.items()},
        {"source": {"folder": folder.name, **found.fields(), "files": declared}},
        folder.parent,
    )


def _file(path: Path, folder: Path, own: Content) -> dict[str, Any]:
    counts = {"counts": dict(own.counts)} if own.counts else {}
    return {"path": path.relative_to(folder).as_posix(), "sha256": sha256(path), "rows": own.rows, **counts}


# -- how it is read --------------------------------------------------------------------------------------------------


def layout(path: Path, text: str | None = None, label: str | None = None, header: bool | None = None) -> Layout:
    """text, label: the columns to read, where the user names them; header: whether csv and tsv have one, where the user
    says so. Raises UserError where none can be found.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    texts = suffix in ONLY_TEXTS or (suffix == ".tsv" and text is not None)
    if not texts and (tagged := _tagged(path, label, whole=suffix == ".tsv")):
        return tagged
    if suffix not in FORMATS or FORMATS[suffix] == "conll":
        known = ", ".join(FORMATS)
        raise UserError(
            f"{path}: neither texts nor tagged words (one a line, its tag O, B-TYPE or I-TYPE) were found in it; "
            f"known endings are {known}."
        )
    return _texts(path, FORMATS[suffix], text, label, header)


def _beginning(rows: Iterable[T], length: Callable[[T], int]) -> list[T]:
    """As many as are looked at, or as are long enough together."""
    seen: list[T] = []
    room = MOST_CHARACTERS
    for row in itertools.islice(rows, SEEN):
        seen.append(row)
        room -= length(row)
        if room < 0:
            break
    return seen


def _length(row: Mapping[str, Any]) -> int:
    return sum(len(str(value)) for value in row.values())


# -- tagged words ----------------------------------------------------------------------------------------------------


def _tagged(path: Path, label: str | None, whole: bool) -> Layout | None:
    """One token a line: some column of most lines that are not blank holds tags; the reader tells of the others. label:
    its number, where there are several layers of tags; else the last one is read. whole: of all lines, since most
    labels of texts may look like tags ('E-mail').
    """
    seen = _beginning(lines(path), len)
    every = [line for line in seen if line.strip()]
    comment = _comment(every)
    filled = [line for line in every if not (comment and line.startswith(comment))]
    for separator in ("tab", "space") if filled else ():
        found = [line.split("\t") if separator == "tab" else line.split() for line in filled]
        width = mode(map(len, found))
        if whole and any(len(fields) != width for fields in found):
            continue
        columns = list(zip(*(fields for fields in found if len(fields) == width), strict=True))
        if width > 1 and (tagged := _tag_columns(columns, 1.0 if whole else 0.5)):
            named = _named(path, columns, tagged, label)
            return Layout(TAGS, "conll", named, separator, comment, _prefix(columns[named.index("token")]))
    return None


def _prefix(tokens: Sequence[str]) -> str:
    """What every word begins with: 'de:', as where corpora of several languages are kept side by side."""
    first = LANGUAGE.match(tokens[0])
    return first[0] if first and all(token.startswith(first[0]) for token in tokens) else ""


def _comment(filled: Sequence[str]) -> str | None:
    """'#' where lines that begin so are of another width than all others: else '#' begins a word, such as a hashtag."""
    marked, others = (
        {len(line.split()) for line in filled if line.startswith("#") is which} for which in (True, False)
    )
    return "#" if marked and not marked & others else None


def _tag_columns(columns: Sequence[Sequence[str]], least: float) -> list[int]:
    """Where so large a share are tags; a column of O alone only where there is no other: a layer may be empty."""
    tagged = [at for at, column in enumerate(columns) if _holds_entities(column, least)]
    return tagged or [at for at, column in enumerate(columns) if set(column) == {"O"}]


def _holds_entities(column: Sequence[str], least: float) -> bool:
    patterns = (TAG, OTHER_TAG) if "O" in column else (TAG,)
    tags = [value for value in column if any(pattern.fullmatch(value) for pattern in patterns)]
    return len(tags) >= least * len(column) and any(tag != "O" for tag in tags)


def _named(path: Path, columns: Sequence[Sequence[str]], tagged: Sequence[int], label: str | None) -> tuple[str, ...]:
    numbers = [str(at + 1) for at in tagged]
    if label is not None and label not in numbers:
        raise UserError(f"--label {label!r}: columns of tags in {path} are {', '.join(numbers)}.")
    tag = tagged[-1] if label is None else int(label) - 1
    others = [at for at in range(len(columns)) if at not in tagged and not all(v.isdigit() for v in columns[at])]
    if not others:
        raise UserError(f"{path}: holds tags, and no words.")
    token = max(others, key=lambda at: len(set(columns[at])))  # not the lemma, nor the part of speech
    return tuple({token: "token", tag: "tag"}.get(at, f"column{at + 1}") for at in range(len(columns)))


# -- texts -----------------------------------------------------------------------------------------------------------


def _texts(path: Path, form: Format, text: str | None, label: str | None, header: bool | None) -> Layout:
    """By the names of columns, else by what they hold."""
    if form != "jsonl" and len(first := next(records(path, form, header=False), {})) == 1:
        sign = {"csv": "comma", "tsv": "tab"}[form]
        raise UserError(f"{path}: one column only, {short(first['1'])}; those of {form} are parted by a {sign}.")
    if header is None or form == "jsonl":
        header = form == "jsonl" or _has_header(_beginning(records(path, form, header=False), _length))
    rows = _beginning(records(path, form, header), _length)
    if not rows:
        raise UserError(f"{path}: holds no row.")
    values = {name: [str(row.get(name, "")) for row in rows] for name in rows[0]}
    text, label = text_and_label(str(path), values, text, label)
    if header:
        return Layout(TEXTS, form, {"text": text, "label": label})
    return Layout(TEXTS, form, tuple({text: "text", label: "label"}.get(name, f"column{name}") for name in values))


def _has_header(rows: Sequence[Mapping[str, str]]) -> bool:
    """Not where the first line has a label that comes again. rows: read as if there were none."""
    names = rows[0] if rows else {}
    below = {name: [row[name] for row in rows[1:]] for name in names}
    return not any(repeats(below[name]) and value in below[name] for name, value in names.items())


# -- what a file holds -----------------------------------------------------------------------------------------------


def content(path: Path, found: Layout) -> Content:
    """Reads the whole file. Raises UserError for a row that can't be read."""
    source = Source(folder=path.parent.name, files={}, **found.fields())
    return counted(str(path), READERS[found.format](path, File(path=path.name), source))


def parts_of(train: Path, validation: str | None, test: str | None) -> Iterator[tuple[str, Path]]:
    """Raises UserError for a file that is not there, or lies in no sub-folder of the training file's folder."""
    for name, given in (("train", train), ("validation", validation), ("test", test)):
        if given is None:
            continue
        path = Path(given)
        if not is_file(path):
            raise UserError(f"{path}: no such file.")
        if name != "train" and path.resolve() == train.resolve():
            raise UserError(f"{path}: is the training file; give another one for the {name} split.")
        if not path.resolve().is_relative_to(train.resolve().parent):
            raise UserError(f"{path}: lies in another folder than {train}: a task's files lie in one folder.")
        yield name, path.resolve()
