"""What tests of methods share."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(scope="session", autouse=True)
def imports_are_no_garbage():
    """A training collects garbage three times, and looks at all that torch and scikit-learn have imported: half of the
    second that a tiny one takes.
    """
    gc.collect()
    gc.freeze()
