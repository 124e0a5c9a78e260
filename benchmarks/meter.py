"""What a run costs: seconds, rows a second, peak memory, parameters; and what the method notes on its way."""

from __future__ import annotations

import contextlib
import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import heap

Progress = Callable[[float], None]


class Meter:
    """Filled by a method while it runs, read once by the runner at the end."""

    def __init__(self, progress: Progress = lambda share: None, on_gpu: bool = True) -> None:
        """on_gpu: whether memory of a GPU that this process uses is the run's."""
        self.seconds: dict[str, float] = {}
        self.rows: dict[str, float] = {}
        self.parameters = 0
        self.trainable_parameters = 0
        self.notes: dict[str, Any] = {}
        self.progress = progress
        self._on_gpu = on_gpu
        self._peak_memory_mb: float | None = None
        _reset_peak_memory()

    @contextlib.contextmanager
    def measuring(self, what: str, rows: float) -> Iterator[None]:
        """Times `what` ('train' or 'predict') over `rows` rows; an epoch over n rows counts n."""
        start = time.perf_counter()
        yield
        self.charge(what, time.perf_counter() - start)
        self.rows[what] = self.rows.get(what, 0.0) + rows

    def charge(self, what: str, seconds: float) -> None:
        """Adds seconds that were measured elsewhere, to the same rows."""
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds

    def end(self) -> None:
        """What the process takes from now on is none of the run's cost."""
        self._peak_memory_mb = _peak_memory_mb(self._on_gpu)

    def note(self, **facts: Any) -> None:
        self.notes.update(facts)

    def cost(self) -> dict[str, Any]:
        """The `cost` field of a stored run. Peak memory: of the process on CPU, of the device on a GPU."""
        train = self.seconds.get("train", 0.0)
        peak = _peak_memory_mb(self._on_gpu) if self._peak_memory_mb is None else self._peak_memory_mb
        return {
            "train_seconds": round(train, 3),
            "predict_seconds": round(self.seconds.get("predict", 0.0), 3),
            "train_rows_per_second": round(self.rows.get("train", 0.0) / train, 2) if train else None,
            "peak_memory_mb": round(peak, 1),
            "parameters": self.parameters,
            "trainable_parameters": self.trainable_parameters,
            "energy_kwh": None,
        }


def _cuda() -> Any:
    """torch.cuda where this process has loaded torch and uses a GPU: the meter itself never loads torch."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else None


def _reset_peak_memory() -> None:
    gc.collect()
    gc.freeze()  # libraries and data live on: each later collection of this run looks at its own objects alone
    if cuda := _cuda():
        cuda.reset_peak_memory_stats()
    heap.give_back()  # else the run before would count as this one's
    with contextlib.suppress(OSError):  # Linux alone can reset it; elsewhere the peak is the whole process' so far
        Path("/proc/self/clear_refs").write_text("5")


def _peak_memory_mb(on_gpu: bool) -> float:
    if on_gpu and (cuda := _cuda()):
        return float(cuda.max_memory_allocated()) / 2**20
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
