"""Arguments, printing, exit codes: the only place that prints."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence

from benchmarks.errors import UserError

USERS = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOSPC, errno.EROFS, errno.ENOTDIR, errno.EISDIR}
"""Errors of the system that the user can mend, wherever they come up: rights, a full disk, a file for a folder."""
DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
USUAL = gc.get_threshold()
"""New objects between two looks for cycles, in which a training's tensors may be."""
SELDOM = 100_000
"""As many until something is trained: the usual 700 cost a third of the start, since libraries' objects live on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code. What the user can fix is one message, a bug keeps its traceback."""
    from benchmarks.cli.arguments import parse
    from benchmarks.schema import without_secrets

    gc.set_threshold(SELDOM)
    _print_anything()
    code = DONE
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        set_libraries(getattr(arguments, "downloads", False) and sys.stderr.isatty())
        if getattr(arguments, "sample", False):
            os.environ["HF_HUB_OFFLINE"] = "1"
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system's stop is one like Ctrl-C
        code = int(arguments.verb(arguments))
        print(end="", flush=True)  # what can't be written is told here, not while Python ends
        return code
    except UserError as error:
        if _speaks():
            print(without_secrets(str(error)), file=sys.stderr)
        elif os.environ.get("LOCAL_RANK") == "0":  # another machine may lack what the first one has
            print(f"rank {os.environ['RANK']}: {without_secrets(str(error))}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output (`| head`) has gone: no error of ours
        _drop_output()
        return code
    except OSError as error:
        if error.errno not in USERS or (error.filename is None and error.errno != errno.ENOSPC):
            raise
        print(f"{error.filename or _full()}: {error.strerror}", file=sys.stderr)
        return WRONG_INPUT
    finally:
        gc.set_threshold(*USUAL)


def _print_anything() -> None:
    """A stream that isn't UTF-8 shows what it can't as escapes: a title in Greek must not end a plan that is done. One
    that was told how to do so is left alone.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _speaks() -> bool:
    """Whether this process tells what is wrong: the first rank, and one that can't know which it is."""
    from benchmarks.ranks import is_first

    try:
        return is_first()
    except UserError:
        return True


def _full() -> str:
    """What couldn't be written, where the error doesn't say: output that still can't, or some file."""
    try:
        print(end="", flush=True)
    except OSError:
        _drop_output()
        return "standard output"
    return "a file"


def _drop_output() -> None:
    """Else Python tries once more to write it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def set_libraries(with_bars: bool = False) -> None:
    """One screen has one owner, and workers import what we import. The libraries read these when they are first
    imported, which is after this; what the user has set stays. with_bars: the Hub's client shows how far a download is.
    """
    if not with_bars:
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers' bars follow it, too
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # else a worker imports from the working folder before all others
