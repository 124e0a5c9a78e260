"""The verb new-task: looks at files or a Hub data set, asks what they don't say, writes a task file and checks it."""

from __future__ import annotations

import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from benchmarks import amounts, lock
from benchmarks.cli.verbs import data_checked
from benchmarks.data import looks
from benchmarks.data.looks import Looked, files, on_hub
from benchmarks.definitions import load_task, task_files
from benchmarks.errors import UserError
from benchmarks.files import write_text
from benchmarks.leaderboard import words
from benchmarks.metrics import primary_for
from benchmarks.schema import TAGS, TEXTS

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
EXAMPLE = 90
"""Characters of a row that are shown."""


def new_task(arguments: Namespace) -> int:
    """Writes NAME.yaml; tells what it found, and the commands that follow."""
    given = arguments.file or _asked("A file of texts or tagged words, or a Hub data set", "")
    if not given:
        raise UserError("new-task: no data. Give a file or a Hub id: encoder-bench new-task data/reviews/train.csv")
    found = _looked(given, arguments)
    for line in _seen(found):
        print(line)
    name = arguments.name or _asked("Name of the task", _plain(found.name))
    path = Path(f"{name}.yaml")
    _check_name(name, path)
    write_text(path, _yaml(looks.task(found, _told(arguments, name, found))))
    try:
        said = data_checked(load_task(path), found.data_dir)
    except UserError:
        path.unlink()  # nothing is left of what can't be used
        raise
    print(f"\n{path}: a task{said}")
    for line in _next(path, found.data_dir):
        print(line)
    return 0


def _looked(given: str, arguments: Namespace) -> Looked:
    """Of files where there is such a file, else of a data set on the Hub, where it may be the name of one."""
    path = Path(given)
    if HUB_ID.fullmatch(given) and not path.parent.is_dir() and path.suffix not in files.FORMATS:
        named = {"validation": arguments.validation, "test": arguments.test}
        if arguments.header is not None:
            raise UserError("--header: is of csv and tsv files; a data set on the Hub names its columns.")
        return on_hub.look(given, arguments.config, named, arguments.text, arguments.label, lock.read())
    if arguments.config is not None:
        raise UserError(f"--config {arguments.config}: is of a data set on the Hub; {given} is a file.")
    parts = dict(files.parts_of(path, arguments.validation, arguments.test))
    found = files.look(parts, arguments.text, arguments.label, arguments.header)
    form = found.origin["source"]["format"]
    if arguments.header is not None and form not in ("csv", "tsv"):
        raise UserError(f"--{'' if arguments.header else 'no-'}header: is of csv and tsv files; {given} is {form}.")
    if arguments.text is not None and found.type == TAGS:
        raise UserError(f"--text {arguments.text}: is of texts; {given} holds tagged words.")
    return found


def _asked(question: str, default: str) -> str:
    """The answer on a terminal; elsewhere, and for an empty answer, the default."""
    if not sys.stdin.isatty():
        return default
    try:
        return input(f"{question}{f' [{default}]' if default else ''}: ").strip() or default
    except EOFError:
        return default


def _plain(text: str) -> str:
    """As the name of a task is written."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in text.lower())
    return "-".join(filter(None, kept.split("-"))) or "mine"


def _check_name(name: str, path: Path) -> None:
    if name in task_files():
        raise UserError(f"--name {name}: is a task of the suite; name yours otherwise.")
    if _plain(name) != name.lower() or path.exists():
        why = f"{path} exists already" if path.exists() else "letters, digits and dashes make a name"
        raise UserError(f"--name {name!r}: {why}; give another one.")


def _seen(found: Looked) -> Iterator[str]:
    """What is there, for the person to see whether it was read as it is meant."""
    yield f"{found.type}, read as {found.read}"
    for name, content in found.contents.items():
        kinds = words.listed([f"{label} {count:,}" for label, count in content.counts.items()])
        what = "entities" if found.type == TAGS else "labels"
        yield f"  {name}: {found.places[name]}: {amounts.counted(content.rows, 'row')}; {what}: {kinds or 'none'}"
    yield from (f"  note: {note}" for note in found.notes)
    for example in found.contents["train"].examples:
        yield f"    {words.shortened(words.readable(example), EXAMPLE)}"


def _told(arguments: Namespace, name: str, found: Looked) -> dict[str, str]:
    counts = found.counts()
    if not counts:
        raise UserError(f"{found.places['train']}: no entity is tagged in it.")
    if arguments.positive is not None and (found.type == TAGS or len(counts) != 2):
        kinds = "tagged words" if found.type == TAGS else amounts.counted(len(counts), "label")
        raise UserError(f"--positive {arguments.positive}: is one of two labels of texts; found are {kinds}.")
    allowed, usual = primary_for(found.type, len(counts)), looks.metric(found.type, counts)
    told = {
        "title": arguments.title or _asked("Title", name.replace("-", " ").capitalize()),
        "group": arguments.group or _asked("Group", "ner" if found.type == TAGS else "texts"),
        "language": arguments.language or _asked("Language (a code such as en)", found.known.get("language", "en")),
        "metric": arguments.metric or _asked(f"Primary metric ({', '.join(allowed)})", usual),
    }
    if found.type == TEXTS and len(counts) == 2:
        told["positive"] = arguments.positive or _asked(f"Positive label ({', '.join(counts)})", looks.positive(counts))
    return told


def _yaml(fields: dict[str, object]) -> str:
    import yaml

    def dumped(as_it_is: bool) -> str:
        return str(yaml.safe_dump(fields, sort_keys=False, allow_unicode=as_it_is, default_flow_style=None, width=118))

    readable = dumped(True)
    return readable if yaml.safe_load(readable) == fields else dumped(False)  # YAML takes U+0085 for a line's end


def _next(path: Path, data_dir: Path | None) -> Iterator[str]:
    where = f"--tasks {shlex.quote(f'./{path}')}"
    if data_dir:
        near = data_dir.relative_to(Path.cwd()) if data_dir.is_relative_to(Path.cwd()) else data_dir
        where += f" --data-dir {shlex.quote(str(near))}"
    yield "\nNext:"
    other = "features-logreg" if load_task(path).type == TAGS else "tfidf-svm"
    yield f"  encoder-bench run {where} --systems minilm,{other},majority"
    yield f"  encoder-bench compare minilm {other} --task {shlex.quote(path.stem)}"
    yield "  encoder-bench report"
    yield f"Licence, citation and notes can be added to {path}; `encoder-bench validate ./{path}` checks it."
