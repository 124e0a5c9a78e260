"""Each line of the threat model names tests that are there, and each test of attacks stands in a line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "threat-model.md"
HEAD = "| what they could try | what stops it | held by |"


def lines() -> list[str]:
    """Of the tables of threats, without their heads."""
    tables = re.findall(rf"^{re.escape(HEAD)}\n\|[-|]+\|\n((?:\|.*\n)+)", DOCUMENT.read_text(encoding="utf-8"), re.M)
    return [line for table in tables for line in table.splitlines()]


def named(line: str) -> list[str]:
    """The tests in a line's last cell."""
    return re.findall(r"`(test_\w+)`", line.rstrip("|").rpartition("|")[2])


def names_in(folder: Path) -> set[str]:
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("test_*.py")]
    return {node.name for module in modules for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}  # fmt: skip


def test_each_line_of_the_threat_model_names_tests_that_are_there():
    there = names_in(PROJECT / "tests")
    assert len(lines()) > 30
    for line in lines():
        assert line.count("|") == 4, line
        assert named(line), line
        assert set(named(line)) <= there, line


def test_each_test_of_an_attack_stands_in_a_line_of_the_threat_model():
    own = names_in(Path(__file__).parent) - {name for name in globals() if name.startswith("test_")}
    assert own - {name for line in lines() for name in named(line)} == set()
