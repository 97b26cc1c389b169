"""`python -m tests.sweeps`: prints figures, ends with 1 if anything went wrong."""

import argparse
import sys

from tests.sweeps.cuts import sweep as cut
from tests.sweeps.kills import sweep as kill


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.sweeps")
    parser.add_argument("what", choices=("kills", "cuts"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=8)
    given = parser.parse_args()
    if given.what == "kills":
        killed = kill(given.seed, given.count)
        said, wrong = str(killed), [*killed.twice, *killed.lost, *killed.stuck]
    else:
        cuts = cut(given.seed, given.count, given.at_once)
        said, wrong = str(cuts), cuts.wrong
    print(f"seed {given.seed}: {said}")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
