"""One bench per place where a journal can be kept: the same contract is held on each."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import pytest

from drrun.core.model.errors import RunHeld
from drrun.core.model.ids import RunId
from drrun.engine.leasing import LEASE_TTL, ControllerProcess
from drrun.journal.database import Database
from drrun.journal.inbox import SqliteInbox
from drrun.journal.leases import SqliteLeases
from drrun.journal.processes import this_process
from drrun.journal.sqlite import SqliteJournal
from drrun.ports.journal import Document, Draft, Inbox, Journal, Lease, Leases, RunRecord
from drrun.testing.manual_clock import ManualClock
from drrun.testing.memory import MemoryJournal

ROOT = Path(__file__).parents[3]
RUN = RunId("20240111-090000-migration-7f3a")
RUNBOOK = "drrun: 1\nname: migration\n"
START = 1_704_963_600.0


def record(run: RunId = RUN, started_at: float = START) -> RunRecord:
    return RunRecord(run, "migration", "Move", "live", "", started_at, "drew", "running", None, 0)


def document(content: str = RUNBOOK) -> Document:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Document("runbook", "/srv/migration.yaml", content, digest)


def draft(kind: str = "NoteTaken", **body: Any) -> Draft:
    return Draft(START + 0.1, "controller", kind, 1, body)


@dataclass(frozen=True)
class View:
    """A journal with all that belongs to it, as one process sees it."""

    journal: Journal
    leases: Leases
    inbox: Inbox


class Bench(Protocol):
    """Where the contract is tried."""

    clock: ManualClock
    mine: View

    def elsewhere(self) -> View:
        """As a process on another machine, which nobody here can look at, sees it."""
        ...

    def held_by_the_dead(self, run: RunId) -> Lease:
        """Let a process take the lease and be killed."""
        ...

    def held_by_the_living(self, run: RunId) -> Lease:
        """Let another process on this machine take the lease and go on living."""
        ...


ELSEWHERE = ControllerProcess(
    "simon@bastion.fre", "bastion.fre", 17, "other-machine/other-boot/pid:[1]/5"
)


def watch(leases: Leases) -> float | None:
    """Look at a lease that is wanted by force, but held; after how long it may be taken."""
    with pytest.raises(RunHeld) as refusal:
        leases.take(RUN, force=True)
    return refusal.value.wait


def taken_by_force(bench: Bench, leases: Leases) -> Lease:
    """Watch the holder give no sign of life, and take its lease."""
    watch(leases)
    bench.clock.advance(LEASE_TTL)
    return leases.take(RUN, force=True)


class MemoryBench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self._store = MemoryJournal(self.clock)
        self.mine = View(self._store, self._store, self._store)

    def elsewhere(self) -> View:
        store = self._store.seen_from(ELSEWHERE)
        return View(store, store, store)

    def held_by_the_dead(self, run: RunId) -> Lease:
        seat = ControllerProcess("drew@laptop", "laptop", 12, "0")
        lease = self._store.seen_from(seat).take(run)
        self._store.bury(seat)
        return lease

    def held_by_the_living(self, run: RunId) -> Lease:
        return self._store.seen_from(ControllerProcess("drew@laptop", "laptop", 13, "0")).take(run)


def sqlite_view(
    database: Database, clock: ManualClock, seat: ControllerProcess | None = None
) -> View:
    return View(
        SqliteJournal(database),
        SqliteLeases(database, clock, seat or this_process(), elapsed=clock.now),
        SqliteInbox(database),
    )


@dataclass
class SqliteBench:
    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self._databases = [Database(self.folder), Database(self.folder)]
        self._children: list[Other] = []
        self.mine = sqlite_view(self._databases[0], self.clock)

    def elsewhere(self) -> View:
        return sqlite_view(self._databases[1], self.clock, ELSEWHERE)

    def held_by_the_dead(self, run: RunId) -> Lease:
        other = self.other("hold", run)
        lease = Lease(**other.hear())
        other.kill()
        return lease

    def held_by_the_living(self, run: RunId) -> Lease:
        return Lease(**self.other("hold", run).hear())

    def other(self, errand: str, *arguments: str) -> "Other":
        child = Other(errand, str(self.folder), *arguments)
        self._children.append(child)
        return child

    def close(self) -> None:
        for child in self._children:
            child.kill()
        for database in self._databases:
            database.close()


class Other:
    """Another process on the same state folder: see `other.py`."""

    def __init__(self, errand: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.contract.journal.other", errand, *arguments]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def hear(self) -> Mapping[str, Any]:
        """The next line it says."""
        line = self._out.readline()
        assert line, "the other process ended before it said anything"
        heard: Mapping[str, Any] = json.loads(line)
        return heard

    def hear_all(self) -> list[Mapping[str, Any]]:
        """Everything it still says until it ends; a line cut by death is not said."""
        lines = self._out.read().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def tell(self, word: str = "go") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def shoot(self) -> None:
        """Kill -9, without waiting."""
        self._process.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout


@contextmanager
def sqlite_bench(folder: Path) -> Iterator[SqliteBench]:
    bench = SqliteBench(folder)
    try:
        yield bench
    finally:
        bench.close()
