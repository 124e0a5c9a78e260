"""A claim beside stored runs: the right runs are taken, and the verdict is the documented rule's."""

from __future__ import annotations

import numpy as np
import pytest
from kept import ROWS, Kept, flipped
from scipy.stats import t

from benchmarks import claims as reading
from benchmarks.claims import page
from benchmarks.claims.told import told
from benchmarks.claims.verdicts import Value, judged
from benchmarks.definitions import Reported
from benchmarks.schema import Claim, Encoder, Publication, System

BUNDLED = Encoder(checkpoint="org/small", package="somewhere/model", sha256="a" * 64)
LARGE = Encoder(checkpoint="org/large")
OF_SMALL, OF_LARGE = {"sha256": "a" * 64}, {"hub": "org/large", "commit": "f" * 40}
SYSTEMS = {
    "large": System(name="large", method="finetune", encoder=LARGE),
    "small": System(name="small", method="finetune", encoder=BUNDLED),
    "words": System(name="words", method="tfidf"),
    "lstm": System(name="lstm", method="recurrent-word2vec"),
    "pairs": System(name="pairs", method="sbert-softmax", encoder=BUNDLED),
    "majority": System(name="majority", method="majority"),
}


def claim(**fields) -> Claim:
    about = {"name": "mine-1", "source": "mine", "says": "It works", "task": "mine", "system": "words"}
    scored = {} if {"above", "at_most"} & fields.keys() else {"reported": {"accuracy": 0.9}}
    return Claim(**{**about, **scored, **fields})


@pytest.fixture
def kept(tmp_path) -> Kept:
    return Kept(tmp_path)


def assessed(kept: Kept, one: Claim):
    reported = Reported({one.name: one}, {"mine": Publication(title="A report")})
    (found,) = reading.assess(kept.results, reported, {"mine": kept.task}, SYSTEMS)
    return found


def wrong(kept: Kept, count: int, start: int = 0) -> np.ndarray:
    return flipped(kept.gold, *range(start, start + count))


def words(kept: Kept, count: int, seed: int = 0, **changes) -> None:
    """A run of the system `words` that has so many rows wrong."""
    kept.run("words", wrong(kept, count), seed, method="tfidf", **changes)


def seeds_of(kept: Kept, count: int) -> None:
    for seed in range(3):
        words(kept, count, seed)


# -- the rule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "reproduced"), (0.84, "reproduced"), (0.6, "above"), (1.0, "below")]
)
def test_a_score_is_reproduced_where_another_run_may_have_it(kept, value, verdict):
    seeds_of(kept, 6)
    (measured,) = assessed(kept, claim(reported={"accuracy": value}, test_size=1000)).measured
    (found,) = measured.values
    assert (found.ours, found.verdict) == (pytest.approx(0.9), verdict)
    assert found.low < 0.9 < found.high


def test_of_fewer_reported_rows_more_is_reproduced(kept):
    seeds_of(kept, 6)
    found = {
        size: assessed(kept, claim(reported={"accuracy": 0.7}, test_size=size)).measured[0].values[0].verdict
        for size in (10, 1000)
    }
    assert found == {10: "reproduced", 1000: "above"}


def test_a_rounded_value_stands_for_all_that_round_to_it(kept):
    seeds_of(kept, 6)

    def found(**fields):
        return assessed(kept, claim(test_size=1000, **fields)).measured[0].values[0]

    just_above = round(found().high + 0.002, 3)
    assert just_above < 0.99
    assert found(reported={"accuracy": just_above}).verdict == "below"
    assert found(reported={"accuracy": just_above}, decimals=1).verdict == "reproduced"


