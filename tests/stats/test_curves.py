"""Learning curves: the power law is found again, and what it doesn't know it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.stats.curves import Curve, Extrapolation, extrapolated, fitted

SIZES = [100, 300, 1000, 3000]


def scores(a: float, b: float, c: float, sizes=SIZES) -> np.ndarray:
    return 1 - (c + a * np.array(sizes, dtype=float) ** -b)


def gained(curve: Curve, start: float, end: float) -> Extrapolation:
    """From one size to another."""
    return Extrapolation.of(curve.at(end) - curve.at(start))


@pytest.mark.parametrize(("a", "b", "c"), [(2.0, 0.4, 0.05), (1.0, 0.3, 0.0), (5.0, 0.6, 0.1)])
def test_a_curve_without_noise_is_continued(a, b, c):
    curve = fitted(SIZES, scores(a, b, c)[None, :])
    assert curve.at(10_000)[0] == pytest.approx(scores(a, b, c, [10_000])[0], abs=0.004)
    assert curve.at(300)[0] == pytest.approx(scores(a, b, c, [300])[0], abs=0.002)


@pytest.mark.parametrize("b", [0.2, 0.4, 2.0])  # the last one: all of the error that is left is c
@pytest.mark.parametrize("c", [0.0, 0.05])
@pytest.mark.parametrize("sizes", [[1000, 5000], [1000, 3000, 10_000], SIZES])
def test_the_interval_at_another_size_holds_the_truth(sizes, b, c):
    """Of 300 noisy curves, each known only up to the noise that it has."""
    draw, held = np.random.default_rng(1), []
    truth = scores(0.1 * 1000**b, b, c, sizes)
    for _ in range(300):
        measured = truth + draw.normal(0, 0.005, len(sizes))
        low, _, high = extrapolated(fitted(sizes, measured + draw.normal(0, 0.005, (400, len(sizes)))), 2 * sizes[-1])
        held.append(low <= scores(0.1 * 1000**b, b, c, [2 * sizes[-1]])[0] <= high)
    assert np.mean(held) > 0.91


def test_of_two_sizes_the_curve_may_be_level_from_there_or_fall_on():
    draws = np.tile([0.8, 0.9], (2000, 1))
    low, middle, high = extrapolated(fitted([1000, 5000], draws), 10_000)
    level, power = 0.9, 1 - 0.1 * (10_000 / 5000) ** -(np.log(2) / np.log(5))
    assert level - 1e-5 <= low < 0.905
    assert low < middle < high <= power + 1e-9
    assert high > 0.98 * power


def test_two_sizes_that_rise_may_be_all_that_there_is_to_gain():
    rising = gained(fitted([1000, 5000], np.random.default_rng(0).normal([0.6, 0.73], 0.005, (2000, 2))), 5000, 10_000)
    assert 0 <= rising.low < 1e-5 and rising.high > 0.03


def test_no_score_is_expected_below_nought():
    falling = fitted([1000, 5000], np.random.default_rng(0).normal([0.2, 0.02], 0.01, (500, 2)))
    assert 0 <= extrapolated(falling, 10_000).low <= extrapolated(falling, 10_000).high < 0.1


def test_a_level_curve_gains_nothing():
    low, middle, high = gained(fitted(SIZES, np.tile([0.8, 0.8, 0.8, 0.8], (50, 1))), 3000, 10_000)
    assert (low, middle, high) == pytest.approx((0, 0, 0), abs=1e-9)


@pytest.mark.parametrize("sizes", [[1000, 5000], SIZES])
def test_a_curve_that_is_level_is_found_to_rise_no_more_often_than_to_fall(sizes):
    draw = np.random.default_rng(0)
    found = [
        gained(
            fitted(sizes, 0.8 + draw.normal(0, 0.01, len(sizes)) + draw.normal(0, 0.01, (400, len(sizes)))),
            sizes[-1],
            2 * sizes[-1],
        )
        for _ in range(300)
    ]
    assert np.mean([one.low > 1e-4 for one in found]) < 0.05 and np.mean([one.high < -1e-4 for one in found]) < 0.05


def test_a_falling_curve_falls_on_and_a_perfect_one_stays_perfect():
    falling = fitted(SIZES, np.tile([0.9, 0.88, 0.87, 0.86], (10, 1)))
    assert -0.05 < gained(falling, 3000, 10_000).middle < -0.01
    assert fitted(SIZES, np.ones((10, 4))).at(10_000) == pytest.approx(np.ones(10), abs=1e-5)
