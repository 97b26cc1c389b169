"""What a step of a chain costs, counted instead of timed, against budgets that fail.

Rules:
- Everything is counted from outside: processes by the numbers that the kernel gives out in the
  hosts' namespace, commits by SQLite's own file change counter, fsyncs by strace, messages on the
  wire. None of it depends on how fast the machine is or what else it does.
- A long chain less a short one: what is paid once for a run is no step's.
- Judged to a tenth: what comes by the clock (a lease, a watchdog) is no step's either.
"""

import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side.contestants import Contestant
from benchmarks.side.measure import done
from benchmarks.side.work import chain
from benchmarks.side.world import NotHere, World

PROCESSES, COMMITS, FSYNCS, MESSAGES = "processes", "commits", "fsyncs", "messages"
#: The most that one step may cost: without and with a `run` verify.
BUDGETS = {
    # Forked on the host, sshd's own included.
    PROCESSES: (8, 8),
    # Durable transactions of the journal: one a turn of the controller. Turns that only record
    # that commands began come a few times a second: a slow machine has more of them for a step.
    COMMITS: (1.5, 2),
    # Five make a commit of SQLite survive a power cut.
    FSYNCS: (7.5, 10),
    # TCP segments with data to the host: the request, and a share of forgetting in batches;
    # verification travels in the same request.
    MESSAGES: (2, 2),
}
_SHORT, _LONG = 10, 50
_LIMIT = 120.0
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True)
class Count:
    """What a step costs, and what it may."""

    what: str
    verify: bool
    value: float
    budget: float

    @property
    def kept(self) -> bool:
        """Whether it is within the budget."""
        return round(self.value, 1) <= self.budget


def count(world: World, contestant: Contestant) -> list[Count]:
    """All counts of all kinds of step.

    Raises:
        NotHere: strace is missing.
        Failed: a run did.
    """
    if not shutil.which("strace"):
        raise NotHere("fsyncs are counted by strace, which is missing: apt-get install strace")
    counts = []
    for index, verify in enumerate(("", "true")):
        short, long = (_run(world, contestant, length, verify) for length in (_SHORT, _LONG))
        counts += [
            Count(what, bool(verify), (long[what] - short[what]) / (_LONG - _SHORT), budget[index])
            for what, budget in BUDGETS.items()
        ]
    return counts


def _run(world: World, contestant: Contestant, length: int, verify: str) -> dict[str, int]:
    """The sums of one run."""
    print(f"counting: a chain of {length}{', verified' if verify else ''}", file=sys.stderr)
    work = chain(world.hosts(1, round_trip=0.0)[0], length, verify)
    processes, messages = _settled(world), world.messages()
    table = world.folder / "strace"
    strace = ("strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(table))
    with done(world, contestant, work, _LIMIT, before=strace) as measured:
        return {
            PROCESSES: _settled(world) - processes,
            COMMITS: _commits(measured.folder / "state"),
            FSYNCS: _calls(table.read_text("ascii")),
            MESSAGES: world.messages() - messages,
        }


def _settled(world: World) -> int:
    """How many processes the hosts have begun, once they begin no more."""
    pause, before = threading.Event(), -1
    while (now := world.processes()) != before:
        before = now
        pause.wait(0.5)
    return now


def _commits(state: Path) -> int:
    """The transactions that changed a database below `state`."""
    total = 0
    for path in filter(Path.is_file, state.rglob("*")):
        with path.open("rb") as file:
            head = file.read(28)
        if head.startswith(_SQLITE):
            if head[18] != 1:
                raise NotHere(f"{path.name} has a write-ahead log: it counts no commits")
            total += int.from_bytes(head[24:28], "big")
    return total


def _calls(table: str) -> int:
    """The system calls in a summary of strace."""
    rows = [line.split() for line in table.splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in ("fsync", "fdatasync"))
