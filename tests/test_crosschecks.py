"""Scripts that use nothing of ours read the same rows, and what they find is compared as it should be."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
from crosschecks import compared, corpora, scorers_alone, sklearn_alone, trainer_alone
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_tasks
from benchmarks.lock import Lock
from benchmarks.stats.seeds import noise

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "crosschecks").glob("*_alone.py"))
RESULTS = HERE.parent / "results"


@pytest.mark.parametrize("script", [*SCRIPTS, HERE / "crosschecks" / "corpora.py"], ids=lambda path: path.stem)
def test_a_script_uses_nothing_of_ours(script):
    """Nor anything of these tests, which may: `crosschecks.corpora` alone, by its full name."""
    found = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name.name for node in found if isinstance(node, ast.Import) for name in node.names}
    names |= {"." * node.level + (node.module or "") for node in found if isinstance(node, ast.ImportFrom)}
    own = {path.stem for path in (*HERE.iterdir(), *HERE.parent.iterdir())}
    assert len(SCRIPTS) == 4 and len(names) > 4
    assert {name for name in names if name.split(".")[0] in own | {""}} <= {"crosschecks.corpora"}


def loaded(name: str, data: Path, cache: Path):
    task = load_tasks()[name]
    return load(task, origin_of(task, data, {}), cache, Lock())


@pytest.mark.parametrize("name", corpora.TEXTS)
def test_a_script_trains_and_tests_on_the_rows_that_we_do(name, real_data, tmp_path):
    ours, theirs = loaded(name, real_data, tmp_path), corpora.divided(name, real_data)
    positive = ours.task.labels.index(corpora.POSITIVE[name])
    for split, rows in ours.splits.items():
        found = getattr(theirs, split)
        assert list(rows["text"]) == found.texts
        assert [int(label == positive) for label in rows["label"]] == found.labels
    assert len(theirs.validation.texts) == len(ours.splits.get("validation", []))


@pytest.mark.parametrize("name", corpora.TAGGED)
def test_a_script_reads_the_words_and_tags_that_we_do(name, real_data, tmp_path):
    ours, theirs = loaded(name, real_data, tmp_path), corpora.sentences(name, real_data, "test")
    rows, prefix = ours.splits["test"], "de:" if name == "wikiann-de" else ""
    assert [[prefix + word for word in words] for words in rows["tokens"]] == theirs.words
    assert [[ours.task.tags[tag] for tag in tags] for tags in rows["tags"]] == theirs.tags


# -- scripts at work -------------------------------------------------------------------------------------------------


def test_scikit_learns_pipeline_has_the_stored_scores_on_real_comments(real_data):
    theirs = sklearn_alone.scores("fox-news-comments", "svm", real_data)
    found = compared.ours(RESULTS, "fox-news-comments", "tfidf-svm")
    assert len(found) == 3
    for stored in found.values():
        for name, value in theirs.items():
            assert stored[name] == pytest.approx(value, abs=compared.IN_16_BITS.get(name, compared.LAST_DIGIT)), name


def stored_of(task: str, system: str) -> Path:
    return next(iter(sorted((RESULTS / "runs" / task / system).glob("*.parquet"))))


@pytest.mark.parametrize("task", ["mit-movie", "europarl-ner-de", "fox-news-comments", "sst2", "huffpost"])
def test_other_software_scores_stored_predictions_as_they_are_stored(task, real_data):
    path = stored_of(task, "minilm")
    stored = json.loads(path.with_suffix(".json").read_text())["metrics"]
    for metric, value in scorers_alone.scored(task, path, real_data, None).items():
        assert value == pytest.approx(stored[compared.OURS.get(metric, metric)], abs=compared.LAST_DIGIT), metric


def test_a_prediction_that_was_changed_is_noticed(real_data, tmp_path):
    path = stored_of("mit-movie", "minilm")
    shutil.copytree(path.parent, tmp_path / "runs" / "mit-movie" / "minilm")
    scores = {path.stem: scorers_alone.scored("mit-movie", path, real_data, None)}
    compared.keep(tmp_path, "scored-mit-movie", {"scores": scores})
    found = compared.scored_again(tmp_path, "mit-movie")
    assert max(found.apart.values()) < 1e-9 and (found.runs, found.stored) == (1, len(list(path.parent.glob("*.json"))))
    table = pq.read_table(path)
    tags = table["predicted"].to_pylist()
    row = next(number for number, found in enumerate(tags) if any(tag != "O" for tag in found))
    tags[row] = ["O"] * len(tags[row])
    other = tmp_path / path.name
    pq.write_table(table.set_column(table.schema.get_field_index("predicted"), "predicted", [tags]), other)
    compared.keep(
        tmp_path, "scored-mit-movie", {"scores": {path.stem: scorers_alone.scored("mit-movie", other, real_data, None)}}
    )
    assert max(compared.scored_again(tmp_path, "mit-movie").apart.values()) > 1e-5
    assert "**" in "".join(compared._rescored(tmp_path))


def test_the_trainer_alone_learns_to_tag(tmp_path, monkeypatch):
    """From files in the form of MIT Movie's, with a tiny encoder; words beyond the longest input count as O."""
    monkeypatch.setattr(trainer_alone, "TAGS", {"learning_rate": 3e-3, "num_train_epochs": 8})
    folder = tmp_path / "mit-movie"
    folder.mkdir()
    draw = np.random.default_rng(0)
    tags = {"good": "O", "bad": "B-GENRE", "movie": "B-TITLE"}
    for part in ("train", "test"):
        rows = ["\n".join(f"{tags[word]}\t{word}" for word in draw.choice(list(tags), 5)) for _ in range(80)]
        (folder / f"eng{part}.bio").write_text("\n\n".join(rows) + "\n")
    encoder = tiny.checkpoint(tmp_path / "encoder", sentences=tags)
    scores = trainer_alone.tags("mit-movie", tmp_path, encoder, seed=0, bf16=False)
    assert set(scores) == {"entity_f1", "entity_f1_conlleval", "token_accuracy"}
    assert min(scores.values()) > 0.9


