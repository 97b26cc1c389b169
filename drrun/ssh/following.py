"""Who follows a host, and how it is reached: what a lane (lane.py) needs from both sides."""

from collections.abc import Callable
from typing import Protocol

from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import NeverStarted, RefusedByHost
from drrun.ssh.boot import Boot
from drrun.ssh.launcher_answers import LauncherAnswer, LauncherReady
from drrun.ssh.wires import Wire

#: What it means that a host is not reached.
Unreached = NeverStarted | RefusedByHost


class Follower(Protocol):
    """Somebody who wants something of a host. Called on the lane's thread only."""

    #: Under which names the host speaks of it.
    names: tuple[str, ...]

    def opened(self, ready: LauncherReady) -> None:
        """A launcher answers: at first, and after each loss."""
        ...

    def lost(self, why: str) -> None:
        """Contact was lost; it is sought."""
        ...

    def unreached(self, outcome: Unreached) -> None:
        """The host was not reached this time; it is tried again while somebody follows."""
        ...

    def silent(self, seconds: float, why: str) -> None:
        """Nothing was heard for so long."""
        ...

    def regained(self, seconds: float) -> None:
        """It answers again, after so long."""
        ...

    def heard(self, answer: LauncherAnswer) -> None:
        """The host says something under one of its names."""
        ...

    def broken(self, why: str) -> None:
        """Something is wrong with drrun itself; nothing more will be told."""
        ...


class Road(Protocol):
    """How a launcher is reached."""

    @property
    def place(self) -> str:
        """The host, for messages."""
        ...

    @property
    def name(self) -> str:
        """The host's name in the inventory; "" for the controller's own machine."""
        ...

    def reader(self) -> str:
        """The shell that reads a channel in the place of our starter, or ""; blocks."""
        ...

    def open(
        self, boot: Boot, ring: Callable[[], None], then: Callable[[Wire | Unreached], None]
    ) -> None:
        """Have a launcher started; returns at once.

        Args:
            boot: How it is started.
            ring: Called, from any thread, when something came from it.
            then: Called, from another thread, with what carries it, or with why there is none;
                nothing was sent then.
        """
        ...


class Path(Protocol):
    """As much of a lane (lane.py) as a visit needs."""

    def post(self, act: Callable[[], None]) -> None:
        """Have something done on the lane's thread."""
        ...

    def follow(self, follower: Follower) -> None:
        """Tell of everything from now on."""
        ...

    def unfollow(self, follower: Follower) -> None:
        """Tell nothing any more."""
        ...


class Visit:
    """Wants nothing but that the host is reached once. A `Follower`."""

    names: tuple[str, ...] = ()

    def __init__(self, lane: Path) -> None:
        self.lane = lane
        #: It was reached, or was not; read from any thread.
        self.over = False

    def begin(self) -> None:
        """Come by; on the lane's thread."""
        self.lane.follow(self)

    def opened(self, ready: LauncherReady) -> None:
        """That was all."""
        del ready
        self._end()

    def lost(self, why: str) -> None:
        """It was reached before that."""

    def unreached(self, outcome: Unreached) -> None:
        """Another controller will come by."""
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
        """Nothing is said under a name here."""

    def broken(self, why: str) -> None:
        """There is nothing more to come."""
        del why
        self.over = True


@dataclass(slots=True)
class Alarm:
    """Something that is done later, unless it is cancelled."""

    act: Callable[[], None] | None

    def cancel(self) -> None:
        """Do not do it, and hold nothing for it."""
        self.act = None
