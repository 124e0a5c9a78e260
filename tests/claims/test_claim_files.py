"""Files of claims: every problem is told with its place, and the suite's own covers its sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.definitions import load_claims, load_systems, load_tasks
from benchmarks.errors import UserError
from benchmarks.schema import Claim

GOOD = """\
sources:
  mine: {title: A report of mine}
claims:
  films:
    source: mine
    says: It works
    task: rotten-tomatoes
    system: bert-base
    recipe: {epochs: 2}
    protocol: {train_size: 100}
    test_size: 50
    reported: {accuracy: 0.91}
"""


@pytest.fixture(scope="module")
def declared():
    return load_tasks(), load_systems()


def loaded(folder: Path, text: str, declared):
    path = folder / "mine.yaml"
    path.write_text(text)
    return load_claims(*declared, path)


def test_a_claim_is_read(tmp_path, declared):
    (claim,) = loaded(tmp_path, GOOD, declared).claims.values()
    assert (claim.name, claim.kind, claim.reported, claim.test_size) == ("films", "score", {"accuracy": 0.91}, 50)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source: mine", "source: min", r"films\.source: No source 'min'\. Did you mean 'mine'"),
        ("task: rotten-tomatoes", "task: roten-tomatoes", r"films\.task: .*Did you mean 'rotten-tomatoes'"),
        ("system: bert-base", "system: bert-bas", r"films: system: No system 'bert-bas'\. Did you mean 'bert-base'"),
        ("system: bert-base", "system: features-logreg\n    encoder: minlm", r"encoder: No encoder 'minlm'"),
        (
            "system: bert-base",
            "system: features-logreg",
            r"films: recipe: .*epochs: no such field",
        ),
        (
            "task: rotten-tomatoes\n    system: bert-base",
            "task: mit-movie\n    system: sbert-cosine",
            r"does no token-class",
        ),
        ("epochs: 2", "epoch: 2", r"recipe: .*epoch: no such field\. Did you mean 'epochs'"),
        ("train_size: 100", "train_siz: 100", r"protocol\.train_siz: no such field\. Did you mean 'train_size'"),
        ("train_size: 100", "train_size: 0", r"train_size"),
        ("train_size: 100", "seed: 3", r"protocol\.seed: no such field"),
        ("accuracy: 0.91", "acuracy: 0.91", r"films: reported\.acuracy: .*Did you mean 'accuracy'"),
        (
            "accuracy: 0.91",
            "entity_f1: 0.91",
            r"reported\.entity_f1: 'entity_f1' is not of such a system on rotten-tomatoes",
        ),
        ("accuracy: 0.91", "accuracy: true", r"films: reported\.accuracy: true is no number"),
        ("train_size: 100", "train_size: yes", r"films: protocol: train_size: true is no number"),
        ("accuracy: 0.91", "accuracy: 91", r"reported\.accuracy: 91\.0, expected a share of at most 1, such as 0\.944"),
        ("reported: {accuracy: 0.91}", "per_class: {good: [1, 1, 1, 3]}", r"per_class: 'good' is no label"),
        ("reported: {accuracy: 0.91}", "metric: accuracy", r"reported: required, or one of per_class"),
        ("reported: {accuracy: 0.91}", "above: {system: minilm}", r"an order has both, any other claim neither"),
        (
            "    reported:",
            "    at_most: {accuracy: 0.3}\n    reported:",
            r"reported and at_most: of two kinds; write two claims",
        ),
        (
            "    reported:",
            "    at_most: {accuracy: 0.3}\n    per_class: {positive: [0.6, 0.8, 0.7, 30]}\n    reported:",
            r"reported and at_most: of two kinds; write two claims",
        ),
        (
            "reported: {accuracy: 0.91}",
            "at_most: {accuracy: 0.3}\n    per_class: {positive: [0.6, 0.8, 0.7, 30]}",
            r"per_class and at_most: of two kinds; write two claims",
        ),
        ("reported: {accuracy: 0.91}", "at_most: {accuracy: 0.3, mcc: 0.2}", r"at_most: more than one bound"),
        (
            "reported: {accuracy: 0.91}",
            "per_class: {positive: [69, 88, 77, 266]}",
            r"per_class\.positive: expected",
        ),
        ("accuracy: 0.91", "best_f1_threshold: 0.5", r"reported\.best_f1_threshold: .* is not of such a system"),
        (
            "system: bert-base",
            "system: bert-base\n    encoder: tfidf-svm",
            r"'tfidf-svm' has no encoder",
        ),
        (
            "system: bert-base\n    recipe: {epochs: 2}",
            "system: tfidf-svm\n    encoder: minilm",
            r"but tfidf-svm read",
        ),
        ("test_size: 50", "test_size: 10663", r"films: test_size: 10,663, but rotten-tomatoes has 10,662 rows in all"),
        (
            "task: rotten-tomatoes\n    system: bert-base\n    recipe: {epochs: 2}\n    protocol: {train_size: 100}",
            "task: sst2\n    system: bert-base\n    protocol: {train_size: 67350}",
            r"films: protocol\.train_size: 67,350, but the training part of sst2 has 67,349 rows",
        ),
        ("train_size: 100", "test_size: 10663", r"films: protocol\.test_size: 10,663, but rotten-tomatoes has 10,662"),
        (
            "reported: {accuracy: 0.91}",
            "per_class: {positive: [0.6, 0.8, 0.7, 30], negative: [0.6, 0.8, 0.7, 21]}",
            r"films: per_class: 51 rows in all, but test_size is 50",
        ),
        (
            "reported: {accuracy: 0.91}",
            "metric: accuracy\n    above: {system: bert-base, recipe: {epochs: 2}}",
            r"films: above: is bert-base itself, under the same recipe",
        ),
        (
            "recipe: {epochs: 2}\n    protocol: {train_size: 100}\n    test_size: 50\n    reported: {accuracy: 0.91}",
            "metric: accuracy\n    above: {system: bert-base, recipe: {epochs: 3}}",
            r"films: above: is bert-base itself, under the same recipe",
        ),
        (
            "reported: {accuracy: 0.91}",
            "metric: accuracy\n    above: {system: sbert-cluster}",
            r"films: metric: 'accuracy' is not of two such systems on rotten-tomatoes",
        ),
        ("reported: {accuracy: 0.91}", "at_most: {loss: 0}", r"films: at_most\.loss: 0\.0, expected a loss over 0"),
        ("accuracy: 0.91", "loss: 0.91", r"reported\.loss: 'loss' is not of such a system"),
        (
            GOOD[GOOD.index("system:") :],
            "system: tfidf-svm\n    at_most: {loss: 1.0}",
            r"at_most\.loss: 'loss' is not of such a system",
        ),
        ("  films:", "  films, all:", r"name: string should match"),
        ("  films:", "  mine:", r"mine: is the name of a source"),
        ("    reported:", "    reportet: 3\n    reported:", r"reportet: no such field\. Did you mean 'reported'"),
    ],
)
def test_what_is_wrong_is_told_with_claim_and_field(tmp_path, declared, old, new, said):
    assert old in GOOD
    with pytest.raises(UserError, match=said):
        loaded(tmp_path, GOOD.replace(old, new), declared)


def test_every_problem_of_a_file_is_told_at_once(tmp_path, declared):
    text = GOOD.replace("task: rotten-tomatoes", "task: roten") + GOOD.split("claims:\n")[1].replace(
        "films", "more"
    ).replace("0.91", "7")
    with pytest.raises(UserError, match=r"mine\.yaml: 2 problems\n  films\.task: .*\n  more: reported\.accuracy: 7"):
        loaded(tmp_path, text, declared)


def test_a_clusterings_claims_are_of_its_own_metrics(tmp_path, declared):
    text = GOOD.replace("system: bert-base", "system: sbert-cluster").replace("    recipe: {epochs: 2}\n", "")
    with pytest.raises(UserError, match=r"reported\.accuracy: 'accuracy' is not of such a system"):
        loaded(tmp_path, text, declared)
    assert loaded(tmp_path, text.replace("reported: {accuracy: 0.91}", "at_most: {silhouette: 0.05}"), declared)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(0.91, None, 0.005), (0.9, None, 0.005), (0.916, None, 0.0005), (0.49, 3, 0.0005)],
)
def test_a_reported_value_stands_for_all_that_round_to_it(value, decimals, expected):
    claim = Claim(name="a", source="s", says="", task="t", system="s", reported={"accuracy": value}, decimals=decimals)
    assert claim.rounding(value) == pytest.approx(expected)


# -- the suite's own -------------------------------------------------------------------------------------------------


def test_the_suites_claims_are_fine_and_cover_every_source(declared):
    reported = load_claims(*declared)
    by_source: dict[str, int] = {}
    for claim in reported.claims.values():
        by_source[claim.source] = by_source.get(claim.source, 0) + 1
    assert by_source == {"S1": 8, "S2": 10, "S3": 4, "S4": 26, "cards": 16}
    assert {claim.kind for claim in reported.claims.values()} == {"score", "order", "bound", "cost"}


def test_the_reported_news_scores_are_those_of_33_categories(declared):
    claim = load_claims(*declared).claims["S2-news-bert"]
    assert set(claim.per_class) == set(declared[0]["huffpost-33"].labels)
    assert sum(support for *_, support in claim.per_class.values()) == pytest.approx(12_824, abs=50)


def test_validate_checks_claims_too(capsys):
    assert main(["validate", "rotten-tomatoes"]) == 0
    assert "claims.yaml: 64 claims, fine" in capsys.readouterr().out


def test_a_claim_on_more_rows_than_exist_is_refused_by_validate_with_file_and_field(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text(GOOD.replace("train_size: 100", "train_size: 9000"))
    assert main(["validate", "--claims", str(tmp_path / "mine.yaml")]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'mine.yaml'}: films.protocol: rotten-tomatoes: train_size 9,000, but there are 8,530" in said
