"""Stored runs become ranked tables: what counts, what stands beside what, what is said of it."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from itertools import pairwise
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.errors import UserError
from benchmarks.leaderboard import tables, write
from benchmarks.leaderboard.filled import filled
from benchmarks.leaderboard.overview import markdown as overview
from benchmarks.leaderboard.page import markdown
from benchmarks.metrics import METRICS
from benchmarks.schema import (
    HeldOut,
    Predictions,
    Protocol,
    Recipe,
    RunFailure,
    RunResult,
    RunSpec,
    Splits,
    System,
    Task,
    fingerprint,
)
from benchmarks.scoring import Named, Scoring
from benchmarks.store import predictions_path, read_runs, runs_folder, save, write_text

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


# -- scores ----------------------------------------------------------------------------------------------------------


def test_a_row_is_the_mean_over_seeds():
    (row,) = cells(page(*(done(seed=seed, score=score) for seed, score in enumerate([0.87, 0.88, 0.89]))))
    assert (row["rank"], row["accuracy"], row["macro F1"], row["seeds"]) == ("1", "0.8800", "0.7800", "3")


def test_systems_are_ranked_by_the_mean_and_ties_share_a_rank():
    text = page(done("a", score=0.7), done("b", score=0.8), done("c", score=0.9), done("d", score=0.8))
    assert [(row["rank"], row["system"]) for row in cells(text)] == [("1", "c"), ("2", "b"), ("2", "d"), ("4", "a")]


def test_a_run_without_the_newest_runs_primary_metric_has_neither_score_nor_rank():
    new = done("new", metrics={"mcc": 0.5, "accuracy": 0.7}, primary_metric="mcc", created="2026-12-01T00:00:00+00:00")
    text = page(done("old", score=0.99), new)
    assert [(row["rank"], row["system"], row["MCC"]) for row in cells(text)] == [
        ("1", "new", "0.5000"),
        ("–", "old", "–"),
    ]
    assert "a run lacks the task's metric, and its stored predictions can't give it" in text


def test_no_mean_is_taken_over_the_part_of_the_seeds_that_has_the_metric():
    text = page(done(seed=0), done(seed=1, metrics={"f1_macro": 0.5}))
    assert cells(text)[0]["accuracy"] == "–"


def test_the_primary_metric_has_one_column_and_columns_without_any_value_are_left_out():
    (row,) = cells(page(done()))
    assert list(row) == [
        "rank", "system", "accuracy", "micro F1", "macro F1", "train time", "peak memory", "parameters", "seeds",
    ]  # fmt: skip
    assert (row["train time"], row["peak memory"], row["parameters"]) == ("4.1 min", "1.1 GB", "22.6 M")


def test_every_metric_can_be_a_column_beside_which_those_marked_are_shown():
    metrics = [metric for metric in METRICS.values() if not metric.clustering]
    for metric in metrics:
        text = page(done(metrics=dict.fromkeys(METRICS, 0.5), primary_metric=metric.name))
        _, _, *heads = list(cells(text)[0])
        assert heads[: len(heads) - 4] == [
            other.header.format(scheme="IOB2")
            for other in (metric, *(other for other in metrics if other.shown and other is not metric))
        ]


def test_a_primary_metric_of_a_newer_version_ranks_and_heads_its_column_by_name():
    runs = [done(name, metrics={"f2": score}, primary_metric="f2") for name, score in {"a": 0.1, "b": 0.2}.items()]
    assert [(row["rank"], row["system"], row["f2"]) for row in cells(page(*runs))] == [
        ("1", "b", "0.2000"),
        ("2", "a", "0.1000"),
    ]


def test_ner_columns_name_their_convention():
    scores = {"entity_f1": 0.879, "entity_f1_macro": 0.8, "token_f1_micro": 0.943, "token_accuracy": 0.943}
    (row,) = cells(page(done(metrics=scores, primary_metric="entity_f1", definition={"scheme": "IO"})))
    assert row["entity F1 (strict, IO)"] == "0.8790"
    assert row["token F1 with O (= accuracy)"] == "0.9430"


# -- what counts -----------------------------------------------------------------------------------------------------


def test_smoke_runs_are_kept_out():
    assert tables([done(limited=True), failed(limited=True)]) == []


def test_a_failed_run_is_named_below_the_table_and_has_no_row():
    text = page(done("majority"), failed(seed=2, message="CUDA out of memory\nTried to"))
    assert [row["system"] for row in cells(text)] == ["majority"]
    assert "- 1 run failed: minilm seed 2: OutOfMemoryError: CUDA out of memory\n" in f"{text}\n"


def test_a_failure_is_forgotten_once_the_same_run_is_done():
    assert "failed" not in page(failed(seed=1), done(seed=1))
    assert "1 run failed: minilm seed 1" in page(failed(seed=1), done(seed=0))
    assert "1 run failed: minilm seed 1" in page(failed(seed=1, protocol={"train_size": 100}), done(seed=1))


def test_a_failure_after_a_run_under_another_definition_or_on_other_data_is_told():
    before = {"created": "2026-01-01T00:00:00+00:00"}
    for other in ({"recipe": {"epochs": 2}}, {"content": "b"}, {"definition": {"labels": ["x"]}}):
        text = page(done(score=0.8, **before, **other), failed())
        assert "1 run failed: minilm seed 0: OutOfMemoryError" in text
        assert [row["accuracy"] for row in cells(text)] == ["0.8000"]
        assert "failed" not in page(done(**other), failed(**before))
        assert "failed" not in page(done(**before, **other), failed(**before), done(**other))


def test_a_task_whose_runs_all_failed_says_so():
    text = page(failed(), failed(seed=1))
    assert "No run is done." in text
    assert "2 runs failed" in text
    assert "No finished run" not in (whole := overview(tables([failed()])))
    assert "[films](leaderboards/films.md): films (0 tables, 1 run failed)" in whole


def test_many_failures_are_counted_and_the_first_are_named():
    text = page(done(), *(failed(seed=seed) for seed in range(1, 9)))
    assert "8 runs failed: minilm seed 1: " in text
    assert "; and 3 more" in text


def test_a_system_shows_its_newest_definition_and_older_runs_are_counted():
    old = [done(seed=seed, score=0.99, recipe={"epochs": 2}, created="2026-01-01T00:00:00+00:00") for seed in range(3)]
    new = [done(seed=0, score=0.8, recipe={"epochs": 3}), done("majority", score=0.1)]
    for text in (page(*old, *new), page(*new, *old)):  # whatever the order in which they are read
        assert [(row["system"], row["accuracy"]) for row in cells(text)] == [
            ("minilm", "0.8000"),
            ("majority", "0.1000"),
        ]
        assert "- 3 older runs made otherwise left out: minilm 3" in text


def test_of_one_seed_stored_twice_the_newest_counts():
    (row,) = cells(page(done(score=0.5, created="2026-12-01T00:00:00+00:00"), done(score=0.9)))
    assert (row["accuracy"], row["seeds"]) == ("0.5000", "1")


# -- sections --------------------------------------------------------------------------------------------------------


def test_protocols_have_tables_of_their_own_in_order():
    asked = [
        {"folds": 5, "fold": 0},
        {"train_size": 500, "balanced": True},
        {"train_size": 5000},
        {"train_size": 1000},
        {},
    ]
    assert headings(page(*(done(protocol=protocol) for protocol in asked))) == [
        "Whole training split",
        "1,000 training rows",
        "5,000 training rows",
        "500 training rows, classes balanced",
        "5-fold cross-validation",
    ]


def test_different_data_of_one_task_are_never_in_one_table():
    other = {**DATA, "sha256": {"train.csv": "b" * 64}}
    text = page(done("a"), done("b", content="b", data=other), done("c"))
    assert headings(text) == [
        "Whole training split · files train.csv (sha256 aaaaaaaa)",
        "Whole training split · files train.csv (sha256 bbbbbbbb)",
    ]
    assert [row["rank"] for row in cells(text)] == ["1", "1", "1"]
    assert text.index("| a ") < text.index("| c ") < text.index("bbbbbbbb)\n") < text.index("| b ")


@pytest.mark.parametrize("change", [{"code": 2}, {"definition": {"labels": ["x"]}}, {"content": "b"}])
def test_what_is_made_under_other_conditions_is_in_another_table_with_a_title_of_its_own(change):
    first, second = headings(page(done("a"), done("b", **change)))
    assert first != second


def test_a_protocol_setting_that_is_off_is_the_same_as_one_that_did_not_exist():
    before = done("a")
    before.protocol.pop("test_size")
    assert len(headings(page(before, done("b")))) == 1


def test_samples_are_marked_and_never_in_a_table_with_real_rows():
    pages = tables([done(), done(sample=True, title="Sample: films"), done(task="notes", sample=True)])
    assert [(found.task, found.sample) for found in pages] == [("films", False), ("films", True), ("notes", True)]
    assert markdown(pages[1]).startswith("# Sample: films; synthetic rows\n")
    real, samples = overview(pages).split("# Sample corpora (synthetic rows, not results)")
    assert "notes" not in real
    assert "notes" in samples


# -- folds -----------------------------------------------------------------------------------------------------------


def folds(*scores: float, system: str = "minilm", seed: int = 0, of: int = 2) -> list[RunResult]:
    return [done(system, seed, score, protocol={"folds": of, "fold": fold}) for fold, score in enumerate(scores)]


def joint(runs) -> dict[str, float]:
    """Stands for the stored predictions of a seed's folds: together they score a tenth less than their mean."""
    return {"accuracy": fmean(run.metrics["accuracy"] for run in runs) - 0.1}


