"""What SQLite's errors mean for the person who reads them: one door for all of them.

Rules:
- A message says what happened, where, what is safe, and what to do next.
- Damage is never called a fault of the disk, nor the other way round: one is exit 6, one exit 2,
  or 3 where there is no room: with room the run goes on.
"""

import sqlite3
from pathlib import Path

from drrun.core.model.errors import DiskFull, DrrunError, JournalDamaged, StateUnusable
from drrun.journal.processes import lock_holders

_DAMAGED = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
        # A table is missing, a row stands where none can: our own statements are tested.
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
    }
)
_NOT_WRITABLE = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def explained(
    error: sqlite3.Error, file: Path, busy_timeout: float, *, freed: bool = False
) -> DrrunError:
    """The same error in the program's own words.

    Args:
        error: What SQLite said.
        file: The database.
        busy_timeout: Seconds that were waited for a lock.
        freed: The reserve was given back to the disk.
    """
    code = _code(error)
    if code in _DAMAGED or code is None:
        return damaged(str(error), file)
    if code == sqlite3.SQLITE_FULL:
        room = " A reserve was freed, so that a pause can be recorded." if freed else ""
        return DiskFull(
            f"the disk with {file} is full. Nothing was written; what was recorded is "
            f"intact.{room} Make room, then continue: drrun resume"
        )
    if code in _BUSY:
        who = lock_holders(file) or "another process"
        return StateUnusable(
            f"{file} is locked by {who}; waited {busy_timeout:g} s. Nothing was written. End that "
            "process, or wait for it, then repeat the command"
        )
    if code in _NOT_WRITABLE:
        return StateUnusable(
            f"{file} cannot be opened or written: {error}. Nothing was written. Make the folder "
            "writable for this user, or choose another one: --state FOLDER"
        )
    return StateUnusable(
        f"the disk with {file} failed: {error}. This process starts nothing more and does not "
        "try the disk again. Check the disk, then continue: drrun resume"
    )


def damaged(what: str, file: Path) -> JournalDamaged:
    """The file itself cannot be read as what it was."""
    return JournalDamaged(
        f"{file} is damaged: {what}. Nothing was changed. Keep a copy of the folder as it is, "
        "then look at what can be read: drrun verify-journal"
    )


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk has no room."""
    return _code(error) == sqlite3.SQLITE_FULL


def is_final(error: sqlite3.Error) -> bool:
    """Whether the handle must not be used again: an I/O error, whatever was being done."""
    return _code(error) == sqlite3.SQLITE_IOERR


def _code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None: the bytes that were read make no text."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF
