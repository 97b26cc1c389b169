"""Read what is known of runs, from the journal and from nowhere else."""

from drrun.core.dataclass import dataclass
from drrun.core.errors import JournalDamaged
from drrun.core.events import Event, event_of
from drrun.core.ids import RunId
from drrun.core.state import RunState, fold
from drrun.core.status import RunStatus, Status
from drrun.engine.cases.load import Loaded, plan_of, replanner
from drrun.engine.ports import Entry, Lease
from drrun.engine.records import Records


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the journal with its event."""

    entry: Entry
    event: Event


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that is known of a run."""

    run: RunId
    loaded: Loaded
    told: tuple[Told, ...]
    state: RunState
    holder: Lease | None

    @property
    def status(self) -> RunStatus:
        """Where the run stands, seen from outside."""
        if self.state.ended is not None:
            return self.state.ended
        if self.state.paused:
            return RunStatus.PAUSED
        asked = [key for key in self.state.active if self.state.targets[key].gate is not None]
        moving = len(self.state.active) > len(asked) or bool(self.state.ready)
        if asked and not moving:
            return RunStatus.WAITING
        return RunStatus.RUNNING if self.holder is not None else RunStatus.INTERRUPTED

    @property
    def in_flight(self) -> bool:
        """Whether an attempt was begun whose outcome is not recorded."""
        return any(self.state.targets[key].status is Status.RUNNING for key in self.state.active)


def known(records: Records, run: RunId, *, amendable: bool = False) -> Known:
    """Fold a run's journal.

    Args:
        records: Where the run is kept.
        run: Which.
        amendable: Its plan may be amended: what is new is judged as a runbook is.

    Raises:
        JournalDamaged: An entry cannot be what was written.
    """
    loaded = plan_of(records.journal.documents(run), judged=True)
    told = tuple(_told(entry) for entry in records.journal.read(run))
    events = ((each.entry.at, each.event) for each in told)
    replan = replanner(loaded.documents, judged=not amendable)
    state = fold(loaded.plan, events, replan)
    return Known(run, loaded, told, state, records.leases.holder(run))


def _told(entry: Entry) -> Told:
    try:
        return Told(entry, event_of(entry.kind, entry.body))
    except (KeyError, TypeError) as error:
        raise JournalDamaged(
            f"entry {entry.seq} of {entry.run} is a {entry.kind!r} that this drrun cannot read "
            f"({error}); was it written by a newer version?"
        ) from None
