"""Arguments, printing, exit codes: the only place that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from benchmarks.errors import UserError

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code. What the user can fix is one message, a bug keeps its traceback."""
    from benchmarks.cli.arguments import parse
    from benchmarks.execute.ranks import is_first

    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        return int(arguments.verb(arguments))
    except UserError as error:
        if is_first():
            print(error, file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output (`| head`) has gone: no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
