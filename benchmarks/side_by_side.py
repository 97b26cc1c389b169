"""drrun beside its peers, in one run on this machine: real sshd, round trips, hundreds of hosts.

Usage: sudo python benchmarks/side_by_side.py [--short] [--drrun PATH] [--peers DIR] [--out DIR]

Installs ansible-core, pyinfra, Fabric, paramiko, ssh2-python and asyncssh into environments of
their own, then lets all do the same work in network namespaces that nothing leads out of. Writes
side-by-side.md, .json and .svg. Times are compared, never judged; what a step costs is counted,
and the exit code is 1 if that exceeds a budget (`benchmarks/side/counts.py`).
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.side.contestants import Contestant, drrun, install, peers, version
from benchmarks.side.counts import count
from benchmarks.side.looking import look
from benchmarks.side.measure import Failed
from benchmarks.side.rows import Result, Row, full, measure, short
from benchmarks.side.world import NotHere, World, inside, program
from benchmarks.side.writing import Report

#: Minutes after which nothing new begins.
_LIMITS = {True: 1.8, False: 90.0}
_COUNTS, _LOOKS = "counts", "looks"


def options() -> argparse.Namespace:
    """The command line."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="two minutes, for CI")
    parser.add_argument("--drrun", type=Path, default=Path(sys.executable).with_name("drrun"))
    parser.add_argument("--peers", type=Path, default=cache / "drrun-benchmark")
    parser.add_argument("--out", type=Path, default=Path("side-by-side"))
    parser.add_argument("--runs", type=int, default=3, help="rounds; figures are medians")
    parser.add_argument("--limit", type=float, help="minutes after which nothing new begins")
    parser.add_argument(
        "--row", action="append", metavar="NAME", help="only these; `counts` and `looks` too"
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.drrun = given.drrun.absolute()
    given.limit = given.limit or _LIMITS[given.short]
    return given


def rows_of(given: argparse.Namespace) -> list[Row]:
    """The rows that are wanted."""
    rows = short() if given.short else full()
    return [row for row in rows if not given.row or row.name in given.row]


def wanted(given: argparse.Namespace, name: str) -> bool:
    """Whether a part that is no row is wanted."""
    return name in given.row if given.row else not (given.short and name == _LOOKS)


def contestants_of(given: argparse.Namespace) -> list[Contestant]:
    """Who takes part in the rows."""
    names = {name for row in rows_of(given) for name in row.who}
    return [drrun(given.drrun), *(each for each in peers(given.peers) if each.name in names)]


def machine(folder: Path) -> dict[str, str]:
    """What a reader must know of it."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
           if line.startswith("model name")]  # fmt: skip
    disk = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True,
                          check=True)  # fmt: skip
    sshd = subprocess.run([program("ssh"), "-V"], capture_output=True, text=True, check=True)
    return {
        "machine": f"{os.cpu_count()} cores, {cpu[0].partition(': ')[2] if cpu else '?'}",
        "system": f"Linux {platform.release()}, {sshd.stderr.strip()}",
        "load before": " ".join(f"{each:.1f}" for each in os.getloadavg()),
        "journal on": disk.stdout.strip(),
    }


def versions(given: argparse.Namespace, contestants: Sequence[Contestant]) -> dict[str, str]:
    """What is compared."""
    own = subprocess.run([str(given.drrun), "--version"], capture_output=True, text=True,
                         check=True)  # fmt: skip
    known = {"drrun": own.stdout.split()[-1], "Python": platform.python_version()}
    return known | {e.package: version(e, given.peers) for e in contestants if e.package}


def compare(given: argparse.Namespace) -> Report:
    """Everything that is wanted, until the time is over."""
    deadline = time.monotonic() + given.limit * 60
    contestants, rows = contestants_of(given), rows_of(given)
    folder: Path = given.inside
    report = Report(machine(folder), versions(given, contestants))
    if wanted(given, _LOOKS):
        place = folder / "looking"
        place.mkdir()
        try:
            look(given.drrun, place, given.runs, deadline, report.looks)
        except Failed as failure:
            report.missing.append(f"looks: {failure}")
    most = max((size for row in rows for size in row.sizes if row.name != "output"), default=1)
    with World.of(folder, most) as world:
        if wanted(given, _COUNTS):
            report.counts = count(world, contestants[0])
        report.results = [Result(row) for row in rows]
        for number in range(given.runs):
            print(f"round {number + 1} of {given.runs}", file=sys.stderr, flush=True)
            if not measure(report.results, world, contestants, deadline):
                report.missing.append(f"the time was over in round {number + 1}")
                break
            report.write(given.out)
    return report


def outside(given: argparse.Namespace) -> int:
    """Install the peers, then do the rest in namespaces; nothing of it is left."""
    install(contestants_of(given), given.peers)
    # As Ctrl-C does: the namespaces, and all that lives in them, are ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as folder:
        command = inside([sys.executable, *sys.argv, "--inside", folder])
        return subprocess.run(command, check=False).returncode


def main() -> int:
    given = options()
    try:
        if not given.inside:
            return outside(given)
        report = compare(given)
    except (NotHere, Failed) as problem:
        print(f"side_by_side: {problem}", file=sys.stderr)
        return 2
    report.write(given.out)
    print(report.markdown())
    return 0 if all(each.kept for each in report.counts) else 1


if __name__ == "__main__":
    sys.exit(main())
