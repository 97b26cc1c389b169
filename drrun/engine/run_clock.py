"""The clock of a run, as one process goes on with it."""

from drrun.core.dataclass import dataclass
from drrun.core.state.clocks import Clocks, Origin
from drrun.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class RunClock:
    """Another clock, that much later. A `Clock`."""

    own: Clock
    #: How far the other is ahead of the run's.
    ahead: float

    def now(self) -> float:
        """Seconds since the epoch, UTC, as the run counts them."""
        return self.own.now() - self.ahead

    def skew(self) -> float:
        """Seconds by which the machine's clock was set since the other was read from it."""
        return self.own.skew()

    def origin(self) -> Origin:
        """Since when the machine counts, by the run's clock."""
        there = self.own.origin()
        return Origin(there.boot, there.at - self.ahead)


def clock_of(time: Clocks, own: Clock) -> RunClock:
    """The clock of a run, for a process that looks at it or adds to it."""
    return RunClock(own, time.join(own.origin(), own.now()).ahead)


def now_of(time: Clocks, own: Clock) -> float:
    """What time it is by the clock of a run; never before its last entry."""
    return max(time.at, clock_of(time, own).now())
