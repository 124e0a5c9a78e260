"""Stores that reports are made of."""

from __future__ import annotations

import pytest
from kept import Kept
from reported import three_systems


@pytest.fixture
def kept(tmp_path) -> Kept:
    return three_systems(Kept(tmp_path))
