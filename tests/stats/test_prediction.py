"""Prediction intervals hold another run's score as often as they say: so a claim that is true is called reproduced."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t
from test_spread import SAMPLES, SIMULATIONS

from benchmarks.claims.verdicts import judged
from benchmarks.metrics.resampled import of_texts
from benchmarks.stats.resampling import Run, replicates
from benchmarks.stats.spread import Estimates, Spread, prediction

UNKNOWN = "one seed, and seeds matter most"
# rows of ours, of theirs, seeds, log-odds of a right row, spread of seeds, spread of rows, metric, rows shared by seeds
WORLDS = {
    "large test sets, three seeds": (600, 600, 3, 1.5, 0.15, 1.0, "accuracy", True),
    "their tiny test set": (400, 50, 3, 1.5, 0.1, 1.0, "accuracy", True),
    "their tiny test set, near the bound": (400, 50, 5, 3.5, 0.1, 1.0, "accuracy", True),
    "tiny test sets on both sides": (50, 50, 5, 1.5, 0.2, 1.0, "accuracy", True),
    "each seed draws its own rows, F1": (170, 172, 10, 1.2, 0.2, 1.0, "f1", False),
    "each seed draws its own rows, three seeds": (170, 172, 3, 1.2, 0.2, 1.0, "accuracy", False),
    "seeds matter most": (400, 400, 5, 1.5, 0.5, 1.0, "accuracy", True),
    "one seed, seeds matter little": (300, 300, 1, 1.5, 0.0, 1.0, "accuracy", True),
    UNKNOWN: (1000, 1000, 1, 1.5, 0.5, 1.0, "accuracy", True),
}


@pytest.mark.parametrize("name", WORLDS)
def test_where_the_truth_is_the_claim_it_is_reproduced_95_times_in_100(name):
    rows, size, seeds, level, of_seeds, of_rows, metric, shared = WORLDS[name]
    draw = np.random.default_rng(0)

    def models(rows: int, seeds: int) -> list:
        """The metric of seeds on rows of their own."""
        gold, easy = draw.random(rows) < 0.5, draw.normal(0, of_rows, rows)
        right = draw.random((seeds, rows)) < expit(level + draw.normal(0, of_seeds, (seeds, 1)) + easy)
        return [of_texts(metric, gold.astype(int), (gold == own).astype(int), None, 2, 1) for own in right]

    verdicts: Counter[str] = Counter()
    for number in range(SIMULATIONS):
        if shared:
            names = [f"{number}-{row}" for row in range(rows)]
            ours = [Run(names, own) for own in models(rows, seeds)]
        else:
            ours = [Run([f"{number}-{s}-{row}" for row in range(rows)], models(rows, 1)[0]) for s in range(seeds)]
        values = [float(run.metric(np.ones((1, rows)))[0]) for run in ours]
        estimates = Estimates.of([values], [replicates(ours, SAMPLES)])
        ends = prediction(float(estimates.means[0]), estimates.another(0, rows, size), rows, size)
        (theirs,) = models(size, 1)
        reported = float(theirs(np.ones((1, size)))[0])
        verdicts[judged(reported, 0.0, float(estimates.means[0]), ends, seeds, (0.0, 1.0))] += 1
    if name == UNKNOWN:
        assert 0.3 < verdicts["undecided"] / SIMULATIONS < 0.9, "rows alone would often call a true claim wrong"
    else:
        assert verdicts["reproduced"] / SIMULATIONS == pytest.approx(0.95, abs=0.02), name
    assert seeds > 1 or verdicts.keys() <= {"reproduced", "undecided"}


# -- the parts -------------------------------------------------------------------------------------------------------


def estimates(values: list[float], of_rows: float, of_both: float = 0.0) -> Estimates:
    """Of one system with these variances by rows."""
    draw = np.random.default_rng(0)
    shared, own = draw.normal(0, 1, (4000, 1)), draw.normal(0, 1, (4000, len(values)))
    return Estimates.of([values], [np.mean(values) + shared * np.sqrt(of_rows) + own * np.sqrt(of_both)])


def test_without_luck_of_rows_the_interval_is_students():
    found = estimates([0.5, 0.52, 0.47], 0.0).another(0, 200, 50)
    sd = np.std([0.5, 0.52, 0.47], ddof=1)
    assert found.quantile(0.025) * np.sqrt(found.variance) == pytest.approx(t.ppf(0.975, 2) * sd * np.sqrt(4 / 3))


def test_of_one_seed_it_is_the_luck_of_both_sides_rows():
    found = estimates([0.8], 0.0004)
    assert found.another(0, 400, 400).variance == pytest.approx(2 * 0.0004, rel=0.05)
    assert found.another(0, 400, 50).variance == pytest.approx(9 * 0.0004, rel=0.05)
    assert found.another(0, 400, 50).freedom == 0


def test_what_seeds_do_not_share_counts_again_where_their_rows_are_fewer():
    found = estimates([0.8, 0.81, 0.79], 0.0, 0.0004)
    assert found.another(0, 400, 400).rows < 0.00004
    assert found.another(0, 400, 100).rows == pytest.approx(3 * 0.0004, rel=0.1)
    assert found.another(0, 400, 4000).rows < 0.00004


def test_an_interval_reaches_the_bound_that_it_is_near_to_and_does_not_leave_it():
    low, high = prediction(0.98, Spread(0.0, 0, 0.0004), 400, 50)
    assert (low, high) == (pytest.approx(0.98 - 1.96 * 0.02, abs=1e-4), 1.0)
    assert prediction(-0.99, Spread(0.0, 0, 0.0004), 400, 50, (-1.0, 1.0))[0] == -1.0


@pytest.mark.parametrize(("mean", "bounds"), [(1.0, (0.0, 1.0)), (0.0, (0.0, 1.0)), (-1.0, (-1.0, 1.0))])
def test_where_nothing_went_wrong_something_may(mean, bounds):
    low, high = prediction(mean, Spread(0.0, 2, 0.0), 50, 50, bounds)
    assert bounds[0] <= low < high <= bounds[1]
    assert 0.02 < (high - low) / (bounds[1] - bounds[0]) < 0.12
