"""The flags and verbs of the command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import __version__
from benchmarks.cli import values
from benchmarks.cli.examples import EXAMPLES
from benchmarks.errors import UserError, nearest
from benchmarks.speed import PARTS
from benchmarks.tracking import NAMES

EXPORTED = ("model-index", "eval-results", "csv", "json", "parquet", "latex")


_CHOICE = re.compile(r"invalid choice: '(?P<found>[^']*)' \(choose from (?P<allowed>.*)\)$")
"""As argparse says it, with or without quotation marks around what is allowed."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in our own form, and leaves printing and exit code to main."""

    def error(self, message: str) -> NoReturn:
        if chosen := _CHOICE.search(message):
            near = nearest(chosen["found"], chosen["allowed"].replace("'", "").split(", "))
            message += f".{near}" if near else ""
        raise UserError(f"{self.prog}: {message.removeprefix('argument ')}  (see {self.prog} --help)")

    def refuse(self, word: str) -> NoReturn:
        """What is no flag of the verb, or stands beside all that it takes."""
        flags = [flag.lstrip("-") for action in self._actions for flag in action.option_strings]
        if word.startswith("-"):
            near = nearest(word.lstrip("-"), flags)  # the dashes would make any two flags alike
            self.error(f"no such flag: {word!r}.{near.replace(chr(39), chr(39) + '--', 1)}")
        takes = " ".join(self._get_formatter()._format_args(own, "") for own in self._get_positional_actions())
        near = f" Did you mean 'encoder-bench {word}'?" if word in EXAMPLES else ""
        if not (near or takes) and "tasks" in flags:
            near = f" Did you mean '--{'set' if '=' in word and 'set' in flags else 'tasks'} {word}'?"
        self.error(f"unexpected argument: {word!r}. Allowed: {f'{takes} and flags' if takes else 'flags'}.{near}")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The verb and its arguments. Raises UserError."""
    parser = command_line()
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        arguments.parser.refuse(rest[0])
    if getattr(arguments, "data_dir", "") is None and not _reads_no_files(arguments):
        arguments.data_dir = values.own_data_dir()
    return arguments


def _reads_no_files(arguments: argparse.Namespace) -> bool:
    return getattr(arguments, "sample", False) or getattr(arguments, "list", False)


def command_line() -> _Parser:
    """Every verb with its flags."""
    parser = _Parser(prog="encoder-bench", description=_ABOUT, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"encoder-bench {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True, parser_class=_Parser)
    _run(_verb(verbs, "run", "make runs and write the leaderboards", "run:run"))
    _list(_verb(verbs, "list", "the declared tasks, systems and metrics", "verbs:list_all"))
    _validate(_verb(verbs, "validate", "check definitions and, with --data-dir, the data", "verbs:validate"))
    _results(_verb(verbs, "leaderboard", "make the leaderboards anew from stored runs", "verbs:leaderboard"))
    _claims(_verb(verbs, "claims", "reported numbers beside what is stored, with a verdict", "claims:claims"))
    _new_task(
        _verb(
            verbs,
            "new-task",
            "write a task file for files of your own, or for a data set on the Hub",
            "new_task:new_task",
        )
    )
    _describe(_verb(verbs, "describe", "all that is known of a task, a system or a run", "describe:describe"))
    _predict(_verb(verbs, "predict", "what a model that was kept says of texts", "predict:predict"))
    _report(_verb(verbs, "report", "the page that people open: RESULTS/index.html", "report:report"))
    _export(_verb(verbs, "export", "stored runs in the forms of other tools", "export:export_runs"))
    _compare(_verb(verbs, "compare", "two systems on the same rows: difference, interval, p", "compare:compare"))
    _again(_verb(verbs, "again", "make a row of the leaderboard again, and set both beside each other", "again:again"))
    _leaks(_verb(verbs, "leaks", "test rows that resemble training rows, and scores without them", "leaks:leaks"))
    _speed(_verb(verbs, "speed", "time training beside reference loops, many runs, start, growth", "speed:speed"))
    _fetch(_verb(verbs, "fetch", "download all that a plan needs, for use without network", "fetch:fetch"))
    _completion(_verb(verbs, "completion", "a script by which your shell completes commands", "completion:completion"))
    return parser


_ABOUT = "Benchmarks of text encoders: declared tasks and systems in, leaderboards out."


def _verb(verbs: Any, name: str, summary: str, function: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=_examples(name),
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.set_defaults(verb=_late(function), parser=parser)
    return parser


def _examples(verb: str) -> str:
    """The verb's examples, each below what it does."""
    lines = [f"  # {said}\n  encoder-bench {verb} {words}".rstrip() for said, words in EXAMPLES[verb]]
    return "\n".join(["examples:", *lines])


