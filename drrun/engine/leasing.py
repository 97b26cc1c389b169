"""Who may become the controller of a run: one rule for every place where leases are kept.

Rules:
- A holder that is provably dead is replaced at once. One that looks alive, or is out of sight on
  another machine, only by force, and only if it gave no sign of life for `LEASE_TTL`.
- That it gave none is not computed from what its clock wrote: the clocks of two machines are never
  compared. Whoever wants the run watches the lease stand still, by a clock of its own that nobody
  can set, and that stands while the machine sleeps.
- A lease alone protects nothing: its epoch is compared inside the journal's own insert and on the
  hosts (fact L25).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import RunHeld
from drrun.core.model.ids import RunId
from drrun.core.model.values import Duration
from drrun.ports.journal import Lease

#: A controller that was seen to give no sign of life for so long may be replaced by force.
LEASE_TTL = Duration(60)


class Sign(Enum):
    """What can be told about the process that holds a lease."""

    ALIVE = "alive"
    #: Its process is gone, its pid belongs to another one, or its machine has booted again.
    DEAD = "dead"
    #: It runs, or ran, where this process cannot look.
    OUT_OF_SIGHT = "out of sight"


@dataclass(frozen=True, slots=True)
class ControllerProcess:
    """The process that wants to be, or is, a controller."""

    #: `user@host`.
    holder: str
    host: str
    pid: int
    #: Tells this process from an earlier or a foreign one with the same pid.
    started: str


class Vigil:
    """What one process has seen of leases that others hold, by its own clock."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        """Nothing was seen yet.

        Args:
            elapsed: Seconds that only grow, from any beginning; not while the machine sleeps.
        """
        self._elapsed = elapsed
        #: By run: the lease as it was seen last, and since when it has stood still like that.
        self._seen: dict[RunId, tuple[Lease, float]] = {}

    def look(self, lease: Lease) -> "Stillness":
        """How long a lease has been seen to stand still."""
        now = self._elapsed()
        before, since = self._seen.get(lease.run, (None, now))
        if before == lease:
            return Stillness(now - since, moved=False)
        self._seen[lease.run] = lease, now
        return Stillness(0.0, moved=before is not None)


@dataclass(frozen=True, slots=True)
class Stillness:
    """How long a lease has been seen to stand still, and whether it moved since it is watched."""

    seconds: float
    moved: bool


def must_be_free(lease: Lease, sign: Sign, still: Stillness | None) -> None:
    """Allow the lease to be replaced, or say who holds it.

    Args:
        lease: As it is now.
        sign: What can be told about its holder.
        still: What was seen of it by one that wants it by force; None: it is not wanted so.

    Raises:
        RunHeld: It may not be replaced now; the message says when and how it may.
    """
    if sign is Sign.DEAD or (still is not None and still.seconds >= LEASE_TTL):
        return
    watching = still is not None and not still.moved
    wait = LEASE_TTL - still.seconds if still is not None and watching else None
    raise RunHeld(_held(lease, sign, still), wait)


def _held(lease: Lease, sign: Sign, still: Stillness | None) -> str:
    where = "alive on this machine" if sign is Sign.ALIVE else "on a machine out of sight"
    told = (
        f"{lease.run} is driven by {lease.holder} (process {lease.pid} on {lease.host}, {where}) "
        f"since {_moment(lease.since)}, last sign of life {_moment(lease.seen)} by its own clock. "
    )
    if still is not None and still.moved:
        return f"{told}It gave another one while drrun watched: it is alive. Nothing was changed"
    return (
        f"{told}Nothing was changed. Look at it with: drrun status {lease.run}. If that "
        f"controller is really gone, take over with: drrun resume {lease.run} --take-over, which "
        f"first watches for {LEASE_TTL} whether a sign of life comes"
    )


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
