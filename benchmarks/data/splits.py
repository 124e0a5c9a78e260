"""Which rows are trained, validated and tested: held-out splits, folds, balancing, nested sizes. Pure, on row numbers.

Two kinds of chance. A split that the task declares is drawn by the seed in its declaration: the same rows for every
run. What only the protocol asks for (balancing, folds, the size of a split) is drawn anew by each run's seed, so that
intervals over seeds hold the luck of the draw. Every draw has a generator of its own, seeded with the seed and
a constant. Permutations sort the generator's raw 64 bits, whose stream numpy promises never to change, as it does not
for `Generator.permutation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmarks.amounts import counted
from benchmarks.errors import UserError
from benchmarks.schema import TAGS, HeldOut, Protocol, Splits, Task

if TYPE_CHECKING:
    from datasets import Dataset

    from benchmarks.data.loading import TaskData

Index: TypeAlias = np.ndarray
"""Row numbers in a published part, ascending; int64, shape (n,)."""

HELD_OUT = {"test": 1, "validation": 2}
FOLDS, BALANCED, TEST_SIZE, TRAIN_SIZE, VALIDATION_SIZE, MOST_OF_A_CLASS, TRIALS = 3, 4, 5, 6, 7, 9, 10
"""Constants of the draws; a number that has been used is never given a new meaning."""
HELD_OUT_TO_TUNE = 0.1
FEWEST_TO_TUNE = 20


@dataclass(frozen=True)
class Rows:
    """Some rows of one published part."""

    part: str
    index: Index

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class RunData:
    """What one run trains on and is scored on; every table with `row_id`, in published order.

    of: the task's whole data; rows: split -> which rows of them.
    """

    train: Dataset
    validation: Dataset | None
    test: Dataset
    of: TaskData
    rows: Split

    @property
    def sizes(self) -> dict[str, int]:
        """Split -> how many rows it has."""
        return {name: len(rows) for name, rows in self.rows.items()}


@dataclass(frozen=True)
class Part:
    """What splitting needs to know of a published part: the class of every row, and where its files begin.

    classes: int64, shape (n,); all 0 for token classification, whose draws are plain permutations: an item holds many
    types or none, and no single class stands for it. starts: first row of every file, ascending, beginning with 0.
    """

    classes: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)


Parts: TypeAlias = Mapping[str, Part]
Split: TypeAlias = dict[str, Rows]
"""'train', 'test' and perhaps 'validation' -> rows."""


# -- drawing ---------------------------------------------------------------------------------------------------------


def generator(seed: int, constant: int) -> np.random.PCG64:
    """Of one kind of draw; no constant is ever given a new meaning."""
    return np.random.PCG64([seed, constant])


def permutation(size: int, bits: np.random.PCG64) -> Index:
    """The numbers 0 … size-1 in random order."""
    return np.argsort(bits.random_raw(size), kind="stable")


def stratified_order(classes: np.ndarray, bits: np.random.PCG64) -> Index:
    """A random order of 0 … n-1 of which every prefix holds the classes in proportion, as whole rows allow.

    The k-th row of a class of size c stands at (k + 1/2) / c: the divisor method of Sainte-Laguë, whose seats never
    shrink as the house grows, so prefixes are nested. Rows of one place are in random order.
    """
    by_class = _shuffled_by_class(classes, bits)
    sizes = np.bincount(classes)
    rank = np.arange(len(classes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = (2 * rank + 1) / np.repeat(2 * sizes, sizes)
    return by_class[np.lexsort((permutation(len(classes), bits), place))]


def fold_numbers(classes: np.ndarray, folds: int, bits: np.random.PCG64) -> np.ndarray:
    """The fold of every row: sizes, and the counts of each class, differ by at most one between folds."""
    by_class = _shuffled_by_class(classes, bits)
    numbers = np.empty(len(classes), dtype=np.int64)
    numbers[by_class] = np.arange(len(classes)) % folds
    return numbers


def _shuffled_by_class(classes: np.ndarray, bits: np.random.PCG64) -> Index:
    shuffled = permutation(len(classes), bits)
    return shuffled[np.argsort(classes[shuffled], kind="stable")]


def _subset(rows: Rows, size: int, parts: Parts, seed: int, constant: int) -> Rows:
    """`size` rows in proportion; for one seed, a smaller subset is part of every larger one."""
    order = stratified_order(parts[rows.part].classes[rows.index], generator(seed, constant))
    return Rows(rows.part, np.sort(rows.index[order[:size]]))


def _without(rows: Rows, taken: Rows) -> Rows:
    return Rows(rows.part, np.setdiff1d(rows.index, taken.index, assume_unique=True))


def _joined(*groups: Rows) -> Rows:
    return Rows(groups[0].part, np.sort(np.concatenate([group.index for group in groups])))


# -- splits that the task declares -----------------------------------------------------------------------------------


def declared(splits: Splits, parts: Parts, task: str) -> Split:
    """The published parts, and what is held out of them. Raises UserError where a split has no rows."""
    found = {
        name: Rows(part, np.arange(len(parts[part])))
        for name, part in (("train", splits.train), ("validation", splits.validation), ("test", splits.test))
        if isinstance(part, str)
    }
    if splits.most_of_a_class is not None:
        found["train"] = _at_most(splits.most_of_a_class, found["train"], parts, 0, MOST_OF_A_CLASS)
    for owner in ("train", "test"):  # in this order: a validation split may be taken out of a held-out test split
        if owner in found:
            found.update(_divided(owner, found[owner], splits, parts))
    _check_rows(found, task)
    return found


def _divided(owner: str, pool: Rows, splits: Splits, parts: Parts, test: tuple[int, int] | None = None) -> Split:
    """The pool divided into its owner and what is held out of it; `test` overrides the test split's (rows, seed)."""
    divided, left = {}, pool
    for name in ("test", "validation"):
        held = getattr(splits, name)
        if isinstance(held, HeldOut) and held.take_from == owner:
            size, seed = _held_size(held, pool, parts), held.seed
            if name == "test" and test:
                size, seed = test
            divided[name] = _subset(left, size, parts, seed, HELD_OUT[name])
            left = _without(left, divided[name])
    return {owner: left, **divided}


