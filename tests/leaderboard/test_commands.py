"""The commands below a table make its rows again."""

from __future__ import annotations

import pytest
from records import DATA, done, page

from benchmarks.schema import RunFailure, RunResult


def again(*runs: RunResult | RunFailure) -> list[str]:
    """The commands below a page's tables, without what all of them begin with."""
    begin = "encoder-bench run --tasks ./films.yaml --systems "
    return [line.removeprefix(begin) for line in page(*runs).splitlines() if line.startswith(begin)]


def test_a_tables_commands_make_all_that_need_the_same_flags_at_once():
    mini, other = {"sha256": "5"}, {"sha256": "6"}
    runs = [done("base[encoder=mini]", seed=seed, encoder=mini, recipe={"epochs": 2}) for seed in range(3)]
    runs += [done("mini", seed=seed, encoder=mini) for seed in range(3)]
    runs += [done("tfidf"), done("other", encoder=other), done("svm[tune=10]", recipe={"c": 1})]
    runs += [done("tfidf[ngrams=1-2,c=30]", recipe={"ngrams": [1, 2], "c": 30.0})]
    assert set(again(*runs)) == {
        "base,mini --set encoder=mini --seeds 3 --results-dir again --data-dir DIR",
        "tfidf --set encoder=mini --seeds 1 --results-dir again --data-dir DIR",
        "other --seeds 1 --results-dir again --data-dir DIR",
        "tfidf --set 'recipe.ngrams=[1, 2]' --set recipe.c=30 --seeds 1 --results-dir again --data-dir DIR",
        "svm --tune 10 --seeds 1 --results-dir again --data-dir DIR",
    }


def test_a_tables_command_is_there_where_a_seed_or_fold_was_made_under_another_name():
    folded = {"folds": 2, "fold": 0}
    runs = [done("bert", protocol=folded), done("base[encoder=bert]", protocol={**folded, "fold": 1})]
    assert [line.split(" --folds")[0] for line in again(*runs)] == ["bert"]
    runs = [done("bert", seed=seed, protocol={**folded, "fold": 1 - seed}) for seed in (0, 1)]
    runs += [done("base[encoder=bert]", seed=0, protocol={**folded, "fold": fold}) for fold in (0, 1)]
    assert again(*runs)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"train_size": 1000}, "--train-sizes 1000"),
        ({"folds": 5, "fold": 0}, "--folds 5"),
        ({"balanced": True, "test_size": 100}, "--set protocol.balanced=true --set protocol.test_size=100"),
    ],
    ids=str,
)
def test_a_tables_commands_ask_for_its_protocol(protocol, said):
    assert again(done("svm", protocol=protocol)) == [f"svm {said} --seeds 1 --results-dir again --data-dir DIR"]


def test_a_tables_commands_say_where_the_rows_are_from():
    assert again(done("svm", data={**DATA, "source": "hub", "revision": "1"})) == ["svm --seeds 1 --results-dir again"]