def test_the_score_of_a_seed_is_that_of_its_folds_together_and_single_folds_stand_beside_it():
    text = page(*folds(0.8, 0.9), *folds(0.82, 0.92, seed=1), join=joint)
    (row,) = cells(text)
    assert row["accuracy"] == "0.7600"  # of 0.75 and 0.77
    assert row["single folds"] == "0.8600 (sd 0.0589)"  # of all four, over n - 1
    assert row["folds × seeds"] == "2 × 2"
    assert "- Under folds, a score is that of the predictions of all folds of a seed together" in text


def test_with_one_seed_the_mean_of_the_folds_has_an_interval_that_is_said_to_be_optimistic_and_the_score_has_none():
    text = page(*folds(0.85, 0.87), join=joint)
    assert cells(text)[0]["accuracy"] == "0.7600"
    assert cells(text)[0]["single folds"] == "0.8600 ± 0.1271 † (sd 0.0141)"
    assert (
        "† 95 % interval of the mean over the folds of one seed: folds share training rows, so it is optimistic" in text
    )
    assert "over seeds" not in text


def test_runs_without_folds_have_no_single_ones():
    (found,) = tables([done(seed=0, score=0.8), done(seed=1, score=0.9)])
    assert found.sections[0].rows[0].single is None


def test_systems_are_ranked_by_their_folds_together_and_not_by_the_mean_of_single_folds():
    together = {"a": {"accuracy": 0.7}, "b": {"accuracy": 0.8}}
    text = page(*folds(0.9, 0.9, system="a"), *folds(0.5, 0.6, system="b"), join=lambda runs: together[runs[0].slot[0]])
    assert [(row["rank"], row["system"]) for row in cells(text)] == [("1", "b"), ("2", "a")]


def test_a_system_that_lacks_folds_has_neither_score_nor_rank():
    text = page(*folds(0.9), *folds(0.5, 0.6, system="other"), join=joint)
    rows = [(row["rank"], row["system"], row["accuracy"], row["single folds"]) for row in cells(text)]
    assert rows == [("1", "other", "0.4500", "0.5500 ± 0.6353 † (sd 0.0707)"), ("–", "minilm", "–", "0.9000")]
    assert cells(text)[1]["folds × seeds"] == "1 of 2 × 1"
    assert "Without a rank: folds are missing" in text


def test_a_seed_that_lacks_folds_is_left_out_beside_one_that_has_all():
    text = page(*folds(0.5, 0.5), *folds(0.9, seed=1), join=joint)
    assert (cells(text)[0]["accuracy"], cells(text)[0]["single folds"]) == ("0.4000", "0.5000 (sd 0.0000)")
    assert "minilm: 1 fold of unfinished seeds left out" in text


def test_no_mean_is_taken_over_the_part_of_the_seeds_whose_folds_can_be_scored_together():
    def join(runs):
        return joint(runs) if runs[0].slot.seed == 0 else "the predictions of seed 1 fold 2 are not stored"

    text = page(*folds(0.8, 0.9), *folds(0.8, 0.9, seed=1), *folds(0.5, 0.6, system="other"), join=join)
    rows = [(row["rank"], row["system"], row["accuracy"]) for row in cells(text)]
    assert rows == [("1", "other", "0.4500"), ("–", "minilm", "–")]
    assert cells(text)[1]["single folds"] == "0.8500 (sd 0.0577)"
    assert "- minilm: no score of all folds together: the predictions of seed 1 fold 2 are not stored" in text
    assert "Without a score" not in text and "Without a rank" not in text


def test_metrics_that_order_rows_say_that_every_fold_has_a_scale_of_its_own():
    said = "- AP of folds together is from the folds' scores as they are"
    assert said in page(*folds(0.8, 0.9), join=lambda runs: {"accuracy": 0.8, "average_precision": 0.7})
    assert said not in page(*folds(0.8, 0.9), join=joint)
    assert said not in page(done(metrics={"accuracy": 0.8, "average_precision": 0.7}))


