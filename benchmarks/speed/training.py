"""One fine-tuning: rows a second by every loop, the share of what the machine can do, memory, parts of a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from benchmarks.encoders import load_encoder
from benchmarks.methods.training import computes_in_bf16
from benchmarks.speed import loops
from benchmarks.speed.loops import Loop, Pass, Work
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios

EXAMPLE, DYNAMIC, PLAIN, BARE, OURS = "example scripts", "dynamic padding", "plain Trainer", "bare PyTorch loop", "ours"
LOOPS: dict[str, Loop] = {
    EXAMPLE: loops.as_example_scripts,
    DYNAMIC: loops.with_dynamic_padding,
    PLAIN: loops.as_a_plain_trainer,
    BARE: loops.bare,
    OURS: loops.ours,
}
WITHOUT_BF16 = "this processor has no bf16, which the goal counts on; next: batches that pad less"
ALL_IN_PRODUCTS = (
    "in fp32 nearly all of a step is forward and backward, where compaction and a fused optimiser change nothing"
)
GIGA = 1e9


def one_run(works: Sequence[Work], rounds: int, tell: Callable[[str], None]) -> Measured:
    """Every loop on the rows of every task."""
    found = Measured([], [])
    for work in works:
        name = work.data.task.name
        passes = in_turn(
            {way: lambda loop=loop, work=work: loop(work) for way, loop in LOOPS.items()},  # type: ignore[misc]
            rounds,
            lambda said, name=name: tell(f"{name}, {said}"),  # type: ignore[misc]
        )
        found.goals.extend(_goals(name, passes))
        found.tables.extend(_tables(work, passes))
    return found


def _goals(task: str, passes: dict[str, list[Pass]]) -> list[Goal]:
    seconds = {way: [one.seconds for one in of] for way, of in passes.items()}
    has_bf16 = computes_in_bf16()

    def against(way: str, wanted: float, why: str = WITHOUT_BF16) -> Goal:
        reached = ratios(seconds[way], seconds[OURS])
        return Goal(f"{task}: one run against {way}", wanted, reached, why="" if has_bf16 else why)

    overhead = Ratio.of([own / theirs - 1 for own, theirs in zip(seconds[OURS], seconds[BARE], strict=True)])
    over = Goal(f"{task}: what the suite adds to a {BARE}", 0.05, overhead, "share", at_most=True)
    return [against(EXAMPLE, 12.0), against(DYNAMIC, 2.5), against(PLAIN, 1.3, ALL_IN_PRODUCTS), over]


def _tables(work: Work, passes: dict[str, list[Pass]]) -> list[Table]:
    name, rows = work.data.task.name, work.rows * work.recipe.epochs
    products = useful_products(work)
    ceiling = most_products(torch.bfloat16 if computes_in_bf16() else torch.float32)
    lines: list[list[object]] = []
    for way, of in passes.items():
        seconds = Ratio.of([one.seconds for one in of])
        against = ratios([one.seconds for one in passes[EXAMPLE]], [one.seconds for one in of])
        rate = products / seconds.middle
        lines.append([
            way, round(rows / seconds.middle, 1), _times(against), round(rate, 1), f"{rate / ceiling:.0%}",
            round(max(one.peak_mb for one in of)),
        ])  # fmt: skip
    note = (
        f"{work.rows:,} rows of {name}, {work.pieces / work.rows:.1f} word pieces each; "
        f"{torch.get_num_threads()} threads. GFLOP/s are useful ones: 6 x weights in matrix products x word pieces "
        f"without padding; the ceiling is the machine's best product of two matrices, {ceiling:.0f} GFLOP/s."
    )
    headers = ["way", "rows/s", f"times {EXAMPLE}", "GFLOP/s", "of the ceiling", "peak memory (MB)"]
    parts = [[part, f"{share:.0%}"] for part, share in loops.shares(work).items()]
    return [
        Table(f"One fine-tuning, {name}", headers, lines, note),
        Table(f"Where a step's time goes, {name}", ["part", "share"], parts, f"Of the {BARE}."),
    ]


def useful_products(work: Work) -> float:
    """GFLOP of its training: 6 x the encoder's weights without its embeddings, which are looked up, x word pieces."""
    encoder = load_encoder(work.encoder)
    weights: int = sum(of.numel() for name, of in encoder.named_parameters() if "embeddings" not in name)
    return 6 * weights * work.pieces * work.recipe.epochs / GIGA


def _times(ratio: Ratio) -> str:
    return f"{ratio.middle:.1f} ({ratio.low:.1f} to {ratio.high:.1f})"


def most_products(dtype: torch.dtype, size: int = 2048, tries: int = 5) -> float:
    """GFLOP/s of the machine's best product of two matrices."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = size * 4 if device == "cuda" else size
    one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(tries):
        start = time.perf_counter()
        one @ other
        if device == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * size**3 / (time.perf_counter() - start) / GIGA)
    return best
