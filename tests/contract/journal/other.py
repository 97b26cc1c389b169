"""The other process of a test: `python -m tests.contract.journal.other ERRAND FOLDER …`.

It says one JSON line at a time on stdout, and waits for lines on stdin.
"""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drrun.core.model.errors import DrrunError, LeaseLost
from drrun.core.model.ids import RunId
from drrun.engine.leasing import Sign
from drrun.journal.database import Database
from drrun.journal.leases import SqliteLeases
from drrun.testing.manual_clock import ManualClock
from tests.contract.journal.benches import View, draft, sqlite_view


def say(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def hold(view: View, run: RunId) -> None:
    """Take the lease and live on; on a word, write."""
    lease = view.leases.take(run)
    say(**asdict(lease))
    for _ in sys.stdin:
        try:
            view.journal.append(lease, [draft(by="other")])
            say(wrote=True)
        except DrrunError as error:
            say(wrote=False, error=type(error).__name__)


def append(view: View, run: RunId) -> None:
    """Take the lease and write until killed; say what is durable."""
    lease = view.leases.take(run)
    say(epoch=lease.epoch)
    for number in range(100_000):
        entries = view.journal.append(lease, [draft(number=number), draft(number=number)])
        say(seq=entries[-1].seq, hash=entries[-1].hash)


def rival(database: Database, view: View, run: RunId) -> None:
    """Take the lease from whoever has it, as if that one were dead, write a little, and again."""
    leases = SqliteLeases(database, ManualClock(), sign=lambda _: Sign.DEAD)
    wrote = lost = 0
    for number in range(60):
        lease = leases.take(run)
        try:
            for _ in range(number % 4):
                view.journal.append(lease, [draft(epoch=lease.epoch)])
                wrote += 1
        except LeaseLost:
            lost += 1
    say(wrote=wrote, lost=lost)


def post(view: View, run: RunId) -> None:
    """Leave a request."""
    say(id=view.inbox.post(run, 5.0, "simon", "pause", {"reason": "smoke"}).id)


def disk_fails(view: View, run: RunId) -> None:
    """Let writing fail with an I/O error once, then work again; say what came of each write."""
    lease = view.leases.take(run)
    view.journal.append(lease, [draft(number=1)])
    no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in ((1024, no_limit[1]), no_limit):
        # A file larger than this limit is an I/O error to SQLite, not a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        try:
            view.journal.append(lease, [draft(number=2)])
            outcome = ""
        except DrrunError as error:
            outcome = f"{type(error).__name__}: {error}"
        resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)
        say(outcome=outcome)


def lock(database: Database) -> None:
    """Hold the write lock until told."""
    with database.transaction():
        say(locked=True)
        sys.stdin.readline()


ERRANDS = {"hold": hold, "append": append, "post": post, "disk-fails": disk_fails}


def main(errand: str, folder: str, run: str = "") -> None:
    with Database(Path(folder)) as database:
        view = sqlite_view(database, ManualClock())
        if errand == "lock":
            lock(database)
        elif errand == "rival":
            rival(database, view, RunId(run))
        else:
            ERRANDS[errand](view, RunId(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
