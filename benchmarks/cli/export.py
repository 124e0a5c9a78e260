"""The verb export: stored runs in the forms of other tools."""

from __future__ import annotations

import io
import sys
from argparse import Namespace

from benchmarks import definitions, export, store
from benchmarks.errors import UserError
from benchmarks.files import replacing, write_text


def export_runs(arguments: Namespace) -> int:
    """Prints the text, or writes it to --output."""
    results, output = arguments.results_dir, arguments.output
    if not store.runs_folder(results).is_dir():
        raise UserError(f"--results-dir {str(results)!r}: holds no stored runs.")
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise UserError(f"--output {str(output)!r}: {'is a folder' if output.is_dir() else 'its folder is not there'}.")
    if arguments.format == "parquet":
        if output is None:
            raise UserError("--format parquet: is no text; name a file with --output.")
        frame = export.runs(results, arguments.tasks, arguments.systems)
        with replacing(output) as temporary:
            frame.to_parquet(temporary)
    elif output is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as these forms are, whatever the terminal's is
        print(_text(arguments), end="")
        return 0
    else:
        write_text(output, _text(arguments))
    print(output)
    return 0


def _text(arguments: Namespace) -> str:
    results, chosen = arguments.results_dir, (arguments.tasks, arguments.systems)
    if arguments.format in export.FRAMES:
        return export.FRAME_WRITERS[arguments.format](export.runs(results, *chosen))
    if arguments.format == "latex":
        return export.latex(results, *chosen)
    import yaml

    if arguments.format == "model-index":
        found: object = export.model_index(results, *chosen)
    else:
        found = export.eval_results(results, *chosen, definitions.load_tasks())
    text: str = yaml.safe_dump(found, sort_keys=False, allow_unicode=True)
    return text
