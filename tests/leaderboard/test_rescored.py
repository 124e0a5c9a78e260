"""A metric that is newer than a run is taken from its stored predictions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from records import FILMS, cells, done, page

from benchmarks.errors import UserError
from benchmarks.leaderboard import write
from benchmarks.leaderboard.filled import filled
from benchmarks.metrics import METRICS
from benchmarks.schema import Predictions, Protocol, Recipe, RunResult, RunSpec, System
from benchmarks.scoring import Named, Scoring
from benchmarks.store import predictions_path, read_runs, save, write_text

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
