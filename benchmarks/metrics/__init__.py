"""The metrics that exist: name, task type, what is averaged and under which convention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TaskType = Literal["text-classification", "token-classification", "clustering"]
Classes = Literal["any", "two", "many"]


@dataclass(frozen=True)
class Metric:
    """One number that a task can be scored with.

    `classes` says how many labels a task must have for it; `needs_scores` that hard predictions are not enough.
    """

    name: str
    task_type: TaskType
    summary: str
    classes: Classes = "any"
    needs_scores: bool = False
    higher_is_better: bool = True


_TEXTS: Literal["text-classification"] = "text-classification"
_TAGS: Literal["token-classification"] = "token-classification"

# Nothing else is imported here: the command line reads these names before it knows whether it needs numpy at all.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _TEXTS, "share of rows with the right class"),
        Metric("f1_micro", _TEXTS, "F1, micro average over classes (with one class a row: the accuracy)"),
        Metric("f1_macro", _TEXTS, "F1, plain mean over the classes in gold or predicted"),
        Metric("f1_weighted", _TEXTS, "F1, mean over classes weighted by their rows in gold"),
        Metric("mcc", _TEXTS, "Matthews correlation coefficient, for any number of classes"),
        Metric("precision", _TEXTS, "precision of the positive class", "two"),
        Metric("recall", _TEXTS, "recall of the positive class", "two"),
        Metric("f1", _TEXTS, "F1 of the positive class", "two"),
        Metric("average_precision", _TEXTS, "average precision of the positive class, from scores", "two", True),
        Metric("roc_auc", _TEXTS, "area under the ROC curve of the positive class, from scores", "two", True),
        Metric("best_f1", _TEXTS, "F1 of the positive class at the best threshold, chosen on these rows", "two", True),
        # A place on the scale of the scores, not a quality: neither direction is better.
        Metric("best_f1_threshold", _TEXTS, "score (positive minus other) where best_f1 is", "two", True, False),
        Metric("average_precision_macro", _TEXTS, "AP one-vs-rest from scores, mean over gold classes", "many", True),
        Metric("entity_f1", _TAGS, "entity F1, micro average; strict, in the task's scheme (IOB2 or IO)"),
        Metric("entity_f1_macro", _TAGS, "entity F1, plain mean over entity types; strict, in the task's scheme"),
        Metric("entity_f1_conlleval", _TAGS, "entity F1, micro; seqeval's default mode, repairs ill-formed tags"),
        Metric("token_f1_micro", _TAGS, "token F1, micro average over all tags with O (that is the token accuracy)"),
        Metric("token_f1_macro", _TAGS, "token F1, plain mean over all tags with O"),
        Metric("token_f1_micro_no_o", _TAGS, "token F1, micro average over all tags but O"),
        Metric("token_f1_macro_no_o", _TAGS, "token F1, plain mean over all tags but O"),
        Metric("token_f1_weighted", _TAGS, "token F1, mean over all tags with O weighted by their tokens in gold"),
        Metric("token_accuracy", _TAGS, "share of tokens with the right tag, O among them"),
    )
}


def names_for(task_type: str, n_labels: int) -> tuple[str, ...]:
    """Names of the metrics that score such a task, in the order of METRICS; empty where none is computed."""
    allowed = {"any", "two" if n_labels == 2 else "many" if n_labels > 2 else "any"}
    return tuple(m.name for m in METRICS.values() if m.task_type == task_type and m.classes in allowed)
