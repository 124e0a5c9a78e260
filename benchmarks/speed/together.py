"""Several seeds of a run as one batched model (torch.func), beside the same steps of one model after the other."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.optim import AdamW
from transformers import PreTrainedModel

from benchmarks.encoders import load_model
from benchmarks.schema import TEXTS
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios

SEEDS, ROWS, LENGTH, STEPS = 4, 32, 24, 4
RATE, CLIPPING = 1e-4, 1.0
APART, TOGETHER = "one model after the other", "one batched model"

Batch = Mapping[str, torch.Tensor]


def seeds_together(encoder: Path, rounds: int, tell: Callable[[str], None]) -> Measured:
    """A step of each seed's model, on rows of its own, as in a training with dropout."""
    ways = {APART: apart, TOGETHER: together}
    taken = in_turn({name: lambda way=way: _seconds(way, encoder) for name, way in ways.items()}, rounds, tell)  # type: ignore[misc]
    found = ratios(taken[APART], taken[TOGETHER])
    note = (
        f"{SEEDS} models with the bundled encoder, batches of {ROWS} rows of {LENGTH} pieces, fp32. The suite trains "
        "seeds one by one, or side by side by --jobs: a batched model would have to be faster to be kept."
    )
    lines = [[way, round(Ratio.of(of).middle / SEEDS * 1000)] for way, of in taken.items()]
    goal = Goal(f"{SEEDS} seeds as one batched model against {APART}", 1.0, found)
    return Measured([goal], [Table("Seeds together", ["way", "ms a step of one seed"], lines, note)])


def _seconds(way: Callable[..., Any], encoder: Path) -> float:
    models = models_of(encoder, SEEDS)
    batches = [batch_of(step, models[0].config.vocab_size) for step in range(STEPS + 1)]
    way(models, batches[:1])  # memory is taken in the first step
    start = time.perf_counter()
    way(models, batches[1:])
    took = (time.perf_counter() - start) / STEPS
    gc.collect()  # of the models before the next ones
    return took


def models_of(encoder: Path, seeds: int) -> list[PreTrainedModel]:
    """With heads of different seeds."""
    found = []
    for seed in range(seeds):
        transformers.set_seed(seed)
        model = load_model(encoder, TEXTS, ["negative", "positive"])
        model.set_attn_implementation("eager")  # the others look at the mask's values, which a batched model can't
        found.append(model.to("cuda" if torch.cuda.is_available() else "cpu").train())
    return found


def batch_of(step: int, pieces: int, rows: int = ROWS, length: int = LENGTH, seeds: int = SEEDS) -> Batch:
    """(seeds, rows, length) of made-up ids below `pieces`, (seeds, rows) labels."""
    draw = torch.Generator().manual_seed(step)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ids = torch.randint(pieces, (seeds, rows, length), generator=draw)
    labels = torch.randint(2, (seeds, rows), generator=draw)
    return {"input_ids": ids.to(device), "labels": labels.to(device)}


def apart(models: Sequence[PreTrainedModel], batches: Sequence[Batch]) -> list[dict[str, torch.Tensor]]:
    """Of each model its weights after the updates."""
    optimizers = [AdamW(model.parameters(), RATE, fused=True) for model in models]
    for batch in batches:
        for place, (model, optimizer) in enumerate(zip(models, optimizers, strict=True)):
            torch.autograd.backward(model(**{name: of[place] for name, of in batch.items()}).loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIPPING)
            optimizer.step()
            optimizer.zero_grad()
    return [dict(model.named_parameters()) for model in models]


def together(models: Sequence[PreTrainedModel], batches: Sequence[Batch]) -> list[dict[str, torch.Tensor]]:
    """As `apart`: one model whose weights have the seeds as their first dimension."""
    weights, buffers = stack_module_state(list(models))  # type: ignore[arg-type]

    def loss(own: dict[str, torch.Tensor], fixed: dict[str, torch.Tensor], batch: dict[str, torch.Tensor]) -> Any:
        return functional_call(models[0], (own, fixed), kwargs=batch).loss

    gradients_of = vmap(grad(loss), randomness="different")
    optimizer = AdamW(weights.values(), RATE, fused=True)
    for batch in batches:
        gradients = gradients_of(weights, buffers, dict(batch))
        norms = torch.stack([of.flatten(1).norm(dim=1) for of in gradients.values()]).norm(dim=0)
        scale = (CLIPPING / (norms + 1e-6)).clamp(max=1.0)
        for name, own in weights.items():
            own.grad = gradients[name] * scale.view(-1, *[1] * (own.dim() - 1))
        optimizer.step()
    return [{name: of[place] for name, of in weights.items()} for place in range(len(models))]
