"""Folds are scored together, and one by one beside that."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from records import DATA, FILMS, cells, done, folds, page

from benchmarks.leaderboard import tables, write
from benchmarks.schema import HeldOut, Predictions, Protocol, Recipe, RunSpec, Splits, System, Task
from benchmarks.scoring import Named, Scoring
from benchmarks.store import predictions_path, save

# -- as records have it ----------------------------------------------------------------------------------------------


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


# -- from the store --------------------------------------------------------------------------------------------------


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
