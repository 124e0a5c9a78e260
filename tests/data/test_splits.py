"""Splits, folds, balancing and nested sizes, on row numbers alone."""

from __future__ import annotations

import re

import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data import foreseen
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.data.splits import Part, chosen, declared, fold_numbers, permutation, select, stratified_order
from benchmarks.definitions import load_systems, load_task, load_tasks, resolved_recipe
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.runner import run
from benchmarks.schema import HeldOut, Protocol, RunSpec, Splits, Task

PUBLISHED = Splits(train="train", validation="dev", test="test")
ONE_POOL = Splits(train="all", test=HeldOut(take_from="train", share=0.2))
THREE_OF_ONE = Splits(
    train="all", validation=HeldOut(take_from="train", share=0.1), test=HeldOut(take_from="train", share=0.1)
)
CAPPED = Splits(train="all", test=HeldOut(take_from="train", share=0.2), most_of_a_class=20)
TO_DIVIDE = "rows to divide, of which at least one must be trained on."
OF_THE_TEST = Splits(train="train", validation=HeldOut(take_from="test", share=0.5), test="test")

classes_of_rows = st.lists(st.integers(0, 4), min_size=40, max_size=200).map(np.array)
seeds = st.integers(0, 2**31)


def task(splits: Splits) -> Task:
    fields = {"title": "t", "group": "g", "language": "en", "metric": "accuracy", "labels": list("abcde")}
    return Task.model_validate({"name": "mine", "type": "text-classification", "splits": splits, **fields})


def part(classes, starts=(0,)) -> Part:
    return Part(np.asarray(classes, dtype=np.int64), np.array(starts))


def parts_of(splits: Splits, classes) -> dict[str, Part]:
    names = ("all",) if splits.train == "all" else ("train", "dev", "test")
    return {name: part(classes) for name in names}


def chosen_rows(splits: Splits, classes, **protocol):
    rows = chosen(task(splits), splits, parts_of(splits, classes), Protocol(**protocol))
    return {name: split.index for name, split in rows.items()}


def counts(classes, index) -> np.ndarray:
    return np.bincount(np.asarray(classes)[index], minlength=5)


# -- drawing ---------------------------------------------------------------------------------------------------------


def test_the_draws_are_the_same_on_every_machine_and_version():
    bits = np.random.PCG64([3, 1])
    assert permutation(10, bits).tolist() == [0, 6, 2, 1, 3, 7, 4, 9, 8, 5]
    order = stratified_order(np.array([0] * 6 + [1] * 3), np.random.PCG64([0, 6]))
    assert order.tolist() == [1, 7, 0, 4, 8, 3, 5, 6, 2]


@pytest.mark.parametrize(
    "splits, protocol, train, validation, test",
    [
        (ONE_POOL, {"balanced": True, "test_size": 4}, [9, 12, 13, 16], [0, 14, 15, 17], [7, 10, 11, 18]),
        (ONE_POOL, {"folds": 5, "fold": 1}, [1, 10, 16, 17], [0, 7, 15, 18], [4, 11, 12, 13]),
        (PUBLISHED, {"test_size": 4}, [8, 10, 13, 17], [0, 11, 14, 15], [6, 8, 11, 19]),
    ],
)
def test_a_protocol_draws_the_rows_that_it_always_drew(splits, protocol, train, validation, test):
    """Stored runs were made on them: a draw that changes is a new code protocol number."""
    rows = chosen_rows(splits, [0, 1] * 10, validation_size=4, train_size=4, **protocol)
    assert {name: index.tolist() for name, index in rows.items()} == {
        "train": train, "validation": validation, "test": test
    }  # fmt: skip


@given(classes_of_rows, seeds)
def test_every_prefix_of_the_stratified_order_holds_the_classes_in_proportion(classes, seed):
    order = stratified_order(classes, np.random.PCG64([seed, 6]))
    assert sorted(order) == list(range(len(classes)))
    share = counts(classes, order) / len(classes)
    for size in range(1, len(classes) + 1):
        assert np.abs(counts(classes, order[:size]) - size * share).max() < 2