def _late(function: str) -> Callable[[argparse.Namespace], int]:
    """The verb's function, imported when it is called: --help must not wait for it."""

    def call(arguments: argparse.Namespace) -> int:
        module, _, name = function.partition(":")
        return int(getattr(import_module(f"benchmarks.cli.{module}"), name)(arguments))

    return call


def _run(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what is run")
    _selection(what)
    add = what.add_argument
    add("--set", metavar="NAME=V,...", action="append", default=[], dest="overrides", help=_SET)
    add("--tune", metavar="N", type=values.trials, help=_TUNE)
    add("--claims", metavar="ID,...", type=values.names("--claims"), nargs="?", const=[], action="append", help=_CLAIMS)
    add = parser.add_argument_group("on which rows").add_argument
    add("--train-sizes", metavar="N,...", type=values.sizes, action="extend", help=_SIZES)
    add("--folds", metavar="K", type=values.folds, help="K-fold cross-validation instead of the test split")
    add("--seeds", metavar="N", type=values.seeds, default=3, help="seeds 0 ... N-1 (default 3)")
    add("--limit", metavar="N", type=values.count, help=_LIMIT)
    add = parser.add_argument_group("how").add_argument
    add("--jobs", metavar="N", type=values.jobs, default=1, help=_JOBS)
    add("--ray", metavar="ADDRESS", type=values.ray, help=_RAY)
    add("--precision", choices=["auto", "fp32", "bf16"], help=_PRECISION)
    add("--timeout", metavar="MINUTES", type=values.minutes, help=_TIMEOUT)
    add("--checkpoint-minutes", metavar="N", type=values.minutes_or_never, default=10.0, help=_CHECKPOINTS)
    add("--keep-models", action="store_true", help="keep fine-tuned models; makes stored runs again that have none")
    add("--report-to", metavar="T,...", type=values.trackers, default=(), help=_REPORT_TO)
    add("--force", action="store_true", help="make stored runs again")
    add("--fail-fast", action="store_true", help="stop at the first failure")
    _results(parser)
    add = parser.add_argument_group("only looking").add_argument
    add("--dry-run", action="store_true", help="the plan with counts and estimated time")
    add("--list", action="store_true", help="the declared tasks, systems and metrics")


_TUNE = "each run chooses its recipe among N, by its score on validation rows"
_SIZES = "nested training subsets; 'all' is the whole"
_LIMIT = "first N rows of every split: a smoke run, kept out of leaderboards"
_JOBS = "runs side by side, or 'auto': one worker per core, several per GPU"
_RAY = "runs as tasks on a Ray cluster: HOST:PORT, 'auto' (this machine's), or 'local' (one of this machine's cores)"
_TIMEOUT = "a run that takes longer is stopped, and stored as failed; the others go on"
_CHECKPOINTS = "how often a training writes what it goes on from when it was interrupted (default 10; 0: never)"
_PRECISION = "of training; auto (default): bf16 where processor or GPU computes in it, else fp32"
_REPORT_TO = f"trackers that are told of training and scores: {', '.join(NAMES)}"
_CLAIMS = "exactly the runs that claims need: names, sources, YAML paths; without any, all"
_SYSTEMS = "system names, tags, Hub ids, folders, or 'all' (default: those that `encoder-bench list systems` marks *)"
_SET = "override, such as recipe.learning_rate=1e-5,2e-5 or encoder=minilm; several values make a grid"


def _selection(parser: argparse._ActionsContainer) -> None:
    add = parser.add_argument
    add(
        "--tasks",
        metavar="A,B",
        type=values.names("--tasks"),
        action="extend",
        help="task names, groups, YAML paths, or 'all'",
    )
    add(
        "--systems",
        metavar="X,Y",
        type=values.names("--systems"),
        action="extend",
        help=_SYSTEMS,
    )
    _data(parser, _DATA)
    add("--sample", action="store_true", help="the embedded sample corpora and the bundled encoder: no network")


def _data(parser: argparse._ActionsContainer, told: str) -> None:
    parser.add_argument("--data-dir", metavar="DIR", type=values.data_dir, help=told)


_EXCERPTED = "whose excerpts are taken, such as YAML files of your own (default: the suite's tasks that have runs)"
_EXCERPTS = "published files, for excerpts of rows that systems get wrong (default: $ENCODER_BENCH_DATA)"
_DATA = "folder with the published files, one sub-folder a source (default: $ENCODER_BENCH_DATA, then the Hub)"


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=["tasks", "systems", "metrics"], help="only these")


