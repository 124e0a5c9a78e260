"""What must be neither stored nor shown: tokens of the environment, passwords inside of addresses."""

from __future__ import annotations

import os
import re

SECRET_NAMES = ("TOKEN", "KEY", "PASSWORD", "SECRET")
SHORTEST = 8
"""Signs; a shorter value would be found in any text."""
IN_ADDRESS = re.compile(r"(?<=://)[^/\s]+@")


def without_secrets(text: str) -> str:
    """The text with the name of a variable in place of its secret value, and addresses without user and password."""
    for name, value in sorted(os.environ.items(), key=lambda item: -len(item[1])):  # one may begin with another
        if name.upper().endswith(SECRET_NAMES) and len(value) >= SHORTEST:
            text = text.replace(value, f"<{name}>")
    return IN_ADDRESS.sub("", text)
