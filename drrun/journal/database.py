"""Opens one SQLite file safely, writes it durably, and explains its faults.

Rules:
- Rollback journal and synchronous=EXTRA: a commit that returned survives power loss. No WAL:
  before 3.51.3 it can lose pages, and a flipped byte in it goes unnoticed (fact L23).
- The rollback journal's file stays. A commit is done once SQLite has zeroed and synchronised its
  header. Deleting the file instead would synchronise the folder two more times.
  SQLite synchronises the folder once, when a connection first writes the file, before it changes
  any page. (`tests/contract/journal/test_power_cut.py` cuts the power at every call.)
- A transaction that met an I/O error is never tried again on this handle: a second fsync may
  report success for bytes that are gone (fault F86).
- Reading creates no file. Without a file the history is empty. If the folder still has traces of
  runs (`drrun.journal.traces`), they are lost and that is an error.
- One connection for all threads of the process, under a lock; every call is short.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drrun.core.model.errors import RunsLost, StateUnusable
from drrun.journal.database_faults import damaged, explained, is_final, is_full
from drrun.journal.folder import StatePlace, free_reserve, inspect, prepare, size_of_database
from drrun.journal.queries import statements
from drrun.journal.schema import NotOurs, bring_up_to_date, is_blank
from drrun.journal.traces import name_of, traces

#: Seconds to wait for another process that writes.
BUSY_TIMEOUT = 15.0
#: Bytes of the rollback journal that stay between commits.
_JOURNAL_LIMIT = 1024 * 1024

Row = Mapping[str, Any]


class Database:
    """The database of one state folder."""

    def __init__(self, place: StatePlace | Path | str, busy_timeout: float = BUSY_TIMEOUT) -> None:
        """Open nothing yet.

        Args:
            place: Where the state is, or a name for `StatePlace.named`.
            busy_timeout: Seconds to wait for another process that writes.
        """
        self.place = place if isinstance(place, StatePlace) else StatePlace.named(place)
        self._busy_timeout = busy_timeout
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        #: Why this handle must not be used any more.
        self._broken = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def rows(self, name: str, **values: Any) -> list[Row]:
        """All rows of a named query; none where there is no file."""
        with self._faults(), self._lock:
            if self._connection is None and not self._is_there():
                return []
            return self._open().execute(statements()[name], values).fetchall()

    def row(self, name: str, **values: Any) -> Row | None:
        """The first row of a named query."""
        return next(iter(self.rows(name, **values)), None)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all queries inside read one state of the file; keep it short: writers wait."""
        with self._faults(), self._lock:
            if self._connection is None and not self._is_there():
                yield
                return
            with _inside(self._open(), "BEGIN"):
                yield

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Write all changes made inside durably, or none of them.

        Raises:
            StateUnusable: Nothing was written.
        """
        with self._faults(), self._lock:
            if self._connection is None:
                self._is_there()
                prepare(self.place)
            connection = self._open()
            with _inside(connection, "BEGIN IMMEDIATE"):
                yield Transaction(connection)

    def _is_there(self) -> bool:
        """Whether there is a database.

        Raises:
            JournalDamaged: It is missing or empty, but the folder has traces of runs.
        """
        left = traces(self.place)  # before the size: a run created in between is not lost
        size = size_of_database(self.place)
        if left and not size:
            raise self._lost(left, "is missing" if size is None else "is empty")
        return size is not None

    def _lost(self, left: Collection[str], how: str) -> RunsLost:
        return RunsLost([name_of(each) for each in left], f"{self.place.database} {how}")

    def _open(self) -> sqlite3.Connection:
        if self._broken:
            raise StateUnusable(self._broken)
        if self._connection is None:
            inspect(self.place)
            left = traces(self.place)
            connection = _connect(self.place.database, self._busy_timeout)
            try:
                if left and is_blank(connection):
                    raise self._lost(left, "is empty")  # noqa: TRY301 - closed below
                bring_up_to_date(connection, self.place.database)
            except NotOurs as error:
                connection.close()
                if left:
                    raise self._lost(left, "is not a journal of drrun") from error
                raise
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Explain SQLite's errors in words; free the reserve, or give up the handle."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise  # a fault of this program, not of the file
        except UnicodeDecodeError as error:
            # SQLite quotes damaged bytes in its message, and Python cannot decode them.
            raise damaged(str(error), self.place.database) from error
        except sqlite3.Error as error:
            freed = is_full(error) and free_reserve(self.place)
            said = explained(error, self.place.database, self._busy_timeout, freed=freed)
            if is_final(error):
                self._broken = str(said)
                self.close()
            raise said from error


class Transaction:
    """What can be done inside `Database.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def row(self, name: str, **values: Any) -> Row | None:
        """The first row of a named query."""
        row: Row | None = self._connection.execute(statements()[name], values).fetchone()
        return row

    def change(self, name: str, **values: Any) -> int:
        """Execute a named statement; how many rows it changed."""
        return self._connection.execute(statements()[name], values).rowcount

    def change_all(self, name: str, values: Sequence[Row]) -> int:
        """Execute a named statement with each of `values`; how many rows were changed."""
        return self._connection.executemany(statements()[name], values).rowcount

    def insert(self, name: str, **values: Any) -> int:
        """Execute a named insert; the id of the new row."""
        return self._connection.execute(statements()[name], values).lastrowid or 0


def _connect(file: Path, busy_timeout: float) -> sqlite3.Connection:
    # `rw` never creates a file. Where writing is not allowed, SQLite opens it for reading.
    connection = sqlite3.connect(
        f"{file.as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    for pragma in (
        "journal_mode = PERSIST",
        f"journal_size_limit = {_JOURNAL_LIMIT}",
        "synchronous = EXTRA",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "secure_delete = FAST",  # overwrites a request's text from before masking
    ):
        try:
            connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def _inside(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            # After a full disk SQLite has often rolled back already.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