def _held_size(held: HeldOut, pool: Rows, parts: Parts) -> int:
    """A share in rows becomes a fraction of the whole part first: the pool may be a balanced or limited one."""
    fraction = held.share if held.share < 1 else held.share / len(parts[pool.part])
    return round(fraction * len(pool))


# -- what a protocol asks for ----------------------------------------------------------------------------------------


def select(data: TaskData, protocol: Protocol, trial: bool = False) -> RunData:
    """The rows of one run, cheap enough to be asked before any training, or those of a trial that chooses its recipe.

    Raises UserError where there are too few.
    """
    rows = chosen(data.task, data.origin.splits, data.published, protocol)
    if trial:
        rows = _of_a_trial(rows, data.published, protocol.seed, data.task.name)
    return RunData(
        train=data.table(rows["train"]),
        validation=data.table(rows["validation"]) if "validation" in rows else None,
        test=data.table(rows["test"]),
        of=data,
        rows=rows,
    )


def chosen(task: Task, splits: Splits, parts: Parts, protocol: Protocol) -> Split:
    """The rows of every split, in this order: limit, balancing, folds or held-out test, then the sizes of test,
    validation and training.

    Balancing comes before a pool is divided, as in our sources. Folds divide the training split, or, where the test
    split is held out of it, the pool of both. `test_size` says how many rows are held out of such a pool; of a
    published test split or a fold it is a stratified subset. `validation_size` is held out of all that may be trained
    on, also where the task declares no validation split; of one that is not held out of the training split it is a
    stratified subset. Neither moves a test row, and no training size a validation row. `train_size` None: all that is
    left.
    """
    rows = declared(splits, parts, task.name)
    if protocol.limit is not None:
        rows = {name: _first(split, protocol.limit, parts) for name, split in rows.items()}
    if protocol.balanced:
        if task.type == TAGS:
            raise UserError(f"{task.name}: protocol.balanced: rows of a tagging task have no class to be balanced by.")
        rows = _balanced(rows, splits, parts, protocol)
    if protocol.folds is not None:
        rows = _fold(rows, splits, parts, protocol, task)
    if protocol.test_size is not None:
        rows = _sized_test(rows, splits, parts, protocol, task)
    if protocol.validation_size is not None:
        rows = _sized_validation(rows, splits, parts, protocol, task)
    if protocol.train_size is not None:
        _check_size("train_size", protocol.train_size, len(rows["train"]), "training", task)
        rows["train"] = _subset(rows["train"], protocol.train_size, parts, protocol.seed, TRAIN_SIZE)
    _check_rows(rows, task.name)
    return rows


def _of_a_trial(rows: Split, parts: Parts, seed: int, task: str) -> Split:
    """Scored on the validation split, of which it is not told, or where there is none on a tenth of the training rows:
    the run itself trains on these once its recipe is chosen. No test row is among them.
    """
    if "validation" in rows:
        return {"train": rows["train"], "test": rows["validation"]}
    if len(rows["train"]) < FEWEST_TO_TUNE:
        raise UserError(
            f"{task}: --tune holds out a tenth of the training rows, and {len(rows['train'])} are too few: at least "
            f"{FEWEST_TO_TUNE}, or --set protocol.validation_size=N."
        )
    held = _subset(rows["train"], round(HELD_OUT_TO_TUNE * len(rows["train"])), parts, seed, TRIALS)
    return {"train": _without(rows["train"], held), "test": held}


def _first(rows: Rows, limit: int, parts: Parts) -> Rows:
    """The first rows, from the part's files in turn: where a file is a label, one file alone would be one class."""
    file = np.searchsorted(parts[rows.part].starts, rows.index, side="right")
    rank = np.concatenate([np.arange(size) for size in np.unique(file, return_counts=True)[1]])
    return Rows(rows.part, np.sort(rows.index[np.lexsort((file, rank))][:limit]))


