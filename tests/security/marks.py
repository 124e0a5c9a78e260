"""Code that leaves a mark where it runs: in no test it may."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any


class Mark:
    """A folder that is there once code of a stranger has run."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "the code has run"

    @property
    def code(self) -> str:
        """A module that leaves it when it is imported; it has every class that a configuration may name."""
        classes = "\n".join(f"class {name}: pass" for name in ("Config", "Model", "Tokenizer", "Module", "Builder"))
        return f"import os\nos.mkdir({str(self.path)!r})\n{classes}\n"

    @property
    def object(self) -> Any:
        """What leaves it when it is unpickled."""
        return _Unpickled(self.path)

    @property
    def pickled(self) -> bytes:
        return pickle.dumps({"weight": self.object}, protocol=2)

    def left(self) -> bool:
        """Takes it away."""
        there = self.path.exists()
        if there:
            self.path.rmdir()
        return there


class _Unpickled:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)