def test_the_same_predictions_are_shown_under_every_convention_beside_the_majority(kept):
    words(kept, 6)
    kept.run("majority", np.zeros(ROWS))
    (measured,) = assessed(kept, claim()).measured
    conventions = {value.metric: value.ours for value in measured.conventions}
    assert conventions["accuracy"] == conventions["f1_micro"] == pytest.approx(0.9)
    assert "average_precision" not in conventions  # there are no scores
    assert measured.majority["accuracy"] == pytest.approx(0.5)
    assert measured.majority["f1"] == 0.0


def test_classes_are_compared_one_by_one(kept):
    negatives = np.flatnonzero(kept.gold == 0)[:6]
    for seed in range(3):
        kept.run("words", flipped(kept.gold, *negatives), seed, method="tfidf")
    reported = {"positive": (30 / 36, 1.0, 0.909, 30), "negative": (0.5, 0.3, 0.4, 30)}
    (measured,) = assessed(kept, claim(reported={}, per_class=reported)).measured
    found = {(value.label, value.metric): (value.ours, value.verdict) for value in measured.values}
    few = {"negative": (0.5, 0.3, 0.4, 2)}  # what 2 rows say is little
    (of_few,) = assessed(kept, claim(reported={}, per_class=few)).measured
    assert next(value.verdict for value in of_few.values if value.metric == "recall") == "reproduced"
    assert found["positive", "precision"] == (pytest.approx(30 / 36), "reproduced")
    assert found["positive", "recall"] == (1.0, "reproduced")
    assert found["negative", "recall"] == (pytest.approx(0.8), "above")


@pytest.mark.parametrize(
    ("first", "second", "verdict"), [(2, 25, "reproduced"), (25, 2, "contradicted"), (5, 6, "undecided")]
)
def test_an_order_is_decided_by_significance(kept, first, second, verdict):
    for seed in range(3):
        words(kept, first, seed)
        kept.run("small", wrong(kept, second), seed, method="finetune", recipe={"epochs": 2}, encoder=OF_SMALL)
    order = {"metric": "accuracy", "above": {"system": "small", "recipe": {"epochs": 2}}}
    (measured,) = assessed(kept, claim(**order)).measured
    assert measured.order.verdict == verdict
    assert measured.order.first - measured.order.second == pytest.approx((second - first) / ROWS)


@pytest.mark.parametrize(("bound", "verdict"), [(0.99, "reproduced"), (0.5, "contradicted"), (0.9, "undecided")])
def test_a_bound_is_kept_or_broken_by_the_whole_interval(kept, bound, verdict):
    seeds_of(kept, 6)
    (measured,) = assessed(kept, claim(at_most={"accuracy": bound})).measured
    assert measured.bound.verdict == verdict


def test_one_seed_decides_nothing_against_a_report(kept):
    words(kept, 6)
    kept.run("small", wrong(kept, 40), method="finetune", encoder=OF_SMALL)
    for fields, verdict in (
        ({"reported": {"accuracy": 0.9}}, "reproduced (one seed)"),
        ({"reported": {"accuracy": 0.3}}, "undecided (one seed)"),
        ({"at_most": {"accuracy": 0.99}}, "undecided (one seed)"),
        ({"at_most": {"accuracy": 0.3}}, "undecided (one seed)"),
        ({"metric": "accuracy", "above": {"system": "small"}}, "undecided (one seed)"),
    ):
        one = claim(**fields)
        (measured,) = assessed(kept, one).measured
        (line,) = told(measured, one)
        assert (line.verdict, line.kind) == (verdict, verdict.split()[0]), fields


def test_an_interval_of_nearly_every_possible_score_decides_nothing():
    assert not Value("f1", None, None, 0.5, 0.05, 1.0, None).holds(0.5, 0.0)
    assert Value("f1", None, None, 0.5, 0.3, 1.0, None).holds(0.5, 0.0)
    assert Value("mcc", None, None, 0.5, -0.5, 1.0, None).holds(0.5, 0.0)  # of two
    assert judged(0.5, 0.0, 0.6, (0.05, 1.0), 2, (0.0, 1.0)) == "undecided"
    assert judged(0.0, 0.0, 0.6, (0.05, 1.0), 2, (0.0, 1.0)) == "undecided"
    assert judged(0.5, 0.0, 0.6, (0.05, 1.0), 2, (-1.0, 1.0)) == "reproduced"


