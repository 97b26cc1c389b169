"""What is known around a run: who has what, what was lost, which routes were chosen.

Rules:
- As with everything that is known: nothing here that the events do not say.
"""

from collections.abc import Iterable
from dataclasses import field
from typing import assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.inventory import Inventory
from drrun.core.model.seat import Seat

#: What changes it.
Concerning = (
    ev.SeatTaken
    | ev.ControllerTook
    | ev.RunStarted
    | ev.RunResumed
    | ev.RunClosed
    | ev.Claimed
    | ev.Assigned
    | ev.HandedOver
    | ev.RouteSet
    | ev.Lost
    | ev.Found
)


@dataclass(slots=True)
class Circumstances:
    """The world of one run, as its people have told it."""

    inventory: Inventory
    #: Who started the run, or resumed it last.
    driver: str = ""
    #: Whether they still do. Events do not tell that a controller died: a reader sees the lease.
    driven: bool = True
    #: Steps that alone are begun or opened again, as whoever resumed the run wanted; empty: all.
    only: frozenset[str] = frozenset()
    #: Where the last controller ran.
    driven_from: Seat | None = None
    #: Person -> where they act from.
    seats: dict[str, Seat] = field(default_factory=dict)
    #: Step -> who has taken it on.
    claims: dict[StepId, ev.Claimed] = field(default_factory=dict)
    #: Step -> whose it is.
    assigned: dict[StepId, str] = field(default_factory=dict)
    #: Host -> label of the route that was chosen.
    routes: dict[str, str] = field(default_factory=dict)
    #: `site:phl` -> why it was declared lost.
    lost: dict[str, str] = field(default_factory=dict)
    #: Host -> the lost thing that it went with.
    lost_hosts: dict[str, str] = field(default_factory=dict)
    lost_people: frozenset[str] = frozenset()
    #: Who has closed the run; "" while nobody has.
    closed: str = ""

    @property
    def drives_now(self) -> str:
        """Who drives the run; "" while nobody does."""
        return self.driver if self.driven else ""

    def wants(self, step: StepId) -> bool:
        """Whether a step may begin, or be opened again."""
        return not self.only or step in self.only

    def apply(self, event: Concerning) -> None:
        """Take in one event."""
        match event:
            case ev.SeatTaken():
                self.seats[event.by] = Seat(event.user, event.host, event.terminal)
            case ev.ControllerTook():
                self.driven = True
                self.driven_from = Seat(event.user, event.host, event.terminal)
                if event.user:  # older controllers did not say
                    self.seats[event.holder.rpartition("@")[0]] = self.driven_from
            case ev.RunStarted(by=by) | ev.RunResumed(by=by):
                self.only = frozenset(event.only if isinstance(event, ev.RunResumed) else ())
                self.driver = by
            case ev.RunClosed(by=by):
                self.closed = by
            case ev.Claimed(step=step):
                self.claims[StepId(step)] = event
            case ev.Assigned(step=step, to=to):
                self.assigned[StepId(step)] = to
            case ev.HandedOver():
                self._hand_over(event)
            case ev.RouteSet(host=host, route="auto"):
                self.routes.pop(host, None)
            case ev.RouteSet():
                self.routes[event.host] = event.route
            case ev.Lost(thing=thing, why=why):
                self._lose({**self.lost, thing: why or "declared lost"})
            case ev.Found(thing=thing):
                self._lose({each: why for each, why in self.lost.items() if each != thing})
            case _:
                assert_never(event)

    def live_in(self, inventory: Inventory) -> None:
        """Take in that the run's inventory is another one."""
        self.inventory = inventory
        self._lose(self.lost)

    def signed(self, person: str) -> str:
        """A person's name with the account they act from, where that is called otherwise."""
        seat = self.seats.get(person)
        return seat.beside(person) if seat else person

    def _hand_over(self, event: ev.HandedOver) -> None:
        for step in (StepId(each) for each in event.steps):
            self.assigned[step] = event.to
            if step in self.claims:
                self.claims[step] = ev.Claimed(step=step, by=event.to, reason=event.note)

    def _lose(self, lost: dict[str, str]) -> None:
        self.lost = lost
        self.lost_hosts = {name: thing for thing in lost for name in self._hosts_of(thing)}
        people = (each.removeprefix("person:") for each in lost if each.startswith("person:"))
        self.lost_people = frozenset(people)

    def _hosts_of(self, thing: str) -> Iterable[str]:
        kind, _, name = thing.partition(":")
        hosts, sites = self.inventory.hosts, self.inventory.sites
        match kind:
            case "host":
                return [name] if name in hosts else []
            case "site":
                return [each.name for each in hosts.values() if each.site == name]
            case "provider":
                theirs = {site.name for site in sites.values() if site.provider == name}
                return [each.name for each in hosts.values() if each.site in theirs]
            case _:
                return []