def test_the_sizes_of_folds_and_of_a_smaller_validation_split_are_told():
    sizes = {"train": 60, "validation": 20, "test": 20}
    now, before = (
        {**DATA, "rows": sizes, "used": {"train": 40, **more, "test": 20}} for more in ({"validation": 5}, {})
    )
    assert "- Used: trained on 40 rows, validated on 5 rows\n" in page(done(data=now), done("before", data=before))
    protocols = [{"folds": 2, "fold": 0}, {"folds": 2, "fold": 1}]
    used = [{**DATA, "used": {"train": rows, "test": 15 - rows}} for rows in (7, 8)]
    text = page(*(done(protocol=p, data=data) for p, data in zip(protocols, used, strict=True)))
    assert "- Used: trained on 7–8 rows, tested on 7–8 rows a fold\n" in text


def test_a_system_that_trains_on_a_part_of_the_rows_is_named_with_how_many():
    few = [done("few", seed=seed, training={"trained_rows": rows}) for seed, rows in enumerate((16, 14))]
    whole = done("whole", training={"trained_rows": 9775})
    text = page(*few, whole, done("silent"))
    assert "- Trained on a part of the training rows: `few` on 14–16\n" in text
    assert "Trained on a part" not in page(whole, done("silent"))


# -- clusterings -----------------------------------------------------------------------------------------------------


def clustering(system: str = "clusters", score: float = 0.3, **changes: Any) -> RunResult:
    metrics = {"silhouette": 0.04, "v_measure": score, "adjusted_rand": 0.2, "cluster_accuracy": 0.99}
    return done(system, **{"metrics": metrics, "primary_metric": "v_measure", **changes})


def test_clusterings_stand_in_a_table_of_their_own_and_are_ranked_among_themselves():
    text = page(done("majority", score=0.5), clustering(score=0.3), clustering("better", score=0.4))
    above, below = text.split("Clusterings, nothing trained; classes matched to clusters with the gold labels:")
    assert [row["system"] for row in cells(above)] == ["majority"]
    assert [(row["rank"], row["system"], row["V-measure"]) for row in cells(below)] == [
        ("1", "better", "0.4000"),
        ("2", "clusters", "0.3000"),
    ]
    assert list(cells(below)[0]) == [
        "rank", "system", "V-measure", "silhouette", "adjusted Rand index",
        "accuracy (classes matched to clusters with gold)", "train time", "peak memory", "parameters", "seeds",
    ]  # fmt: skip
    assert "V-measure" not in above
    assert text.count("## ") == 1
    assert "Without a score" not in text


def test_the_newest_run_of_a_task_may_be_a_clustering_and_its_metric_is_still_the_tasks():
    text = page(done("majority", score=0.5), clustering(created="2026-12-01T00:00:00+00:00"))
    assert "Primary metric: `accuracy`" in text
    assert cells(text)[0]["accuracy"] == "0.5000"


def test_a_task_of_clusterings_alone_has_a_page_and_no_place_in_the_overview():
    runs = [clustering(), clustering("other")]
    text, whole = page(*runs), overview(tables([*runs, done(task="notes"), clustering(task="notes")]))
    assert [row["system"] for row in cells(text)] == ["clusters", "other"]
    assert "No run is done" not in text
    assert "Data: files train.csv" in text
    assert "[films](leaderboards/films.md): Films, good or bad (1 table)" in whole
    assert "(leaderboards/notes.md): Films, good or bad (2 tables)" in whole
    assert [row["system"] for row in cells(whole)] == ["minilm"]
    assert list(cells(whole)[0])[4:] == ["sentiment: notes (accuracy)"]


def test_folds_of_a_clustering_are_not_scored_together():
    text = page(
        *(clustering(score=score, protocol={"folds": 2, "fold": fold}) for fold, score in enumerate([0.2, 0.4]))
    )
    (row,) = cells(text)
    assert (row["rank"], row["V-measure"]) == ("–", "–")
    assert row["single folds"].startswith("0.3000")
    assert "clusters: no score of all folds together: each fold is clustered by itself" in text


# -- what is said above a table --------------------------------------------------------------------------------------


def test_a_page_says_what_was_measured_on_what():
    notes = ["Not comparable with published scores: a fifth of the rows.", "24 rows of test also occur in train."]
    found = {"within": {"train": 43}, "across": {"test in train": 24}}
    text = page(done(data={**DATA, "notes": notes, "duplicates": found}))
    head = text.split("\n## ")[0].splitlines()
    assert head == [
        "# Films, good or bad",
        "",
        "- Task: `films`, group `sentiment`",
        "- Primary metric: `accuracy`, share of rows with the right class",
        "- Data: files train.csv (sha256 aaaaaaaa); rows: train 9,775, test 2,443",
        "- Not comparable with published scores: a fifth of the rows.",
        "- 24 rows of test also occur in train.",
        "- Hardware: Xeon (2 cores), fp32, 1 process",
        "- Code: encoder-bench 0.1.0",
    ]


def test_rows_repeated_within_the_training_split_are_told_where_folds_part_them():
    data = {**DATA, "duplicates": {"within": {"train": 43}, "across": {}}}
    said = "- Folds divide the rows anew: copies of one text may stand in different folds."
    assert said in page(done(data=data, protocol={"folds": 2, "fold": 0}))
    assert said not in page(done(data=data))


ABOUT = {
    "language": "en",
    "licence": "MIT",
    "homepage": "https://example.org/films?a=1",
    "citation": "A. Author: *Films*, 2017",
    "notes": "A fifth of the rows.",
    "offensive": True,
}


def test_a_page_says_what_its_newest_run_knows_of_the_data():
    old = done(about={"licence": "none"}, created="2026-01-01T00:00:00+00:00")
    for runs in ([old, done("b", about=ABOUT)], [done("b", about=ABOUT), old]):
        assert page(*runs).splitlines()[2:9] == [
            "- Task: `films`, group `sentiment`, language `en`",
            "- Primary metric: `accuracy`, share of rows with the right class",
            "- Warning: the rows of this task hold offensive text.",
            "- Licence of the data: MIT",
            "- Paper: A. Author: \\*Films\\*, 2017",
            "- Homepage: <https://example.org/films?a=1>",
            "- A fifth of the rows.",
        ]


def test_a_page_of_runs_stored_before_they_knew_of_their_data_says_nothing_of_it():
    text = page(done())
    assert not any(word in text for word in ("Warning", "Licence", "Paper", "Homepage", "None"))


def test_an_address_that_is_none_is_no_link():
    assert "- Homepage: \\<script>alert()\\</script>" in page(done(about={"homepage": "<script>alert()</script>"}))


