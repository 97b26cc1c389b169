"""The parts of a state folder, put together.

Rules:
- Opening creates nothing; the first write does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from drrun.core.dataclass import dataclass
from drrun.journal.database import Database
from drrun.journal.evidence import FileEvidence
from drrun.journal.inbox import SqliteInbox
from drrun.journal.leases import SqliteLeases
from drrun.journal.notebook import SqliteNotebook
from drrun.journal.processes import this_process
from drrun.journal.seals import FileSeals
from drrun.journal.shelf import SqliteShelf
from drrun.journal.spool import FileSpool
from drrun.journal.sqlite import SqliteJournal
from drrun.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class StateStore:
    """Everything that is kept of runs."""

    database: Database
    journal: SqliteJournal
    leases: SqliteLeases
    inbox: SqliteInbox
    spool: FileSpool
    evidence: FileEvidence
    notebook: SqliteNotebook
    shelf: SqliteShelf
    seals: FileSeals

    @classmethod
    def over(cls, database: Database, clock: Clock, person: str = "") -> Self:
        """The parts over one database; see `open_store`."""
        return cls(
            database,
            SqliteJournal(database),
            SqliteLeases(database, clock, this_process(person)),
            SqliteInbox(database),
            FileSpool(database.place.folder),
            FileEvidence(database.place.folder),
            SqliteNotebook(database),
            SqliteShelf(database),
            FileSeals(database.place.folder),
        )

    def close(self) -> None:
        """Leave the database; the next call opens it again."""
        self.database.close()


@contextmanager
def open_store(name: str | Path, clock: Clock, person: str = "") -> Iterator[StateStore]:
    """The store at `name`, closed at the end.

    Args:
        name: A folder, or an SQLite file; see `StatePlace.named`.
        clock: Tells when leases are taken and seen.
        person: Who holds leases; by default the user of the operating system.
    """
    with Database(name) as database:
        yield StateStore.over(database, clock, person)
