"""The two sides of a lane (lane.py): those who follow a host, and the road that leads to it."""

from collections.abc import Callable
from typing import Protocol

from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import NeverStarted, RefusedByHost
from drrun.ssh.boot import Boot
from drrun.ssh.launcher_answers import LauncherAnswer, LauncherReady
from drrun.ssh.wires import Wire

#: What a failure to reach a host means.
Unreached = NeverStarted | RefusedByHost


class Follower(Protocol):
    """Wants something from a host. The lane's thread alone calls it."""

    #: The names that the host uses for it.
    names: tuple[str, ...]

    def opened(self, ready: LauncherReady) -> None:
        """A launcher answers: for the first time, or again after a loss of contact."""
        ...

    def lost(self, why: str) -> None:
        """Contact was lost; the lane tries to reconnect."""
        ...

    def unreached(self, outcome: Unreached) -> None:
        """The lane did not reach the host this time; it tries again while somebody follows."""
        ...

    def silent(self, seconds: float, why: str) -> None:
        """The host has been silent for this many seconds."""
        ...

    def regained(self, seconds: float) -> None:
        """The host answers again, after this many seconds."""
        ...

    def heard(self, answer: LauncherAnswer) -> None:
        """The host says something about one of its names."""
        ...

    def broken(self, why: str) -> None:
        """A fault in drrun itself; no more calls will come."""
        ...


class Road(Protocol):
    """The way to a launcher."""

    @property
    def place(self) -> str:
        """The host, for messages."""
        ...

    @property
    def name(self) -> str:
        """The host's name in the inventory; "" for the controller's own machine."""
        ...

    def reader(self) -> str:
        """The shell that reads a channel instead of our starter, or "". Blocks."""
        ...

    def open(
        self, boot: Boot, ring: Callable[[], None], then: Callable[[Wire | Unreached], None]
    ) -> None:
        """Start a launcher; returns at once.

        Args:
            boot: How to start it.
            ring: Called, from any thread, when bytes came from it.
            then: Called, from another thread, with what carries it, or with why there is none;
                nothing was sent then.
        """
        ...


class Path(Protocol):
    """The part of a lane (lane.py) that a visit needs."""

    def post(self, act: Callable[[], None]) -> None:
        """Execute `act` on the lane's thread."""
        ...

    def follow(self, follower: Follower) -> None:
        """Begin to tell `follower` everything."""
        ...

    def unfollow(self, follower: Follower) -> None:
        """Stop telling it."""
        ...


class Visit:
    """Reaches the host once, and wants nothing else. A `Follower`."""

    names: tuple[str, ...] = ()

    def __init__(self, lane: Path) -> None:
        self.lane = lane
        #: Whether the visit is over, reached or not. Any thread may read it.
        self.over = False

    def begin(self) -> None:
        """Begin the visit; on the lane's thread."""
        self.lane.follow(self)

    def opened(self, ready: LauncherReady) -> None:
        """The host was reached: the visit is over."""
        del ready
        self._end()

    def lost(self, why: str) -> None:
        """Do nothing: the host was reached before that."""

    def unreached(self, outcome: Unreached) -> None:
        """The visit is over: another controller will come by."""
        del outcome
        self._end()

    def _end(self) -> None:
        self.lane.unfollow(self)
        self.over = True

    def silent(self, seconds: float, why: str) -> None:
        """Nobody waits for it."""

    def regained(self, seconds: float) -> None:
        """Nobody has waited."""

    def heard(self, answer: LauncherAnswer) -> None:
        """Do nothing: a visit has no names."""

    def broken(self, why: str) -> None:
        """The visit is over."""
        del why
        self.over = True


@dataclass(slots=True)
class Alarm:
    """An act that happens later, unless somebody cancels it."""

    act: Callable[[], None] | None

    def cancel(self) -> None:
        """Cancel the act, and release what it holds."""
        self.act = None