def test_what_differs_between_tables_stands_above_each():
    small = done(protocol={"train_size": 1000}, data={**DATA, "used": {"train": 1000, "test": 2443}})
    above, *_, below = page(done(data={**DATA, "used": {"train": 9775, "test": 2443}}), small).split("\n## ")
    assert "Data: files" in above
    assert below.startswith("1,000 training rows\n\n- Used: trained on 1,000 rows\n")
    assert "Data: files" not in below


def test_all_hardware_and_precisions_of_a_table_are_named():
    gpu = {**MACHINE, "device": "H100", "precision": "bf16", "processes": 8, "git": "9629bbecbdc48ec+changes"}
    text = page(done(), done("b", environment=gpu), done("c", environment={**MACHINE, "precision": "fp64"}))
    assert "- Hardware: H100, bf16, 8 processes" in text
    assert "- Hardware: Xeon (2 cores), fp32 and fp64, 1 process" in text
    assert "- Code: encoder-bench 0.1.0, 0.1.0 at 9629bbecbdc4+changes" in text


def test_only_precisions_that_are_known_are_named():
    unknown = done("b", environment={**MACHINE, "precision": None})
    assert "- Hardware: Xeon (2 cores), fp32, 1 process\n" in page(done(), unknown)
    assert "- Hardware: Xeon (2 cores), 1 process\n" in page(unknown)


def test_costs_that_are_not_known_have_no_column():
    (row,) = cells(page(done(cost={"train_seconds": 1.0, "predict_seconds": 1.0, "peak_memory_mb": None})))
    assert row["train time"] == "1.0 s"
    assert not {"peak memory", "parameters"} & row.keys()


def test_names_and_errors_of_outside_do_not_break_a_table():
    text = page(done("a|b\n*c*"), failed("x", message="expected <class 'int'> | `y`"))
    assert "| a\\|b \\*c\\* |" in text
    assert "expected \\<class 'int'> \\| \\`y\\`" in text


# -- all tasks -------------------------------------------------------------------------------------------------------


def test_the_overview_has_systems_by_tasks_with_the_best_in_bold():
    text = overview(
        tables([done("a", score=0.7), done("b", score=0.8), done("a", task="jokes", score=0.6), done("c", score=0.8)])
    )
    films, jokes = "sentiment: films (accuracy)", "sentiment: jokes (accuracy)"
    shown = [tuple(row[name] for name in ("system", "win rate", "mean rank", "tasks", films, jokes))
        for row in cells(text)]  # fmt: skip
    assert shown == [
        ("b", "0.75", "1.5", "1", "**0.8000**", "–"),
        ("c", "0.75", "1.5", "1", "**0.8000**", "–"),
        ("a", "0.00", "3.0", "1", "0.7000", "0.6000"),  # alone on jokes: that is no win
    ]


def test_systems_are_in_order_of_the_win_rate_and_those_run_on_few_tasks_come_last():
    scores = {"first-or-last": (0.9, 0.1), "always-second": (0.8, 0.8), "third": (0.1, 0.7), "fourth": (0.0, 0.9)}
    runs = [done(name, task=task, score=s) for name, pair in scores.items() for task, s in zip("ab", pair, strict=True)]
    runs += [done(name, task="c", score=0.5) for name in ("third", "fourth")] + [done("once", task="c", score=0.9)]
    order = [tuple(row.values())[:4] for row in cells(overview(tables(runs)))]
    assert order == [
        ("always-second", "0.67", "2.0", "2"),
        ("fourth", "0.50", "2.2", "3"),
        ("first-or-last", "0.50", "2.5", "2"),
        ("third", "0.39", "2.5", "3"),
        ("once", "1.00", "1.0", "1"),
    ]


def standing(*runs: RunResult) -> list[tuple[str, ...]]:
    """Of each system of an overview its name, win rate, mean rank and tasks."""
    return [tuple(row.values())[:4] for row in cells(overview(tables(runs)))]


def on(tasks: str, *systems: str, **changes: Any) -> list[RunResult]:
    """Runs of each system on each task, the systems from best to worst, each by a recipe of its own."""
    return [
        done(system, task=task, score=0.9 - number / 10, recipe={"of": system}, **changes)
        for task in tasks.split()
        for number, system in enumerate(systems)
    ]


def test_what_was_tried_on_one_task_moves_no_other_systems_win_rate():
    scores = {"a": 0.9, "b": 0.5, "c": 0.1}
    runs = [done(name, task=task, score=score) for task in ("one", "two", "three") for name, score in scores.items()]
    without = [tuple(row.values())[:4] for row in cells(overview(tables(runs)))]
    tried = [done(f"tried-{score}", task="one", score=score) for score in (0.95, 0.7, 0.3)]
    among = [tuple(row.values())[:4] for row in cells(overview(tables([*runs, *tried])))]
    assert among[:3] == without == [("a", "1.00", "1.0", "3"), ("b", "0.50", "2.0", "3"), ("c", "0.00", "3.0", "3")]
    assert [row[1] for row in among[3:]] == ["1.00", "0.67", "0.33"]  # each among the three alone


def test_systems_on_few_tasks_have_a_table_of_their_own_and_each_table_the_tasks_of_its_systems():
    runs = [done(name, task=task, score=0.5) for name in ("a", "b") for task in ("one", "two", "three")]
    runs += [done("seldom", task="one", score=0.9), done("a", task="four", score=0.123), done("other", task="four")]
    text = overview(tables(runs))
    often, seldom = text.split("Systems that were run on fewer than half of the tasks, and other recipes of those")
    shown = [([row["system"] for row in cells(part)], list(cells(part)[0])[4:]) for part in (often, seldom)]
    assert shown[0] == (["a", "b"], [f"sentiment: {name} (accuracy)" for name in ("four", "one", "three", "two")])
    assert shown[1] == (["seldom", "other"], [f"sentiment: {name} (accuracy)" for name in ("four", "one")])
    scores = [cell for row in cells(text) for name, cell in row.items() if "accuracy" in name and cell != "–"]
    assert len(scores) == len(runs)


def test_a_system_on_exactly_half_of_the_tasks_is_one_that_others_are_measured_by():
    runs = [*on("one two", "a", "b"), done("c", task="one", score=0.99)]
    assert standing(*runs) == [
        ("c", "1.00", "1.0", "1"),
        ("a", "0.75", "1.5", "2"),
        ("b", "0.00", "2.5", "2"),
    ]
    assert "Systems that were run on fewer" not in overview(tables(runs))


def test_of_a_systems_recipes_the_one_that_was_run_on_most_tasks_counts():
    of_x = ("a[encoder=x]", "a[encoder=x,tune=10]")
    runs = on("one two", "a", "a[tune=10]", "b", *of_x)
    alone = standing(*on("one two", "a", "b", of_x[0]))
    assert alone == [("a", "1.00", "1.0", "2"), ("b", "0.50", "2.0", "2"), (of_x[0], "0.00", "3.0", "2")]
    assert standing(*runs) == [*alone, ("a[tune=10]", "0.67", "2.0", "2"), (of_x[1], "0.00", "4.0", "2")]
    more = standing(*runs, *on("three", "a[tune=10]", "b"))
    assert [name for name, *_ in more] == ["a[tune=10]", "b", of_x[0], "a", of_x[1]]


