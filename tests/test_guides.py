"""The guides in docs/: their snippets do what they say, their commands are taken, no number goes unexplained."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from benchmarks.cli import main
from benchmarks.cli.arguments import parse
from benchmarks.definitions import load_systems, load_tasks
from benchmarks.metrics import METRICS
from benchmarks.metrics import texts as text_metrics

PROJECT = Path(__file__).parent.parent
DOCS = {
    path.name: path.read_text(encoding="utf-8")
    for path in [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *(PROJECT / "docs").glob("*.md")]
}


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCS[name], re.S | re.M)


def commands(text: str) -> list[list[str]]:
    """What stands behind `encoder-bench` or `run_all.py` in blocks and between back-ticks."""
    lines = [
        line
        for _, block in re.findall(r"^```(console|bash)\n(.*?)^```", text, re.S | re.M)
        for line in block.splitlines()
    ]
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    found = (re.search(r"\b(?:encoder-bench|run_all\.py) ([^)]+)", line) for line in [*lines, *quoted])
    programs = [(match[0].split()[0], shlex.split(match[1], comments=True)) for match in found if match]
    return [words if program == "encoder-bench" else ["run", *words] for program, words in programs]


SHOWN = [(name, words) for name, text in sorted(DOCS.items()) for words in commands(text)]


@pytest.mark.parametrize(
    ("name", "words"), SHOWN, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_every_command_that_a_document_names_is_one_that_the_program_takes(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("DIR", "data", "shared/data"):
        Path(folder).mkdir(parents=True)
    stands_for = {"...": "--seeds=1", "N": "2", "T": "mit-movie", "${tasks[$SLURM_ARRAY_TASK_ID]}": "mit-movie"}
    if words[0] != "predict":  # its text stands for itself
        words = [stands_for.get(word, word) for word in words]
    if len(words) == 1 and words[0] not in ("list", "validate", "run"):
        words += {"compare": ["a", "b", "--task", "t"], "export": ["--format", "csv"], "predict": ["a/b"],
                  "describe": ["minilm"], "completion": ["bash"]}.get(words[0], [])  # fmt: skip
    if "--help" in words or "--version" in words:
        return
    assert parse(words).verb


def test_what_a_document_fetches_is_on_the_hub():
    arguments = [parse(words) for _, words in SHOWN if words[0] == "fetch" and len(words) > 1]
    tasks = load_tasks()
    assert arguments and all(tasks[name].hub for one in arguments for name in one.tasks or ())


def test_the_guides_commands_run_as_they_stand(tmp_path, monkeypatch, capsys):
    import tiny

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENCODER_BENCH_DATA", raising=False)
    tiny.checkpoint(tmp_path / "my-checkpoint")
    shown = [line for block in blocks("how-to.md", "console") for line in block.splitlines()]
    run = [shlex.split(line)[1:] for line in shown if "--sample" in line]
    assert len(run) == 1
    assert main(run[0]) == 0
    assert "2 runs" in capsys.readouterr().out


def test_the_method_of_the_guide_works(tmp_path):
    names: dict[str, object] = {}
    exec(blocks("how-to.md", "python")[0], names)  # noqa: S102  the guide's own lines
    job = jobs.job(tmp_path, None, names["SharedWords"]())
    predictions = names["shared_words"](job)
    assert np.mean(np.array(predictions.gold) == np.array(predictions.predicted)) > 0.9
    assert predictions.scores.shape == (60, 2) and 0 <= predictions.scores.min() <= predictions.scores.max() <= 1
    assert job.meter.cost()["train_rows_per_second"] > 0


def test_the_metric_of_the_guide_is_scikit_learns(monkeypatch):
    monkeypatch.setattr("benchmarks.metrics.METRICS", dict(METRICS))
    monkeypatch.setattr("benchmarks.metrics.texts.OVERALL", dict(text_metrics.OVERALL))
    exec(blocks("how-to.md", "python")[1], {})  # noqa: S102
    draw = np.random.default_rng(0)
    gold, predicted = draw.integers(0, 4, 50), draw.integers(0, 4, 50)
    numbers = text_metrics.measure(gold, predicted, None, list("abcd"), None)
    assert numbers["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(gold, predicted))


def test_the_system_of_the_guide_can_be_added(tmp_path):
    (entry,) = blocks("how-to.md", "yaml")
    (tmp_path / "systems.yaml").write_text((PROJECT / "systems.yaml").read_text(encoding="utf-8") + entry)
    assert load_systems(tmp_path / "systems.yaml")["modernbert-frozen"].recipe == {"pooling": "mean", "epochs": 20}


def test_the_script_for_a_cluster_is_one_that_bash_reads():
    (script,) = blocks("how-to.md", "bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""


def test_the_example_of_the_formulas_holds():
    (example,) = blocks("metrics.md", "python")
    exec(example, {})  # noqa: S102


def test_every_metric_has_its_formula():
    named = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.+?) \|", DOCS["metrics.md"], re.M))))
    assert set(METRICS) - named == set()


def test_every_guide_is_found_from_the_readme():
    assert [name for name in DOCS if name.islower() and f"docs/{name}" not in DOCS["README.md"]] == []


def test_the_suite_is_installed_from_its_clone_in_every_document_and_message():
    """No registry has it: `pip install encoder-bench` would find nothing, or somebody else's."""
    messages = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT / "benchmarks").rglob("*.py")}
    asked = re.compile(r"""pip install [^\n]*?(?<![\w./-])encoder[-_]bench\b""")
    assert [name for name, text in {**DOCS, **messages}.items() if asked.search(text)] == []
    extras = {extra for text in {**DOCS, **messages}.values() for extra in re.findall(r"-e ['\"]\.\[([\w,]+)\]", text)}
    assert {"ray", "trackers", "sample"} <= extras


def test_two_array_jobs_into_one_folder_keep_all_runs(tmp_path, monkeypatch):
    """What the script for a cluster relies on: here one after the other begins before the first has ended."""
    monkeypatch.chdir(tmp_path)
    make.text_task(tmp_path)
    make.tag_task(tmp_path)
    arguments = "--data-dir data --systems majority --seeds 2 --tasks".split()
    command = [sys.executable, str(PROJECT / "run_all.py"), *arguments]
    started = [subprocess.Popen([*command, f"./{name}.yaml"], stdout=subprocess.DEVNULL) for name in ("mine", "names")]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    assert main(["leaderboard"]) == 0
    assert len(list(Path("results/runs").glob("*/*/*.json"))) == 4
    table = Path("results/LEADERBOARD.md").read_text(encoding="utf-8")
    assert "mine" in table and "names" in table
