"""Fills the disk while a grid is made: one message, exit code 2, and the same command goes on once there is room.

    python -m torture.disk --step 12

Each try makes the grid on a file system in memory that is a little larger than the last one, until it fits; nothing
that is stored may be lost on the way. Needs Linux and user namespaces (`unshare -rm`).
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from torture.kills import LONGEST, Tally, check_equal, check_whole, command, environment, prepared, undisturbed

GRID = "one after the other"
SCRIPT = """
mount -t tmpfs -o size={size}k none {results}
cp -r {kept}/. {results}/ 2>/dev/null
{suite}
code=$?
rm -rf {kept}
cp -r {results} {kept}
exit $code
"""


def available() -> bool:
    """Whether this system lets us mount a file system of our own."""
    asked = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True)
    return asked.returncode == 0


def filled(folder: Path, size: int) -> subprocess.CompletedProcess[str]:
    """A suite on a disk of so many KiB that holds what the one before has stored."""
    results, kept = folder / "results", folder / "kept"
    results.mkdir(exist_ok=True)
    kept.mkdir(exist_ok=True)
    suite = shlex.join(command(GRID, str(results)))
    script = SCRIPT.format(size=size, results=results, kept=kept, suite=suite)
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=folder, env=environment(folder), capture_output=True, text=True,
        timeout=LONGEST,
    )  # fmt: skip


def disk(folder: Path, least: int, step: int) -> tuple[Tally, list[int]]:
    """The sizes that were too small, and what that did."""
    tally, too_small, before = Tally(), list[int](), dict[str, bytes]()
    undisturbed(prepared(folder), GRID, str(folder / "alone"))
    for size in range(least, 10**6, step):
        done = filled(folder, size)
        before = check_whole(folder / "kept", before, tally)
        if done.returncode == 0:
            break
        too_small.append(size)
        last = done.stderr.strip().splitlines()[-1:] or [""]
        if done.returncode != 2 or "No space left on device" not in last[0] or "Traceback" in done.stderr:
            tally.problems.append(f"{size} KiB: ends with {done.returncode}: {done.stderr[-1000:]}")
    check_equal(folder / "kept", folder / "alone", tally)
    return tally, too_small


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=int, default=8)
    parser.add_argument("--step", type=int, default=12)
    asked = parser.parse_args()
    if not available():
        print("no user namespaces here: not tried", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        tally, too_small = disk(Path(folder), asked.least, asked.step)
    print(json.dumps({"full disks (KiB)": too_small, "runs stored": tally.runs, "problems": tally.problems}, indent=1))
    if not too_small:
        print("no disk was too small: nothing was tried, give it a lower --least", file=sys.stderr)
    return int(bool(tally.problems) or not too_small)


if __name__ == "__main__":
    sys.exit(main())
