"""Records of runs as they are stored, made up, and the tables that pages make of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from benchmarks.leaderboard import tables
from benchmarks.leaderboard.page import markdown
from benchmarks.schema import RunFailure, RunResult, Splits, Task, fingerprint

PROTOCOL = {"train_size": None, "test_size": None, "balanced": False, "folds": None, "limit": None}
MACHINE = {
    "device": "cpu",
    "processor": "Xeon",
    "cores": 2,
    "precision": "fp32",
    "processes": 1,
    "encoder_bench": "0.1.0",
    "git": None,
}
SIZES = {"train": 9775, "test": 2443}
DATA = {"source": "files", "sha256": {"train.csv": "a" * 64}, "rows": SIZES, "used": SIZES}
COST = {"train_seconds": 246.9, "predict_seconds": 3.9, "peak_memory_mb": 1028.9, "parameters": 22_575_001}
FILMS = Task(
    name="films", title="Films", group="sentiment", language="en", type="text-classification", metric="accuracy",
    labels=("bad", "good"), positive="good", splits=Splits(train="train", test="test"), sample="films",
)  # fmt: skip


def stored(system: str, seed: int, changes: dict[str, Any]) -> dict[str, Any]:
    """What a result and a failure share; protocol, recipe, encoder, definition, content (the data's), code make the
    identity.
    """
    protocol = {**PROTOCOL, "seed": seed, "fold": None, **changes.pop("protocol", {})}
    recipe, content = changes.pop("recipe", {}), changes.pop("content", "a")
    definition = {
        "type": "text-classification", "labels": ["bad", "good"], "positive": "good", "scheme": "IOB2",
        **changes.pop("definition", {}),
    }  # fmt: skip
    identity = {
        "code": changes.pop("code", 1),
        "task": definition,
        "data": {"source": "files", "parts": content},
        "encoder": changes.pop("encoder", None),
        "recipe": recipe,
        "protocol": protocol,
    }
    return {
        "task": "films", "system": system, "seed": seed, "train_size": protocol["train_size"], "fold": protocol["fold"],
        "sample": False, "limited": False, "fingerprint": fingerprint(identity), "key": fingerprint(identity),
        "identity": identity, "protocol": protocol, "recipe": recipe, "environment": MACHINE,
        "created": "2026-11-20T12:00:00+00:00", **changes,
    }  # fmt: skip


def done(system: str = "minilm", seed: int = 0, score: float = 0.9, **changes: Any) -> RunResult:
    fields: dict[str, Any] = {
        "title": "Films, good or bad", "group": "sentiment", "type": "text-classification", "method": "finetune",
        "metrics": {"accuracy": score, "f1_micro": score, "f1_macro": score - 0.1}, "primary_metric": "accuracy",
        "report": {}, "cost": COST, "data": DATA, "training": {},
    }  # fmt: skip
    return RunResult(**{**fields, **stored(system, seed, changes)})


def failed(system: str = "minilm", seed: int = 0, message: str = "CUDA out of memory", **changes: Any) -> RunFailure:
    error = {"type": "OutOfMemoryError", "message": message, "traceback": ""}
    return RunFailure(**{**stored(system, seed, changes), "error": error})


def folds(*scores: float, system: str = "minilm", seed: int = 0, of: int = 2) -> list[RunResult]:
    return [done(system, seed, score, protocol={"folds": of, "fold": fold}) for fold, score in enumerate(scores)]


def page(*runs: RunResult | RunFailure, **seams: Any) -> str:
    (found,) = tables(runs, **seams)
    return markdown(found)


def cells(text: str) -> list[dict[str, str]]:
    """The rows of every Markdown table in a text, by column."""
    found, head = [], []
    for before, line in pairwise(["", *text.splitlines()]):
        if not line.startswith("|"):
            head = []
        elif not before.startswith("|"):
            head = [cell.strip() for cell in line.strip("|").split(" | ")]
        elif not line.startswith(("|-", "|:")):
            found.append(dict(zip(head, (cell.strip() for cell in line.strip("|").split(" | ")), strict=True)))
    return found


def headings(text: str) -> list[str]:
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