TAGS = st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), min_size=1, max_size=8)


@given(rows=st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=5))
def test_the_conll_rules_are_seqevals_default_mode(rows):
    pairs = [(one[: len(other)], other[: len(one)]) for one, other in rows]
    gold, found = ([pair[side] for pair in pairs] for side in (0, 1))
    assert scorers_alone.by_conll_rules(gold, found) == pytest.approx(f1_score(gold, found, zero_division=0))


# -- compared --------------------------------------------------------------------------------------------------------


def test_the_means_of_three_runs_and_three_leave_the_noise_once_in_twenty_times():
    draw = np.random.default_rng(0)
    pairs = [draw.normal(0.8, 0.01, (2, 3)).tolist() for _ in range(2000)]
    outside = np.mean([abs(np.mean(a) - np.mean(b)) > noise(a, b) for a, b in pairs])
    assert outside == pytest.approx(0.05, abs=0.015)
    assert noise([0.8, 0.81, 0.79], [0.8]) is None


def test_what_differs_by_more_than_noise_is_said_to_differ(tmp_path):
    name, check = "sbert-softmax", compared.CHECKS["sbert-softmax"]
    shutil.copytree(RESULTS / "runs" / check.task / check.system, tmp_path / "runs" / check.task / check.system)
    stored = [scores["accuracy"] for scores in compared.ours(tmp_path, check.task, check.system).values()]
    assert len(stored) == 3
    for shift, said in ((0.0, "within noise"), (0.1, "**differs**")):
        compared.keep(
            tmp_path, name, {"scores": {str(n): {"accuracy": value + shift} for n, value in enumerate(stored)}}
        )
        assert said in compared.page(tmp_path)


def test_a_check_that_was_not_run_says_so(tmp_path):
    text = compared.page(tmp_path)
    assert text.count(compared.NOT_RUN) == len(compared.CHECKS)
    assert text.count("0 of 0") == len(compared.RESCORED)


def test_a_name_that_no_check_has_is_told_and_nothing_is_written(tmp_path):
    asked = [sys.executable, "-m", "crosschecks", "trainer-mit-movi", "--results-dir", str(tmp_path)]
    env = {**os.environ, "PYTHONSAFEPATH": ""}  # other tests may have set it
    done = subprocess.run(asked, cwd=HERE, env=env, capture_output=True, text=True, check=False)
    assert (
        done.returncode == 2 and "no such check: trainer-mit-movi. One of: trainer-fox-news-comments, " in done.stderr
    )
    assert list(tmp_path.iterdir()) == []
