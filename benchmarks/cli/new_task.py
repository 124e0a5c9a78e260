"""The verb new-task: looks at files, asks what they don't say, writes a task file and checks it."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from benchmarks.data import looks
from benchmarks.data.looks import Content, Layout
from benchmarks.definitions import load_task, task_files
from benchmarks.errors import UserError
from benchmarks.files import write_text
from benchmarks.leaderboard import words
from benchmarks.metrics import primary_for
from benchmarks.schema import TAGS, TEXTS

EXAMPLE = 90
"""Characters of a row that are shown."""


def new_task(arguments: Namespace) -> int:
    """Writes NAME.yaml; tells what it found, and the commands that follow."""
    train = arguments.file or _asked("A file of texts or tagged words", "")
    if not train:
        raise UserError("new-task: no file. Give one: encoder-bench new-task data/reviews/train.csv")
    parts = dict(looks.parts_of(Path(train), arguments.validation, arguments.test))
    found = looks.layout(parts["train"], arguments.text, arguments.label)
    known = {name: (path, looks.content(path, found)) for name, path in parts.items()}
    for line in _seen(known, found):
        print(line)
    name = arguments.name or _asked("Name of the task", _plain(parts["train"].parent.name))
    path = Path(f"{name}.yaml")
    _check_name(name, path)
    told = _told(arguments, name, known, found)
    write_text(path, _yaml(looks.task(known, found, told)))
    data_dir = parts["train"].parent.parent
    try:
        said = _checked(path, data_dir)
    except UserError:
        path.unlink()  # nothing is left of what can't be used
        raise
    print(f"\n{path}: {said}")
    for line in _next(path, data_dir):
        print(line)
    return 0


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


def _seen(known: dict[str, tuple[Path, Content]], found: Layout) -> Iterator[str]:
    """What is in the files, for the person to see whether it was read as it is meant."""
    columns = found.columns if isinstance(found.columns, tuple) else [f"{k} = {v!r}" for k, v in found.columns.items()]
    yield f"{found.type}, read as {found.format}: {', '.join(columns)}"
    for name, (path, content) in known.items():
        kinds = words.listed([f"{label} {count:,}" for label, count in content.counts.items()])
        what = "entities" if found.type == TAGS else "labels"
        yield f"  {name}: {path.name}: {words.counted(content.rows, 'row')}; {what}: {kinds or 'none'}"
    for example in known["train"][1].examples:
        yield f"    {words.shortened(words.readable(example), EXAMPLE)}"


def _told(arguments: Namespace, name: str, known: dict[str, tuple[Path, Content]], found: Layout) -> dict[str, str]:
    counts = looks.total(content for _, content in known.values())
    if not counts:
        raise UserError(f"{known['train'][0]}: no entity is tagged in it.")
    allowed, usual = primary_for(found.type, len(counts)), looks.metric(found.type, counts)
    told = {
        "title": arguments.title or _asked("Title", name.replace("-", " ").capitalize()),
        "group": arguments.group or _asked("Group", "ner" if found.type == TAGS else "texts"),
        "language": arguments.language or _asked("Language (a code such as en)", "en"),
        "metric": arguments.metric or _asked(f"Primary metric ({', '.join(allowed)})", usual),
    }
    if found.type == TEXTS and len(counts) == 2:
        told["positive"] = arguments.positive or _asked(f"Positive label ({', '.join(counts)})", looks.positive(counts))
    return told


def _yaml(fields: dict[str, object]) -> str:
    import yaml

    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, default_flow_style=None, width=118)
    return text


def _checked(path: Path, data_dir: Path) -> str:
    """Read back as every task file is, with the data behind it."""
    from benchmarks.cli.verbs import data_checked

    task = load_task(path)
    return f"a task{data_checked(task, data_dir)}"


def _next(path: Path, data_dir: Path) -> Iterator[str]:
    where = f"--tasks {shlex.quote(f'./{path}')} --data-dir {shlex.quote(str(data_dir))}"
    yield "\nNext:"
    other = "features-logreg" if load_task(path).type == TAGS else "tfidf-svm"
    yield f"  encoder-bench run {where} --systems minilm,{other},majority"
    yield f"  encoder-bench compare minilm {other} --task {shlex.quote(path.stem)}"
    yield "  encoder-bench report"
    yield f"Licence, citation and notes can be added to {path}; `encoder-bench validate ./{path}` checks it."