def ending_at(loss: float):
    def says(job):
        job.meter.note(losses=[(1, 3.0), (2, loss)])
        return job.predictions([int(label) for label in job.data.test["label"]])

    return says


def of_losses(kept: Kept, system: str, losses: list[float], method: str, **fields) -> None:
    for seed, loss in enumerate(losses):
        kept.run(system, ending_at(loss), seed, method=method, **fields)


@pytest.mark.parametrize(("bound", "verdict"), [(1.0, "reproduced"), (0.2, "contradicted"), (0.5, "undecided")])
def test_a_bound_of_the_training_loss_is_of_its_last_steps_over_seeds(kept, bound, verdict):
    of_losses(kept, "small", [0.4, 0.5, 0.6], "finetune", encoder=OF_SMALL)
    one = claim(system="small", at_most={"loss": bound})
    (measured,) = assessed(kept, one).measured
    (line,) = told(measured, one)
    assert (line.metric, line.ours, line.verdict) == ("loss", "0.5000", verdict)
    half = t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert (measured.bound.low, measured.bound.high) == pytest.approx((0.5 - half, 0.5 + half), rel=0.01)
    assert line.ends is None, "a loss is no share: no bar shows it"


def test_of_one_seeds_loss_there_is_no_interval(kept):
    of_losses(kept, "small", [0.4], "finetune", encoder=OF_SMALL)
    of_losses(kept, "pairs", [0.6], "sbert-softmax", encoder=OF_SMALL)
    for fields in ({"at_most": {"loss": 1.0}}, {"metric": "loss", "above": {"system": "pairs"}}):
        one = claim(system="small", **fields)
        text = shown(kept, one)
        (line,) = told(assessed(kept, one).measured[0], one)
        assert (line.another_run, line.verdict) == ("", "undecided (one seed)")
        assert "nan" not in text and "[0." not in text


@pytest.mark.parametrize(
    ("losses", "verdict"), [([0.9, 0.91], "reproduced"), ([0.01, 0.02], "contradicted"), ([0.1, 0.9], "undecided")]
)
def test_an_order_of_losses_has_the_smaller_one_first(kept, losses, verdict):
    of_losses(kept, "small", [0.4, 0.41], "finetune", encoder=OF_SMALL)
    of_losses(kept, "pairs", losses, "sbert-softmax", encoder=OF_SMALL)
    one = claim(system="small", metric="loss", above={"system": "pairs"})
    (measured,) = assessed(kept, one).measured
    (line,) = told(measured, one)
    assert (line.reported, line.verdict) == ("below", verdict)
    assert "small below pairs" in page.overview([assessed(kept, one)])


def test_runs_without_losses_say_nothing_of_them(kept):
    kept.run("small", wrong(kept, 1), method="finetune", encoder=OF_SMALL)
    found = assessed(kept, claim(system="small", at_most={"loss": 1.0}))
    assert (found.measured, found.missing) == ((), "runs are stored, but their predictions are gone or can't give it")


@pytest.mark.parametrize(("pairs", "verdict"), [(50_000_000, "reproduced"), (100_000_000, "contradicted")])
def test_the_passes_of_a_cross_encoder_are_counted(kept, pairs, verdict):
    words(kept, 6)
    (measured,) = assessed(kept, claim(reported={}, passes={"rows": 10_000, "pairs": pairs})).measured
    assert (measured.cost.pairs, measured.cost.verdict) == (49_995_000, verdict)


# -- whose runs ------------------------------------------------------------------------------------------------------


