"""Every test says how many inputs it has tried."""

from __future__ import annotations

from collections.abc import Iterator

import bad
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        item.user_properties.append(("inputs", bad.INPUTS.pop(item.nodeid, 0)))
