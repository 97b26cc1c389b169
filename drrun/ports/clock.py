"""Clocks, ids, and being told to stop."""

from typing import Protocol

from drrun.core.model.ids import RunId
from drrun.core.state.clocks import Origin


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC; never goes back while the process lives."""
        ...

    def skew(self) -> float:
        """Seconds by which the machine's clock was set forward since this one was read from it."""
        ...

    def origin(self) -> Origin:
        """Since when the machine counts the seconds of this boot, by this clock."""
        ...


class Ids(Protocol):
    """The one source of names that nobody else has."""

    def new_mark(self) -> str:
        """16 hexadecimal digits that nobody can guess."""
        ...

    def new_run(self, name: str, now: float) -> RunId:
        """A new run's id; sorts by time, tells the runbook, cannot be guessed."""
        ...


class Cancel(Protocol):
    """Tells a blocking call to stop; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for `timeout` seconds or until told to stop; True if told."""
        ...