def test_only_runs_of_the_claims_recipe_and_rows_speak_for_it(kept):
    words(kept, 20)
    words(kept, 6, recipe={"ngrams": (1, 1)})
    words(kept, 3, train_size=20)
    words(kept, 1, train_size=20, recipe={"ngrams": (1, 1)})
    wanted = claim(recipe={"ngrams": [1, 1]}, protocol={"train_size": 20})
    (measured,) = assessed(kept, wanted).measured
    assert measured.values[0].ours == pytest.approx(1 - 1 / ROWS)
    assert assessed(kept, claim(protocol={"train_size": 30})).measured == ()


def test_another_encoder_is_a_stand_in_by_its_entrys_name(kept):
    kept.run("large[encoder=small]", wrong(kept, 6), method="finetune", encoder=OF_SMALL)
    kept.run("large[encoder=./my-own]", wrong(kept, 20), method="finetune", encoder={"sha256": "b" * 64})
    found = assessed(kept, claim(system="large"))
    assert [one.stand_in for one in found.measured] == ["./my-own", "small"]
    assert found.missing == "not run here (needs org/large)"
    kept.run("large", wrong(kept, 12), method="finetune", encoder=OF_LARGE)
    found = assessed(kept, claim(system="large"))
    assert [one.stand_in for one in found.measured] == [None, "./my-own", "small"]
    assert found.missing == ""


def test_the_two_systems_of_an_order_have_one_encoder(kept):
    for seed in range(2):
        kept.run("large[encoder=small]", wrong(kept, 6), seed, method="finetune", encoder=OF_SMALL)
        kept.run("pairs", wrong(kept, 20), seed, method="sbert-softmax", encoder=OF_SMALL)
    order = {"system": "large", "metric": "accuracy", "encoder": "large", "above": {"system": "pairs"}}
    (measured,) = assessed(kept, claim(**order)).measured
    assert (measured.stand_in, measured.order.verdict) == ("small", "reproduced")


def test_an_entry_that_names_another_encoder_today_does_not_claim_older_runs(kept):
    kept.run("large", wrong(kept, 6), method="finetune", encoder={"hub": "org/older", "commit": "f" * 40})
    found = assessed(kept, claim(system="large"))
    assert [one.stand_in for one in found.measured] == ["large"]
    assert found.missing == "not run here (needs org/large)"


def test_systems_on_different_data_are_in_no_order_and_have_no_majority(kept):
    words(kept, 2)
    kept.run("small", wrong(kept, 25), method="finetune", encoder=OF_SMALL, code=2)
    kept.run("majority", np.zeros(ROWS), code=2)
    assert assessed(kept, claim(metric="accuracy", above={"system": "small"})).measured == ()
    (measured,) = assessed(kept, claim()).measured
    assert measured.majority is None


def test_an_incomplete_newer_definition_hides_no_older_one(kept):
    def method(job):
        return job.predictions([int(label) for label in job.data.test["label"]])

    for fold in (0, 1):
        kept.run("words", method, method="tfidf", folds=2, fold=fold)
    kept.run("words", method, method="tfidf", folds=2, fold=0, code=2)
    (measured,) = assessed(kept, claim(protocol={"folds": 2})).measured
    assert measured.values[0].ours == 1.0


def test_a_system_without_an_encoder_stands_in_an_order_beside_any_stand_in(kept):
    for seed in range(2):
        words(kept, 25, seed)
        kept.run("large[encoder=small]", wrong(kept, 2), seed, method="finetune", encoder=OF_SMALL)
    order = claim(system="large", metric="accuracy", above={"system": "words"})
    (measured,) = assessed(kept, order).measured
    assert (measured.stand_in, measured.order.verdict) == ("small", "reproduced")


