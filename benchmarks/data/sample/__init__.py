"""The sample corpora, one a task group: generated rows, so that the suite runs without network or data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.data.sample import hate_speech, letters, ner, news, sentiment

# Part of every run's identity: raise it whenever any row changes, or old scores would pass for new ones.
SAMPLE_VERSION: int = 1


@dataclass(frozen=True)
class Corpus:
    """A generated corpus.

    `labels` are class names, or entity types for token classification. `rows(part)` yields {"text", "label"}, or
    {"tokens", "tags"} with IOB2 tags, for part train, validation or test (else KeyError); the same on every machine.
    """

    name: str
    task_type: str
    labels: tuple[str, ...]
    rows: Callable[[str], Iterator[dict[str, Any]]]


CORPORA: dict[str, Corpus] = {
    "ner": Corpus("sample-ner", "token-classification", ner.LABELS, ner.rows),
    "news": Corpus("sample-news", "text-classification", news.LABELS, news.rows),
    "hate-speech": Corpus("sample-hate-speech", "text-classification", hate_speech.LABELS, hate_speech.rows),
    "sentiment": Corpus("sample-sentiment", "text-classification", sentiment.LABELS, sentiment.rows),
    "letters": Corpus("sample-letters", "text-classification", letters.LABELS, letters.rows),
}
