"""The frozen values that cross modules: tasks, systems, protocols, claims, predictions, results."""

from __future__ import annotations

from benchmarks.schema.claim import CLASS_METRICS, LOSS, Claim, Other, Passes, Publication
from benchmarks.schema.outcome import SCHEMA_VERSION, Predictions, RunFailure, RunResult, Stored
from benchmarks.schema.run import (
    CODE_PROTOCOL,
    LONGEST_FOLDER_NAME,
    Protocol,
    RunSpec,
    Tuning,
    asked,
    folder_name,
    seed_and_fold,
)
from benchmarks.schema.secrets import without_secrets
from benchmarks.schema.system import Between, Dimension, Encoder, Recipe, System
from benchmarks.schema.task import (
    NOT_COMPARABLE,
    TAGS,
    TEXTS,
    Fallback,
    File,
    Format,
    HeldOut,
    Hub,
    Source,
    Splits,
    Task,
    TaskType,
    tags_of,
)
from benchmarks.schema.value import DESCRIPTIVE, Neutral, Value, fingerprint

__all__ = [
    "CLASS_METRICS", "CODE_PROTOCOL", "DESCRIPTIVE", "LONGEST_FOLDER_NAME", "LOSS", "NOT_COMPARABLE", "SCHEMA_VERSION",
    "TAGS", "TEXTS", "Between", "Claim", "Dimension", "Encoder", "Fallback", "File", "Format", "HeldOut", "Hub",
    "Neutral", "Other", "Passes", "Predictions", "Protocol", "Publication", "Recipe", "RunFailure", "RunResult",
    "RunSpec", "Source", "Splits", "Stored", "System", "Task", "TaskType", "Tuning", "Value", "asked", "fingerprint",
    "folder_name", "seed_and_fold", "tags_of", "without_secrets",
]  # fmt: skip