def _pooled(rows: Split, splits: Splits, owner: str) -> Rows:
    """The owner's rows together with what is held out of them."""
    names = [name for name in HELD_OUT if name in rows and _is_from(splits, name, owner)]
    return _joined(rows[owner], *(rows[name] for name in names))


def _is_from(splits: Splits, name: str, owner: str) -> bool:
    held = getattr(splits, name)
    return isinstance(held, HeldOut) and held.take_from == owner


def _balanced(rows: Split, splits: Splits, parts: Parts, protocol: Protocol) -> Split:
    """Equal classes in train and test: the pool of a held-out test is balanced and divided again."""
    owners = ("train",) if _is_from(splits, "test", "train") else ("train", "test")
    for owner in owners:
        pool = _equal_classes(_pooled(rows, splits, owner), parts, protocol.seed)
        rows = {**rows, **_divided(owner, pool, splits, parts)}
    return rows


def _equal_classes(rows: Rows, parts: Parts, seed: int) -> Rows:
    """As many rows of every class as the smallest one has (of those that occur), drawn at random."""
    classes = parts[rows.part].classes[rows.index]
    return _at_most(np.unique(classes, return_counts=True)[1].min(), rows, parts, seed, BALANCED)


def _at_most(most: int, rows: Rows, parts: Parts, seed: int, constant: int) -> Rows:
    """So many rows of every class, or all that it has, drawn at random."""
    classes = parts[rows.part].classes[rows.index]
    shuffled = permutation(len(rows), generator(seed, constant))
    kept = [shuffled[classes[shuffled] == label][:most] for label in np.unique(classes)]
    return Rows(rows.part, np.sort(rows.index[np.concatenate(kept)]))


def _fold(rows: Split, splits: Splits, parts: Parts, protocol: Protocol, task: Task) -> Split:
    """One fold is the test split, the others are the pool of the rest."""
    assert protocol.folds is not None
    fold = protocol.fold or 0
    pool = _pooled(rows, splits, "train")
    classes = parts[pool.part].classes[pool.index]
    _check_folds(protocol.folds, fold, classes, task)
    is_test = fold_numbers(classes, protocol.folds, generator(protocol.seed, FOLDS)) == fold
    rest = _divided("train", Rows(pool.part, pool.index[~is_test]), splits.model_copy(update={"test": "fold"}), parts)
    return {**rows, **rest, "test": Rows(pool.part, pool.index[is_test])}


def _sized_test(rows: Split, splits: Splits, parts: Parts, protocol: Protocol, task: Task) -> Split:
    assert protocol.test_size is not None
    if protocol.folds is None and _is_from(splits, "test", "train"):
        pool = _pooled(rows, splits, "train")
        _check_held_out("test_size", protocol.test_size, len(pool), task)
        return {**rows, **_divided("train", pool, splits, parts, (protocol.test_size, protocol.seed))}
    _check_size("test_size", protocol.test_size, len(rows["test"]), "test", task)
    return {**rows, "test": _subset(rows["test"], protocol.test_size, parts, protocol.seed, TEST_SIZE)}


def _sized_validation(rows: Split, splits: Splits, parts: Parts, protocol: Protocol, task: Task) -> Split:
    assert protocol.validation_size is not None
    size = protocol.validation_size
    if "validation" in rows and not _is_from(splits, "validation", "train"):
        _check_size("validation_size", size, len(rows["validation"]), "validation", task)
        return {**rows, "validation": _subset(rows["validation"], size, parts, protocol.seed, VALIDATION_SIZE)}
    pool = _joined(*(rows[name] for name in ("train", "validation") if name in rows))
    _check_held_out("validation_size", size, len(pool), task)
    validation = _subset(pool, size, parts, protocol.seed, VALIDATION_SIZE)
    return {**rows, "train": _without(pool, validation), "validation": validation}


# -- what can't be done ----------------------------------------------------------------------------------------------


def _check_rows(rows: Split, task: str) -> None:
    for name, split in rows.items():
        if not len(split):
            raise UserError(f"{task}: no rows are left for the {name} split.")


def _check_size(flag: str, asked: int, there: int, split: str, task: Task) -> None:
    if asked > there:
        raise UserError(f"{task.name}: {flag} {asked:,}, but there are {there:,} {split} rows under this protocol.")


def _check_held_out(flag: str, asked: int, there: int, task: Task) -> None:
    """there: rows of the pool under this protocol."""
    if asked >= there:
        raise UserError(
            f"{task.name}: {flag} {asked:,}, but there {'is' if there == 1 else 'are'} {counted(there, 'row')} to "
            "divide, of which at least one must be trained on."
        )


def _check_folds(folds: int, fold: int, classes: np.ndarray, task: Task) -> None:
    if fold >= folds:
        raise UserError(f"{task.name}: fold {fold}, expected 0 to {folds - 1} of {folds} folds.")
    found, counts = np.unique(classes, return_counts=True)
    if folds > counts.min():
        of_class = f" of {task.labels[found[counts.argmin()]]!r}, the smallest class" if len(found) > 1 else ""
        raise UserError(f"{task.name}: {folds} folds, but there are {counts.min():,} rows{of_class}.")
