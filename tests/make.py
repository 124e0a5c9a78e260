"""Small tasks on real files, for tests that run the whole way."""

from __future__ import annotations

import random
from pathlib import Path

GOOD, BAD = ("good", "great", "story", "film"), ("bad", "ending", "lazy", "dog")
PEOPLE, PLACES, OTHER = ("anna", "maria"), ("berlin", "munich", "hamburg"), ("the", "works", "for", "lives", "in", "a")


def text_task(folder: Path, rows: int = 60, name: str = "mine", **fields: object) -> Path:
    """A task file for two classes that a few words tell apart; its data lie in `folder`/data/mine."""
    draw = random.Random(rows)
    for part in ("train", "test"):
        lines = ["text,label"]
        for i in range(rows):
            words = [draw.choice(GOOD if i % 2 else BAD) for _ in range(2 + i % 5)] + [draw.choice(OTHER)]
            lines.append(f"{' '.join(words)},{'positive' if i % 2 else 'negative'}")
        _write(folder / "data" / "mine" / f"{part}.csv", "\n".join(lines) + "\n")
    return _task_file(folder, name, TEXT_TASK, fields)


def tag_task(folder: Path, rows: int = 60, name: str = "names", **fields: object) -> Path:
    """A task file for persons and places; every tenth row is longer than the encoder's input."""
    draw = random.Random(rows)
    for part in ("train", "test"):
        items = []
        for i in range(rows):
            words = [draw.choice((*PEOPLE, *PLACES, *OTHER)) for _ in range(90 if i % 10 == 9 else 3 + i % 5)]
            items.append("\n".join(f"{word}\t{_tag(word)}" for word in words))
        _write(folder / "data" / "names" / f"{part}.tsv", "\n\n".join(items) + "\n")
    return _task_file(folder, name, TAG_TASK, fields)


def _tag(word: str) -> str:
    return "B-PER" if word in PEOPLE else "B-LOC" if word in PLACES else "O"


TEXT_TASK = """\
title: Two classes
group: mine
language: en
type: text-classification
metric: accuracy
labels: [negative, positive]
positive: positive
max_length: 32
splits: {train: train, test: test}
source:
  folder: mine
  format: csv
  columns: {text: text, label: label}
  files:
    train: [{path: train.csv}]
    test: [{path: test.csv}]
"""

TAG_TASK = """\
title: Persons and places
group: mine
language: en
type: token-classification
metric: entity_f1
labels: [PER, LOC]
max_length: 48
splits: {train: train, test: test}
source:
  folder: names
  format: conll
  columns: [token, tag]
  files:
    train: [{path: train.tsv}]
    test: [{path: test.tsv}]
"""


def _task_file(folder: Path, name: str, text: str, fields: dict[str, object]) -> Path:
    lines = [line for line in text.splitlines() if line.split(":")[0] not in fields]
    lines += [f"{field}: {value}" for field, value in fields.items()]
    return _write(folder / f"{name}.yaml", "\n".join(lines) + "\n")


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
