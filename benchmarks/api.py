"""The suite from Python: make runs, and read what is stored as data frames. `from benchmarks import api`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.compare import Comparison

RESULTS = Path("results")


def run(
    tasks: Sequence[str],
    systems: Sequence[str] | None = None,
    *,
    seeds: int = 3,
    data_dir: Path | str | None = None,
    results: Path | str = RESULTS,
    sample: bool = False,
    more: Sequence[str] = (),
) -> pd.DataFrame:
    """Makes what is not stored of tasks × systems × seeds, as `encoder-bench run` does, and gives `runs`: all of them.

    more: further flags of the command line, such as ['--train-sizes', '100,1000']. A run that fails is among the rows,
    with its error. Raises UserError for wrong input, before anything is trained.
    """
    from benchmarks.cli import INTERRUPTED, set_libraries
    from benchmarks.cli.arguments import parse
    from benchmarks.variables import variables

    words = ["run", "--tasks", ",".join(tasks), "--seeds", str(seeds), "--results-dir", str(results)]
    words += ["--systems", ",".join(systems)] if systems is not None else []
    words += ["--data-dir", str(data_dir)] if data_dir is not None else []
    arguments = parse([*words, *(["--sample"] if sample else []), *more])
    set_libraries()
    if sample:
        import huggingface_hub.constants  # noqa: F401  # reads the variable once: later runs may have the network
    with variables({"HF_HUB_OFFLINE": "1"} if sample else {}):
        if arguments.verb(arguments) == INTERRUPTED:
            raise KeyboardInterrupt
    return runs(results)


def runs(results: Path | str = RESULTS, tasks: Sequence[str] = (), systems: Sequence[str] = ()) -> pd.DataFrame:
    """One row a stored run: task, system, seed, protocol, every metric, cost; failures with their error.

    Raises UserError where nothing is stored of these tasks and systems (none: all).
    """
    from benchmarks import export

    return export.runs(Path(results), tasks, systems)


def scores(task: str, results: Path | str = RESULTS) -> pd.DataFrame:
    """The leaderboards of a task: a row for each system and protocol, with its rank (a range: `best_rank` to
    `worst_rank`), the primary metric's mean over seeds, and its 95 % interval `low` to `high` over seeds and test rows.

    Empty where no run of the task is done.
    """
    import pandas as pd

    from benchmarks import leaderboard
    from benchmarks.leaderboard import words

    rows = [
        {
            "protocol": words.protocol(section.protocol),
            "system": row.system,
            "rank": row.rank,
            "best_rank": row.places[0] if row.places else row.rank,
            "worst_rank": row.places[-1] if row.places else row.rank,
            "metric": page.metric,
            "score": row.score,
            "low": row.interval[0] if row.interval else None,
            "high": row.interval[1] if row.interval else None,
            "seeds": row.seeds,
        }
        for page in leaderboard.read(Path(results), task)
        for section in page.sections
        for row in section.rows
    ]
    return pd.DataFrame.from_records(rows)


def compare(
    first: str, second: str, task: str, results: Path | str = RESULTS, metric: str | None = None
) -> list[Comparison]:
    """Two systems on the same rows, once for every table that has both: difference with interval and p.

    Raises UserError where no table has both.
    """
    from benchmarks.compare import compared

    return compared(Path(results), task, first, second, metric)


def predictions(task: str, system: str, results: Path | str = RESULTS) -> pd.DataFrame:
    """The stored test predictions of every run of a system on a task: row_id, gold, predicted, scores where the method
    gives them, and what tells the runs apart: seed, fold, protocol, train_rows, limited (a run of --limit) and key.

    Raises UserError for a task or system of which nothing is stored, and for a file that can't be read.
    """
    from benchmarks import export

    return export.predictions(Path(results), task, system)