def test_a_variant_beside_a_baseline_makes_no_task_that_counts():
    runs = [*on("one two", "a", "b"), done("c", task="one", score=0.1)]
    without = standing(*runs)
    baseline, variant = on("three", "variant", "a")
    among = standing(*runs, baseline, variant)
    assert among[:3] == without == [("a", "1.00", "1.0", "2"), ("b", "0.25", "2.0", "2"), ("c", "0.00", "3.0", "1")]
    assert among[3] == ("variant", "–", "–", "0")


def test_recipes_on_one_encoder_say_that_they_compare_no_encoders():
    one, other = {"sha256": "a" * 64}, {"sha256": "b" * 64}
    recipe = done("bert-base[encoder=minilm]", encoder=one, recipe={"epochs": 3})
    runs = [done("minilm", encoder=one), recipe, done("majority")]
    said = "have the same one, minilm: x[encoder=minilm] is the recipe of x on it."
    assert said in overview(tables(runs))
    assert said not in overview(tables([*runs, done("bert-base", encoder=other)]))
    assert "the same one" not in overview(tables([done("minilm", encoder=one), done("majority")]))


def test_tasks_with_one_system_make_no_other_systems_few():
    alone = [done(name, task=f"of-{name}") for name in "xyz"]
    assert standing(*on("one", "a", "b"), *alone)[:2] == [("a", "1.00", "1.0", "1"), ("b", "0.00", "2.0", "1")]


def test_where_no_system_was_run_on_half_of_the_tasks_there_is_no_win_rate():
    runs = [*on("one", "a", "b"), *on("two", "c", "d"), *on("three", "e", "f")]
    assert standing(*runs) == [(name, "–", "–", "0") for name in "abcdef"]
    assert "Systems that were run on fewer" not in overview(tables(runs))


def test_real_and_sample_corpora_have_tables_of_each_type_and_notes_in_their_order():
    tags = {"type": "token-classification", "group": "a", "primary_metric": "accuracy"}
    small = {"protocol": {"train_size": 100}}
    runs = [*on("names", "a", "b", **tags, **small), *on("films", "a", "b", **small)]
    runs += [*on("made-names", "a", "b", **tags, sample=True), *on("made-films", "c", "d", sample=True)]
    real, made = overview(tables(runs)).split("\n# Sample corpora (synthetic rows, not results)\n")
    for part, texts, tagged in ((real, "films (accuracy)¹", "names (accuracy)²"), (made, "made-films", "made-names")):
        before, after = part.split("\n## Text classification\n")[1].split("\n## Token classification\n")
        assert texts in before and tagged in after and texts not in after.split("\n## Tasks\n")[0]
    assert "- ¹ films: 100 training rows of 9,775\n\n## Token" in real and "- ² names: 100 training" in real


def test_texts_and_tags_have_a_table_each_and_no_win_rate_is_over_both():
    tags = {"type": "token-classification"}
    runs = [done("both", task=task, score=0.5) for task in ("one", "two")]
    runs += [done("both", task=task, score=0.5, **tags) for task in ("three", "four", "five")]
    runs += [done("other", task=task, score=0.4, **tags) for task in ("three", "four", "five")]
    text = overview(tables([*runs, done("texts", task="one", score=0.9), done("texts", task="two", score=0.9)]))
    texts, tagged = text.split("\n## Text classification\n")[1].split("\n## Token classification\n")
    shown = [[tuple(row.values())[:4] for row in cells(part)] for part in (texts, tagged)]
    assert shown == [
        [("texts", "1.00", "1.0", "2"), ("both", "0.00", "2.0", "2")],
        [("both", "1.00", "1.0", "3"), ("other", "0.00", "2.0", "3")],
    ]
    assert "Systems that were run on fewer" not in text


def test_a_task_without_whole_runs_stands_in_the_overview_with_its_most_rows_and_a_note():
    runs = [done(score=size / 10000, protocol={"train_size": size}) for size in (500, 5000, 1000)]
    text = overview(tables([*runs, done(task="jokes")]))
    assert cells(text)[0]["sentiment: films (accuracy)¹"] == "0.5000"
    assert "- ¹ films: 5,000 training rows of 9,775" in text


def test_notes_are_numbered_in_the_order_of_the_columns_that_have_one():
    small = {"train_size": 100}
    text = overview(tables([done(task="a", protocol=small), done(task="b"), done(task="c", protocol=small)]))
    assert list(cells(text)[0])[4:] == [
        f"sentiment: {name} (accuracy){sign}" for name, sign in zip("abc", ("¹", "", "²"), strict=True)
    ]
    assert "- ¹ a: 100 training rows of 9,775\n- ² c: 100 training rows of 9,775" in text


def test_whole_training_splits_stand_for_a_task_before_anything_else():
    runs = [*folds(0.5, 0.5), done(score=0.7), done(score=0.6, protocol={"train_size": 5000})]
    text = overview(tables(runs))
    assert cells(text)[0]["sentiment: films (accuracy)"] == "0.7000"
    assert "¹" not in text


def test_the_table_that_most_systems_share_stands_for_a_task_and_says_what_it_is():
    small = {"train_size": 5000}
    runs = [done("tfidf-svm", score=0.8), *(done(name, score=0.7, protocol=small) for name in ("tfidf-svm", "minilm"))]
    text = overview(tables(runs))
    assert [row["sentiment: films (accuracy)¹"] for row in cells(text)] == ["**0.7000**", "**0.7000**"]
    assert "- ¹ films: 5,000 training rows of 9,775" in text


def test_a_grid_of_one_system_chooses_no_table():
    small = {"train_size": 5000}
    grid = ("tfidf-svm", "minilm", "minilm[epochs=5]", "minilm[tune=10]")
    runs = [done("tfidf-svm"), done("minilm"), *(done(name, score=0.7, protocol=small) for name in grid)]
    runs = [run.model_copy(update={"identity_": {**run.identity_, "recipe": run.system}}) for run in runs]
    pages = tables(runs)
    assert [len(section.rows) for section in pages[0].sections] == [2, 4]
    assert "sentiment: films (accuracy)" in cells(overview(pages))[0]


def test_every_page_is_linked_under_its_group():
    text = overview(tables([done(), done(task="my films", title="Mine", group="ner")]))
    assert "\n\n## Tasks\n\n### ner\n\n- [my films](leaderboards/my%20films.md): Mine (1 table)" in text
    assert "\n\n### sentiment\n\n- [films](leaderboards/films.md): Films, good or bad (1 table)" in text