def test_folds_count_once_all_of_a_seed_are_there(kept):
    def method(job):
        gold = np.array(job.data.test["label"])
        return job.predictions([int(1 - g if i % 5 == 0 else g) for i, g in enumerate(gold)])

    kept.run("words", method, method="tfidf", folds=2, fold=0)
    assert assessed(kept, claim(protocol={"folds": 2})).measured == ()
    kept.run("words", method, method="tfidf", folds=2, fold=1)
    (measured,) = assessed(kept, claim(protocol={"folds": 2})).measured
    assert (measured.rows, measured.values[0].ours) == (ROWS, pytest.approx(0.8))


def test_predictions_that_are_gone_speak_for_nothing_and_it_is_said(kept):
    words(kept, 6)
    for path in kept.results.rglob("*.parquet"):
        path.unlink()
    found = assessed(kept, claim())
    assert found.measured == ()
    assert found.missing == "runs are stored, but their predictions are gone or can't give it"


def test_a_reported_metric_that_needs_scores_which_are_not_there_is_named(kept):
    words(kept, 6)
    one = claim(reported={"accuracy": 0.9, "average_precision": 0.8})
    (measured,) = assessed(kept, one).measured
    assert measured.untold == ("average_precision",)
    assert "Its predictions can't give average_precision: they hold no scores." in shown(kept, one)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"needs": "the letters"}, "cannot be run here (needs the letters)"),
        ({"system": "large"}, "not run here (needs org/large)"),
        ({"system": "small"}, "not run yet"),
        ({"system": "words"}, "not run yet"),
    ],
)
def test_what_is_missing_is_told(kept, fields, said):
    words(kept, 6, recipe={"ngrams": (1, 1)})  # of another claim
    assert assessed(kept, claim(**fields)).missing == said


def test_a_claim_of_a_file_of_vectors_is_of_the_runs_that_read_its_content(kept, tmp_path):
    for name, numbers in (("its.txt", "1 2"), ("other.txt", "3 4"), ("moved.txt", "1 2")):
        (tmp_path / name).write_text(f"1 2\nfilm {numbers}\n")
    for seed, name in enumerate(("its.txt", "other.txt", "moved.txt")):
        kept.run("lstm", wrong(kept, 6), seed, method="recurrent-word2vec", recipe={"vectors": str(tmp_path / name)})
    kept.run("lstm", wrong(kept, 6), 3, method="recurrent-word2vec")
    (measured,) = assessed(kept, claim(system="lstm", recipe={"vectors": str(tmp_path / "its.txt")})).measured
    assert measured.seeds == 2


def test_a_file_of_vectors_that_is_not_here_leaves_its_own_claim_without_a_verdict_and_no_other(kept, tmp_path):
    words(kept, 6)
    kept.run("lstm", wrong(kept, 6), method="recurrent-word2vec")
    absent = str(tmp_path / "absent.bin.gz")
    lost = claim(name="lost", system="lstm", recipe={"vectors": absent})
    order = claim(name="order", metric="accuracy", above={"system": "lstm", "recipe": {"vectors": absent}})
    reported = Reported({one.name: one for one in (lost, order, claim())}, {"mine": Publication(title="A report")})
    found = reading.assess(kept.results, reported, {"mine": kept.task}, SYSTEMS)
    assert [one.missing for one in found] == [f"not run here (put {absent} there first)"] * 2 + [""]
    assert [len(one.measured) for one in found] == [0, 0, 1]


# -- the page --------------------------------------------------------------------------------------------------------


def shown(kept: Kept, *claims: Claim, findings: str = "") -> str:
    reported = Reported({one.name: one for one in claims}, {"mine": Publication(title="A report")})
    found = reading.assess(kept.results, reported, {"mine": kept.task}, SYSTEMS)
    return page.markdown(found, reported.sources, findings)


