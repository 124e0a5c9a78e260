"""The `evaluate.Metric` face of each metric, made here: `evaluate.load` fetches its scripts from the Hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.errors import UserError, unknown
from benchmarks.metrics import METRICS, Metric
from benchmarks.schema import TAGS, TEXTS

if TYPE_CHECKING:
    import evaluate

CLUSTERS = "clustering"

_INPUTS = {
    TEXTS: """
    predictions, references: one class id a row.
    scores: one list of floats a row, a score for each label (only for metrics that rank).
    labels: the label names; if not given, as many as the ids or scores show, at least two.
    positive: id of the positive class of two; 1 if not given.
""",
    TAGS: """
    predictions, references: one list of tags a row, such as B-PER, I-PER, O.
    scheme: IOB2 (if not given) or IO.
""",
    CLUSTERS: """
    predictions: one cluster id a row.
    references: one class id a row (not for the silhouette, which needs no gold).
    embeddings: one list of floats a row, the vector that was clustered (for the silhouette only).
""",
}


class UnknownMetricError(UserError, KeyError):
    """A name that is not in METRICS."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


def load(name: str) -> evaluate.Metric:
    """A working `evaluate.Metric` whose compute gives {name: value}; needs no network and writes no cache file.

    NaN where the metric is not defined for the rows. Raises UnknownMetricError, a KeyError that the user can fix.
    """
    if name not in METRICS:
        raise UnknownMetricError(unknown("metric", name, list(METRICS), f"One of: {', '.join(METRICS)}."))
    # In memory: the default cache file keeps its lock when a computation raises, and ranks would wait for each other.
    return _face(name)(keep_in_memory=True)


@cache
def _face(name: str) -> type[evaluate.Metric]:
    import evaluate  # ten seconds, and it loads torch
    from datasets import Features

    metric = METRICS[name]
    of = _OF[_kind(metric)]

    class Face(evaluate.Metric):  # type: ignore[misc, unused-ignore]
        def _info(self) -> evaluate.MetricInfo:
            return evaluate.MetricInfo(
                description=metric.summary,
                citation="",
                inputs_description=_INPUTS[_kind(metric)],
                features=Features(_columns(metric)),
            )

        def _compute(self, **given: Any) -> dict[str, float]:
            return {name: of(metric, **given)}

    Face.__name__ = name  # evaluate takes the module's name from the class
    return Face


def _kind(metric: Metric) -> str:
    return CLUSTERS if metric.clustering else metric.task_type


def _columns(metric: Metric) -> dict[str, Any]:
    from datasets import Sequence as List
    from datasets import Value

    if metric.task_type == TAGS:
        return {"predictions": List(Value("string")), "references": List(Value("string"))}
    if metric.name == "silhouette":
        return {"predictions": Value("int64"), "embeddings": List(Value("float64"))}
    columns: dict[str, Any] = {"predictions": Value("int64"), "references": Value("int64")}
    # A column, not an option of compute: so that add_batch takes the scores with their rows.
    return columns | ({"scores": List(Value("float64"))} if metric.needs_scores else {})


def _of_texts(
    metric: Metric,
    predictions: Sequence[int],
    references: Sequence[int],
    scores: Sequence[Sequence[float]] | None = None,
    labels: Sequence[str] | None = None,
    positive: int | None = None,
) -> float:
    import numpy as np

    from benchmarks.metrics.texts import measure

    gold, predicted = np.array(references, dtype=np.int64), np.array(predictions, dtype=np.int64)
    columns = None if scores is None else np.array(scores, dtype=np.float64)
    if labels is None:
        scored = 0 if columns is None else columns.shape[-1]
        seen = max(2, gold.max(initial=0) + 1, predicted.max(initial=0) + 1, scored)
        labels = [str(i) for i in range(seen)]
    if metric.classes != "any" and (metric.classes == "two") != (len(labels) == 2):
        raise ValueError(f"{metric.name} is for {metric.classes} classes; there are {len(labels)} labels.")
    return measure(gold, predicted, columns, labels, positive).get(metric.name, float("nan"))


def _of_tags(
    metric: Metric, predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], scheme: str = "IOB2"
) -> float:
    from benchmarks.metrics.tags import measure

    return measure(references, predictions, scheme)[metric.name]


def _of_clusters(
    metric: Metric,
    predictions: Sequence[int],
    references: Sequence[int] = (),
    embeddings: Sequence[Sequence[float]] = (),
) -> float:
    import numpy as np

    from benchmarks.metrics.clustering import AGREEMENT, counts, silhouettes

    clusters = np.array(predictions, dtype=np.int64)
    if metric.name == "silhouette":
        return float(silhouettes(np.array(embeddings, dtype=np.float64), clusters).mean())
    return AGREEMENT[metric.name](counts(np.array(references, dtype=np.int64), clusters))


_OF: dict[str, Callable[..., float]] = {TEXTS: _of_texts, TAGS: _of_tags, CLUSTERS: _of_clusters}
