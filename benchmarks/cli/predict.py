"""The verb predict: what a kept model says of texts."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import store
from benchmarks.errors import UserError
from benchmarks.metrics.spans import spans
from benchmarks.schema import TAGS, RunResult

if TYPE_CHECKING:
    import numpy as np


def predict(arguments: Namespace) -> int:
    """Prints one line a text, in their order: its labels by probability, or its words with the entities marked."""
    run, folder = _kept(arguments.results_dir, arguments.run)
    texts = [*arguments.text, *_lines(arguments.file)]
    if not texts:
        raise UserError("predict: no text. Give --text TEXT, or --file FILE with one a line ('-' reads the input).")
    print(f"{run.task} {run.system} seed {run.seed} ({folder})", file=sys.stderr)
    from benchmarks.methods import kept

    if run.type == TAGS:
        rows = [text.split() for text in texts]
        filled = [row for row in rows if row]
        tags = iter(kept.of_words(folder, run, filled) if filled else [])
        for row in rows:
            print(_marked(row, next(tags) if row else [], run.identity_["task"]["scheme"]))
    else:
        for text, probabilities in zip(texts, kept.of_texts(folder, run, texts), strict=True):
            print(f"{_ranked(run.identity_['task']['labels'], probabilities)}\t{text}")
    return 0


def _lines(file: str | None) -> list[str]:
    """Without their ends, LF or CRLF as in files of data; blank ones too, or answers would not line up with them."""
    if file is None:
        return []
    try:
        text = (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: bytes that are no UTF-8, a NUL in the path
        raise UserError(f"--file {file}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise UserError(f"--file {file}: line {number} holds a NUL byte: not text.")
    return lines if lines[-1] else lines[:-1]


def _kept(results: Path, name: str) -> tuple[RunResult, Path]:
    """The newest run of that name whose model is there, and its folder. Raises UserError."""
    records = store.find(results, name)
    if not records:
        raise UserError(no_run(results, name))
    runs = [run for path in records if isinstance(run := store.parse(path), RunResult)]
    there = [(run, folder) for run in runs if (folder := store.model_path(results, run)).is_dir()]
    if not there:
        raise UserError(
            f"{name}: its model was not kept: the run's command with --keep-models makes it again and keeps it "
            "(fine-tuned models and low-rank updates alone are kept)."
        )
    return max(there, key=lambda pair: pair[0].created)


def no_run(results: Path, name: str) -> str:
    """What is said where no stored run has a name."""
    from benchmarks.errors import nearest, one_of

    folders = sorted({path.parent for path in store.records(results)})
    names = [f"{folder.parent.name}/{folder.name.replace('__', '/')}" for folder in folders]
    if not names:
        return f"{name}: no such run: {results} holds none."
    return f"No run {name!r}.{nearest(name, names)} A run is TASK/SYSTEM or TASK/SYSTEM/KEY.{one_of(names)}"


def _ranked(labels: Sequence[str], probabilities: np.ndarray) -> str:
    """The three likeliest."""
    best = sorted(zip(probabilities.tolist(), labels, strict=True), reverse=True)[:3]
    return "  ".join(f"{label} {probability:.3f}" for probability, label in best)


def _marked(words: Sequence[str], tags: Sequence[str], scheme: str) -> str:
    """'show me [mel brooks DIRECTOR] films'."""
    found = list(words)
    for kind, start, end in spans(tags, scheme, "conlleval"):
        found[start] = f"[{found[start]}"
        found[end - 1] = f"{found[end - 1]} {kind}]"
    return " ".join(found)
