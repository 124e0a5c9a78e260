"""Loses nodes of a Ray cluster while it makes runs, until all are done: none may be lost, made twice, or another.

    python -m torture.ray_nodes --losses 20 --runs 60 --seed 0

A grid of tiny encoders is made once without Ray and then on a cluster of several nodes on this machine: a whole node is
ended by SIGKILL at a random moment, and another one takes its place. A grid that is done before so many nodes are lost
was too small: that ends with 1, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

import make  # noqa: E402  beside this package
import several  # noqa: E402
import tiny  # noqa: E402

COMMAND = "--tasks ./mine.yaml,./names.yaml --data-dir data --systems ./enc,tfidf-nb,majority --set recipe.epochs=20"
FINISHED = re.compile(r"^\[\d+/\d+\] (.*?): .* in ", re.MULTILINE)
MOST_BETWEEN = 4.0
"""Seconds from one loss to the next, at most."""


def suite(folder: Path, runs: int, *more: str) -> subprocess.Popen[str]:
    """Five runs a seed: tfidf does no tagging."""
    line = [sys.executable, str(TESTS.parent / "run_all.py"), *COMMAND.split(), "--seeds", str(-(-runs // 5)), *more]
    own = {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1", "ENCODER_BENCH_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        line, cwd=folder, env={**os.environ, **own}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def under_losses(folder: Path, nodes: several.Nodes, runs: int, losses: int, draw: random.Random) -> tuple[str, int]:
    """What the suite says, and how many nodes it lost; raises RuntimeError where it doesn't end well."""
    done = suite(folder, runs, "--results-dir", "results", "--ray", nodes.address)
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(done.stdout or ()))
    reader.start()
    lost = 0
    while done.poll() is None and lost < losses:
        time.sleep(draw.uniform(0.5, MOST_BETWEEN))
        if done.poll() is None and any("started" in line for line in said):
            nodes.lose(draw.randrange(len(nodes.nodes)))
            lost += 1
    reader.join()
    if done.wait():
        raise RuntimeError(f"ends with {done.returncode}: {''.join(said)}")
    return "".join(said), lost


def compared(found: Path, expected: Path) -> dict[str, object]:
    there, wanted = ({path.relative_to(top) for path in top.glob("runs/*/*/[!.]*")} for top in (found, expected))
    both = there & wanted
    records = [path for path in both if path.suffix == ".json"]
    metrics = [_metrics(found / path) == _metrics(expected / path) for path in records]
    predictions = [(found / path).read_bytes() == (expected / path).read_bytes() for path in both - set(records)]
    return {
        "runs": len(records),
        "lost": len(wanted - there),
        "beside": len(there - wanted),
        "equal scores": all(metrics),
        "equal predictions": all(predictions),
        "left behind": len(list((found / "unfinished").glob("[!.]*"))),
    }


def _metrics(record: Path) -> object:
    found = json.loads(record.read_text())
    return found["status"], found.get("metrics")


def torture(folder: Path, runs: int, losses: int, seed: int) -> dict[str, object]:
    make.text_task(folder)
    make.tag_task(folder)
    tiny.checkpoint(folder / "enc")
    alone = suite(folder, runs, "--results-dir", "alone")
    told, _ = alone.communicate()
    if alone.returncode:
        raise RuntimeError(f"ends with {alone.returncode}: {told}")
    nodes = several.Nodes(folder / "nodes")
    try:
        begun = time.monotonic()
        said, lost = under_losses(folder, nodes, runs, losses, random.Random(seed))
        finished = FINISHED.findall(said)
        return {
            "node losses": lost,
            "runs begun anew": said.count("its node was lost"),
            "taken for a lack of memory": said.count("its process was killed"),
            "made twice": len(finished) - len(set(finished)),
            **compared(folder / "results", folder / "alone"),
            "seconds": round(time.monotonic() - begun),
        }
    finally:
        nodes.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--losses", type=int, default=20)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, several.environment():
        summary = torture(Path(folder), asked.runs, asked.losses, asked.seed)
    print(json.dumps(summary, indent=1))
    wrong = [summary[name] for name in ("made twice", "lost", "beside", "left behind")]
    equal = summary["equal scores"] and summary["equal predictions"]
    if too_few := summary["node losses"] != asked.losses:
        print(f"done before {asked.losses} nodes were lost: give it more --runs", file=sys.stderr)
    return int(any(wrong) or not equal or too_few)


if __name__ == "__main__":
    sys.exit(main())