def test_the_page_opens_with_findings_and_sets_a_stand_in_apart(kept):
    words(kept, 6)
    kept.run("large[encoder=small]", wrong(kept, 6), method="finetune", encoder=OF_SMALL)
    text = shown(kept, claim(), claim(name="mine-2", system="large"), findings="Three things.")
    assert text.startswith("# Reported numbers, and what we measure\n\nThree things.\n")
    first, second = (line for line in text.splitlines() if line.startswith("| [mine-"))
    assert "| **reproduced (one seed)** " in first
    assert "with a stand-in (small): reproduced" in second
    assert (
        "1 measured by the claim's own system on comparable rows (of their numbers 1 reproduced, all with one seed)"
        in text
    )
    assert "By a stand-in, `small`, 1 seed, 60 test rows, of which one is worth 0.017 of accuracy:" in text


def test_a_system_is_named_as_its_runs_are(kept):
    """A recipe that repeats what the entry says, in whatever order and form, changes no name."""
    own = claim(system="small", recipe={"batch_size": 16, "epochs": "4", "schedule": "linear"}, encoder="small")
    order = claim(name="order", metric="accuracy", above={"system": "pairs"}, encoder="large")
    text = shown(kept, own, order)
    assert "| small[epochs=4,batch_size=16] " in text and "system `small[epochs=4,batch_size=16]`\n" in text
    assert "system `words` above `pairs[encoder=large]`\n" in text


def test_what_makes_the_runs_of_a_claim_is_a_command_that_every_installation_has(kept):
    assert "`encoder-bench run --claims mine-1` makes its runs" in shown(kept, claim())


def test_scores_that_only_one_confusion_gives_tell_its_classes(kept):
    words(kept, 6)
    of_172 = {"accuracy": 0.7848837209, "precision": 0.7261904762, "recall": 0.8133333333}
    assert "75 of the 172 rows (44%) are positive: no other" in shown(kept, claim(reported=of_172, test_size=172))
    rounded = {"accuracy": 0.7, "precision": 0.7, "recall": 0.7}
    assert "are positive" not in shown(kept, claim(reported=rounded, test_size=172)), "many confusions give them"


def test_what_is_not_comparable_says_why_and_shows_its_numbers(kept):
    words(kept, 6)
    text = shown(kept, claim(not_comparable="other rows"))
    assert "not comparable (see below); reproduced" in text
    assert "- Not comparable: other rows" in text


def test_conventions_show_which_of_them_may_give_the_reported_number(kept):
    negatives = np.flatnonzero(kept.gold == 0)[:28]
    kept.run("words", flipped(kept.gold, *negatives), method="tfidf")
    text = shown(kept, claim(reported={"f1": 0.53}, test_size=10_000))
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "0.53" not in lines["F1 (positive class)"].split("|")[5]  # ours is .68 there
    assert "0.53" in lines["accuracy"].split("|")[5]


def test_numbers_that_no_such_rows_can_give_are_told(kept):
    text = shown(kept, claim(reported={"accuracy": 0.91}, test_size=50))
    assert "- No number of 50 rows gives an accuracy of 0.91" in text
    reported = {"accuracy": 0.91, "precision": 0.8656716417910447, "recall": 1.0}
    text = shown(kept, claim(reported=reported, test_size=50))
    assert (
        "accuracy of 0.91; the fewest rows that can give all of them are 95 (58 right of 67 predicted and 58 " in text
    )
    assert "of which one is worth 0.02 of accuracy" in text
    assert "fewest" not in shown(kept, claim(reported=reported, test_size=200))


def test_names_from_outside_break_no_table(kept):
    text = shown(kept, claim(says="a | *b*", not_stated=("x | y",)))
    assert "a \\| \\*b\\*." in text
    assert "x \\| y" in text


def test_written_is_what_is_shown(kept):
    words(kept, 6)
    (kept.results / "findings.md").write_text("One thing.\n")
    reported = Reported({"mine-1": claim()}, {"mine": Publication(title="A report")})
    reading.write(kept.results, reported, {"mine": kept.task}, SYSTEMS)
    assert (kept.results / "CLAIMS.md").read_text() == shown(kept, claim(), findings="One thing.") + "\n"
