"""The journal in SQLite: append-only, hash-chained, fenced by the insert itself.

Rules:
- All drafts of one `append` are one transaction, with the new head of the chain.
- The head that this process remembers must be the one in the table: an old copy put under a
  running controller is found by its next write.
"""

import json
from collections.abc import Collection, Iterator, Sequence

from drrun.core.integrity.chain import Head
from drrun.core.model.errors import LeaseLost, Refused, RunDamaged, RunsLost
from drrun.core.model.ids import RunId, StepId
from drrun.engine.sealing import born, seal, storable
from drrun.journal.anchors import Anchors
from drrun.journal.database import Database, Transaction
from drrun.journal.inspection import (
    digest,
    entries,
    entries_of_steps,
    head_of,
    looked_over,
    pinned,
    unknown_run,
    whatever_is_left,
)
from drrun.journal.rows import entry_values, record_of
from drrun.journal.traces import traces, unexplained
from drrun.ports.journal import Document, Draft, Entry, JournalCheck, Lease, RunRecord


def enter(
    transaction: Transaction, record: RunRecord, documents: Sequence[Document], head: Head
) -> None:
    """Make a run without entries.

    Raises:
        Refused: There is a run with that id.
    """
    made = transaction.change(
        "create_run",
        id=record.id,
        runbook=record.runbook,
        title=record.title,
        mode=record.mode,
        variant=record.variant,
        started_at=record.started_at,
        started_by=record.started_by,
        status=record.status,
        ended_at=record.ended_at,
        services=json.dumps(record.services),
        genesis=head.hash,
    )
    if not made:
        raise Refused(f"there is a run {record.id} already; nothing was changed")
    for position, document in enumerate(documents):
        transaction.change(
            "create_document",
            run=record.id,
            position=position,
            kind=document.kind,
            path=document.path,
            content=document.content,
            sha256=document.sha256,
        )


class SqliteJournal:
    """The `Journal` of one state folder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._anchors = Anchors(database.place.folder)
        #: Of runs this process writes: epoch and where the chain ends.
        self._heads: dict[RunId, tuple[int, Head]] = {}

    def create(self, record: RunRecord, documents: Sequence[Document]) -> None:
        """Make a run with its pinned documents, durably, before anything else.

        Raises:
            Refused: There is a run with that id.
            JournalDamaged: Other runs that were written here are in no list any more.
            ValueError: A document's hash is not that of its content.
        """
        for document in documents:
            if digest(document.content) != document.sha256:
                raise ValueError(f"{document.path}: the hash is not that of the content")
        record, documents = storable(record, documents)
        head = born(record, documents)
        with self._database.transaction() as transaction:
            if lost := self.lost():
                raise RunsLost(lost, "the database is another, or an older one")
            enter(transaction, record, documents, head)

    def append(self, lease: Lease, drafts: Sequence[Draft]) -> list[Entry]:
        """Write all of `drafts` durably in one transaction, or none.

        Raises:
            LeaseLost: Another controller holds the run by now; nothing was written.
            StateUnusable: Disk full or failing; nothing was written.
            JournalDamaged: The file is another one than this process wrote.
        """
        if not drafts:
            return []
        run = lease.run
        with self._database.transaction() as transaction:
            old = self._head(transaction, lease)
            sealed = seal(run, lease.epoch, old, drafts)
            written = transaction.change_all(
                "append_entry", [entry_values(entry, lease) for entry in sealed]
            )
            if written != len(sealed):
                raise LeaseLost
            new = Head(sealed[-1].seq, sealed[-1].hash)
            moved = transaction.change(
                "move_head",
                run=run,
                seq=new.seq,
                hash=new.hash,
                old_seq=old.seq,
                old_hash=old.hash,
            )
            if not moved:
                raise RunDamaged(run, [f"it does not end with entry {old.seq} any more"])
        self._heads[run] = (lease.epoch, new)
        self._anchors.drop(run, new)
        return sealed

    def read(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries with `seq > after`, in order, as they are stored: `verify` tells if altered.

        Raises:
            JournalDamaged: An entry cannot be read.
        """
        return entries(self._database, run, after)

    def left(self, run: RunId, after: int = 0) -> Iterator[Entry]:
        """Entries as `read` gives them, without those that cannot be read any more."""
        left = whatever_is_left(self._database, run, after)
        return (entry for entry in left if isinstance(entry, Entry))

    def read_steps(self, run: RunId, steps: Collection[StepId]) -> Iterator[Entry]:
        """Entries whose event happened to one of these steps, in order.

        Raises:
            JournalDamaged: An entry cannot be read.
        """
        return entries_of_steps(self._database, run, steps)

    def documents(self, run: RunId) -> tuple[Document, ...]:
        """What the run is pinned to.

        Raises:
            JournalDamaged: One is not what its hash says.
        """
        return pinned(self._database, run)

    def runs(self) -> list[RunRecord]:
        """All runs, newest first."""
        return [record_of(row) for row in self._database.rows("runs")]

    def update(self, run: RunId, status: str, ended_at: float | None) -> None:
        """Refresh the history's cache.

        Raises:
            Refused: There is no such run.
        """
        with self._database.transaction() as transaction:
            if not transaction.change("update_run", run=run, status=status, ended_at=ended_at):
                raise unknown_run(run)

    def lost(self) -> tuple[RunId, ...]:
        """Runs that left traces in the folder, and are in no list any more."""
        left = traces(self._database.place)  # before the database is read
        known = (row["id"] for row in self._database.rows("known_runs"))
        return tuple(unexplained(self._database.place, left, known))

    def check(self, run: RunId, since: Head | None = None) -> JournalCheck:
        """Look whether the run is what was written; no writer has to wait for long.

        Args:
            run: Which.
            since: An entry that is known to be sound, with all before it; None: look at all.

        Raises:
            Refused: There is no such run.
        """
        return looked_over(self._database, self._anchors, run, since)

    def verify(self, run: RunId) -> str:
        """Look at all of the run's journal and return the head hash.

        The hash is the outside anchor: print it, keep it elsewhere, compare it later.

        Raises:
            JournalDamaged: Names everything that is not what was written.
            Refused: There is no such run.
        """
        with self._database.snapshot():
            return head_of(self._database, self._anchors, run).hash

    def _head(self, transaction: Transaction, lease: Lease) -> Head:
        epoch, known = self._heads.get(lease.run, (0, None))
        if known is not None and epoch == lease.epoch:
            return known
        row = transaction.row("head", run=lease.run)
        if row is None:
            raise LeaseLost
        if row["head_seq"] and row["last_hash"] != row["head_hash"]:
            raise RunDamaged(lease.run, [f"entry {row['head_seq']} is missing"])
        return Head(row["head_seq"], row["head_hash"])
