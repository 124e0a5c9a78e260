"""Plans and makes benchmark runs, then writes the leaderboards: the same as `encoder-bench run`."""

import sys

from benchmarks.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
