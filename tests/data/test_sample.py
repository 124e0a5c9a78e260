"""The sample corpora: the same rows everywhere, and hard enough that a better system shows."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.data.sample import CORPORA, SAMPLE_VERSION
from benchmarks.data.sample.grammar import Draw, sentence

SIZES = {"train": 1200, "validation": 300, "test": 700}
CLASSIFICATION = [group for group, corpus in CORPORA.items() if corpus.task_type == "text-classification"]

# A new digest needs a new SAMPLE_VERSION: stored runs know their rows by the version alone.
PINNED: dict[int, dict[str, str]] = {
    1: {
        "ner": "0909bfe06ad6115efe632f5afaf9c053e967208a133492c819959739753931a7",
        "news": "4e2ce18bb7f7cd7dbfa99da8233e4cc941dbc75e412e7b24a186d04b4c223682",
        "hate-speech": "72b408837c9f52287f01429ebfc2eeb48c08400eb3e41b14a8b2f9a7c96e635d",
        "sentiment": "24588d5486f91c96967e5c41c44a1434bbcffa7cd4f6633842e1928e04ee42e9",
        "letters": "7031f62b76b5acde429127854d63f54cbe49fbc4bb4ea0252777799be24068cd",
    },
}

Row = dict[str, Any]
ROWS: dict[str, dict[str, list[Row]]] = {
    group: {part: list(corpus.rows(part)) for part in SIZES} for group, corpus in CORPORA.items()
}
DIGEST_ALL = """
import hashlib, json
from benchmarks.data.sample import CORPORA
rows = [list(corpus.rows(part)) for corpus in CORPORA.values() for part in ("train", "validation", "test")]
print(hashlib.sha256(json.dumps(rows).encode()).hexdigest())
"""


def digest(group: str) -> str:
    return hashlib.sha256(json.dumps(ROWS[group], sort_keys=True).encode()).hexdigest()


def text(row: Row) -> str:
    return row["text"] if "text" in row else " ".join(row["tokens"])


def entities(rows: list[Row]) -> list[tuple[str, str]]:
    """(name, type) of each entity, in order; the IOB2 is taken to be well-formed."""
    found: list[tuple[str, str]] = []
    for row in rows:
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            if tag.startswith("B-"):
                found.append((token, tag[2:]))
            elif tag.startswith("I-"):
                found[-1] = (f"{found[-1][0]} {token}", found[-1][1])
    return found


def column(group: str, part: str, name: str) -> list[str]:
    return [row[name] for row in ROWS[group][part]]


def macro_f1(group: str, predicted: list[str]) -> float:
    return float(f1_score(column(group, "test", "label"), predicted, average="macro", zero_division=0))


def test_there_is_one_corpus_for_each_task_group() -> None:
    assert set(CORPORA) == {"ner", "news", "hate-speech", "sentiment", "letters"}


@pytest.mark.parametrize("group", CORPORA)
def test_a_changed_row_needs_a_raised_version(group: str) -> None:
    assert digest(group) == PINNED[SAMPLE_VERSION][group]


@pytest.mark.parametrize("group", CORPORA)
def test_a_second_call_gives_the_same_rows(group: str) -> None:
    assert list(CORPORA[group].rows("test")) == ROWS[group]["test"]


def test_rows_do_not_depend_on_the_hash_seed() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_ALL],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_generating_needs_neither_torch_nor_numpy() -> None:
    code = "import sys, benchmarks.data.sample; sys.exit(any(name in sys.modules for name in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("group", CORPORA)
def test_every_part_has_its_size(group: str) -> None:
    assert {part: len(rows) for part, rows in ROWS[group].items()} == SIZES


@pytest.mark.parametrize("group", CORPORA)
def test_no_other_part_exists(group: str) -> None:
    with pytest.raises(KeyError, match="dev"):
        list(CORPORA[group].rows("dev"))


@pytest.mark.parametrize("group", CORPORA)
def test_most_texts_are_short_and_a_few_are_long(group: str) -> None:
    lengths = sorted(len(text(row).split()) for part in SIZES for row in ROWS[group][part])
    long = [length for length in lengths if length > 40]
    assert lengths[len(lengths) // 20] >= 5 and lengths[-len(lengths) // 20] <= 25
    assert 0.002 < len(long) / len(lengths) < 0.01 and 60 < max(long) <= 130


@pytest.mark.parametrize("group", CORPORA)
def test_a_part_holds_no_text_twice_and_parts_share_few(group: str) -> None:
    seen = {part: {text(row) for row in ROWS[group][part]} for part in SIZES}
    assert {part: len(texts) for part, texts in seen.items()} == SIZES
    assert len(seen["test"] & (seen["train"] | seen["validation"])) <= 0.03 * SIZES["test"]
    assert len(seen["validation"] & seen["train"]) <= 0.03 * SIZES["validation"]


@pytest.mark.parametrize("group", CLASSIFICATION)
@pytest.mark.parametrize("part", SIZES)
def test_every_class_occurs_in_every_part_and_no_other_does(group: str, part: str) -> None:
    assert set(column(group, part, "label")) == set(CORPORA[group].labels)


@pytest.mark.parametrize(
    ("group", "most", "least"),
    [("news", 0.22, 0.04), ("hate-speech", 0.69, 0.31), ("sentiment", 0.5, 0.5), ("letters", 0.34, 0.1)],
)
def test_classes_are_as_uneven_as_declared(group: str, most: float, least: float) -> None:
    counts = Counter(column(group, "train", "label")).values()
    assert max(counts) / SIZES["train"] == pytest.approx(most, abs=0.025)
    assert min(counts) / SIZES["train"] == pytest.approx(least, abs=0.025)


@pytest.mark.parametrize("group", CLASSIFICATION)
def test_majority_is_far_below_tfidf_and_tfidf_leaves_room(group: str) -> None:
    texts, labels = column(group, "train", "text"), column(group, "train", "label")
    svm = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC(random_state=0)).fit(
        texts, labels
    )
    lexical = macro_f1(group, list(svm.predict(column(group, "test", "text"))))
    majority = macro_f1(group, [Counter(labels).most_common(1)[0][0]] * SIZES["test"])
    assert majority + 0.2 < lexical < 0.8


@pytest.mark.parametrize("part", SIZES)
def test_tags_are_well_formed_iob2_over_the_declared_types(part: str) -> None:
    for row in ROWS["ner"][part]:
        assert len(row["tokens"]) == len(row["tags"])
        for before, tag in zip(["O", *row["tags"]], row["tags"], strict=False):
            assert tag == "O" or tag[2:] in CORPORA["ner"].labels
            assert not tag.startswith("I-") or before[2:] == tag[2:]


@pytest.mark.parametrize("part", SIZES)
def test_every_entity_type_occurs_in_every_part(part: str) -> None:
    assert {kind for _, kind in entities(ROWS["ner"][part])} == set(CORPORA["ner"].labels)


def test_most_names_of_the_test_part_were_never_seen_in_training() -> None:
    seen = {name.lower() for name, _ in entities(ROWS["ner"]["train"])}
    names = [name.lower() for name, _ in entities(ROWS["ner"]["test"])]
    assert 0.5 < sum(name not in seen for name in names) / len(names) < 0.9


def test_the_same_word_names_a_person_a_place_a_company_a_work_or_nothing() -> None:
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for row in ROWS["ner"]["train"]:
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            kinds[token.lower()].add(tag[2:] or "O")
    assert kinds["rose"] == {"PER", "LOC", "ORG", "TITLE", "O"}
    assert sum(len(found) >= 3 for found in kinds.values()) > 50


def test_training_leaves_out_two_of_every_five_words() -> None:
    words = tuple("abcdefghij")
    seen = {part: _drawn(part, words) for part in SIZES}
    assert seen == {"train": set("acefhj"), "validation": set(words), "test": set(words)}


def _drawn(part: str, words: tuple[str, ...]) -> set[str]:
    draw = Draw(7, part)
    return {draw.word(words) for _ in range(300)}


def test_a_sentence_gets_its_capital_its_an_and_its_stop() -> None:
    assert sentence("a old hat, a hat") == "An old hat, a hat."
    assert sentence("is it so?") == "Is it so?"
