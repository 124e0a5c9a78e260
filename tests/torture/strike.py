"""Loaded by every process of a struck suite (as sitecustomize): kills its whole group at one of its file operations.

Python tells its audit hooks of each opening, renaming, removing and making of files before it is done: the process dies
between two of them, wherever in the suite's or a library's code that is.
"""

from __future__ import annotations

import faulthandler
import os
import sys

LONGEST = 240.0
"""Seconds after which a process hangs, and says where."""
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}


def watch(folder: str, number: int, at: int) -> None:
    """number: of the signal; at: which operation below the folder is the last one."""
    seen = 0

    def hook(event: str, given: tuple) -> None:
        nonlocal seen
        if event not in EVENTS or not isinstance(given[0], str | os.PathLike) or folder not in str(given[0]):
            return
        if event == "open" and given[1] is not None and "r" in str(given[1]):
            return  # only looks
        seen += 1
        if seen == at:
            os.killpg(0, number)

    sys.addaudithook(hook)


faulthandler.dump_traceback_later(LONGEST, exit=True)
if told := os.environ.get("STRIKE"):
    _folder, _number, _at = told.rsplit(":", 2)
    watch(_folder, int(_number), int(_at))
