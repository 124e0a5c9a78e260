"""The verb completion: a script by which a shell completes verbs, flags, and names of tasks, systems and metrics."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator, Sequence

from benchmarks import definitions

FUNCTIONS = {"--tasks": "tasks", "--task": "tasks", "--systems": "systems"}
"""Flag -> the names that it takes, perhaps several with commas between them."""

BASH = """\
_encoder_bench_{kind}() {{
  local before=""
  case "$1" in *,*) before="${{1%,*}},";; esac
  compgen -P "$before" -W "{names}" -- "${{1##*,}}"
}}
"""
ZSH = """\
_encoder_bench_{kind}() {{
  _values -s , {kind} {names}
}}
"""


def completion(arguments: Namespace) -> int:
    """Prints the script; its names are those that are declared now."""
    import shtab

    from benchmarks.cli.arguments import command_line

    parser = command_line()
    for action in _actions(parser):
        if kind := next((FUNCTIONS[flag] for flag in action.option_strings if flag in FUNCTIONS), None):
            action.complete = dict.fromkeys(("bash", "zsh"), f"_encoder_bench_{kind}")  # type: ignore[attr-defined]
        elif action.metavar in ("FILE", "DIR"):
            action.complete = shtab.FILE if action.metavar == "FILE" else shtab.DIRECTORY  # type: ignore[attr-defined]
    names = {"tasks": _tasks(), "systems": list(definitions.load_systems())}
    form = BASH if arguments.shell == "bash" else ZSH
    preamble = "".join(form.format(kind=kind, names=" ".join(own)) for kind, own in names.items())
    print(shtab.complete(parser, shell=arguments.shell, preamble=preamble))
    return 0


def _tasks() -> list[str]:
    """With their groups."""
    tasks = definitions.load_tasks()
    return [*tasks, *dict.fromkeys(task.group for task in tasks.values()), "all"]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Of the parser and of every verb's."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            verbs: Sequence[argparse.ArgumentParser] = list(action.choices.values())
            for verb in verbs:
                yield from _actions(verb)
