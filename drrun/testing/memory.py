"""Journal, leases and inbox in memory: the fake that is part of the package.

Rules:
- It passes the same contract as the journal on disk (`tests/contract/journal`).
- Nothing survives the process. Several seats (controller processes) can share one store.
"""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.integrity.chain import Head
from drrun.core.integrity.flaws import inspect
from drrun.core.model.errors import JournalDamaged, LeaseLost, Refused
from drrun.core.model.ids import RunId, StepId
from drrun.engine.leasing import ControllerProcess, Sign, Vigil, must_be_free
from drrun.engine.sealing import born, plain, seal, storable
from drrun.ports.clock import Clock
from drrun.ports.journal import (
    Document,
    Draft,
    Entry,
    JournalCheck,
    Lease,
    Request,
    RequestAnswer,
    RunRecord,
)
from drrun.testing.manual_clock import ManualClock


@dataclass(slots=True)
class _Kept:
    """One run."""

    record: RunRecord
    documents: tuple[Document, ...]
    head: Head
    entries: list[Entry] = field(default_factory=list)
    lease: Lease | None = None
    epoch: int = 0
    #: When the last holder gave its last sign of life.
    seen: float | None = None


@dataclass(slots=True)
class _Store:
    """What all seats share."""

    runs: dict[RunId, _Kept] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    answers: dict[int, RequestAnswer] = field(default_factory=dict)
    dead: set[ControllerProcess] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)


_HERE = ControllerProcess("drew@laptop", "laptop", 4711, "1")