@given(st.integers(2, 20), st.integers(2, 5), seeds)
def test_classes_of_one_size_differ_by_one_row_at_most_in_every_prefix(size, n_classes, seed):
    order = stratified_order(np.repeat(np.arange(n_classes), size), np.random.PCG64([seed, 6]))
    for stop in range(1, len(order) + 1):
        found = np.bincount(order[:stop] // size, minlength=n_classes)
        assert found.max() - found.min() <= 1


@given(classes_of_rows, st.integers(2, 12), seeds)
def test_folds_and_the_classes_in_them_are_even(classes, folds, seed):
    numbers = fold_numbers(classes, folds, np.random.PCG64([seed, 3]))
    table = np.zeros((folds, 5), dtype=int)
    np.add.at(table, (numbers, classes), 1)
    assert np.ptp(table.sum(axis=1)) <= 1
    assert np.ptp(table, axis=0).max() <= 1


# -- splits that the task declares -----------------------------------------------------------------------------------


def test_published_splits_are_the_parts_as_they_are():
    rows = declared(PUBLISHED, {"train": part([0] * 9), "dev": part([0] * 4), "test": part([0] * 3)}, "mine")
    assert {name: (split.part, split.index.tolist()) for name, split in rows.items()} == {
        "train": ("train", list(range(9))),
        "validation": ("dev", list(range(4))),
        "test": ("test", [0, 1, 2]),
    }


@given(classes_of_rows)
def test_held_out_splits_are_disjoint_whole_stratified_and_the_same_for_every_seed(classes):
    rows = chosen_rows(THREE_OF_ONE, classes, seed=0)
    together = np.concatenate(list(rows.values()))
    assert sorted(together) == list(range(len(classes)))
    assert len(rows["test"]) == len(rows["validation"]) == round(len(classes) / 10)
    for name in ("test", "validation"):
        expected = counts(classes, together) * len(rows[name]) / len(classes)
        assert np.abs(counts(classes, rows[name]) - expected).max() < 2
    again = chosen_rows(THREE_OF_ONE, classes, seed=7)
    assert all(np.array_equal(rows[name], again[name]) for name in rows)


def test_a_number_of_rows_is_held_out_exactly():
    splits = Splits(train="all", test=HeldOut(take_from="train", share=1066))
    rows = chosen_rows(splits, [0] * 5331 + [1] * 5331)
    assert (len(rows["train"]), len(rows["test"])) == (9596, 1066)
    assert (rows["test"] < 5331).sum() == 533


def test_another_seed_in_the_declaration_holds_out_other_rows():
    one, other = (
        chosen_rows(Splits(train="all", test=HeldOut(take_from="train", share=0.2, seed=seed)), [0, 1] * 50)
        for seed in (0, 1)
    )
    assert not np.array_equal(one["test"], other["test"])


def test_validation_rows_may_be_held_out_of_a_published_test_split():
    splits = Splits(train="train", validation=HeldOut(take_from="test", share=0.25), test="test")
    rows = chosen_rows(splits, [0, 1] * 20)
    assert (len(rows["train"]), len(rows["validation"]), len(rows["test"])) == (40, 10, 30)
    assert not np.intersect1d(rows["validation"], rows["test"]).size


def test_a_split_without_rows_is_an_error():
    with pytest.raises(UserError, match="mine: no rows are left for the validation split"):
        chosen(task(PUBLISHED), PUBLISHED, {"train": part([0]), "dev": part([]), "test": part([0])}, Protocol())


# -- what a protocol asks for ----------------------------------------------------------------------------------------


def test_a_protocol_without_a_validation_size_is_that_of_runs_stored_before_there_was_one():
    before = {
        "seed": 0, "train_size": None, "test_size": None, "balanced": False, "folds": None, "fold": None, "limit": None
    }  # fmt: skip
    assert Protocol(**before).identity() == Protocol(**before, validation_size=None).identity() == before
    assert Protocol(**before | {"validation_size": 5}).identity() == {**before, "validation_size": 5}


@given(classes_of_rows, st.sampled_from([PUBLISHED, ONE_POOL, THREE_OF_ONE]), seeds, st.data())
def test_a_smaller_training_set_is_part_of_a_larger_one_of_its_seed(classes, splits, seed, data):
    whole = chosen_rows(splits, classes, seed=seed)
    large = data.draw(st.integers(1, len(whole["train"])))
    small = data.draw(st.integers(1, large))
    big, little = (chosen_rows(splits, classes, seed=seed, train_size=size) for size in (large, small))
    assert (len(big["train"]), len(little["train"])) == (large, small)
    assert set(little["train"]) <= set(big["train"]) <= set(whole["train"])
    assert np.array_equal(little["test"], whole["test"])


def test_training_sets_are_stratified_ascending_and_differ_between_seeds():
    classes = [0] * 800 + [1] * 150 + [2] * 50
    one, other = (chosen_rows(PUBLISHED, classes, seed=seed, train_size=100)["train"] for seed in (0, 1))
    assert counts(classes, one)[:3].tolist() == [80, 15, 5]
    assert np.array_equal(one, np.sort(one))
    assert not np.array_equal(one, other)


@given(classes_of_rows, st.integers(2, 5), seeds, st.sampled_from([PUBLISHED, ONE_POOL, THREE_OF_ONE]))
def test_folds_test_every_row_of_their_pool_exactly_once(classes, folds, seed, splits):
    kept = np.isin(classes, np.flatnonzero(np.bincount(classes) >= folds))
    classes = classes[kept]
    if len(classes) < 40:
        return
    tested = []
    for fold in range(folds):
        rows = chosen_rows(splits, classes, seed=seed, folds=folds, fold=fold)
        tested.append(rows["test"])
        assert not np.intersect1d(rows["train"], rows["test"]).size
        used = [rows["train"], rows["test"], *([] if splits is PUBLISHED else [rows.get("validation", [])])]
        assert sorted(np.concatenate(used)) == list(range(len(classes)))
    assert sorted(np.concatenate(tested)) == list(range(len(classes)))


def test_folds_divide_the_training_split_beside_a_published_test_split():
    parts = {"train": part([0, 1] * 20), "dev": part([0, 1]), "test": part([0, 1] * 3)}
    rows = chosen(task(PUBLISHED), PUBLISHED, parts, Protocol(folds=10, fold=3))
    assert (rows["test"].part, len(rows["test"]), len(rows["train"])) == ("train", 4, 36)
    assert (rows["validation"].part, len(rows["validation"])) == ("dev", 2)


def test_folds_are_drawn_anew_by_each_seed():
    one, other = (chosen_rows(ONE_POOL, [0, 1] * 50, seed=seed, folds=5, fold=0)["test"] for seed in (0, 1))
    assert not np.array_equal(one, other)


@given(classes_of_rows, seeds)
def test_balancing_gives_every_class_the_rows_of_the_smallest(classes, seed):
    rows = chosen_rows(PUBLISHED, classes, seed=seed, balanced=True)
    smallest = counts(classes, np.arange(len(classes)))
    for name in ("train", "test"):
        found = counts(classes, rows[name])
        assert set(found) <= {0, smallest[smallest > 0].min()}


def test_a_single_pool_is_balanced_first_and_divided_then():
    classes = [0] * 1093 + [1] * 435
    rows = chosen_rows(ONE_POOL, classes, balanced=True)
    pool = np.concatenate([rows["train"], rows["test"]])
    assert counts(classes, pool)[:2].tolist() == [435, 435]
    assert counts(classes, rows["test"])[:2].tolist() == [87, 87]
    other = chosen_rows(ONE_POOL, classes, balanced=True, seed=1)
    assert not np.array_equal(np.sort(pool), np.sort(np.concatenate([other["train"], other["test"]])))


def test_a_test_size_is_held_out_of_a_single_pool_so_that_the_rest_can_be_trained_on():
    classes = [0] * 1093 + [1] * 435
    rows = chosen_rows(ONE_POOL, classes, balanced=True, test_size=170, train_size=700)
    assert (len(rows["train"]), len(rows["test"])) == (700, 170)
    assert counts(classes, rows["test"])[:2].tolist() == [85, 85]
    rows = chosen_rows(ONE_POOL, classes, balanced=True, test_size=470, train_size=300)
    assert (len(rows["train"]), len(rows["test"])) == (300, 470)


def test_a_test_size_of_a_published_test_split_or_a_fold_is_a_stratified_subset():
    classes = [0] * 60 + [1] * 30
    rows = chosen_rows(PUBLISHED, classes, test_size=30)
    assert counts(classes, rows["test"])[:2].tolist() == [20, 10]
    assert len(rows["train"]) == 90
    assert len(chosen_rows(ONE_POOL, classes, folds=3, fold=0, test_size=6)["test"]) == 6


@given(classes_of_rows, st.sampled_from([PUBLISHED, ONE_POOL, THREE_OF_ONE, OF_THE_TEST]), seeds, st.data())
def test_a_validation_size_moves_no_test_row_and_loses_none(classes, splits, seed, data):
    before = chosen_rows(splits, classes, seed=seed)
    is_cut = splits in (PUBLISHED, OF_THE_TEST)
    pool = before["validation"] if is_cut else np.concatenate([before["train"], before.get("validation", [])])
    large = data.draw(st.integers(1, len(pool) - (not is_cut)))
    small = data.draw(st.integers(1, large))
    big, little = (chosen_rows(splits, classes, seed=seed, validation_size=size) for size in (large, small))
    assert (len(big["validation"]), len(little["validation"])) == (large, small)
    assert set(little["validation"]) <= set(big["validation"]) <= set(pool)
    assert np.array_equal(big["test"], before["test"])
    if is_cut:
        assert np.array_equal(big["train"], before["train"])
    else:
        assert sorted([*big["train"], *big["validation"]]) == sorted(pool)


@pytest.mark.parametrize("splits", [PUBLISHED, ONE_POOL, THREE_OF_ONE, OF_THE_TEST])
def test_validation_rows_are_stratified_ascending_and_drawn_anew_by_each_seed(splits):
    classes = [0] * 800 + [1] * 150 + [2] * 50
    one, other = (chosen_rows(splits, classes, seed=seed, validation_size=40)["validation"] for seed in (0, 1))
    assert counts(classes, one)[:3].tolist() == [32, 6, 2]
    assert np.array_equal(one, np.sort(one))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("splits", [PUBLISHED, ONE_POOL, THREE_OF_ONE, OF_THE_TEST])
def test_training_sizes_are_nested_beside_the_same_validation_rows(splits):
    small, large = (
        chosen_rows(splits, [0, 1] * 60, seed=3, test_size=20, validation_size=10, train_size=size) for size in (30, 60)
    )
    assert set(small["train"]) < set(large["train"])
    assert np.array_equal(small["validation"], large["validation"])
    assert np.array_equal(small["test"], large["test"])


@pytest.mark.parametrize("splits", [ONE_POOL, THREE_OF_ONE])
def test_a_fold_is_never_validated_on(splits):
    for fold in range(5):
        rows = chosen_rows(splits, [0, 1] * 50, folds=5, fold=fold, validation_size=20)
        assert {name: len(index) for name, index in rows.items()} == {"train": 60, "validation": 20, "test": 20}
        assert sorted(np.concatenate(list(rows.values()))) == list(range(100))


def test_a_training_set_without_a_size_is_all_that_is_left():
    rows = chosen_rows(ONE_POOL, [0] * 1093 + [1] * 435, balanced=True, test_size=470, validation_size=100)
    assert {name: len(index) for name, index in rows.items()} == {"train": 300, "validation": 100, "test": 470}


THREE_SIZES = [
    {"train_size": 700, "test_size": 170},
    {"train_size": 300, "validation_size": 100, "test_size": 470},
    {"train_size": 100, "validation_size": 50, "test_size": 720},
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("sizes", THREE_SIZES, ids=str)
def test_the_balanced_comments_divide_into_the_sizes_of_the_source(sizes, seed, real_data, tmp_path):
    task = load_tasks()["fox-news-comments"]
    data = load(task, origin_of(task, real_data, {}), tmp_path, Lock())
    rows = select(data, Protocol(seed=seed, balanced=True, **sizes))
    assert rows.sizes == {name.removesuffix("_size"): size for name, size in sizes.items()}
    tables = [table for table in (rows.train, rows.validation, rows.test) if table is not None]
    for table in tables:
        assert 2 * sum(table["label"]) == len(table)
    ids = [row_id for table in tables for row_id in table["row_id"]]
    assert len(set(ids)) == len(ids) == sum(sizes.values()) == 870


def test_every_system_is_given_the_same_rows(tmp_path):
    task = load_task(make.text_task(tmp_path))
    data, given_rows = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock()), []

    def recording(job):
        tables = (job.data.train, job.data.validation, job.data.test)
        given_rows.append([list(table["row_id"]) for table in tables])
        return job.predictions([0] * len(job.data.test), None)

    for name in ("majority", "tfidf-svm"):
        system = load_systems()[name]
        protocol = Protocol(balanced=True, train_size=20, validation_size=10, test_size=30)
        spec = RunSpec(task, system, resolved_recipe(system, task.type), protocol, {"task": task.identity()})
        result, _ = run(spec, data, None, tmp_path, method=recording)
        assert result.data["used"] == {"train": 20, "validation": 10, "test": 30}
    assert given_rows[0] == given_rows[1]


def test_a_limit_takes_the_first_rows_of_every_split():
    rows = chosen_rows(PUBLISHED, [0, 1] * 20, limit=3)
    assert {name: index.tolist() for name, index in rows.items()} == {name: [0, 1, 2] for name in rows}
    whole = chosen_rows(THREE_OF_ONE, [0, 1] * 20)
    limited = chosen_rows(THREE_OF_ONE, [0, 1] * 20, limit=3)
    assert all(np.array_equal(limited[name], whole[name][:3]) for name in whole)
    assert len(chosen_rows(PUBLISHED, [0, 1] * 20, limit=10_000)["train"]) == 40


def test_a_limit_takes_the_first_rows_of_a_parts_files_in_turn():
    parts = {name: part([0] * 10 + [1] * 10 + [2] * 10, starts=[0, 10, 20]) for name in ("train", "dev", "test")}
    rows = chosen(task(PUBLISHED), PUBLISHED, parts, Protocol(limit=5))
    assert rows["train"].index.tolist() == [0, 1, 10, 11, 20]


def test_a_limit_comes_before_all_else():
    rows = chosen_rows(ONE_POOL, [0, 1] * 100, limit=10, folds=2, fold=0)
    assert len(rows["train"]) + len(rows["test"]) == 20
    rows = chosen_rows(PUBLISHED, [0, 1, 1] * 100, limit=9, balanced=True, train_size=4)
    assert rows["train"].max() < 9
    assert counts([0, 1, 1] * 100, rows["train"])[:2].tolist() == [2, 2]


@pytest.mark.parametrize(
    "splits, protocol, expected",
    [
        (PUBLISHED, {"train_size": 61}, "mine: train_size 61, but there are 60 training rows"),
        (PUBLISHED, {"train_size": 10_000, "limit": 7}, "train_size 10,000, but there are 7 training rows"),
        (ONE_POOL, {"train_size": 49}, "train_size 49, but there are 48 training rows"),
        (PUBLISHED, {"test_size": 61}, "test_size 61, but there are 60 test rows"),
        (ONE_POOL, {"test_size": 60}, f"test_size 60, but there are 60 {TO_DIVIDE}"),
        (PUBLISHED, {"validation_size": 61}, "validation_size 61, but there are 60 validation rows"),
        (ONE_POOL, {"validation_size": 48}, f"validation_size 48, but there are 48 {TO_DIVIDE}"),
        (THREE_OF_ONE, {"validation_size": 54}, f"validation_size 54, but there are 54 {TO_DIVIDE}"),
        (
            ONE_POOL,
            {"balanced": True, "test_size": 20, "validation_size": 5, "train_size": 16},
            "mine: train_size 16, but there are 15 training rows under this protocol.",
        ),
        (PUBLISHED, {"folds": 21}, "21 folds, but there are 20 rows of 'b', the smallest class."),
        (PUBLISHED, {"folds": 5, "fold": 5}, "fold 5, expected 0 to 4 of 5 folds."),
        (THREE_OF_ONE, {"limit": 1, "balanced": True}, "no rows are left for the"),
    ],
)
def test_what_the_rows_do_not_give_is_told_with_how_many_there_are(splits, protocol, expected):
    with pytest.raises(UserError, match=re.escape(expected)):
        chosen_rows(splits, [0] * 40 + [1] * 20, **protocol)


def test_more_folds_than_rows_of_no_class_are_told():
    with pytest.raises(UserError, match=r"mine: 9 folds, but there are 8 rows\."):
        chosen_rows(PUBLISHED, [0] * 8, folds=9)


@settings(max_examples=200)
@given(
    classes_of_rows,
    st.sampled_from([PUBLISHED, ONE_POOL, THREE_OF_ONE, OF_THE_TEST]),
    st.fixed_dictionaries(
        {"seed": seeds},
        optional={
            "limit": st.integers(1, 300),
            "balanced": st.booleans(),
            "test_size": st.integers(1, 60),
            "validation_size": st.integers(1, 60),
            "train_size": st.integers(1, 60),
            "folds": st.just(3),
            "fold": st.integers(0, 2),
        },
    ),
)
def test_whatever_is_asked_the_splits_are_disjoint_ascending_and_not_empty_or_it_is_told(classes, splits, protocol):
    if "folds" not in protocol:
        protocol.pop("fold", None)
    parts = parts_of(splits, classes)
    try:
        rows = chosen(task(splits), splits, parts, Protocol(**protocol))
    except UserError:
        return
    for split in rows.values():
        assert len(split) and np.all(np.diff(split.index) > 0) and split.index.max() < len(classes)
    groups = [{(split.part, row) for row in split.index.tolist()} for split in rows.values()]
    assert len(set().union(*groups)) == sum(map(len, groups))
    for name in rows:
        assert len(rows[name]) == protocol.get(f"{name}_size", len(rows[name]))


def test_rows_of_a_tagging_task_cannot_be_balanced(tmp_path):
    task = load_task(make.tag_task(tmp_path))
    data = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock())
    with pytest.raises(UserError, match=r"names: protocol\.balanced: rows of a tagging task have no class"):
        select(data, Protocol(balanced=True))


