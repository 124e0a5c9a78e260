"""Imports point down only, and what needs no model loads no model library."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "benchmarks"

# From the ground to the roof: a module may import what stands before its own package here, and its package.
GROUND = [
    "errors",
    "amounts",
    "variables",
    "schema",
    "files",
    "recipes",
    "metrics",
    "definitions",
    "selection",
    "plan",
    "tuning",
    "needed",
    "predictions",
    "records",
    "store",
    "unfinished",
    "scoring",
    "lock",
    "estimates",
    "history",
    "leaks",
    "excerpts",
    "card",
    "stats",
]
READING = ["leaderboard", "claims", "compare", "report", "export"]
RUNNING = [
    "ranks",
    "heap",
    "meter",
    "shortage",
    "environment",
    "snapshots",
    "trust",
    "encoders",
    "windows",
    "embeddings",
    "data",
    "places",
    "tracking",
    "methods",
    "runner",
    "execute",
    "speed",
]
ROOF = ["cli", "api"]
HEAVY = {
    "torch",
    "transformers",
    "datasets",
    "sentence_transformers",
    "ray",
    "evaluate",
    "accelerate",
    "sklearn",
    "gensim",
    "peft",
}


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def imports(path: Path, at_import_time: bool = False) -> set[str]:
    """Modules that a file imports, as written; at import time: not those in functions and type checks."""
    found: set[str] = set()

    def visit(node: ast.AST, name: str = "") -> None:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        skipped = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        is_type_check = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if at_import_time and (isinstance(node, skipped) or is_type_check):
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def wing_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_module_has_a_place_in_the_house():
    assert {wing_of(name) for name in modules()} - {""} == {*GROUND, *READING, *RUNNING, *ROOF}


def test_the_reading_wing_never_imports_the_running_wing_and_the_ground_imports_neither():
    for name, path in modules().items():
        used = {wing_of(module) for module in imports(path) if module.startswith("benchmarks.")}
        if wing_of(name) in READING:
            assert not used & {*RUNNING, *ROOF}, name
        if wing_of(name) in GROUND:
            assert not used & {*RUNNING, *READING, *ROOF}, name
        if wing_of(name) in RUNNING:
            assert not used & {*READING, *ROOF}, name


def test_every_module_imports_only_what_stands_before_it():
    order = [*GROUND, *READING, *RUNNING, *ROOF]
    for name, path in modules().items():
        wing = wing_of(name)
        later = order[order.index(wing) + 1 :] if wing and wing not in ROOF else ()  # api and cli share the roof
        used = {wing_of(module) for module in imports(path) if module.startswith("benchmarks.")}
        assert not used & {*later}, name


def test_nothing_imports_in_a_circle():
    names = modules()
    edges = {
        name: {target for target in imports(path, at_import_time=True) if target in names and target != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in edges[name]:
                # `from package import module` names the package too; a package may be on its own module's way
                if not name.startswith(f"{target}."):
                    visit(target, (*trail, name))
            done.add(name)

    for name in names:
        visit(name, ())


def test_every_module_says_in_one_line_what_it_knows():
    for name, path in modules().items():
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring, name
        assert docstring.splitlines()[0].endswith((".", "?")), name


@pytest.mark.parametrize(
    "command",
    [
        ["--help"], ["list"], ["run", "--list"], ["validate"],
        ["run", "--tasks", "ner,news", "--sample", "--dry-run"],
        ["run", "--claims", "S3,S4", "--dry-run"], ["leaderboard"], ["claims", "S4"], ["report"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_looking_and_planning_load_no_model_library(command, tmp_path):
    if command[0] in ("leaderboard", "claims", "report"):
        if not (PACKAGE.parent / "results" / "runs").is_dir():
            pytest.skip("this checkout has no stored runs")
        stored = Path("runs", "mit-movie-trivia" if command[0] == "report" else "fox-news-comments")  # all take minutes
        shutil.copytree(PACKAGE.parent / "results" / stored, tmp_path / "results" / stored)  # its pages are written
    assert loaded(command, tmp_path) & HEAVY == set()


@pytest.mark.parametrize(
    "command", [["--help"], ["list"], ["run", "--tasks", "news", "--sample", "--dry-run"]], ids=" ".join
)
def test_what_a_person_waits_for_loads_no_tables(command, tmp_path):
    """They take as long as all else of the start."""
    assert loaded(command, tmp_path) & {"pandas", "scipy", "pyarrow"} == set()


def loaded(command: list[str], folder: Path) -> set[str]:
    """The modules that a command leaves loaded."""
    script = (
        "import sys; from benchmarks.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    own = {name: value for name, value in os.environ.items() if name != "ENCODER_BENCH_DATA"}
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, cwd=folder, env=own)
    found = set(done.stdout.splitlines()[-1].split())
    assert "benchmarks.cli" in found, done.stderr
    return found
