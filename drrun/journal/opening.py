"""The way to what is kept of runs, by the name that a user gives it.

Rules:
- As little as can be is imported here: it is what every reading command waits for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drrun.core.model.errors import NotSupported
from drrun.engine.records import Records
from drrun.journal.folds import FileFolds
from drrun.journal.processes import this_seat
from drrun.journal.store import open_store
from drrun.journal.system_clock import SystemClock, SystemIds


@contextmanager
def open_state(where: str | Path, person: str = "", key: Path | None = None) -> Iterator[Records]:
    """What is kept of runs, in a folder or an SQLite file.

    Args:
        where: A folder or a file; see `StatePlace.named`.
        person: Who holds leases; by default the user of the operating system.
        key: The file with this user's key; without one no fold is kept.

    Raises:
        NotSupported: The URL names a kind of store that does not exist yet.
        StateUnusable: It cannot be used safely.
    """
    if str(where).startswith(("postgresql://", "postgres://")):
        raise NotSupported("state in PostgreSQL is not supported yet; give a file or a folder")
    clock = SystemClock()
    with open_store(where, clock, person) as store:
        yield Records(
            store.journal,
            store.leases,
            store.inbox,
            store.spool,
            clock,
            SystemIds(),
            store.evidence,
            store.notebook,
            store.shelf,
            FileFolds(store.database, key) if key else None,
            store.seals,
            this_seat(),
        )