class MemoryJournal:
    """`Journal`, `Leases` and `Inbox` in one, as one process sees them."""

    def __init__(self, clock: Clock | None = None, seat: ControllerProcess = _HERE) -> None:
        """Begin with no run.

        Args:
            clock: Gives the times of leases; by default a clock that stands still.
            seat: The process that this object stands for.
        """
        self._clock = clock or ManualClock()
        self._seat = seat
        self._vigil = Vigil(self._clock.now)
        self._store = _Store()

    def seen_from(self, seat: ControllerProcess) -> "MemoryJournal":
        """The same journal, as another process sees it."""
        other = MemoryJournal(self._clock, seat)
        other._store = self._store
        return other

    def bury(self, seat: ControllerProcess) -> None:
        """Make the process at `seat` count as provably dead."""
        self._store.dead.add(seat)

    def create(self, record: RunRecord, documents: Sequence[Document]) -> None:
        """Make a run; see `Journal.create`.

        Raises:
            Refused: There is a run with that id.
        """
        with self._store.lock:
            if record.id in self._store.runs:
                raise Refused(f"there is a run {record.id} already; nothing was changed")
            kept, papers = storable(record, documents)
            self._store.runs[record.id] = _Kept(kept, papers, born(kept, papers))

    def append(self, lease: Lease, drafts: Sequence[Draft]) -> list[Entry]:
        """Write all of `drafts` or none; see `Journal.append`."""
        with self._store.lock:
            kept = self._held(lease)
            entries = seal(lease.run, lease.epoch, kept.head, drafts)
            kept.entries.extend(entries)
            if entries:
                kept.head = Head(entries[-1].seq, entries[-1].hash)
            kept.record = replace(kept.record, entries=kept.head.seq)
            return entries

    def read(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries with `seq > after`, in order."""
        kept = self._store.runs.get(run)
        yield from kept.entries[after:] if kept else ()

    def left(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """The same as `read`: entries in memory cannot be torn."""
        return self.read(run, after)

    def read_steps(self, run: RunId, steps: Collection[StepId]) -> Iterator[Entry]:
        """Entries about one of these steps, in order."""
        return (entry for entry in self.read(run) if entry.body.get("step") in steps)

    def documents(self, run: RunId) -> tuple[Document, ...]:
        """What the run is pinned to."""
        kept = self._store.runs.get(run)
        return kept.documents if kept else ()

    def runs(self) -> list[RunRecord]:
        """All runs, newest first."""
        with self._store.lock:
            records = [kept.record for kept in self._store.runs.values()]
        return sorted(records, key=lambda each: (each.started_at, each.id), reverse=True)

    def update(self, run: RunId, status: str, ended_at: float | None) -> None:
        """Refresh the history's cache."""
        with self._store.lock:
            kept = self._known(run)
            kept.record = replace(kept.record, status=status, ended_at=ended_at)

    def lost(self) -> tuple[RunId, ...]:
        """Always empty: there are no traces outside the store."""
        return ()

    def check(self, run: RunId, since: Head | None = None) -> JournalCheck:
        """Check that the run was not altered; see `Journal.check`."""
        with self._store.lock:
            kept = self._known(run)
            start = since or born(kept.record, kept.documents)
            found = inspect(kept.entries[start.seq :], start, kept.head)
            doubted = (range(each.first, each.last + 1) for each in found.flaws if each.is_there)
            return JournalCheck(found.sound, tuple(map(str, found.flaws)), tuple(doubted))

    def verify(self, run: RunId) -> str:
        """Check the hash chain and return the head hash; see `Journal.verify`."""
        found = self.check(run)
        if found.flaws:
            raise JournalDamaged(f"the journal of {run} is damaged: {'; '.join(found.flaws)}")
        return found.sound.hash

    def take(self, run: RunId, *, force: bool = False) -> Lease:
        """Become the controller; see `Leases.take`."""
        with self._store.lock:
            kept, now = self._known(run), self._clock.now()
            if kept.lease:
                still = self._vigil.look(kept.lease) if force else None
                must_be_free(kept.lease, self._sign(kept.lease), still)
            kept.epoch += 1
            seat = self._seat
            kept.lease = Lease(
                run, kept.epoch, seat.holder, seat.host, seat.pid, now, now, seat.started,
                seen_before=kept.seen,
            )  # fmt: skip
            kept.seen = now
            return kept.lease

    def renew(self, lease: Lease) -> None:
        """Give a sign of life; see `Leases.renew`."""
        with self._store.lock:
            kept = self._held(lease)
            before = kept.lease.seen if kept.lease else lease.seen
            kept.seen = max(self._clock.now(), before + 0.001)
            kept.lease = replace(lease, seen=kept.seen)

    def release(self, lease: Lease) -> None:
        """Stop being the controller; do nothing if another process took over."""
        with self._store.lock:
            kept = self._store.runs.get(lease.run)
            if kept and kept.lease and kept.lease.epoch == lease.epoch:
                kept.lease = None

    def holder(self, run: RunId) -> Lease | None:
        """The lease of the run's controller; None if that process is dead."""
        kept = self._store.runs.get(run)
        lease = kept.lease if kept else None
        return lease if lease and self._sign(lease) is not Sign.DEAD else None

    def post(
        self, run: RunId, at: float, actor: str, kind: str, body: Mapping[str, Any]
    ) -> Request:
        """Leave a request; see `Inbox.post`."""
        with self._store.lock:
            self._known(run)
            request = Request(
                len(self._store.requests) + 1, run, float(at), plain(actor), kind, dict(body)
            )
            self._store.requests.append(request)
            return request

    def pending(self, run: RunId) -> list[Request]:
        """Requests without an answer, oldest first."""
        with self._store.lock:
            mine = [each for each in self._store.requests if each.run == run]
            return [each for each in mine if each.id not in self._store.answers]

    def settle(self, request: Request, answer: RequestAnswer) -> None:
        """Record the answer to a request; the first answer stands."""
        with self._store.lock:
            self._store.answers.setdefault(request.id, answer)
            self._store.requests[:] = [
                request if each.id == request.id else each for each in self._store.requests
            ]

    def answer(self, request: Request) -> RequestAnswer | None:
        """The answer to a request; None while it is pending."""
        return self._store.answers.get(request.id)

    def version(self) -> int:
        """Changes when a request was posted."""
        return len(self._store.requests)

    def _known(self, run: RunId) -> _Kept:
        if run not in self._store.runs:
            raise Refused(f"there is no run {run}; see: drrun history")
        return self._store.runs[run]

    def _held(self, lease: Lease) -> _Kept:
        kept = self._known(lease.run)
        if kept.lease is None or kept.lease.epoch != lease.epoch:
            raise LeaseLost
        return kept

    def _sign(self, lease: Lease) -> Sign:
        seat = ControllerProcess(lease.holder, lease.host, lease.pid, lease.started)
        if seat in self._store.dead:
            return Sign.DEAD
        return Sign.ALIVE if lease.host == self._seat.host else Sign.OUT_OF_SIGHT
