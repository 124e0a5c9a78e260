"""The verb claims: what was reported, what is stored of it, and the verdict."""

from __future__ import annotations

from argparse import Namespace

from benchmarks import claims as reading
from benchmarks import definitions, selection, store, unfinished
from benchmarks.claims import page
from benchmarks.errors import UserError


def claims(arguments: Namespace) -> int:
    """Prints the table of verdicts, or of some claims all that is known of them; of all, writes RESULTS/CLAIMS.md."""
    tasks, systems = definitions.load_tasks(), definitions.load_systems()
    asked = selection.select_claims(arguments.claims or [selection.ALL], tasks, systems, arguments.files)
    if not store.runs_folder(arguments.results_dir).is_dir():
        raise UserError(f"--results-dir {str(arguments.results_dir)!r}: holds no stored runs.")
    if arguments.claims:
        found = reading.assess(arguments.results_dir, asked, tasks, systems)
        print("\n\n".join([page.overview(found), *map(page.section, found)]))
        return 0
    with unfinished.alone(arguments.results_dir):
        found = reading.write(arguments.results_dir, asked, tasks, systems)
    print(f"{page.overview(found)}\n\n{arguments.results_dir / 'CLAIMS.md'}")
    return 0
