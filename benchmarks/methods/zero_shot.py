"""Systems that no row of the task trains: the nearest label name, and a checkpoint that was trained for such a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embeddings import pooled
from benchmarks.encoders import load_tokenizer, load_with_its_head, longest_input, parameters
from benchmarks.methods import Job
from benchmarks.methods.embedded import pooled_texts
from benchmarks.methods.features import features_of
from benchmarks.recipes import ZeroShotLabels, ZeroShotPipeline
from benchmarks.schema import TEXTS, Predictions

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import Pipeline, PreTrainedTokenizerBase

BATCH = 32


def labels(job: Job) -> Predictions:
    """The label whose name is nearest to the text; scores are cosines of mean-pooled embeddings, (n, classes)."""
    recipe = job.recipe
    assert isinstance(recipe, ZeroShotLabels)
    assert job.encoder is not None
    names = [in_words(name, recipe.template) for name in job.task.labels]
    texts = pooled_texts(job, "test", "mean")
    nearby = pooled(names, job.encoder, job.max_length, "mean", job.cache)
    with job.meter.measuring("predict", len(job.data.test)):
        scores = _of_length_one(texts) @ _of_length_one(nearby).T
    job.meter.parameters = parameters(job.encoder)
    return job.likeliest(scores)


def in_words(label: str, template: str) -> str:
    """What is embedded for a label: 'This is {}.' and 'not-hateful' give 'This is not hateful.'."""
    return template.replace("{}", label.replace("-", " ").replace("_", " "))


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def pipeline(job: Job) -> Predictions:
    """A checkpoint's own head, by transformers' pipeline. Scores are logarithms of its labels' probabilities, added up
    for those that mean the same label of the task.
    """
    recipe, folder = job.recipe, job.encoder
    assert isinstance(recipe, ZeroShotPipeline)
    assert folder is not None
    tokenizer = load_tokenizer(folder, TEXTS)
    length = longest_input(folder, tokenizer, job.max_length)
    tokenized = features_of(job.data.test, tokenizer, length)
    job.meter.note(max_length=length, cut_rows={"test": tokenized.cut_rows})
    order = np.argsort([-len(pieces) for pieces in tokenized.features["input_ids"]], kind="stable")  # longest first
    classifier = _pipeline(folder, tokenizer)
    job.meter.parameters = sum(weights.numel() for weights in classifier.model.parameters())
    probabilities = np.empty((len(order), len(job.task.labels)))
    with job.meter.measuring("predict", len(order)):
        texts = list(job.data.test.select(order)["text"])
        said = classifier(texts, top_k=None, batch_size=BATCH, truncation=True, max_length=length)
        probabilities[order] = [_summed(entries, recipe.labels, job.task.labels) for entries in said]
    scores = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return job.likeliest(scores)


def _pipeline(folder: Path, tokenizer: PreTrainedTokenizerBase) -> Pipeline:
    """On the GPU where there is one."""
    import torch
    import transformers

    model = load_with_its_head(folder, TEXTS)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, device=device)


def _summed(entries: list[dict[str, Any]], meant: dict[str, str], classes: tuple[str, ...]) -> list[float]:
    """The probability of each class from the pipeline's [{'label': ..., 'score': ...}, ...]."""
    known = [(meant[entry["label"]], entry["score"]) for entry in entries if entry["label"] in meant]
    return [sum(score for label, score in known if label == wanted) for wanted in classes]
