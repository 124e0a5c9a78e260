"""Reports of stored runs of made-up systems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from kept import Kept, flipped

from benchmarks import definitions, selection
from benchmarks.data.excerpts import take
from benchmarks.report import Declared, wanted_excerpts, write


def declared() -> Declared:
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    return Declared(tasks, systems, selection.select_claims([selection.ALL], tasks, systems))


def reported(kept: Kept) -> Path:
    """Writes the report, its excerpts first; gives the index."""
    take(kept.results, kept.data, wanted_excerpts(kept.results, kept.task.name).get(kept.data.fingerprints, []))
    return write(kept.results, declared())


def three_systems(kept: Kept) -> Kept:
    """good is wrong in two rows of 60, fair in ten, poor in thirty; two seeds, with scores."""
    for seed in (0, 1):
        for system, wrong in (("good", range(2)), ("fair", range(10)), ("poor", range(20 + seed, 50 + seed))):
            predicted = flipped(kept.gold, *wrong)
            scores = np.stack([1.0 - predicted, predicted], axis=1).astype(np.float32)
            kept.run(system, predicted, seed, scores=scores)
    return kept