# -- foreseen from what is declared ----------------------------------------------------------------------------------


POOL = "{train: train, test: {take_from: train, share: 0.2}}"


def foresee(folder, protocol, counts=", rows: 60, counts: {negative: 40, positive: 20}", splits=POOL):
    """Plans a run of a file whose counts are declared, and reads none of its rows: there is not one in it."""
    path = make.text_task(folder, splits=splits)
    path.write_text(path.read_text().replace("{path: train.csv}", f"{{path: train.csv{counts}}}"))
    (folder / "data" / "mine" / "train.csv").write_text("")
    task, system = load_task(path), load_systems()["majority"]
    spec = RunSpec(task, system, resolved_recipe(system, task.type), protocol, {})
    foreseen.check([spec], {"mine": origin_of(task, folder / "data", {})})


@pytest.mark.parametrize(
    "protocol, expected",
    [
        ({"train_size": 49}, "mine: train_size 49, but there are 48 training rows under this protocol."),
        ({"balanced": True, "test_size": 40}, f"test_size 40, but there are 40 {TO_DIVIDE}"),
        ({"validation_size": 48}, f"validation_size 48, but there are 48 {TO_DIVIDE}"),
        ({"folds": 21, "fold": 0}, "21 folds, but there are 20 rows of 'positive', the smallest class."),
        ({"folds": 7, "fold": 6, "test_size": 9}, "test_size 9, but there are 8 test rows"),
        ({"folds": 7, "fold": 0, "train_size": 52}, "train_size 52, but there are 51 training rows"),
    ],
)
def test_what_declared_counts_cannot_give_is_told_before_a_row_is_read(tmp_path, protocol, expected):
    with pytest.raises(UserError, match=re.escape(expected)):
        foresee(tmp_path, Protocol(**protocol))


