"""Runs, one line each."""

from drrun.core.dataclass import dataclass
from drrun.core.model.status import RunStatus
from drrun.core.model.values import Duration


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run. Moments in seconds since the epoch."""

    id: str
    runbook: str
    title: str
    mode: str
    variant: str
    status: RunStatus
    started_at: float
    started_by: str
    ended_at: float | None
    #: Entries in its journal.
    entries: int

    #: Services that it was to raise.
    services: tuple[str, ...] = ()
    #: What is said of a journal that is not what was written.
    damage: tuple[str, ...] = ()

    @property
    def took(self) -> Duration | None:
        """Its length; None while it has not ended."""
        if self.ended_at is None:
            return None
        return Duration(max(0.0, self.ended_at - self.started_at))


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """When a runbook was last rehearsed."""

    runbook: str
    #: Id, moment and status of that run; None: never.
    last: tuple[str, float, str] | None = None
