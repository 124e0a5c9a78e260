"""Scores stored predictions anew by seqeval, by iobes (the CoNLL rules) and by scikit-learn: prints the scores as JSON.

    python -m crosschecks.scorers_alone mit-movie ../results/runs/mit-movie/*/*.parquet --data-dir DIR

What is right is read from the published file, by the row number of each prediction, and not from the stored runs. The
CoNLL script itself, which needs perl and is in seqeval's source archive: `--conlleval conlleval.pl`. It prints two
decimals.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from iobes import SpanEncoding, parse_spans
from seqeval.metrics import f1_score as entity_f1
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from crosschecks.corpora import LABELS, POSITIVE, TAGGED, sentences

logging.getLogger("iobes").setLevel(logging.ERROR)  # else a line for each tag that begins an entity with I-

Tags = list[list[str]]
Scores = dict[str, float]


def of_tags(gold: Tags, found: Tags, strictly: bool) -> Scores:
    """strictly: whether the tags have a `B-`, without which seqeval has no strict mode."""
    flat = [[tag for row in rows for tag in row] for rows in (gold, found)]
    names = sorted({*flat[0], *flat[1]})
    entities = [name for name in names if name != "O"]
    scores = {
        "entity_f1_conlleval": entity_f1(gold, found, zero_division=0),
        "conll": by_conll_rules(gold, found),
        "token_accuracy": accuracy_score(*flat),
        "token_f1_macro": f1_score(*flat, labels=names, average="macro", zero_division=0),
        "token_f1_micro_no_o": f1_score(*flat, labels=entities, average="micro", zero_division=0),
        "token_f1_weighted": f1_score(*flat, average="weighted", zero_division=0),
    }
    if strictly:
        scores["entity_f1"] = entity_f1(gold, found, mode="strict", scheme=IOB2, zero_division=0)
        scores["entity_f1_macro"] = entity_f1(gold, found, mode="strict", scheme=IOB2, average="macro", zero_division=0)
    return scores


def by_conll_rules(gold: Tags, found: Tags) -> float:
    """Micro F1 of spans, read as conlleval.pl reads them: an `I-` that follows nothing of its type begins an entity."""
    right = in_gold = in_found = 0
    for one, other in zip(gold, found, strict=True):
        wanted, said = _spans(one), _spans(other)
        right, in_gold, in_found = right + len(wanted & said), in_gold + len(wanted), in_found + len(said)
    return 2 * right / (in_gold + in_found) if in_gold + in_found else 0.0


def _spans(tags: list[str]) -> set[tuple[str, int, int]]:
    return {(span.type, span.start, span.end) for span in parse_spans(tags, SpanEncoding.BIO)}


def by_conlleval(script: Path, gold: Tags, found: Tags) -> float:
    """What the CoNLL script prints, as a share."""
    rows = (zip(one, other, strict=True) for one, other in zip(gold, found, strict=True))
    text = "\n".join("".join(f"w {right} {said}\n" for right, said in row) for row in rows)
    done = subprocess.run(["perl", str(script)], input=text, capture_output=True, text=True, check=True)
    printed = re.search(r"FB1:\s*([\d.]+)", done.stdout)
    assert printed, done.stdout
    return float(printed[1]) / 100


def of_texts(gold: Sequence[int], found: Sequence[int], ranked: np.ndarray | None) -> Scores:
    """0 or 1 each; ranked: (n, 2) scores."""
    scores = of_classes(gold, found) | {"f1": f1_score(gold, found, zero_division=0)}
    if ranked is not None:
        scores["average_precision"] = average_precision_score(gold, ranked[:, 1] - ranked[:, 0])
    return scores


def of_categories(gold: Sequence[str], found: Sequence[str], ranked: np.ndarray | None, names: Sequence[str]) -> Scores:
    """ranked: (n, k) scores of the k names. A class without a row has no average precision."""
    scores = of_classes(gold, found)
    if ranked is not None:
        right, there = np.array(gold), [k for k, name in enumerate(names) if name in gold]
        each = [average_precision_score(right == names[k], ranked[:, k]) for k in there]
        scores["average_precision_macro"] = float(np.mean(each))
    return scores


def of_classes(gold: Sequence[int | str], found: Sequence[int | str]) -> Scores:
    macro = f1_score(gold, found, average="macro", zero_division=0)
    return {"accuracy": accuracy_score(gold, found), "f1_macro": macro}


def scored(task: str, stored: Path, data: Path, script: Path | None) -> Scores:
    """Of the predictions in one parquet file."""
    table = pq.read_table(stored)
    rows = [int(row_id.rsplit(":", 1)[1]) for row_id in table["row_id"].to_pylist()]
    said = table["predicted"].to_pylist()
    if task in LABELS:
        published = LABELS[task](data)
        gold, ranked = [published[row] for row in rows], None
        if "scores" in table.column_names:
            ranked = np.array(table["scores"].to_pylist(), dtype=np.float64)  # in 16 bits differences would make ties
        if task in POSITIVE:
            return of_texts(gold, [int(label == POSITIVE[task]) for label in said], ranked)
        return of_categories(gold, said, ranked, json.loads(table.schema.metadata[b"classes"]))
    gold = sentences(task, data, "test").tags
    tags = [gold[row] for row in rows], said
    scores = of_tags(*tags, strictly=any(tag.startswith("B-") for row in gold for tag in row))
    return scores | ({"conlleval.pl": by_conlleval(script, *tags)} if script else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=[*TAGGED, *LABELS])
    parser.add_argument("stored", type=Path, nargs="+", help="predictions of runs (parquet)")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--conlleval", type=Path, default=None, help="the CoNLL script, to be run by perl")
    given = parser.parse_args()
    found = {path.stem: scored(given.task, path, given.data_dir, given.conlleval) for path in given.stored}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
