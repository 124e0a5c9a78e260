"""On a GPU: the share of its peak at which a BERT base trains in bf16, and small runs packed on it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import transformers
from transformers import BertConfig, BertModel

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.encoders import load_tokenizer
from benchmarks.lock import Lock
from benchmarks.recipes import Finetune
from benchmarks.schema import TEXTS
from benchmarks.speed.growth import text_task
from benchmarks.speed.loops import Work, ours
from benchmarks.speed.many import ONE_BY_ONE, RUNS, seconds_of
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios
from benchmarks.speed.together import SEEDS, seeds_together
from benchmarks.speed.training import most_products, useful_products

SHARE = "an H100-class GPU, BERT-base's size, batches that fill it: share of its peak in bf16"
PACKED = "small runs packed on a GPU against one after the other"
TOGETHER = f"{SEEDS} seeds as one batched model on a GPU against one after the other"
NO_GPU = "no GPU was there"
SIZE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
BATCHES = (32, 128, 512)
PIECES, UPDATES = 128, 20


def on_a_gpu(encoder: Path, command: Sequence[str], rounds: int, cache: Path, tell: Callable[[str], None]) -> Measured:
    """encoder: whose tokenizer is used; command: the arguments of `run` for one system on one task."""
    if not torch.cuda.is_available():
        missing = [Goal(SHARE, 0.4, None, "share"), Goal(PACKED, 4.0, None), Goal(TOGETHER, 1.0, None)]
        return Measured([goal._replace(why=NO_GPU) for goal in missing], [])
    share, table = filled(encoder, rounds, tell)
    batched = seeds_together(encoder, rounds, tell)
    goals = [share, packed(command, rounds, cache, tell), batched.goals[0]._replace(what=TOGETHER)]
    return Measured(goals, [table, *batched.tables])


def filled(encoder: Path, rounds: int, tell: Callable[[str], None]) -> tuple[Goal, Table]:
    """Of each batch size the useful products a second, as the suite trains; the goal counts the best one."""
    with tempfile.TemporaryDirectory() as folder:
        works = {f"batches of {batch}": _work(encoder, batch, Path(folder, str(batch))) for batch in BATCHES}
        passes = in_turn({name: lambda work=work: ours(work) for name, work in works.items()}, rounds, tell)  # type: ignore[misc]
        rates = {name: [useful_products(work) / one.seconds for one in passes[name]] for name, work in works.items()}
    ceiling = most_products(torch.bfloat16)
    best = max(rates.values(), key=lambda of: Ratio.of(of).middle)
    lines: list[list[object]] = []
    for name, of in rates.items():
        middle = Ratio.of(of).middle
        peak = round(max(one.peak_mb for one in passes[name]))
        lines.append([name, round(works[name].rows / Ratio.of([one.seconds for one in passes[name]]).middle),
            round(middle), f"{middle / ceiling:.0%}", peak])  # fmt: skip
    note = (
        f"Random weights in BERT base's shape, rows of {PIECES} word pieces, {UPDATES} updates. The ceiling is the "
        f"best product of two matrices in bf16, {ceiling:,.0f} GFLOP/s; useful are 6 x weights in products x pieces."
    )
    headers = ["way", "rows/s", "GFLOP/s", "of the ceiling", "peak memory (MB)"]
    goal = Goal(SHARE, 0.4, Ratio.of([rate / ceiling for rate in best]), "share")
    return goal, Table("Batches that fill a GPU", headers, lines, note)


def _work(encoder: Path, batch: int, folder: Path) -> Work:
    folder.mkdir()
    tokenizer = load_tokenizer(encoder, TEXTS)
    transformers.set_seed(0)
    BertModel(BertConfig(**SIZE, vocab_size=len(tokenizer))).save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    task = text_task(folder, batch * UPDATES, ("negative", "positive"), words=PIECES, max_length=PIECES)
    data = load(task, origin_of(task, folder, {}), folder / "cache", Lock())
    return Work(data, folder / "encoder", Finetune(epochs=1, batch_size=batch), batch * UPDATES, folder / "cache")


def packed(command: Sequence[str], rounds: int, cache: Path, tell: Callable[[str], None]) -> Goal:
    """As many runs as a GPU's memory and the cores have room for, beside the same runs one after the other."""
    seeds = [*command, "--seeds", str(RUNS)]
    ways = {
        ONE_BY_ONE: lambda: seconds_of([seeds], cache).whole,
        "--jobs auto": lambda: seconds_of([[*seeds, "--jobs", "auto"]], cache).whole,
    }
    taken = in_turn(ways, rounds, tell)
    return Goal(PACKED, 4.0, ratios(taken[ONE_BY_ONE], taken["--jobs auto"]))
