"""Places are shared by equal values, and are ranges where differences are not significant."""

from __future__ import annotations

import numpy as np

from benchmarks.stats.ranking import ranges

APART, TIED = 0.001, 0.4


def test_systems_that_do_not_differ_share_their_places():
    p = np.full((4, 4), TIED)
    for better, worse in ((0, 2), (0, 3), (1, 3)):  # a chain: 0 is not above 1, nor 1 above 2
        p[better, worse] = p[worse, better] = APART
    found = ranges([0.9, 0.85, 0.8, 0.7], p, higher_is_better=True)
    assert [(places[0], places[-1]) for places in found] == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_where_all_differ_every_place_is_one():
    p = np.full((3, 3), APART)
    assert ranges([0.7, 0.9, 0.8], p, True) == [range(3, 4), range(1, 2), range(2, 3)]
    assert ranges([0.7, 0.9, 0.8], p, False) == [range(1, 2), range(3, 4), range(2, 3)]
