"""Files of which nothing is declared yet -> what a task file would say of them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.data.readers import READERS, lines, records
from benchmarks.data.records import TagRow, TextRow
from benchmarks.errors import UserError, nearest, one_of
from benchmarks.files import sha256
from benchmarks.metrics.spans import spans
from benchmarks.schema import TAGS, TEXTS, File, Format, Source, TaskType

SEEN = 2000
"""Lines or records that are looked at before a whole file is read."""
MOST_LABELS = 1000
TEXT_NAMES = ("text", "sentence", "review", "comment", "content", "body", "headline", "title", "tweet", "document")
LABEL_NAMES = ("label", "class", "category", "target", "sentiment", "topic", "rating", "stars", "intent", "tag")
POSITIVE_NAMES = ("positive", "pos", "true", "yes", "hateful", "hate", "toxic", "offensive", "spam")
LENGTHS = (32, 64, 128, 256, 512)
PIECES_A_WORD = 1.5
FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".conll": "conll", ".bio": "conll", ".iob": "conll", ".iob2": "conll", ".ner": "conll",
}  # fmt: skip
ONLY_TEXTS = (".csv", ".jsonl", ".ndjson")
TAG = re.compile(r"O|[BI]-.+")
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

    def fields(self) -> dict[str, Any]:
        """Of a source."""
        columns = dict(self.columns) if isinstance(self.columns, Mapping) else list(self.columns)
        found: dict[str, Any] = {"format": self.format, "columns": columns}
        found |= {"separator": self.separator} if self.separator != "tab" else {}
        found |= {"comment": self.comment} if self.comment else {}
        return found | ({"token_prefix": self.token_prefix} if self.token_prefix else {})


@dataclass(frozen=True)
class Content:
    """What one file holds. counts: rows of each label, or entities of each type; words: of each row, the longest 5 %
    left out; begins: whether any tag begins with 'B-'.
    """

    sha256: str
    rows: int
    counts: dict[str, int]
    words: int
    begins: bool
    examples: tuple[str, ...]


def layout(path: Path, text: str | None = None, label: str | None = None) -> Layout:
    """text, label: the columns to read, where the user names them. Raises UserError where none can be found."""
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in ONLY_TEXTS and (tagged := _tagged(path, label)):
        return tagged
    if suffix not in FORMATS or FORMATS[suffix] == "conll":
        known = ", ".join(FORMATS)
        raise UserError(f"{path}: neither texts nor tagged words were found in it; known endings are {known}.")
    return _texts(path, FORMATS[suffix], text, label)


# -- tagged words ----------------------------------------------------------------------------------------------------


def _tagged(path: Path, label: str | None) -> Layout | None:
    """One token a line: some column of every line that is not blank holds tags. label: its number, where there are
    several layers of tags; else the last one is read.
    """
    seen = list(itertools.islice(lines(path), SEEN))
    every = [line for line in seen if line.strip()]
    comment = _comment(every)
    filled = [line for line in every if not (comment and line.startswith(comment))]
    for separator in ("tab", "space"):
        found = [line.split("\t") if separator == "tab" else line.split() for line in filled]
        widths = {len(fields) for fields in found}
        if len(widths) != 1 or widths == {1}:
            continue
        columns = list(zip(*found, strict=True))
        tagged = [at for at, column in enumerate(columns) if _holds_tags(column)]
        if tagged:
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


def _holds_tags(column: Sequence[str]) -> bool:
    return all(TAG.fullmatch(value) for value in column) and any(value != "O" for value in column)


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


def _texts(path: Path, form: Format, text: str | None, label: str | None) -> Layout:
    """By the names of columns, else by what they hold."""
    rows = list(itertools.islice(records(path, form), SEEN))
    if not rows:
        raise UserError(f"{path}: holds no row.")
    names = list(rows[0])
    for flag, given in (("--text", text), ("--label", label)):
        if given is not None and given not in names:
            raise UserError(f"{flag} {given!r}: no such column in {path}.{nearest(given, names)}{one_of(names)}")
    values = {name: [str(row.get(name, "")) for row in rows] for name in names}
    text = text or _text_column({name: own for name, own in values.items() if name != label})
    label = label or _label_column({name: own for name, own in values.items() if name != text})
    if text is None or label is None:
        what, flag = ("texts", "--text") if text is None else ("labels (two or more, each repeated)", "--label")
        raise UserError(f"{path}: no column of {what}: name it with {flag}.{one_of(names)}")
    return Layout(TEXTS, form, {"text": text, "label": label})


def _text_column(values: Mapping[str, Sequence[str]]) -> str | None:
    named = [name for wanted in TEXT_NAMES for name in values if name.lower() == wanted]
    by_length = sorted(values, key=lambda name: -fmean(map(len, values[name])))
    return next(iter([*named, *by_length]), None)


def _label_column(values: Mapping[str, Sequence[str]]) -> str | None:
    """A column of values that repeat; of several the one with the fewest."""
    kinds = {name: len(set(own)) for name, own in values.items()}
    repeated = [name for name, count in kinds.items() if 2 <= count <= min(MOST_LABELS, max(2, len(values[name]) // 2))]
    named = [name for wanted in LABEL_NAMES for name in repeated if name.lower() == wanted]
    return next(iter([*named, *sorted(repeated, key=kinds.__getitem__)]), None)


# -- what a file holds -----------------------------------------------------------------------------------------------


def content(path: Path, found: Layout) -> Content:
    """Reads the whole file. Raises UserError for a row that can't be read."""
    source = Source(folder=path.parent.name, files={}, **found.fields())
    rows = READERS[found.format](path, File(path=path.name), source)
    counts: Counter[str] = Counter()
    words: list[int] = []
    examples: list[str] = []
    begins = False
    for row in rows:
        said, labels, starts = _seen(row)
        counts.update(labels)
        words.append(len(said.split()))
        begins = begins or starts
        if len(examples) < 3:
            examples.append(said)
    if not words:
        raise UserError(f"{path}: holds no row.")
    longest = sorted(words)[int(0.95 * (len(words) - 1))]
    return Content(sha256(path), len(words), dict(counts.most_common()), longest, begins, tuple(examples))


