"""The metrics that exist: name, task type, what is averaged and under which convention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.schema import TAGS, TEXTS, TaskType

Classes = Literal["any", "two", "many"]


@dataclass(frozen=True)
class Metric:
    """One number that a task can be scored with.

    header: of its column in a table; '{scheme}' stands for the task's. shown: also where it is not the primary metric.
    classes: how many labels a task must have for it. needs_scores: hard predictions are not enough.
    higher_is_better: None where neither direction is; such a metric ranks nothing and is no task's primary one.
    clustering: of a clustering, which has these metrics only. Its clusters were matched to classes with the gold
    labels, so that it is never ranked beside classifications, and such a metric is no task's primary one.
    """

    name: str
    task_type: TaskType
    header: str
    summary: str
    shown: bool = False
    classes: Classes = "any"
    needs_scores: bool = False
    higher_is_better: bool | None = True
    lowest: float = 0.0
    """Below which no value lies; none lies above 1."""
    clustering: bool = False

    def scores(self, task_type: TaskType, n_labels: int) -> bool:
        """Whether it is defined for the classifications of such a task."""
        fits = {"any": True, "two": n_labels == 2, "many": n_labels > 2}
        return self.task_type == task_type and fits[self.classes] and not self.clustering


# Neither numpy nor scikit-learn is imported here: the command line reads these names before it knows what it needs.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", TEXTS, "accuracy",
            "share of rows with the right class", shown=True),
        Metric("f1_micro", TEXTS, "micro F1",
            "F1, micro average over classes (with one class a row: the accuracy)", shown=True),
        Metric("f1_macro", TEXTS, "macro F1",
            "F1, plain mean over the classes in gold or predicted", shown=True),
        Metric("f1_weighted", TEXTS, "weighted F1",
            "F1, mean over classes weighted by their rows in gold"),
        Metric("mcc", TEXTS, "MCC",
            "Matthews correlation coefficient, for any number of classes", lowest=-1.0),
        Metric("precision", TEXTS, "precision (positive class)",
            "precision of the positive class", classes="two"),
        Metric("recall", TEXTS, "recall (positive class)",
            "recall of the positive class", classes="two"),
        Metric("f1", TEXTS, "F1 (positive class)",
            "F1 of the positive class", classes="two"),
        Metric("average_precision", TEXTS, "AP",
            "average precision of the positive class, from scores", shown=True, classes="two", needs_scores=True),
        Metric("roc_auc", TEXTS, "ROC AUC",
            "area under the ROC curve of the positive class, from scores", classes="two", needs_scores=True),
        Metric("best_f1", TEXTS, "best F1 (threshold from the test rows)",
            "F1 of the positive class at the best threshold, chosen on these rows", classes="two", needs_scores=True),
        Metric("best_f1_threshold", TEXTS, "threshold of the best F1",
            "score (positive minus other) where best_f1 is: a place on a scale, not a quality",
            classes="two", needs_scores=True, higher_is_better=None),
        Metric("average_precision_macro", TEXTS, "macro AP",
            "AP one-vs-rest from scores, mean over gold classes", shown=True, classes="many", needs_scores=True),
        Metric("entity_f1", TAGS, "entity F1 (strict, {scheme})",
            "entity F1, micro average; strict, in the task's scheme (IOB2 or IO)", shown=True),
        Metric("entity_f1_macro", TAGS, "macro entity F1 (strict)",
            "entity F1, plain mean over entity types; strict, in the task's scheme", shown=True),
        Metric("entity_f1_conlleval", TAGS, "entity F1 (seqeval's default mode)",
            "entity F1, micro; seqeval's default mode, repairs ill-formed tags"),
        Metric("token_f1_micro", TAGS, "token F1 with O (= accuracy)",
            "token F1, micro average over all tags with O (that is the token accuracy)", shown=True),
        Metric("token_f1_macro", TAGS, "macro token F1 with O",
            "token F1, plain mean over all tags with O", shown=True),
        Metric("token_f1_micro_no_o", TAGS, "token F1 without O",
            "token F1, micro average over all tags but O"),
        Metric("token_f1_macro_no_o", TAGS, "macro token F1 without O",
            "token F1, plain mean over all tags but O"),
        Metric("token_f1_weighted", TAGS, "weighted token F1 with O",
            "token F1, mean over all tags with O weighted by their tokens in gold"),
        Metric("token_accuracy", TAGS, "token accuracy with O",
            "share of tokens with the right tag, O among them"),
        Metric("token_f1_micro_types", TAGS, "token F1 of types, with O",
            "token F1, micro average over types with O: B- and I- are one label"),
        Metric("token_f1_macro_types", TAGS, "macro token F1 of types, with O",
            "token F1, plain mean over types with O: B- and I- are one label"),
        Metric("silhouette", TEXTS, "silhouette",
            "of a clustering: mean silhouette of the rows, Euclidean distance",
            shown=True, lowest=-1.0, clustering=True),
        Metric("v_measure", TEXTS, "V-measure",
            "of a clustering: harmonic mean of homogeneity and completeness", shown=True, clustering=True),
        Metric("adjusted_rand", TEXTS, "adjusted Rand index",
            "of a clustering: share of pairs parted as in gold, adjusted for chance",
            shown=True, lowest=-1.0, clustering=True),
        Metric("cluster_accuracy", TEXTS, "accuracy (classes matched to clusters with gold)",
            "of a clustering: accuracy after the best one-to-one matching of clusters and gold classes",
            shown=True, clustering=True),
    )
}  # fmt: skip

CLUSTERING_METRIC = "v_measure"
"""By which clusterings are ranked among themselves, in place of the task's primary metric."""


def names_for(task_type: TaskType, n_labels: int) -> tuple[str, ...]:
    """Names of the metrics that score the classifications of such a task, in the order of METRICS."""
    return tuple(metric.name for metric in METRICS.values() if metric.scores(task_type, n_labels))


def primary_for(task_type: TaskType, n_labels: int) -> tuple[str, ...]:
    """Those of `names_for` that can rank systems: one of them is a task's primary metric."""
    return tuple(name for name in names_for(task_type, n_labels) if METRICS[name].higher_is_better is not None)
