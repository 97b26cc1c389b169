"""What is kept of runs: journals, leases, inboxes, folds, records."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId, StepId


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: an event in its envelope. Bodies are plain JSON values."""

    run: RunId
    #: Counts from 1 without a gap.
    seq: int
    #: Seconds since the epoch, UTC, from the controller's clock.
    at: float
    #: Who: `controller`, or a person's name.
    actor: str
    #: Fencing token of the controller that wrote this.
    epoch: int
    kind: str
    version: int
    body: Mapping[str, Any]
    #: SHA-256 (hex) over the previous entry's hash and this entry's canonical JSON.
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before the journal has given it a place."""

    at: float
    actor: str
    kind: str
    version: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive a run. The epoch grows with every holder."""

    run: RunId
    epoch: int
    #: `user@host`.
    holder: str
    host: str
    pid: int
    #: When it was taken, and when the holder was last seen; seconds since the epoch, UTC.
    since: float
    seen: float
    #: Start time of the holder's process, to tell a reused pid.
    started: str = ""
    #: The last sign of life of whoever held it before, by the clock of that one; None: nobody did.
    seen_before: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked of a run from any terminal. Waits in the inbox until answered."""

    id: int
    run: RunId
    at: float
    actor: str
    #: `confirm`, `reject`, `retry`, `skip`, `mark-done`, `pause`, `unpause`, `abort`, `note`.
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """What the controller made of a request."""

    accepted: bool
    message: str
    #: What is doubtful about who asked; "" if nothing is.
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One line of the history. A cache: rebuilt from the journal at will."""

    id: RunId
    runbook: str
    title: str
    mode: str
    variant: str
    started_at: float
    started_by: str
    #: As of the last entry written; `interrupted` is decided by whoever looks at the lease.
    status: str
    ended_at: float | None
    entries: int
    #: Services that it was to raise.
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A text that a run is pinned to: the runbook, an inventory file, the inputs."""

    #: `runbook`, `inventory`, `inputs`.
    kind: str
    path: str
    content: str
    sha256: str


@dataclass(frozen=True, slots=True)
class JournalCheck:
    """What became of a look at a run's journal."""

    #: The last entry that, with all before it, is what was written.
    sound: Head
    #: Everything that is not, a clause each; none: it is what was written.
    flaws: tuple[str, ...] = ()
    #: Numbers of entries that are there and were not written so.
    doubted: tuple[range, ...] = ()

    def doubts(self, entry: Entry) -> bool:
        """Whether an entry is one of those."""
        return any(entry.seq in each for each in self.doubted)