def _validate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="*", metavar="TASK", help="task names or YAML files (default: all of the suite's)")
    add("--claims", metavar="FILE", type=values.path, action="append", default=[], help=_OWN_CLAIMS)
    _data(parser, _DATA)


def _results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--results-dir", metavar="DIR", type=values.path, default=Path("results"), help="default: results"
    )


def _claims(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("claims", metavar="ID,...", nargs="?", type=values.names("claims"), help=_CLAIMED)
    add("--claims", metavar="FILE", dest="files", type=values.path, action="append", default=[], help=_OWN_CLAIMS)
    _results(parser)


_OWN_CLAIMS = "a file of claims of your own, beside the suite's"
_CLAIMED = "names or sources of claims to show; without any, all are shown and RESULTS/CLAIMS.md is written"


def _compare(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("systems", nargs=2, metavar="SYSTEM", help="two systems as a leaderboard names them")
    add("--task", metavar="T", required=True, help="the task; every table of it that has both is compared")
    add("--metric", metavar="M", type=values.metric, help="default: the task's primary metric")
    _results(parser)


def _again(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="as the leaderboard over all tasks names it")
    add("--tasks", metavar="A,B", type=values.names("--tasks"), action="extend", help=_AGAIN)
    _data(parser, _DATA)
    add("--jobs", metavar="N", type=values.jobs, default=1, help=_JOBS)
    add("--into", metavar="DIR", type=values.path, default=Path("again"), help=_INTO)
    _results(parser)


_INTO = "where the new runs are stored (default: again)"
_AGAIN = "only on these; a task of your own by its file (default: all that the row has)"


def _new_task(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", nargs="?", help=_NEW)
    add("--config", metavar="NAME", help="of a Hub data set, its configuration")
    add("--test", metavar="FILE", help="a file, or the Hub's split (default: a fifth of the rows is held out)")
    add("--validation", metavar="FILE", help="a file, or the Hub's split")
    add("--header", action=argparse.BooleanOptionalAction, help="whether csv and tsv have one (default: seen)")
    add("--text", metavar="COLUMN", help="the column of the texts; without a header its number")
    add("--label", metavar="COLUMN", help="the column of the labels")
    add("--positive", metavar="LABEL", help="of two labels, the one that precision, recall and F1 are about")
    add("--name", metavar="NAME", help="of the task and its file; what is not given is asked on a terminal")
    add("--title", metavar="TITLE")
    add("--group", metavar="GROUP")
    add("--language", metavar="CODE")
    add("--metric", metavar="M", type=values.metric, help="the primary metric")


_NEW = "texts with labels (csv, tsv, jsonl), one tagged word a line, or a data set on the Hub (org/name)"


def _describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="a task, a system, a task's YAML file, or a run: TASK/SYSTEM[/KEY]"
    )
    _results(parser)


def _predict(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="TASK/SYSTEM[/KEY], or the path of a record; made with --keep-models")
    add("--text", metavar="TEXT", action="append", default=[], help="a text; may be repeated")
    add("--file", metavar="FILE", help="texts, one a line; '-' reads the input")
    _results(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    _data(parser, _EXCERPTS)
    parser.add_argument("--tasks", metavar="A,B", type=values.names("--tasks"), action="extend", help=_EXCERPTED)
    _results(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--format", choices=EXPORTED, required=True, help="csv, json (lines), parquet: a row a run; latex: leaderboard")
    add("--output", metavar="FILE", type=values.path, help="default: printed")
    add("--tasks", metavar="A,B", type=values.names("--tasks"), action="extend", default=[], help="names; default: all")
    add(
        "--systems",
        metavar="X,Y",
        type=values.names("--systems"),
        action="extend",
        default=[],
        help="as tables name them",
    )
    _results(parser)


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh"])


def _leaks(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "tasks",
        metavar="TASK,...",
        nargs="?",
        type=values.names("tasks"),
        help="as --tasks of run; default: the suite's tasks that have runs",
    )
    _data(parser, _DATA)
    _results(parser)


def _speed(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("parts", metavar="PART,...", nargs="?", type=values.parts, help=f"of {', '.join(PARTS)} (default: all)")
    add(
        "--tasks",
        metavar="A,B",
        type=values.names("--tasks"),
        action="extend",
        help="default: rotten-tomatoes,mit-movie",
    )
    _data(parser, _DATA)
    add("--sample", action="store_true", help="on the embedded sample corpora")
    add("--rows", metavar="N", type=values.rows, default=640, help="rows that each loop trains on (default 640)")
    add("--rounds", metavar="N", type=values.seeds, default=3, help="how often each loop is timed (default 3)")
    _results(parser)


def _fetch(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(downloads=True)
    _selection(parser)
    parser.add_argument("--update", action="store_true", help="move locked commits on to the Hub's newest")
