"""The core that a test's workers keep to: tests at one time are on several, where there are any."""

from __future__ import annotations

import os

from benchmarks.execute import shares


def own_core() -> int:
    """One for each of xdist's processes, in turn."""
    cores = shares.available_cores()
    return cores[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % len(cores)]