# -- metrics newer than a run -----------------------------------------------------------------------------------------

FILMS = Task(
    name="films", title="Films", group="sentiment", language="en", type="text-classification", metric="accuracy",
    labels=("bad", "good"), positive="good", splits=Splits(train="train", test="test"), sample="films",
)  # fmt: skip
RANKED = Predictions(["test:0", "test:1"], [0, 1], [1, 1], np.array([[0.25, 0.5], [0.25, 0.75]]))


def kept(results, *lost: str, predictions: Predictions | None = RANKED, **changes: Any) -> RunResult:
    """A run stored as `run` stores it, made before the metrics `lost` existed."""
    system = System(name=changes.pop("system", "minilm"), method="finetune")
    whole = done(system.name, **changes)
    spec = RunSpec(FILMS, system, Recipe(), Protocol(**whole.protocol), whole.identity_)
    metrics = Scoring.of(FILMS).measure(Named.of(RANKED, FILMS.classes))
    own = {name: value for name, value in metrics.items() if name not in lost}
    run = whole.model_copy(update={"metrics": own | changes.get("metrics", {}), "key": spec.key})
    save(results, spec, run, predictions)
    return run


def test_a_metric_that_a_run_lacks_is_taken_from_its_stored_predictions(tmp_path):
    before = kept(tmp_path, "average_precision", "f1_macro")
    (row,) = cells(write(tmp_path).texts["films"])
    assert (row["accuracy"], row["macro F1"], row["AP"]) == ("0.5000", "0.3333", "1.0000")
    assert list(read_runs(tmp_path)) == [before]  # the store is only read


def test_a_primary_metric_that_only_the_newest_run_has_ranks_the_older_ones_too(tmp_path):
    kept(tmp_path, "mcc", "best_f1", system="old")
    kept(tmp_path, system="new", primary_metric="mcc", created="2026-12-01T00:00:00+00:00")
    assert [(row["rank"], row["system"], row["MCC"]) for row in cells(write(tmp_path).texts["films"])] == [
        ("1", "new", "0.0000"),
        ("1", "old", "0.0000"),
    ]


def test_what_is_stored_is_not_replaced_by_what_the_predictions_give(tmp_path):
    kept(tmp_path, "average_precision", metrics={"f1_macro": 0.9})
    assert cells(write(tmp_path).texts["films"])[0]["macro F1"] == "0.9000"


@pytest.mark.parametrize(
    "predictions",
    [None, Predictions(RANKED.row_ids, RANKED.gold, RANKED.predicted)],
    ids=["no predictions", "no scores"],
)
def test_a_run_whose_predictions_cannot_give_its_metric_has_no_score(tmp_path, predictions):
    kept(tmp_path, "average_precision", predictions=predictions, primary_metric="average_precision")
    text = write(tmp_path).texts["films"]
    assert cells(text)[0]["AP"] == "–"
    assert "its stored predictions can't give it: they are not there, or hold no scores." in text


def shown(results) -> str:
    """The page of a store whose predictions are read for metrics that runs lack, and for nothing else."""
    return page(*read_runs(results), fill=partial(filled, results))


def test_predictions_without_scores_are_not_read_for_a_metric_that_needs_them(tmp_path):
    hard = Predictions(RANKED.row_ids, RANKED.gold, RANKED.predicted)
    run = kept(tmp_path, "average_precision", predictions=hard)
    path = predictions_path(tmp_path, run.task, run.system, run.key)
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(40) + content[44:])  # whoever reads the rows fails; the schema is at the end
    assert cells(shown(tmp_path))[0]["accuracy"] == "0.5000"


def test_predictions_are_read_for_runs_that_lack_a_metric_of_their_page_alone(tmp_path):
    """Ten thousand runs are not re-scored for a column that they have, or that no page shows."""
    runs = [kept(tmp_path), kept(tmp_path, "mcc", "roc_auc", system="b"), kept(tmp_path, "f1_macro", system="c")]
    for run in runs:
        predictions_path(tmp_path, run.task, run.system, run.key).write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"films/c/.*\.parquet: no stored predictions: .*Move it away"):
        shown(tmp_path)
    predictions_path(tmp_path, "films", "c", runs[2].key).unlink()
    assert len(cells(shown(tmp_path))) == 3


def test_a_clustering_is_asked_for_metrics_of_clusterings_alone(tmp_path):
    """Its predictions could be scored as a classification's, after a matching that looked at the gold labels."""
    predictions = Predictions(
        ["test:0", "test:1", "test:2"], [0, 1, 1], [0, 1, 1], silhouettes=np.array([0.5, 0.5, 0.25])
    )
    kept(tmp_path, system="minilm")
    run = kept(tmp_path, *METRICS, system="clusters", predictions=predictions, primary_metric="v_measure",
        metrics={"silhouette": 0.1, "v_measure": 0.2})  # fmt: skip
    main, own = cells(shown(tmp_path))
    assert (main["system"], own["system"]) == ("minilm", "clusters")
    assert (own["V-measure"], own["silhouette"], own["adjusted Rand index"]) == ("0.2000", "0.1000", "1.0000")
    whole = run.model_copy(update={"metrics": {**run.metrics, "adjusted_rand": 1.0, "cluster_accuracy": 1.0}})
    write_text(tmp_path / "runs" / "films" / "clusters" / f"{run.key}.json", whole.model_dump_json(by_alias=True))
    predictions_path(tmp_path, "films", "clusters", run.key).write_bytes(b"PAR1")  # whoever reads it fails
    assert len(cells(shown(tmp_path))) == 2


# -- folds together, from the store -----------------------------------------------------------------------------------

POOL = FILMS.model_copy(update={"splits": Splits(train="all", test=HeldOut(take_from="train", share=0.25))})
NAMES = Task(
    name="names", title="Names", group="ner", language="en", type="token-classification", metric="entity_f1",
    labels=("PER",), splits=Splits(train="train", validation="dev", test="test"), sample="names",
)  # fmt: skip


def fold(rows, gold, predicted, scores=None) -> Predictions:
    return Predictions([f"all:{row}" for row in rows], gold, predicted, scores if scores is None else np.array(scores))


def kept_folds(results, *parts: Predictions, task: Task = POOL, seed: int = 0, rows=None, **changes: Any):
    """The folds of one seed as `run` stores them; rows: of the declared splits."""
    runs, protocol = [], changes.pop("protocol", {})
    data = {**DATA, "rows": rows or {"train": 6, "test": 2}}
    for number, predictions in enumerate(parts):
        whole = done(
            "minilm", seed, task=task.name, type=task.type, primary_metric=task.metric, definition=task.identity(),
            protocol={"folds": len(parts), "fold": number, **protocol},
            data={**data, "used": {"train": 4, "test": len(predictions.row_ids)}}, **changes,
        )  # fmt: skip
        system = System(name="minilm", method="finetune")
        spec = RunSpec(task, system, Recipe(), Protocol(**whole.protocol), whole.identity_)
        scoring, named = Scoring.of(task), Named.of(predictions, task.classes)
        found = {"metrics": scoring.measure(named), "report": scoring.report(named)}
        runs.append(whole.model_copy(update={**found, "key": spec.key}))
        save(results, spec, runs[-1], predictions)
    return runs


