"""Scores of tags agree with seqeval and scikit-learn to 1e-12, and with sums done by hand."""

import itertools
import json
import time
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score as entity_f1
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB1, IOB2
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from benchmarks.metrics.tags import entity_matches, measure, report

IO_TAGS = ("O", "I-PER", "I-LOC", "I-LOC-deriv", "I")
IOB2_TAGS = (*IO_TAGS, "B-PER", "B-LOC", "B-LOC-deriv", "B")

equal = partial(pytest.approx, abs=1e-12, rel=0)


def tag_rows(tags):
    """Gold and predicted rows of equal lengths with at least one token; most are ill-formed, some are empty."""
    one = st.sampled_from(tags)
    row = st.lists(st.tuples(one, one), max_size=9)
    rows = st.lists(row, min_size=1, max_size=6).filter(any)
    return rows.map(lambda pairs: ([[g for g, _ in r] for r in pairs], [[p for _, p in r] for r in pairs]))


def quiet(oracle, *args, **options):
    """seqeval and scikit-learn warn where a ratio is 0/0; here that is part of what is compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle(*args, **options)


def flat(rows):
    return list(itertools.chain.from_iterable(rows))


def by_seqeval(gold, predicted, scheme):
    strict = {"mode": "strict", "scheme": scheme}
    macro = quiet(entity_f1, gold, predicted, average="macro", **strict)
    return {
        "entity_f1": quiet(entity_f1, gold, predicted, **strict),
        "entity_f1_macro": 0.0 if np.isnan(macro) else macro,  # seqeval: mean of no types at all
        "entity_f1_conlleval": quiet(entity_f1, gold, predicted),
    }


def by_sklearn(gold, predicted):
    gold, predicted = flat(gold), flat(predicted)
    named = sorted({*gold, *predicted} - {"O"})
    score = partial(f1_score, gold, predicted, zero_division=0)
    of_types = partial(f1_score, *([tag.split("-")[-1] for tag in tags] for tags in (gold, predicted)), zero_division=0)
    return {
        "token_f1_micro": score(average="micro"),
        "token_f1_macro": score(average="macro"),
        "token_f1_micro_no_o": quiet(score, average="micro", labels=named) if named else 0.0,
        "token_f1_macro_no_o": quiet(score, average="macro", labels=named) if named else 0.0,
        "token_f1_weighted": score(average="weighted"),
        "token_accuracy": accuracy_score(gold, predicted),
        "token_f1_micro_types": of_types(average="micro"),
        "token_f1_macro_types": of_types(average="macro"),
    }


@given(tag_rows(IOB2_TAGS))
def test_all_metrics_of_iob2_tags_equal_seqeval_and_sklearn_also_on_ill_formed_rows(rows):
    assert measure(*rows, "IOB2") == equal(by_seqeval(*rows, IOB2) | by_sklearn(*rows))


@given(tag_rows(IO_TAGS))
def test_all_metrics_of_io_tags_equal_seqeval_and_sklearn(rows):
    assert measure(*rows, "IO") == equal(by_seqeval(*rows, IOB1) | by_sklearn(*rows))


@given(tag_rows(("O", "B-PER")))
def test_metrics_equal_the_oracles_where_entities_are_rare_or_absent(rows):
    assert measure(*rows, "IOB2") == equal(by_seqeval(*rows, IOB2) | by_sklearn(*rows))


@given(tag_rows(IOB2_TAGS))
def test_the_report_equals_seqeval_by_type_and_sklearns_confusion(rows):
    found = json.loads(json.dumps(report(*rows, "IOB2")))
    p, r, f, support = quiet(precision_recall_fscore_support, *rows, scheme=IOB2)
    keys = ("precision", "recall", "f1", "support")
    expected = [dict(zip(keys, map(float, values), strict=True)) for values in zip(p, r, f, support, strict=True)]
    assert [equal(e) for e in expected] == list(found["per_class"].values())
    assert list(found["per_class"]) == sorted(found["per_class"])
    gold, predicted = map(flat, rows)
    assert found["confusion"] == quiet(confusion_matrix, gold, predicted, labels=found["labels"]).tolist()
    assert set(found["labels"]) == {*gold, *predicted}
    assert (found["rows"], found["tokens"]) == (len(rows[0]), len(gold))


def test_matches_are_true_positives_predicted_and_gold_in_that_order_of_each_row_and_type():
    gold = [["B-PER", "I-PER", "B-LOC"], ["O", "O", "B-LOC"], []]
    predicted = [["B-PER", "I-PER", "O"], ["B-PER", "B-LOC", "B-PER"], []]
    names, found = entity_matches(gold, predicted, "IOB2", "strict")
    assert names == ["LOC", "PER"]
    assert found.summed(2).tolist() == [[0, 1, 2], [1, 3, 1]]
    assert sorted(zip(*(part.tolist() for part in found), strict=True)) == [
        *[(0, 0, 2), (0, 1, 0), (0, 1, 1), (0, 1, 2)],
        *[(1, 0, 1), (1, 0, 2), (1, 1, 1), (1, 1, 1)],
    ]


def test_a_hand_computed_case():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    predicted = [["B-PER", "I-PER", "O", "B-PER"], ["O", "B-ORG"]]
    found = measure(gold, predicted, "IOB2")
    # Strict: PER 1 of 2 predicted, 1 gold (F1 2/3); LOC 0 (0); ORG 1 (1). Micro: 2 of 3 and 3.
    assert found["entity_f1"] == equal(2 / 3)
    assert found["entity_f1_macro"] == equal((2 / 3 + 0 + 1) / 3)
    # Tokens: O 2/2 (1), B-PER 1 of 2, 1 gold (2/3), I-PER 1, B-LOC 0, B-ORG 1; weights 2 1 1 1 1.
    assert found["token_accuracy"] == found["token_f1_micro"] == equal(5 / 6)
    assert found["token_f1_macro"] == equal((1 + 2 / 3 + 1 + 0 + 1) / 5)
    assert found["token_f1_weighted"] == equal((2 + 2 / 3 + 1 + 0 + 1) / 6)
    assert found["token_f1_micro_no_o"] == equal(3 / 4)
    assert found["token_f1_macro_no_o"] == equal((2 / 3 + 1 + 0 + 1) / 4)
    # Types: O 2/2 (1), PER 2 of 3, 2 gold (4/5), LOC 0, ORG 1.
    assert found["token_f1_micro_types"] == equal(5 / 6)
    assert found["token_f1_macro_types"] == equal((1 + 4 / 5 + 0 + 1) / 4)


def test_token_micro_f1_with_o_is_an_accuracy_and_far_above_the_entity_f1_of_the_same_tags():
    """Trap 5."""
    gold, predicted = [["O"] * 18 + ["B-PER", "I-PER"]], [["O"] * 18 + ["B-PER", "O"]]
    found = measure(gold, predicted, "IOB2")
    assert found["token_f1_micro"] == found["token_accuracy"] == 0.95
    assert found["entity_f1"] == 0.0
    assert found["token_f1_micro_no_o"] == equal(2 / 3)


def test_ill_formed_predictions_are_repaired_by_the_default_mode_and_count_nothing_strictly():
    """Trap 6."""
    found = measure([["B-PER", "I-PER", "O"]], [["I-PER", "I-PER", "O"]], "IOB2")
    assert found["entity_f1"] == 0.0
    assert found["entity_f1_conlleval"] == 1.0


def test_entity_f1_has_a_macro_average_that_differs_from_the_micro_one():
    """Trap 6: the seqeval wrapper of `evaluate` drops it."""
    gold = [["B-PER", "B-PER", "B-PER", "B-LOC"]]
    found = measure(gold, [["B-PER", "B-PER", "B-PER", "O"]], "IOB2")
    assert found["entity_f1"] == equal(6 / 7)
    assert found["entity_f1_macro"] == 0.5


def test_the_same_tags_score_differently_in_the_two_schemes_only_if_entities_touch():
    assert measure([["I-PER", "I-PER"]], [["I-PER", "I-PER"]], "IO")["entity_f1"] == 1.0
    assert measure([["I-PER", "I-PER"]], [["I-PER", "I-PER"]], "IOB2")["entity_f1"] == 0.0


def test_rows_without_any_entity_score_nought_and_no_nan():
    found = measure([["O", "O"]], [["O", "O"]], "IOB2")
    ones = {"token_f1_micro", "token_f1_macro", "token_f1_weighted", "token_accuracy"}
    ones |= {"token_f1_micro_types", "token_f1_macro_types"}
    assert found == {name: float(name in ones) for name in found}
    assert report([["O"]], [["O"]], "IOB2")["per_class"] == {}


def test_o_is_the_first_label_of_the_report_and_the_rest_are_sorted():
    found = report([["B-A", "O", "I-A"]], [["B-Z", "B-B", "O"]], "IOB2")
    assert found["labels"] == ["O", "B-A", "B-B", "B-Z", "I-A"]
    assert found["confusion"][1] == [0, 0, 0, 1, 0]  # gold B-A, predicted B-Z


@pytest.mark.parametrize("score", [measure, report])
def test_rows_of_unequal_lengths_are_refused_by_number(score):
    with pytest.raises(ValueError, match="row 1: 2 gold tags, but 1 predicted ones"):
        score([["O"], ["O", "O"]], [["O"], ["O"]], "IOB2")
    with pytest.raises(ValueError, match="2 gold rows, but 1 predicted ones"):
        score([["O"], ["O"]], [["O"]], "IOB2")


@pytest.mark.parametrize("rows", [[], [[]], [[], []]])
def test_no_tokens_at_all_are_refused(rows):
    with pytest.raises(ValueError, match="No tokens to score"):
        measure(rows, rows, "IOB2")


def test_ten_thousand_sentences_are_measured_within_a_second_of_processor_time():
    draw = np.random.default_rng(0).choice(IOB2_TAGS, size=(2, 10_000, 10), p=[0.6, *[0.05] * 8]).tolist()
    start = time.process_time()
    measure(draw[0], draw[1], "IOB2")
    assert time.process_time() - start < 1.0