def _seen(row: Any) -> tuple[str, Sequence[str], bool]:
    """The text, its label or the types of its entities, and whether a tag begins one."""
    if isinstance(row, TextRow):
        return row.text, [row.label], False
    assert isinstance(row, TagRow)
    begins = any(tag.startswith("B-") for tag in row.tags)
    scheme = "IOB2" if begins else "IO"
    return " ".join(row.tokens), [kind for kind, _, _ in spans(row.tags, scheme, "conlleval")], begins


# -- as a task -------------------------------------------------------------------------------------------------------


def task(
    parts: Mapping[str, tuple[Path, Content]], found: Layout, told: Mapping[str, str], held_out: float = 0.2
) -> dict[str, Any]:
    """The fields of a task file. parts: 'train', perhaps 'validation' and 'test'; told: title, group, language and what
    else the user says. A test split that is not there is held out of the training rows.
    """
    folder = parts["train"][0].parent
    labels = sorted(total(own for _, own in parts.values()))
    longest = max(own.words for _, own in parts.values())
    fields: dict[str, Any] = {"title": told["title"], "group": told["group"], "language": told["language"]}
    fields |= {"type": found.type, "metric": told["metric"], "labels": labels}
    if found.type == TEXTS and len(labels) == 2:
        fields["positive"] = told["positive"]
    if found.type == TAGS and not any(own.begins for _, own in parts.values()):
        fields["scheme"] = "IO"
    fields["max_length"] = next((n for n in LENGTHS if n >= longest * PIECES_A_WORD + 2), LENGTHS[-1])
    fields["splits"] = {name: name for name in ("train", "validation", "test") if name in parts}
    if "test" not in parts:
        fields["splits"]["test"] = {"take_from": "train", "share": held_out}
    files = {
        name: [{"path": path.relative_to(folder).as_posix(), "sha256": own.sha256, "rows": own.rows, **_counts(own)}]
        for name, (path, own) in parts.items()
    }
    source = {"folder": folder.name, **found.fields()}
    return {**fields, "source": {**source, "files": files}, "licence": told.get("licence") or "not stated"}


def total(contents: Iterable[Content]) -> Counter[str]:
    """Rows of each label, or entities of each type, over several files."""
    return sum((Counter(content.counts) for content in contents), Counter())


def _counts(own: Content) -> dict[str, Any]:
    return {"counts": own.counts} if own.counts else {}


def metric(type_: TaskType, counts: Mapping[str, int]) -> str:
    """What such a task is usually ranked by."""
    if type_ == TAGS:
        return "entity_f1"
    if len(counts) > 2:
        return "f1_macro"
    return "f1" if min(counts.values()) < 0.35 * sum(counts.values()) else "accuracy"


def positive(counts: Mapping[str, int]) -> str:
    """The label whose name says so, else the rarer one: which is it that one looks for?"""
    if set(counts) == {"0", "1"}:
        return "1"
    named = [label for name in POSITIVE_NAMES for label in counts if label.lower() == name]
    return next(iter([*named, *sorted(counts, key=lambda label: (counts[label], label))]))


def parts_of(train: Path, validation: Path | None, test: Path | None) -> Iterator[tuple[str, Path]]:
    """Raises UserError for a file that is not there, or lies in no sub-folder of the training file's folder."""
    for name, path in (("train", train), ("validation", validation), ("test", test)):
        if path is None:
            continue
        if not path.is_file():
            raise UserError(f"{path}: no such file.")
        if name != "train" and path.resolve() == train.resolve():
            raise UserError(f"{path}: is the training file; give another one for the {name} split.")
        if not path.resolve().is_relative_to(train.resolve().parent):
            raise UserError(f"{path}: lies in another folder than {train}: a task's files lie in one folder.")
        yield name, path.resolve()
