"""What each method can be told, with defaults, and which tasks it can do: the vocabulary of `recipe:` and `--set`."""

from __future__ import annotations

from benchmarks.recipes.sbert import SbertCluster, SbertCosine, SbertFewshot, SbertSoftmax, Siamese
from benchmarks.recipes.training import Finetune, Frozen, Head, Lora, Probe, Recurrent, Training, Word2vecRecurrent
from benchmarks.recipes.untrained import Majority, TagFeatures, Tfidf, ZeroShotLabels, ZeroShotPipeline
from benchmarks.schema import Recipe

__all__ = [
    "RECIPES", "Finetune", "Frozen", "Head", "Lora", "Majority", "Probe", "Recurrent", "SbertCluster", "SbertCosine",
    "SbertFewshot", "SbertSoftmax", "Siamese", "TagFeatures", "Tfidf", "Training", "Word2vecRecurrent",
    "ZeroShotLabels", "ZeroShotPipeline",
]  # fmt: skip

RECIPES: dict[str, type[Recipe]] = {
    "finetune": Finetune,
    "lora": Lora,
    "frozen": Frozen,
    "probe": Probe,
    "recurrent": Recurrent,
    "recurrent-word2vec": Word2vecRecurrent,
    "sbert-softmax": SbertSoftmax,
    "sbert-cosine": SbertCosine,
    "sbert-cluster": SbertCluster,
    "sbert-fewshot": SbertFewshot,
    "tfidf": Tfidf,
    "tag-features": TagFeatures,
    "zero-shot-labels": ZeroShotLabels,
    "zero-shot-pipeline": ZeroShotPipeline,
    "majority": Majority,
}
