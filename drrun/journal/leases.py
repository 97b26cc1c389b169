"""Leases in SQLite: who drives a run.

Rules:
- Every sign of life changes `seen`: that it changes is what others look at, not what it says.
- A row is never deleted: the epoch of a run only grows.
- Taking a lease looks at the whole journal first: nobody goes on with a damaged one.
"""

from collections.abc import Callable
from time import monotonic

from drrun.core.model.errors import LeaseLost
from drrun.core.model.ids import RunId
from drrun.engine.leasing import ControllerProcess, Sign, Vigil, must_be_free
from drrun.journal.anchors import Anchors
from drrun.journal.database import Database
from drrun.journal.inspection import head_of
from drrun.journal.processes import sign_of, this_process
from drrun.journal.rows import lease_of
from drrun.ports.clock import Clock
from drrun.ports.journal import Lease


class SqliteLeases:
    """The `Leases` of one state folder."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        seat: ControllerProcess | None = None,
        sign: Callable[[Lease], Sign] = sign_of,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        """Take nothing yet.

        Args:
            database: Where leases are kept.
            clock: Tells when a lease was taken and seen.
            seat: Who takes leases; by default this process.
            sign: Tells whether a holder lives.
            elapsed: By which leases of others are watched: see `Vigil`.
        """
        self._database = database
        self._clock = clock
        self._seat = seat or this_process()
        self._sign = sign
        self._vigil = Vigil(elapsed)
        self._anchors = Anchors(database.place.folder)

    def take(self, run: RunId, *, force: bool = False) -> Lease:
        """Become the controller; a holder that is provably dead is replaced.

        Raises:
            RunHeld: Somebody else holds it, or might.
            JournalDamaged: The run is not what was written; nobody can go on with it.
            Refused: There is no such run.
        """
        seat, now = self._seat, self._clock.now()
        with self._database.transaction() as transaction:
            row = transaction.row("lease", run=run)
            if row and not row["released"]:
                held = lease_of(row)
                still = self._vigil.look(held) if force else None
                must_be_free(held, self._sign(held), still)
            head_of(self._database, self._anchors, run)
            # Also above what was written: a lost or damaged row must not let the epoch go back.
            epoch = 1 + max(row["epoch"] if row else 0, self._last_epoch(run))
            taken = transaction.change(
                "take_lease",
                run=run,
                epoch=epoch,
                holder=seat.holder,
                host=seat.host,
                pid=seat.pid,
                started=seat.started,
                since=now,
            )
            if not taken:
                raise LeaseLost
        return Lease(
            run, epoch, seat.holder, seat.host, seat.pid, now, now, seat.started,
            seen_before=lease_of(row).seen if row else None,
        )  # fmt: skip

    def renew(self, lease: Lease) -> None:
        """Give a sign of life.

        Raises:
            LeaseLost: Another controller holds the run.
        """
        with self._database.transaction() as transaction:
            if not transaction.change("renew_lease", seen=self._clock.now(), **_key(lease)):
                raise LeaseLost

    def release(self, lease: Lease) -> None:
        """Stop being the controller; nothing happens if another one is by now."""
        with self._database.transaction() as transaction:
            transaction.change("release_lease", **_key(lease))

    def holder(self, run: RunId) -> Lease | None:
        """Who drives the run now, if anybody who may be alive does."""
        row = self._database.row("lease", run=run)
        if row is None or row["released"]:
            return None
        lease = lease_of(row)
        return None if self._sign(lease) is Sign.DEAD else lease

    def _last_epoch(self, run: RunId) -> int:
        row = self._database.row("last_epoch", run=run)
        return int(row["epoch"]) if row else 0


def _key(lease: Lease) -> dict[str, str | int]:
    return {
        "run": lease.run,
        "epoch": lease.epoch,
        "pid": lease.pid,
        "host": lease.host,
        "started": lease.started,
    }
