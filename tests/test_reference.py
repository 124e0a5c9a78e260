"""The reference is what the code says, and holds all of it."""

from __future__ import annotations

from benchmarks.cli.arguments import command_line
from benchmarks.cli.examples import EXAMPLES
from benchmarks.cli.reference import PATH, markdown
from benchmarks.compare import Comparison
from benchmarks.definitions import fields_of
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
    for name in (*fields_of(Task), *fields_of(Claim), *METRICS):
        assert f"| `{name}`" in TEXT, name
    for method, recipe in RECIPES.items():
        assert not recipe.model_fields or f"### {method}" in TEXT
    for name in ("run", "runs", "scores", "compare", "predictions"):
        assert f"### api.{name}\n" in TEXT
    assert "Published label -> our label" in TEXT  # what stands below a field in the code


def test_what_runs_without_a_flag_stands_beside_it():
    systems = next(line for line in TEXT.splitlines() if line.startswith("| `--systems X,Y`"))
    assert "(default: those that `encoder-bench list systems` marks \\*)" in systems


def test_what_a_comparison_holds_stands_below_the_function_that_gives_it():
    below = TEXT.partition("### api.compare\n")[2].partition("\n### ")[0]
    for name in Comparison.__dataclass_fields__:
        assert f"| `{name}`" in below, name
    assert "| `only_first`" in below and "| `row_id`" in below  # and what its parts hold


def test_a_name_is_no_field_of_what_is_named_by_its_file_or_key():
    assert "| `name`" not in TEXT
    assert {"title", "type"} <= set(fields_of(Task)) and "name" not in fields_of(Task)


def test_no_type_is_written_as_python_has_it():
    assert "NoneType" not in TEXT and "Annotated" not in TEXT and "typing." not in TEXT
    assert command_line().prog == "encoder-bench"
