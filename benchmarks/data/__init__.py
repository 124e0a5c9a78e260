"""Where rows come from, how published formats are read, which rows are trained and scored, what is wrong with them.

The names below are imported when they are first asked for: planning needs origins, and no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.data.loading import TaskData, load
    from benchmarks.data.origins import Origin, origin_of
    from benchmarks.data.splits import RunData, select

_MODULES = {
    "Origin": "origins",
    "RunData": "splits",
    "TaskData": "loading",
    "load": "loading",
    "origin_of": "origins",
    "select": "splits",
}

__all__ = ["Origin", "RunData", "TaskData", "load", "origin_of", "select"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
