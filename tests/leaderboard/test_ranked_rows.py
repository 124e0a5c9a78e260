"""What counts for a row of a table: seeds, metrics, failures, definitions; classifications and clusterings."""

from __future__ import annotations

from typing import Any

from records import cells, done, failed, page

from benchmarks.leaderboard import tables
from benchmarks.leaderboard.overview import markdown as overview
from benchmarks.metrics import METRICS
from benchmarks.schema import RunResult

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


def test_a_variant_that_is_the_same_run_as_another_system_has_no_row_of_its_own():
    text = page(done("bert"), done("base[encoder=bert]"), done("base[encoder=bert]", seed=1, score=0.8))
    assert [(row["system"], row["accuracy"], row["seeds"]) for row in cells(text)] == [("bert", "0.8500", "2")]
    assert "- base[encoder=bert]: the same runs as bert\n" in text
    text = page(done("base[encoder=bert]"), done("german[encoder=bert]"), done("german[encoder=bert]", seed=1))
    assert [row["system"] for row in cells(text)] == ["german[encoder=bert]"]
    text = page(done("bert"), done("base[encoder=bert]", recipe={"epochs": 4}))
    assert {row["system"] for row in cells(text)} == {"bert", "base[encoder=bert]"}
    assert "same runs" not in text


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
