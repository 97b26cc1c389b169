"""The clocks around a run: the one that counts its time, and how far all others are from it.

Rules:
- A run has one clock. Its first controller's begins it; each later controller goes on with it, so
  that every duration and every limit is a difference of two moments of one clock.
- On the same boot of the same machine a later controller knows exactly where that clock stands.
  On another one it takes the wall clocks for equal, and never lets time go back behind the record.
- The wall clock is told beside it (`wall`), for what people write as a time of day. That it was
  set changes nothing else.
- How far a host's clock is from the run's is measured where the host is reached. Two controllers
  that reached the same boot of a host are so compared through it.
"""

from dataclasses import field
from typing import assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass

#: Seconds by which clocks may differ before people are told, and before it is recorded again.
MAY_DIFFER = 2.0


@dataclass(frozen=True, slots=True)
class Origin:
    """When a machine's own count of seconds began, as a clock tells it."""

    #: Which boot of which machine counts; "" if that is not known.
    boot: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a clock was ahead of the run's when it was looked at, give or take `error`."""

    ahead: float
    error: float
    #: Boot of the host, and number of the controller that looked.
    boot: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Join:
    """How a later controller goes on with the run's clock."""

    #: How far its own clock is ahead of it.
    ahead: float
    #: Counted by the machine itself; otherwise taken for right as long as nothing contradicts.
    exact: bool


@dataclass(slots=True)
class TakenOver:
    """A moment at which the run's clock was gone on with by a controller that cannot be sure."""

    at: float
    epoch: int
    holder: str
    #: Seconds that the clocks jumped there, as far as a host's clock tells, give or take `error`;
    #: None: nobody could measure it.
    jump: float | None = None
    error: float = 0.0
    #: By how much at least its clock was behind: it told a moment before the last entry's.
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """How long something took."""

    seconds: float
    #: Whether one clock counted all of it; written with a `~` otherwise.
    exact: bool = True


@dataclass(slots=True)
class Clocks:
    """What a run knows of clocks. All moments are those of the run's clock."""

    #: The last fact; 0 before the first.
    at: float = 0.0
    #: When the run ended; None while it goes on.
    ended_at: float | None = None
    #: How far the clock of whoever drives is ahead of the run's, and its machine's wall clock.
    own: float = 0.0
    wall: float = 0.0
    #: Of whoever drives.
    origin: Origin = Origin()
    epoch: int = 0
    hosts: dict[str, Offset] = field(default_factory=dict)
    unsure: list[TakenOver] = field(default_factory=list)

    def reach(self, at: float, *, over: bool) -> None:
        """A fact was recorded; `over` tells whether the run has ended."""
        self.at = max(self.at, at)
        if not over:
            self.ended_at = None
        elif self.ended_at is None:
            self.ended_at = at

    def join(self, origin: Origin, now: float) -> Join:
        """How somebody's clock goes on with the run's, given what it says now."""
        if self.at == 0.0:
            return Join(0.0, exact=True)
        if origin.boot and origin.boot == self.origin.boot:
            ahead = origin.at - self.origin.at
            if now - ahead >= self.at:
                return Join(ahead, exact=True)
        return Join(min(self.wall, now - self.at), exact=False)

    def apply(
        self, event: ev.ControllerTook | ev.WallClockSet | ev.HostReached, at: float
    ) -> None:
        """Take in what tells of a clock."""
        match event:
            case ev.ControllerTook():
                self._take(event, at)
            case ev.WallClockSet(ahead=ahead):
                self.wall = ahead
            case ev.HostReached():
                if event.ahead is not None:
                    seen = Offset(event.ahead, event.error, event.boot, self.epoch)
                    self._reach(event.host, seen)
            case _:
                assert_never(event)

    def _take(self, event: ev.ControllerTook, at: float) -> None:
        if self.epoch and not event.exact:
            # Older controllers wrote down what their own clock said, whatever stood before it.
            behind = max(self.at - at, self.wall - event.ahead, 0.0)
            taken = TakenOver(max(self.at, at), event.epoch, event.holder, behind=behind)
            self.unsure.append(taken)
        self.own = self.wall = event.ahead
        self.epoch, self.origin = event.epoch, Origin(event.boot, event.booted)

    def _reach(self, host: str, seen: Offset) -> None:
        before = self.hosts.get(host)
        self.hosts[host] = seen
        if before is None or before.boot != seen.boot or seen.boot in ("", "-"):
            return
        # What the host's clock has jumped by since, the run's has: one take-over lies between.
        between = [each for each in self.unsure if before.epoch < each.epoch <= seen.epoch]
        if len(between) != 1:
            return
        error = before.error + seen.error
        if between[0].jump is None or error < between[0].error:
            between[0].jump, between[0].error = before.ahead - seen.ahead, error

    def span(self, since: float, until: float) -> Span:
        """How long it was from one moment to another, corrected by what was measured."""
        between = [each for each in self.unsure if since < each.at <= until]
        jumped = sum(each.jump or 0.0 for each in between)
        return Span(max(0.0, until - since - jumped), exact=not between)
