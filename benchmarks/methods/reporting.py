"""The Trainer's own callbacks for trackers, so that one which fails costs no training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback
from transformers.integrations import get_reporting_integration_callbacks

from benchmarks.tracking import warned


def reporting(names: Sequence[str]) -> list[TrainerCallback]:
    """Those that `report_to` would add, each kept from failing."""
    return [_Kept(name) for name in names]


class _Kept(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for us
    """Hands every event on; what goes wrong there is a warning."""

    def __init__(self, name: str) -> None:
        self.name, self.own = name, None
        with warned(name):
            (kind,) = get_reporting_integration_callbacks([name])
            self.own = kind()


def _handed_on(event: str) -> Callable[..., None]:
    def tell(self: _Kept, *given: Any, **more: Any) -> None:
        if self.own is not None:
            with warned(self.name):
                getattr(self.own, event)(*given, **more)

    return tell


for _event in (name for name in dir(TrainerCallback) if name.startswith("on_")):
    setattr(_Kept, _event, _handed_on(_event))
