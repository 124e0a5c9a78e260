"""YAML -> Task, System and Claim, strictly: every problem of a file at once."""

from __future__ import annotations

from benchmarks.definitions.claims import Reported, load_claims
from benchmarks.definitions.reading import PROJECT, SUFFIXES, fields_of, read_scalar, read_yaml, validated
from benchmarks.definitions.systems import changed, folder_named, load_systems, resolved_recipe
from benchmarks.definitions.tasks import load_task, load_tasks, task_files

__all__ = [
    "PROJECT", "SUFFIXES", "Reported", "changed", "fields_of", "folder_named", "load_claims", "load_systems",
    "load_task", "load_tasks", "read_scalar", "read_yaml", "resolved_recipe", "task_files", "validated",
]  # fmt: skip
