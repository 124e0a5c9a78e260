"""Tags without an encoder: logistic regression on what each word looks like and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, groupby, islice
from typing import Any, TypeAlias

import numpy as np

from benchmarks.methods import Job
from benchmarks.recipes import TagFeatures
from benchmarks.schema import Predictions

MOST_STEPS = 1_000
"""Of the solver: it ends after 10 to 20."""
MOST_OF_A_KIND = 2
"""Characters in a row that a shape shows: 'Berlin' and 'Rome' have one shape."""

Describe: TypeAlias = Callable[[Sequence[str]], Iterator[list[str]]]
"""Words of a row -> the features of each."""


def tag_features(job: Job) -> Predictions:
    """Logistic regression by scikit-learn over sparse features; each word is tagged by itself, not after its
    neighbours' tags.
    """
    recipe = job.recipe
    assert isinstance(recipe, TagFeatures)
    model = _model(recipe.c)
    describe = described(recipe.window, recipe.affixes)
    with job.meter.measuring("train", len(job.data.train)):
        tags = np.array(list(chain.from_iterable(job.data.train["tags"])))
        model.fit(_words(job.data.train["tokens"], describe), tags)
    with job.meter.measuring("predict", len(job.data.test)):
        predicted = iter(model.predict(_words(job.data.test["tokens"], describe)).tolist())
    job.meter.parameters = job.meter.trainable_parameters = int(model[-1].coef_.size + model[-1].intercept_.size)
    return job.predictions([list(islice(predicted, len(row))) for row in job.data.test["tokens"]])


def _model(c: float) -> Any:
    """By Newton's method: 50,000 words take it half a minute and 0.4 GB, 195,000 take it 80 seconds and 0.7 GB.

    SAGA's intercepts lag behind on sparse features, L-BFGS keeps twenty copies of the weights.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    features = CountVectorizer(analyzer=_as_they_are, dtype=np.float64)
    return make_pipeline(features, LogisticRegression(C=c, solver="newton-cg", max_iter=MOST_STEPS))


def _as_they_are(features: list[str]) -> list[str]:
    return features


def _words(rows: Iterable[Sequence[str]], describe: Describe) -> Iterator[list[str]]:
    """The features of every word of every row, one row after the other."""
    return chain.from_iterable(map(describe, rows))


# -- features --------------------------------------------------------------------------------------------------------


def described(window: int, affixes: int) -> Describe:
    """What each word of a row looks like, and its neighbours up to `window` words away.

    affixes: longest prefix and suffix. A word's own features are made once: the same few words make up most of a text.
    """
    own = cache(lambda word: own_features(word, affixes))
    beside = cache(neighbour_features)

    def describe(row: Sequence[str]) -> Iterator[list[str]]:
        padded = [None] * window + list(row) + [None] * window
        for i, word in enumerate(row):
            around = [(place, padded[i + window + place]) for place in range(-window, window + 1) if place]
            yield [*own(word), *chain.from_iterable(beside(place, other) for place, other in around)]

    return describe


def own_features(word: str, affixes: int) -> list[str]:
    """The word, its lower-cased form and shape, what it is made of, its affixes of 1 to `affixes` characters."""
    lower = word.lower()
    lengths = range(1, min(affixes, len(lower) - 1) + 1)  # the whole word is its form
    return [
        f"word={word}",
        f"lower={lower}",
        f"shape={shape(word)}",
        *(name for name, holds in KINDS.items() if holds(word)),
        *(f"prefix={lower[:length]}" for length in lengths),
        *(f"suffix={lower[-length:]}" for length in lengths),
    ]


KINDS: dict[str, Callable[[str], bool]] = {
    "title": str.istitle,
    "upper": str.isupper,
    "digits": str.isdigit,
    "punctuation": lambda word: not any(map(str.isalnum, word)),
}


def neighbour_features(place: int, word: str | None) -> list[str]:
    """Of the word so many places away; None is beyond the row's begin or end."""
    return [f"{place}:none"] if word is None else [f"{place}:lower={word.lower()}", f"{place}:shape={shape(word)}"]


def shape(word: str) -> str:
    """X for capitals, x for other letters, d for digits, the rest as it is: 'B2B' is XdX, 'Müller-Lüdenscheidt'
    Xxx-Xxx.
    """
    kinds = ("d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word)
    return "".join(chain.from_iterable(islice(run, MOST_OF_A_KIND) for _, run in groupby(kinds)))