@pytest.mark.parametrize("protocol", [{}, {"train_size": 48}, {"folds": 20, "fold": 19}, {"limit": 3, "train_size": 9}])
def test_what_declared_counts_can_give_or_do_not_tell_is_let_through(tmp_path, protocol):
    foresee(tmp_path, Protocol(**protocol))
    foresee(tmp_path, Protocol(train_size=10**6), counts="")


def test_the_splits_foreseen_are_as_large_as_those_of_the_rows(real_data, tmp_path):
    """A dry run must not refuse what a run would make: one row less than the refused size is there."""
    for name in ("fox-news-comments", "rotten-tomatoes", "europarl-ner-de"):
        task, system = load_tasks()[name], load_systems()["majority"]
        origin = origin_of(task, real_data, {})
        largest = select(load(task, origin, tmp_path, Lock()), Protocol(folds=3, fold=0)).sizes["train"]
        for size in (largest, largest + 1):
            protocol = Protocol(folds=3, fold=0, train_size=size)
            spec = RunSpec(task, system, resolved_recipe(system, task.type), protocol, {})
            if size == largest:
                foreseen.check([spec], {name: origin})
            else:
                with pytest.raises(UserError, match=f"there are {largest:,} training rows"):
                    foreseen.check([spec], {name: origin})


