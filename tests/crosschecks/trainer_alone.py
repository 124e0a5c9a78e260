"""Fine-tunes the bundled encoder by the transformers Trainer alone, and prints its test scores as JSON.

    python -m crosschecks.trainer_alone rotten-tomatoes --data-dir DIR --seed 0

The recipe is that of the system `minilm`, written out: AdamW, linear schedule, a tenth of the updates to warm up.
Padding to the longest row of a batch, random order, PyTorch's own dropout: what the examples of transformers do.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from scipy.special import softmax
from seqeval.metrics import accuracy_score as tag_accuracy
from seqeval.metrics import f1_score as entity_f1
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, average_precision_score, f1_score
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
    set_seed,
)

from crosschecks.corpora import Sentences, bundled, divided, sentences

LONGEST = {"rotten-tomatoes": 64, "fox-news-comments": 128, "mit-movie": 64}
TEXTS = {"learning_rate": 1e-4, "num_train_epochs": 3}
TAGS = {"learning_rate": 3e-4, "num_train_epochs": 4}
IGNORED = -100
Scores = dict[str, float]


def texts(task: str, data: Path, encoder: Path, seed: int, bf16: bool) -> Scores:
    """Accuracy, F1 and average precision of the positive class."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    rows = divided(task, data)

    def encoded(part: Any) -> Dataset:
        pieces = tokenizer(part.texts, truncation=True, max_length=LONGEST[task])
        return Dataset.from_dict({**pieces, "labels": part.labels})

    set_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=2)
    outputs = predicted(
        model, encoded(rows.train), encoded(rows.test), DataCollatorWithPadding(tokenizer), TEXTS, seed, bf16
    )
    gold, chosen = rows.test.labels, outputs.argmax(axis=-1)
    return {
        "accuracy": accuracy_score(gold, chosen),
        "f1": f1_score(gold, chosen),
        "average_precision": average_precision_score(gold, softmax(outputs, axis=-1)[:, 1]),
    }


def tags(task: str, data: Path, encoder: Path, seed: int, bf16: bool) -> Scores:
    """Entity F1 by seqeval, strict and by default, and the accuracy of tags; a word's first piece stands for it."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    train, test = sentences(task, data, "train"), sentences(task, data, "test")
    names = sorted({tag for tags in train.tags for tag in tags})
    number = {name: index for index, name in enumerate(names)}

    def encoded(part: Sentences) -> Dataset:
        pieces = tokenizer(part.words, is_split_into_words=True, truncation=True, max_length=LONGEST[task])
        of_pieces = []
        for row, tags in enumerate(part.tags):
            words = pieces.word_ids(row)
            of_pieces.append(
                [
                    IGNORED if word is None or word == before else number[tags[word]]
                    for before, word in pairwise([None, *words])
                ]
            )
        return Dataset.from_dict({**pieces, "labels": of_pieces})

    set_seed(seed)
    model = AutoModelForTokenClassification.from_pretrained(encoder, num_labels=len(names))
    rows = encoded(test)
    outputs = predicted(model, encoded(train), rows, DataCollatorForTokenClassification(tokenizer), TAGS, seed, bf16)
    found = []
    for marked, scores, gold in zip(rows["labels"], outputs.argmax(axis=-1), test.tags, strict=True):
        said = [names[best] for label, best in zip(marked, scores, strict=False) if label != IGNORED]
        found.append(said + ["O"] * (len(gold) - len(said)))  # words beyond the longest input
    return {
        "entity_f1": entity_f1(test.tags, found, mode="strict", scheme=IOB2),
        "entity_f1_conlleval": entity_f1(test.tags, found),
        "token_accuracy": tag_accuracy(test.tags, found),
    }


def predicted(
    model: PreTrainedModel, train: Dataset, test: Dataset, collator: Any, recipe: dict[str, Any], seed: int, bf16: bool
) -> np.ndarray:
    """Outputs of the trained model for the test rows, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            **recipe,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=32,
            warmup_steps=0.1,
            weight_decay=0.01,
            seed=seed,
            bf16=bf16,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = Trainer(model, arguments, data_collator=collator, train_dataset=train)
        trainer.train()
        outputs: np.ndarray = trainer.predict(test).predictions
        return outputs


TASKS = {"rotten-tomatoes": texts, "fox-news-comments": texts, "mit-movie": tags}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, default=None, help="a checkpoint's folder; without it the bundled one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 where the matrices allow")
    given = parser.parse_args()
    scores = TASKS[given.task](given.task, given.data_dir, given.encoder or bundled(), given.seed, given.bf16)
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