class Journal(Protocol):
    """The truth: append-only, hash-chained, one writer per epoch."""

    def create(self, record: RunRecord, documents: Sequence[Document]) -> None:
        """Make a run with its pinned documents, durably, before anything else."""
        ...

    def append(self, lease: Lease, drafts: Sequence[Draft]) -> list[Entry]:
        """Write all of `drafts` durably in one transaction, or none.

        Raises:
            LeaseLost: Another controller holds the run by now; nothing was written.
            StateUnusable: Disk full or failing; nothing was written.
        """
        ...

    def read(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries with `seq > after`, in order."""
        ...

    def read_steps(self, run: RunId, steps: Collection[StepId]) -> Iterator[Entry]:
        """Entries whose event happened to one of these steps, in order."""
        ...

    def left(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries as `read` gives them, without those that cannot be read any more."""
        ...

    def documents(self, run: RunId) -> tuple[Document, ...]:
        """What the run is pinned to."""
        ...

    def runs(self) -> list[RunRecord]:
        """All runs, newest first."""
        ...

    def update(self, run: RunId, status: str, ended_at: float | None) -> None:
        """Refresh the history's cache."""
        ...

    def lost(self) -> tuple[RunId, ...]:
        """Runs that were written here, and are in no list any more."""
        ...

    def check(self, run: RunId, since: Head | None = None) -> JournalCheck:
        """Look whether the run is what was written.

        Args:
            run: Which.
            since: An entry that is known to be sound, with all before it; None: look at all.

        Raises:
            Refused: There is no such run.
        """
        ...

    def verify(self, run: RunId) -> str:
        """Check the hash chain and return the head hash.

        Raises:
            JournalDamaged: Names everything that is not what was written.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeptFold:
    """What was kept of a journal's fold."""

    #: Where the journal's chain begins.
    born: Head
    #: The last entry that was folded.
    head: Head
    #: What they fold to; "": nothing is kept, or not of this journal as it is now.
    text: str = ""


class Folds(Protocol):
    """Keeps what journals fold to, for those who look. Everything in it may vanish at any time."""

    def recall(self, run: RunId) -> KeptFold | None:
        """What was kept, if the journal has the very entries that were folded; None: no such run.

        Raises:
            StateUnusable: The journal cannot be read.
        """
        ...

    def keep(self, run: RunId, head: Head, text: str) -> None:
        """Keep what the entries up to `head` fold to, if that can be done.

        Args:
            run: Which.
            head: The last entry; the chain of all up to it was found to hold.
            text: What they fold to.
        """
        ...


class Leases(Protocol):
    """Who may drive a run."""

    def take(self, run: RunId, *, force: bool = False) -> Lease:
        """Become the controller; a holder that is provably dead is replaced.

        Raises:
            RunHeld: Somebody else holds it, or might. With `force` it is watched from the first
                call on, and taken by one that comes after `LEASE_TTL` without a sign of life.
        """
        ...

    def renew(self, lease: Lease) -> None:
        """Give a sign of life.

        Raises:
            LeaseLost: Another controller holds the run.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Stop being the controller."""
        ...

    def holder(self, run: RunId) -> Lease | None:
        """Who drives the run now, if anybody alive does."""
        ...


class Inbox(Protocol):
    """Requests of people on their way to the controller."""

    def post(
        self, run: RunId, at: float, actor: str, kind: str, body: Mapping[str, Any]
    ) -> Request:
        """Leave a request durably, from any process."""
        ...

    def pending(self, run: RunId) -> list[Request]:
        """Requests without an answer, oldest first."""
        ...

    def settle(self, request: Request, answer: RequestAnswer) -> None:
        """Record what became of a request; of what was asked, only `request` stays."""
        ...

    def answer(self, request: Request) -> RequestAnswer | None:
        """What became of a request, or None while it waits."""
        ...


#: Nothing by any name.
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What became of sealed outputs."""

    #: Outputs that can be read now.
    opened: int
    #: Names of secrets that are still wanted for others.
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that somebody gave as evidence."""

    name: str
    size: int
    sha256: str

    def __str__(self) -> str:
        """As the record has it."""
        return f"{self.name} ({self.size} bytes, sha256 {self.sha256})"


#: How a file is named where it was given as evidence: the hash of what `str(Evidence)` writes.
EVIDENCE_HASH = re.compile(r"sha256 ([0-9a-f]{64})\)")


class EvidenceStore(Protocol):
    """Keeps files that people gave as evidence."""

    def keep(self, path: Path) -> Evidence:
        """Keep a file, durably, before the journal names it."""
        ...

    def path(self, digest: str) -> Path:
        """Where a kept file is; InputError if it is not, or was changed."""
        ...


@dataclass(frozen=True, slots=True)
class PreflightRecord:
    """A preflight that was made: a readiness record."""

    runbook: str
    #: Of runbook and inventory, as they were.
    fingerprint: str
    at: float
    by: str
    ready: bool
    #: `{what, where, good, value, wanted}` of everything that was measured.
    checks: Sequence[Mapping[str, Any]]


class Notebook(Protocol):
    """Keeps readiness records."""

    def keep(self, looked: PreflightRecord) -> None:
        """Keep one."""
        ...

    def latest(self, runbook: str, until: float) -> PreflightRecord | None:
        """The last one of a runbook that was made before a moment."""
        ...


@dataclass(frozen=True, slots=True)
class RemovedRun:
    """What is kept of a run that was removed."""

    run: RunId
    #: The last hash of its journal.
    head: str
    at: float
    by: str


class Shelf(Protocol):
    """Takes whole runs away, and takes in runs from elsewhere."""

    def remove(self, run: RunId, by: str, now: float) -> None:
        """Delete a run with all that belongs to it; that it was there is kept."""
        ...

    def with_work(self) -> frozenset[RunId]:
        """Runs in which people noted what is to be done, and that nobody has closed."""
        ...

    def removed(self, text: str) -> Sequence[RemovedRun]:
        """Removed runs with `text` in their id, a few at most."""
        ...

    def take_in(
        self, record: RunRecord, documents: Sequence[Document], entries: Sequence[Entry]
    ) -> None:
        """Enter a run as it was elsewhere; Refused if it is here, JournalDamaged if altered."""
        ...

    def outputs(self, run: RunId) -> Path:
        """The folder with what the run's attempts printed."""
        ...

    def put(self, path: Path, data: bytes) -> None:
        """Write a file of a run that was taken in."""
        ...
