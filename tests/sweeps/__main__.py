"""`python -m tests.sweeps`: prints figures, ends with 1 if anything went wrong."""

import argparse
import sys
import time

from tests.sweeps.cuts import sweep as cut
from tests.sweeps.kills import sweep as kill


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.sweeps")
    parser.add_argument("what", choices=("kills", "cuts"))
    parser.add_argument("--seed", type=int, default=1, help="of the first scene")
    parser.add_argument("--count", type=int, default=20, help="kills or cuts")
    parser.add_argument("--at-once", type=int, default=2, help="scenes in the air")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="none begins later")
    given = parser.parse_args()
    sweep = kill if given.what == "kills" else cut
    until = time.monotonic() + given.minutes * 60
    tally = sweep(given.seed, given.count, given.at_once, until=until)
    print(f"{given.what}, seeds {given.seed} to {given.seed + tally.runs - 1}: {tally}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
