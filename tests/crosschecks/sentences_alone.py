"""Systems of sentence encoders by sentence-transformers alone: prints the scores of its own evaluators as JSON.

    python -m crosschecks.sentences_alone cosine rotten-tomatoes --data-dir DIR --seed 0

cosine: each text beside `<s>`, trained by CosineSimilarityLoss, scored by BinaryClassificationEvaluator. softmax: the
same pairs, SoftmaxLoss, LabelAccuracyEvaluator. probe: scikit-learn's logistic regression on `encode`. labels: the
label name whose embedding is nearest. The last two train no encoder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import (
    InputExample,
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.evaluation import (
    BinaryClassificationEvaluator,
    LabelAccuracyEvaluator,
)
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, SoftmaxLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from sentence_transformers.util import cos_sim
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader
from transformers import set_seed

from crosschecks.corpora import TEXTS, Divided, Texts, bundled, divided

LONGEST = {"rotten-tomatoes": 64, "fox-news-comments": 128}
NAMES = {"rotten-tomatoes": ["negative", "positive"], "fox-news-comments": ["not hateful", "hateful"]}
DUMMY = "<s>"
Scores = dict[str, float]


def cosine(model: SentenceTransformer, task: str, rows: Divided, seed: int, bf16: bool) -> Scores:
    """The highest F1 over all thresholds, and average precision, of the cosine to the dummy.

    Where there is no validation split, a tenth of the training rows is held out, as for a threshold.
    """
    train = rows.train
    if not rows.validation.texts:
        texts, _, labels, _ = train_test_split(*train, test_size=0.1, stratify=train.labels, random_state=seed)
        train = Texts(texts, labels)
    trained(model, CosineSimilarityLoss(model), train, float, seed, bf16)
    beside = [DUMMY] * len(rows.test.texts)
    found = BinaryClassificationEvaluator(rows.test.texts, beside, rows.test.labels)(model)
    return {"best_f1": found["cosine_f1"], "average_precision": found["cosine_ap"]}


def softmax(model: SentenceTransformer, task: str, rows: Divided, seed: int, bf16: bool) -> Scores:
    """Accuracy of the softmax over (u, v, |u - v|)."""
    width = model.get_embedding_dimension()
    assert width is not None
    loss = SoftmaxLoss(model, width, num_labels=2)
    trained(model, loss, rows.train, int, seed, bf16)
    pairs = [InputExample(texts=[text, DUMMY], label=label) for text, label in zip(*rows.test, strict=True)]
    found = LabelAccuracyEvaluator(DataLoader(pairs, batch_size=32), softmax_model=loss)(model)
    return {"accuracy": found["accuracy"]}


def trained(model: SentenceTransformer, loss: nn.Module, rows: Texts, kind: type, seed: int, bf16: bool) -> None:
    """By the recipe of sbert-cosine and sbert-softmax, written out."""
    pairs = {"text": rows.texts, "partner": [DUMMY] * len(rows.texts), "label": list(map(kind, rows.labels))}
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            folder,
            learning_rate=1e-4,
            num_train_epochs=3,
            per_device_train_batch_size=32,
            warmup_steps=0.1,
            weight_decay=0.01,
            seed=seed,
            bf16=bf16,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        SentenceTransformerTrainer(model, arguments, Dataset.from_dict(pairs), loss=loss).train()


def probe(model: SentenceTransformer, task: str, rows: Divided, seed: int, bf16: bool) -> Scores:
    """Accuracy and average precision of logistic regression on the embeddings, of zero mean and unit variance."""
    features = [model.encode(part.texts, show_progress_bar=False) for part in (rows.train, rows.test)]
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=10_000))
    classifier.fit(features[0], rows.train.labels)
    probabilities = classifier.predict_proba(features[1])
    return _of_ranking(rows.test.labels, probabilities)


def labels(model: SentenceTransformer, task: str, rows: Divided, seed: int, bf16: bool) -> Scores:
    """Accuracy and average precision of the cosines to the labels' names."""
    names = model.encode(NAMES[task], show_progress_bar=False)
    found = cos_sim(model.encode(rows.test.texts, show_progress_bar=False), names).numpy()
    return _of_ranking(rows.test.labels, found)


def _of_ranking(gold: list[int], found: np.ndarray) -> Scores:
    """found: (n, 2); the positive class is ranked by how far it is above the other."""
    return {
        "accuracy": accuracy_score(gold, found.argmax(axis=1)),
        "average_precision": average_precision_score(gold, found[:, 1] - found[:, 0]),
    }


SYSTEMS = {"cosine": cosine, "softmax": softmax, "probe": probe, "labels": labels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("task", choices=TEXTS)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 where the matrices allow")
    given = parser.parse_args()
    set_seed(given.seed)
    transformer = Transformer(str(bundled()), max_seq_length=LONGEST[given.task])
    model = SentenceTransformer(modules=[transformer, Pooling(transformer.get_embedding_dimension(), "mean")])
    rows = divided(given.task, given.data_dir)
    print(json.dumps(SYSTEMS[given.system](model, given.task, rows, given.seed, given.bf16)))


if __name__ == "__main__":
    main()