RIGHT, WRONG = fold([0, 2, 5, 7], [1, 1, 1, 0], [1, 1, 1, 0]), fold([1, 3, 4, 6], [1, 0, 0, 0], [0, 1, 0, 0])


def test_f1_under_folds_is_of_all_rows_and_not_the_mean_of_the_folds(tmp_path):
    kept_folds(tmp_path, RIGHT, WRONG, task=POOL.model_copy(update={"metric": "f1"}))
    text = write(tmp_path).texts["films"]
    (row,) = cells(text)
    assert "- To call every test row `good` gives F1 0.6667\n" in text  # 4 of 8
    assert row["F1 (positive class)"].startswith("0.7500 [")  # 3 found, 1 missed, 1 wrong
    assert row["single folds"] == "0.5000 ± 6.3531 † (sd 0.7071)"
    assert row["accuracy"] == "0.7500"


def test_entity_f1_under_folds_is_of_the_entities_of_all_folds(tmp_path):
    right, wrong = fold([0], [[0, 1]], [[0, 1]]), fold([1, 2], [[1], [1, 2, 0, 1]], [[0], [0, 0, 0, 0]])
    kept_folds(tmp_path, right, wrong, task=NAMES, rows={"train": 3, "validation": 9, "test": 9})
    (row,) = cells(write(tmp_path).texts["names"])
    assert row["entity F1 (strict, IOB2)"].startswith("0.4000 [")  # 1 of 4 found: precision 1, recall 1/4
    assert row["single folds"] == "0.5000 ± 6.3531 † (sd 0.7071)"


def test_average_precision_under_folds_orders_the_rows_of_all_folds_by_their_scores(tmp_path):
    first = fold([0, 1], [0, 1], [0, 1], [[0.0, 1.0], [0.0, 2.0]])
    second = fold([2, 3], [0, 1], [0, 1], [[0.0, 3.0], [0.0, 4.0]])
    kept_folds(tmp_path, first, second, rows={"train": 3, "test": 1})
    text = write(tmp_path).texts["films"]
    assert cells(text)[0]["AP"] == "0.8333"  # each fold alone 1; together gold is 1 at the ranks 1 and 3
    assert "AP of folds together is from the folds' scores as they are" in text


def test_folds_of_which_one_has_no_scores_have_the_metrics_that_need_none(tmp_path):
    first = fold([0, 1], [0, 1], [0, 1], [[0.0, 1.0], [0.0, 2.0]])
    kept_folds(tmp_path, first, fold([2, 3], [0, 1], [0, 0]), rows={"train": 3, "test": 1})
    (row,) = cells(write(tmp_path).texts["films"])
    assert row["accuracy"].startswith("0.7500")
    assert "AP" not in row


@pytest.mark.parametrize(
    "parts, rows, said",
    [
        ((RIGHT, fold([1, 3, 4, 7], [1] * 4, [1] * 4)), None, "1 row stands in more than one fold of seed 0"),
        ((RIGHT, RIGHT), None, "4 rows stand in more than one fold of seed 0"),
        ((RIGHT, WRONG), {"train": 7, "test": 2}, "the folds of seed 0 hold 8 of 9 rows"),
    ],
)
def test_folds_that_do_not_hold_each_row_of_their_pool_once_have_no_score_and_it_is_said(tmp_path, parts, rows, said):
    kept_folds(tmp_path, *parts, rows=rows)
    text = write(tmp_path).texts["films"]
    assert (cells(text)[0]["rank"], cells(text)[0]["accuracy"]) == ("–", "–")
    assert f"- minilm: no score of all folds together: {said}\n" in f"{text}\n"


@pytest.mark.parametrize(
    "task, rows, protocol",
    [
        (POOL, {"train": 6, "test": 2}, {}),
        (FILMS, {"train": 8, "test": 99}, {}),
        (FILMS, {"train": 8, "validation": 99, "test": 99}, {"train_size": 2}),
        (POOL, {"train": 60, "test": 20}, {"balanced": True}),
        (POOL, {"train": 60, "test": 20}, {"test_size": 4}),
    ],
)
def test_the_pool_of_folds_is_the_training_split_and_what_is_held_out_of_it(tmp_path, task, rows, protocol):
    """Where rows were dropped before or after it was divided, its size is not known, and not asked for."""
    kept_folds(tmp_path, RIGHT, WRONG, task=task, rows=rows, protocol=protocol)
    assert cells(write(tmp_path).texts["films"])[0]["accuracy"].startswith("0.7500")


def test_a_fold_whose_predictions_are_gone_or_cut_leaves_its_row_without_a_score_and_is_named(tmp_path):
    runs = kept_folds(tmp_path, RIGHT, WRONG, seed=1)
    path = predictions_path(tmp_path, "films", "minilm", runs[1].key)
    pq.write_table(pq.read_table(path).slice(1), path)
    said = "minilm: no score of all folds together: "
    assert f"{said}seed 1 fold 2 holds 3 predictions of 4 rows" in write(tmp_path).texts["films"]
    path.unlink()
    text = write(tmp_path).texts["films"]
    assert f"{said}the predictions of seed 1 fold 2 are not stored" in text
    assert cells(text)[0]["single folds"] == "0.7500 ± 3.1766 † (sd 0.3536)"


def test_folds_that_are_not_in_a_table_are_not_read(tmp_path):
    """Of a seed that lacks some, and of an older definition."""
    kept_folds(tmp_path, RIGHT, WRONG)
    old = kept_folds(tmp_path, RIGHT, WRONG, recipe={"epochs": 9}, created="2026-01-01T00:00:00+00:00")
    lone = kept_folds(tmp_path, RIGHT, WRONG, seed=1)
    for run in (*old, lone[0]):
        predictions_path(tmp_path, "films", "minilm", run.key).write_bytes(b"PAR1")
    predictions_path(tmp_path, "films", "minilm", lone[1].key).with_suffix(".json").unlink()
    assert cells(write(tmp_path).texts["films"])[0]["folds × seeds"] == "2 × 1"


# -- files -----------------------------------------------------------------------------------------------------------


def store(results, *runs):
    for run in runs:
        path = runs_folder(results) / run.task / run.system / f"{run.key}.json"
        write_text(path, run.model_dump_json(by_alias=True))


