"""A step with the embeddings of all word pieces of a multilingual vocabulary, and with those alone that occur."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
import transformers
from torch.optim import AdamW
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.meter import Meter
from benchmarks.methods.vocabulary import keep_used
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios

PIECES, WIDTH, LAYERS = 250_000, 768, 12
OCCURRING = 5_000
ROWS, LENGTH, STEPS = 32, 24, 3
WHOLE, KEPT = "all embeddings", "those that occur"


def multilingual(rounds: int, tell: Callable[[str], None]) -> Measured:
    """Random weights in the shape of a multilingual BERT base; one step goes before, in which memory is taken."""
    taken = in_turn({WHOLE: lambda: _steps(False), KEPT: lambda: _steps(True)}, rounds, tell)
    seconds = {way: [one[0] for one in of] for way, of in taken.items()}
    memory = {way: Ratio.of([one[1] for one in of]).middle for way, of in taken.items()}
    lines = [[way, round(Ratio.of(seconds[way]).middle, 2), round(memory[way])] for way in taken]
    against = ratios(seconds[WHOLE], seconds[KEPT])
    note = (
        f"{PIECES:,} word pieces, {WIDTH} wide, {LAYERS} layers, random weights, fp32; batches of {ROWS} rows of "
        f"{LENGTH} pieces, of which {OCCURRING:,} differ. A step is {against.middle:.2f} times as fast."
    )
    least = Goal("a multilingual vocabulary: step with the embeddings that occur", 1.0, against)
    headers = ["way", "seconds a step", "peak memory (MB)"]
    return Measured([least], [Table("A multilingual vocabulary", headers, lines, note)])


def _steps(kept: bool) -> tuple[float, float]:
    """Seconds a step, and peak memory in MB."""
    transformers.set_seed(0)
    meter = Meter()
    config = BertConfig(vocab_size=PIECES, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=12)
    model = BertForSequenceClassification(config)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    draw = np.random.default_rng(0)
    occurring = draw.choice(PIECES, OCCURRING, replace=False)
    ids = torch.from_numpy(draw.choice(occurring, (STEPS + 1, ROWS, LENGTH)))
    if kept:
        renumbered = keep_used(model.base_model, occurring, padding=0)
        assert renumbered is not None
        ids = renumbered[ids]
    ids, labels = ids.to(device), torch.zeros(ROWS, dtype=torch.long, device=device)
    model.to(device).train()  # type: ignore[arg-type]
    optimizer = AdamW(model.parameters(), 1e-5, fused=True)
    start = 0.0
    for number, batch in enumerate(ids):
        start = time.perf_counter() if number == 1 else start
        torch.autograd.backward(model(input_ids=batch, labels=labels).loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / STEPS, meter.cost()["peak_memory_mb"]
