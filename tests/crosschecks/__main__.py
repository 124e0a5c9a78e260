"""Runs the scripts that are asked for, keeps what they found, and writes the page."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent)]

from benchmarks.files import write_text  # noqa: E402  of this checkout
from crosschecks import compared  # noqa: E402

PACKAGES = ("torch", "transformers", "sentence-transformers", "scikit-learn", "seqeval", "iobes")


def printed(script: str, *arguments: str | Path) -> Any:
    """What a script prints, in a process of its own: nothing of `benchmarks` is loaded there."""
    command = [sys.executable, "-m", f"crosschecks.{script}", *map(str, arguments)]
    done = subprocess.run(command, cwd=TESTS, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def made_by() -> dict[str, str]:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"created": today, **{package: version(package) for package in PACKAGES}}


def train(name: str, given: argparse.Namespace) -> None:
    """The seeds that are not there yet; each is kept as soon as it is done."""
    check = compared.CHECKS[name]
    found = {"scores": {}} if given.force else compared.kept(given.results_dir, name)
    trains = check.seeds > 1
    more = ["--bf16"] if trains and given.bf16 else []
    for seed in map(str, range(check.seeds)):
        if seed in found["scores"]:
            continue
        drawn = ["--seed", seed] if trains else []
        scores = printed(check.script, *check.arguments, "--data-dir", given.data_dir, *drawn, *more)
        print(f"{name} seed {seed}: {scores}", flush=True)
        made = {**found.get("made", {}), seed: {**made_by(), "precision": "bf16" if more else "fp32"}}
        found = {"made": made, "scores": {**found["scores"], seed: scores}}
        compared.keep(given.results_dir, name, found)


def score(task: str, given: argparse.Namespace) -> None:
    """All stored runs of a task that have predictions."""
    stored = sorted((given.results_dir / "runs" / task).glob("*/*.parquet"))
    script = ["--conlleval", given.conlleval.resolve()] if given.conlleval else []
    scores = printed("scorers_alone", task, *stored, "--data-dir", given.data_dir, *script)
    print(f"{task}: {len(scores)} runs", flush=True)
    compared.keep(given.results_dir, f"scored-{task}", {"made": made_by(), "scores": scores})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    scored = [f"scored-{task}" for task in compared.RESCORED]
    parser.add_argument("names", nargs="*", metavar="CHECK", help=", ".join([*compared.CHECKS, *scored]))
    parser.add_argument("--data-dir", type=Path, help="the folder of published files; without it, the page alone")
    parser.add_argument("--results-dir", type=Path, default=TESTS.parent / "results")
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 where the matrices allow")
    parser.add_argument("--conlleval", type=Path, help="the CoNLL script, to be run by perl")
    parser.add_argument("--force", action="store_true", help="train again what is there")
    given = parser.parse_args()
    if unknown := set(given.names) - {*compared.CHECKS, *scored}:
        parser.error(f"no such check: {', '.join(sorted(unknown))}. One of: {', '.join([*compared.CHECKS, *scored])}")
    given.results_dir = given.results_dir.resolve()
    if given.data_dir:
        given.data_dir = given.data_dir.resolve()
        for name in given.names or [*compared.CHECKS, *scored]:
            if name in scored:
                score(name.removeprefix("scored-"), given)
            else:
                train(name, given)
    write_text(given.results_dir / "CROSSCHECKS.md", compared.page(given.results_dir))


if __name__ == "__main__":
    main()