def test_pages_are_written_and_given_back(tmp_path):
    store(tmp_path, done(), failed("other"), done(task="jokes"))
    given = write(tmp_path).texts
    assert list(given) == ["films", "jokes"]
    assert (tmp_path / "leaderboards" / "films.md").read_text() == f"{given['films']}\n"
    assert (tmp_path / "LEADERBOARD.md").read_text().startswith("# Leaderboard\n")


def test_a_file_is_written_only_if_its_text_changes_and_pages_without_runs_stay(tmp_path):
    store(tmp_path, done(), done(task="jokes"))
    write(tmp_path)
    old = tmp_path / "leaderboards" / "gone.md"
    old.write_text("an old page")
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*.md")}  # a replaced file has another number
    store(tmp_path, done(task="jokes", seed=1))
    write(tmp_path)
    changed = {path.name for path, number in before.items() if path.stat().st_ino != number}
    assert changed == {"jokes.md"}
    assert old.read_text() == "an old page"


def test_no_stored_run_gives_an_overview_that_says_so(tmp_path):
    assert write(tmp_path).texts == {}
    assert "No finished run" in (tmp_path / "LEADERBOARD.md").read_text()


def test_each_stored_run_is_read_once_and_let_go():
    """Ten thousand records don't lie in memory together: when the next is read, the last is gone."""
    import gc
    import weakref

    alive: list[weakref.ref[RunResult]] = []

    def runs():
        for seed in range(5):
            run = done(seed=seed)
            alive.append(weakref.ref(run))
            yield run
            del run
            gc.collect()
            assert sum(ref() is not None for ref in alive[:-1]) == 0

    (found,) = tables(runs())
    assert found.sections[0].rows[0].seeds == 5


def test_a_variant_that_is_the_same_run_as_another_system_has_no_row_of_its_own():
    text = page(done("bert"), done("base[encoder=bert]"), done("base[encoder=bert]", seed=1, score=0.8))
    assert [(row["system"], row["accuracy"], row["seeds"]) for row in cells(text)] == [("bert", "0.8500", "2")]
    assert "- base[encoder=bert]: the same runs as bert\n" in text
    text = page(done("base[encoder=bert]"), done("german[encoder=bert]"), done("german[encoder=bert]", seed=1))
    assert [row["system"] for row in cells(text)] == ["german[encoder=bert]"]
    text = page(done("bert"), done("base[encoder=bert]", recipe={"epochs": 4}))
    assert {row["system"] for row in cells(text)} == {"bert", "base[encoder=bert]"}
    assert "same runs" not in text


def again(*runs: RunResult | RunFailure) -> list[str]:
    """The commands below a page's tables, without what all of them begin with."""
    begin = "encoder-bench run --tasks ./films.yaml --systems "
    return [line.removeprefix(begin) for line in page(*runs).splitlines() if line.startswith(begin)]


def test_a_tables_commands_make_all_that_need_the_same_flags_at_once():
    mini, other = {"sha256": "5"}, {"sha256": "6"}
    runs = [done("base[encoder=mini]", seed=seed, encoder=mini, recipe={"epochs": 2}) for seed in range(3)]
    runs += [done("mini", seed=seed, encoder=mini) for seed in range(3)]
    runs += [done("tfidf"), done("other", encoder=other), done("svm[tune=10]", recipe={"c": 1})]
    runs += [done("tfidf[ngrams=1-2,c=30]", recipe={"ngrams": [1, 2], "c": 30.0})]
    assert set(again(*runs)) == {
        "base,mini --set encoder=mini --seeds 3 --results-dir again --data-dir DIR",
        "tfidf --set encoder=mini --seeds 1 --results-dir again --data-dir DIR",
        "other --seeds 1 --results-dir again --data-dir DIR",
        "tfidf --set 'recipe.ngrams=[1, 2]' --set recipe.c=30 --seeds 1 --results-dir again --data-dir DIR",
        "svm --tune 10 --seeds 1 --results-dir again --data-dir DIR",
    }


def test_a_tables_command_is_there_where_a_seed_or_fold_was_made_under_another_name():
    folded = {"folds": 2, "fold": 0}
    runs = [done("bert", protocol=folded), done("base[encoder=bert]", protocol={**folded, "fold": 1})]
    assert [line.split(" --folds")[0] for line in again(*runs)] == ["bert"]
    runs = [done("bert", seed=seed, protocol={**folded, "fold": 1 - seed}) for seed in (0, 1)]
    runs += [done("base[encoder=bert]", seed=0, protocol={**folded, "fold": fold}) for fold in (0, 1)]
    assert again(*runs)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"train_size": 1000}, "--train-sizes 1000"),
        ({"folds": 5, "fold": 0}, "--folds 5"),
        ({"balanced": True, "test_size": 100}, "--set protocol.balanced=true --set protocol.test_size=100"),
    ],
    ids=str,
)
def test_a_tables_commands_ask_for_its_protocol(protocol, said):
    assert again(done("svm", protocol=protocol)) == [f"svm {said} --seeds 1 --results-dir again --data-dir DIR"]


def test_a_tables_commands_say_where_the_rows_are_from():
    assert again(done("svm", data={**DATA, "source": "hub", "revision": "1"})) == ["svm --seeds 1 --results-dir again"]


def test_a_system_that_chooses_a_threshold_has_its_f1_beside_the_best_one_on_the_test_rows():
    ranked = {"accuracy": 0.8, "f1": 0.5, "best_f1": 0.625, "roc_auc": 0.75}
    text = page(done("cosine", metrics=ranked, training={"threshold": 0.1}), done("svm", metrics=ranked))
    assert "- cosine: F1 of the positive class 0.5000 at the threshold from validation rows, 0.6250 at the " in text
    assert "best one, chosen on the test rows themselves; ROC AUC 0.7500\n" in text
    assert text.count("threshold") == 1


def test_leaderboards_import_nothing_that_needs_a_model():
    code = "import sys, benchmarks.leaderboard; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "datasets", "sklearn", "evaluate"} & set(loaded)


def test_a_run_on_newer_data_takes_no_neighbour_out_of_the_older_table():
    (found,) = tables([
        done("minilm", created="2026-11-20T12:00:00+00:00"), done("tfidf-svm", score=0.8),
        done("tfidf-svm", score=0.7, content="b", created="2026-11-21T12:00:00+00:00"),
    ])  # fmt: skip
    by_table = [[row.system for row in section.rows] for section in found.sections]
    assert by_table == [["tfidf-svm"], ["minilm", "tfidf-svm"]]
    assert not any(section.left_out for section in found.sections)


def test_the_overview_marks_a_task_whose_scores_cannot_be_set_beside_published_ones():
    data = {**DATA, "notes": ["Not comparable with published scores: a subset."]}
    assert "not comparable" not in overview(tables([done()]))
    assert "¹ films: not comparable with published scores, see its page" in overview(tables([done(data=data)]))
