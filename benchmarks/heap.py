"""What has been freed and the C library keeps for itself, given back to the system."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Some hundredths of a second; nothing where the library isn't glibc."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
