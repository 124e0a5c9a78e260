"""Where a run was made: versions, device, threads, ranks, the project's commit."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import __version__
from benchmarks.definitions import PROJECT

PACKAGE = Path(__file__).parent
PACKAGES = ("torch", "transformers", "datasets", "accelerate", "tokenizers", "scikit-learn", "numpy")


def cache_dir() -> Path:
    """Where this machine keeps prepared data between runs: $ENCODER_BENCH_CACHE, or ~/.cache/encoder-bench."""
    return Path(os.environ.get("ENCODER_BENCH_CACHE") or Path.home() / ".cache" / "encoder-bench")


def environment(processes: int, precision: str | None, on_gpu: bool = True) -> dict[str, Any]:
    """The `environment` field of a stored run; on_gpu: where there is one. Asks torch only where it is loaded."""
    return {**machine(), **_device(on_gpu), "processes": processes, "precision": precision}


@lru_cache
def machine() -> dict[str, Any]:
    """Versions, processor and commit, read once: ask early, since files may change while a process runs."""
    return {
        "encoder_bench": __version__,
        "python": platform.python_version(),
        **{package.replace("-", "_"): _version(package) for package in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "git": _git_commit(),
    }


@lru_cache
def versions() -> dict[str, str]:
    """All of a machine's software that can move a score. encoder-bench is known by its source: two checkouts, or a
    checkout and an installed package, are the same where their code is. '+cpu' or '+cu130' is no other torch.
    """
    sources = sorted(path for path in PACKAGE.rglob("*.py"))
    digest = hashlib.sha256(
        b"".join(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes() for path in sources)
    )
    of_packages = {package: (_version(package) or "none").partition("+")[0] for package in PACKAGES}
    code = f"{__version__} ({digest.hexdigest()[:12]})"
    return {"encoder-bench": code, "python": platform.python_version(), **of_packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git_commit() -> str | None:
    """The project's commit, with '+changes' where what moves a score differs from it; None outside of a checkout."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", "benchmarks", "tasks", "systems.yaml") if commit else None
    return f"{commit}+changes" if changes else commit


def _git(*arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(PROJECT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def _device(on_gpu: bool) -> dict[str, Any]:
    torch = sys.modules.get("torch")
    if torch is None:
        return {"device": "cpu", "threads": None}
    device = _gpu() if on_gpu and torch.cuda.is_available() else "cpu"
    return {"device": device, "threads": torch.get_num_threads()}


def _gpu() -> str:
    """Its name, also where a failed kernel has taken it from this process: the failure is to be stored."""
    import torch

    try:
        return torch.cuda.get_device_name()
    except RuntimeError:
        return "a GPU that is lost"