# -- at most so many rows of a class ---------------------------------------------------------------------------------


def test_of_a_large_class_as_many_rows_are_kept_as_the_task_says_before_a_test_split_is_held_out():
    classes = np.repeat([0, 1, 2], [100, 30, 10])
    rows = declared(CAPPED, {"all": part(classes)}, "mine")
    counts = {name: np.bincount(classes[split.index]).tolist() for name, split in rows.items()}
    assert counts == {"train": [16, 16, 8], "test": [4, 4, 2]}
    assert not set(rows["train"].index) & set(rows["test"].index)


def test_which_rows_of_a_large_class_are_kept_is_the_tasks_choice_and_not_the_runs():
    parts = {"all": part(np.repeat([0, 1], [100, 30]))}
    kept = [chosen(task(CAPPED), CAPPED, parts, Protocol(seed=seed, folds=2, fold=0)) for seed in (0, 1)]
    pools = [np.union1d(rows["train"].index, rows["test"].index).tolist() for rows in kept]
    assert pools[0] == pools[1]
    assert len(pools[0]) == 40


def test_rows_of_dropped_labels_are_left_out_and_the_others_are_numbered_without_them(tmp_path):
    path = make.text_task(tmp_path, labels="[positive, other]", positive="positive", dropped="[negative]")
    found = load(load_task(path), origin_of(load_task(path), tmp_path / "data", {}), tmp_path / "tables", Lock())
    assert found.splits["train"]["row_id"] == [f"train:{number}" for number in range(30)]
    assert set(found.splits["train"]["label"]) == {0}


@pytest.mark.parametrize(
    ("write", "fields", "said"),
    [
        (make.text_task, {"dropped": "[positive]"}, "dropped: 'positive' is a label, or named in label_map"),
        (make.tag_task, {"dropped": "[OTH]"}, "dropped: a row of a tagging task has no label"),
        (make.tag_task, {"splits": "{train: train, test: test, most_of_a_class: 5}"}, "splits.most_of_a_class: a row"),
    ],
)
def test_what_cannot_be_dropped_or_counted_is_told(tmp_path, write, fields, said):
    with pytest.raises(UserError, match=said):
        load_task(write(tmp_path, **fields))
