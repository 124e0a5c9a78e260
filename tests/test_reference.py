"""The reference is what the code says, and holds all of it."""

from __future__ import annotations

from benchmarks.cli.arguments import command_line
from benchmarks.cli.examples import EXAMPLES
from benchmarks.cli.reference import PATH, markdown
from benchmarks.metrics import METRICS
from benchmarks.recipes import RECIPES
from benchmarks.schema import Claim, Task

TEXT = PATH.read_text(encoding="utf-8")


def test_the_document_is_what_the_code_gives():
    assert f"{markdown()}\n" == TEXT, "python -m benchmarks.cli.reference writes it anew"


def test_every_verb_field_method_and_metric_stands_in_it():
    for verb in EXAMPLES:
        assert f"### encoder-bench {verb}" in TEXT
    for flag in ("--tasks A,B", "--keep-models", "--train-sizes N,..."):
        assert f"| `{flag}`" in TEXT
    for name in (*Task.model_fields, *Claim.model_fields, *METRICS):
        assert f"| `{name}`" in TEXT, name
    for method, recipe in RECIPES.items():
        assert not recipe.model_fields or f"### {method}" in TEXT
    for name in ("run", "runs", "scores", "compare", "predictions"):
        assert f"### api.{name}\n" in TEXT
    assert "Published label -> our label" in TEXT  # what stands below a field in the code


def test_no_type_is_written_as_python_has_it():
    assert "NoneType" not in TEXT and "Annotated" not in TEXT and "typing." not in TEXT
    assert command_line().prog == "encoder-bench"
