"""What views want of a run beside its state: who began it, its clocks, who was at work in it.

Rules:
- Taken in fact by fact, in order, as the state is; so both can be kept together, and gone on with.
- On duty from the first thing that a person did in a run until they handed over; again with the
  next thing they do. Nobody has to clock in, and nobody is on duty for what is not recorded.
"""

from dataclasses import field

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.seat import Seat
from drrun.report.facts import Fact

#: Actors that are no people.
_NOBODY = frozenset({"controller", ""})


@dataclass(frozen=True, slots=True)
class Shift:
    """One time on duty. Moments in seconds since the epoch."""

    person: str
    since: float
    #: None: still on duty.
    until: float | None


@dataclass(frozen=True, slots=True)
class Seated:
    """A person took a seat, by the entry that says so."""

    seq: int
    person: str
    seat: Seat


@dataclass(slots=True)
class About:
    """What is known beside the state, up to one entry."""

    #: The last entry that was taken in, and its hash; 0 before the first.
    seq: int = 0
    hash: str = ""
    started_by: str = ""
    #: Where whoever began it sat.
    started_from: Seat | None = None
    #: In the order in which they were taken.
    seats: list[Seated] = field(default_factory=list)
    #: When it ended last; it may have been resumed since.
    ended_at: float | None = None
    #: Clock of the incident -> moment, the last word of whoever stated it.
    stated: dict[str, float] = field(default_factory=dict)
    #: By when they began.
    shifts: list[Shift] = field(default_factory=list)
    #: Person on duty -> which of the shifts.
    on_duty: dict[str, int] = field(default_factory=dict)

    def seat_of(self, fact: Fact) -> Seat | None:
        """Where whoever caused a fact sat; None: that is not known."""
        taken = (each for each in reversed(self.seats) if each.seq <= fact.seq)
        return next((each.seat for each in taken if each.person == fact.actor), None)

    def add(self, fact: Fact) -> None:
        """Take in one fact."""
        self.seq, self.hash = fact.seq, fact.hash
        event = fact.event
        if isinstance(event, ev.RunStarted):
            self.started_by = self.started_by or event.by
        elif isinstance(event, ev.ControllerTook | ev.SeatTaken):
            self._sit(event)
        elif isinstance(event, ev.RunEnded):
            self.ended_at = fact.at
        elif isinstance(event, ev.ClockStated):
            self.stated[event.name] = event.moment
        if fact.actor not in _NOBODY:
            self._at_work(fact)

    def _sit(self, event: ev.ControllerTook | ev.SeatTaken) -> None:
        seat = Seat(event.user, event.host, event.terminal)
        if isinstance(event, ev.SeatTaken):
            self.seats.append(Seated(self.seq, event.by, seat))
        elif event.user:  # older controllers did not say
            self.seats.append(Seated(self.seq, event.holder.rpartition("@")[0], seat))
            self.started_from = self.started_from or seat

    def _at_work(self, fact: Fact) -> None:
        if fact.actor not in self.on_duty:
            self.on_duty[fact.actor] = len(self.shifts)
            self.shifts.append(Shift(fact.actor, fact.at, None))
        if isinstance(fact.event, ev.HandedOver):
            at = self.on_duty.pop(fact.actor)
            self.shifts[at] = Shift(fact.actor, self.shifts[at].since, fact.at)
