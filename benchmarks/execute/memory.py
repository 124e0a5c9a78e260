"""How much memory a run takes at most, told before it is made: by it several runs share a machine, or a GPU."""

from __future__ import annotations

from pathlib import Path

from benchmarks.encoders import Shape, shape
from benchmarks.recipes import Finetune, Lora, Siamese, Word2vecRecurrent
from benchmarks.recipes.vectors import vectors_in
from benchmarks.schema import RunSpec

FLOAT = 4
"""Bytes; weights, gradients and the optimiser's two moments are in fp32."""
PROCESS = 3 * 2**29
"""Python with torch, transformers and the rows; on a GPU, the context and the kernels."""
KERNELS = 1024 * 750_000
"""oneDNN keeps those of the last 1,024 shapes of products, from run to run; measured with a layer's linear maps."""
KERNELS_OF_A_LENGTH = 5_000_000
"""What attention keeps for every length that a batch has had; measured at 256 word pieces, less at fewer."""
OF_A_WORD = 200
"""Its text, and its places in the two tables of words with vectors."""
UNTRAINED_ROWS = 64
PASSES = 2
"""What the layers keep, and as much again for gradients and for what an allocator doesn't give back."""
PASSES_OF_LORA = 3
"""Each low-rank update keeps its input once more."""


def estimate(spec: RunSpec, encoder: Path | None) -> int:
    """Bytes on the device that trains: weights four times where all are trained, once where they are only read, and
    what the layers keep for the backward pass of a batch of longest rows. Of vectors from a file all are read.
    """
    if encoder is None:
        return PROCESS + _of_vectors(spec)
    found = shape(encoder)
    length = getattr(spec.recipe, "max_length", None) or spec.task.max_length
    process = PROCESS + KERNELS + KERNELS_OF_A_LENGTH * length
    if not isinstance(spec.recipe, (Finetune, Siamese)):
        return process + FLOAT * found.parameters + _kept_of_a_layer(found, UNTRAINED_ROWS * length, length)
    tried = spec.tuning.space.get("batch_size", ()) if spec.tuning else ()
    texts = max(spec.recipe.batch_size, *tried, 0) * (2 if isinstance(spec.recipe, Siamese) else 1)
    passes = PASSES_OF_LORA if isinstance(spec.recipe, Lora) else PASSES
    kept = found.layers * _kept_of_a_layer(found, texts * length, length)
    return process + 4 * FLOAT * found.parameters + passes * kept


def _of_vectors(spec: RunSpec) -> int:
    file = spec.recipe.file if isinstance(spec.recipe, Word2vecRecurrent) else None
    words, width = vectors_in(file) if file else (0, 0)
    return words * (FLOAT * width + OF_A_WORD)


def beside_a_gpu(encoder: Path | None) -> int:
    """Bytes on the processor's side of a run that trains on a GPU: its weights pass through."""
    return PROCESS + (FLOAT * shape(encoder).parameters if encoder else 0)


def _kept_of_a_layer(encoder: Shape, tokens: int, length: int) -> int:
    """sbh (34 + 5as / h) bytes in 16 bits (Korthikanti et al. 2022, equation 1), twice that in fp32."""
    return 2 * tokens * (34 * encoder.width + 5 * encoder.heads * length)
