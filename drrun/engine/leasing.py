"""Who may become the controller of a run: one rule for every place where leases are kept.

Rules:
- A holder that is provably dead is replaced at once. One that looks alive, or is out of sight on
  another machine, only by force, and only after `LEASE_TTL` without a sign of life.
- A lease alone protects nothing: its epoch is compared inside the journal's own insert and on the
  hosts (FAULTS section 1, 'Leases').
"""

from datetime import UTC, datetime
from enum import Enum

from drrun.core.dataclass import dataclass
from drrun.core.errors import RunHeld
from drrun.core.values import Duration
from drrun.engine.ports import Lease

#: A controller that gave no sign of life for so long may be replaced by force.
LEASE_TTL = Duration(60)


class Sign(Enum):
    """What can be told about the process that holds a lease."""

    ALIVE = "alive"
    #: Its process is gone, its pid belongs to another one, or its machine has booted again.
    DEAD = "dead"
    #: It runs, or ran, where this process cannot look.
    OUT_OF_SIGHT = "out of sight"


@dataclass(frozen=True, slots=True)
class Seat:
    """The process that wants to be, or is, a controller."""

    #: `user@host`.
    holder: str
    host: str
    pid: int
    #: Tells this process from an earlier or a foreign one with the same pid.
    started: str


def must_be_free(lease: Lease, sign: Sign, now: float, *, force: bool) -> None:
    """Allow the lease to be replaced, or say who holds it.

    Raises:
        RunHeld: It may not be replaced now; the message says when and how it may.
    """
    unseen = max(0.0, now - lease.seen)
    if sign is Sign.DEAD or (force and unseen >= LEASE_TTL):
        return
    raise RunHeld(_held(lease, sign, unseen))


def _held(lease: Lease, sign: Sign, unseen: float) -> str:
    since = datetime.fromtimestamp(lease.since, UTC).strftime("%Y-%m-%d %H:%M:%S")
    where = "alive on this machine" if sign is Sign.ALIVE else "on a machine out of sight"
    wait = Duration(max(0.0, LEASE_TTL - unseen))
    when = "now" if wait <= 0 else f"in {Duration(round(wait + 0.5))}, if it is not seen again"
    return (
        f"{lease.run} is driven by {lease.holder} (process {lease.pid} on {lease.host}, {where}) "
        f"since {since} UTC, last seen {Duration(round(unseen))} ago. Nothing was changed. "
        f"Look at it with: drrun status {lease.run}. If that controller is really gone, "
        f"take over {when}: drrun resume {lease.run} --take-over"
    )
