"""One line of the journal as views see it."""

from typing import NamedTuple

from drrun.core.events import Event
from drrun.core.model.seat import Seat


class Fact(NamedTuple):
    """An event with its place, its moment and who caused it."""

    #: Counts from 1.
    seq: int
    #: Seconds since the epoch, UTC.
    at: float
    #: `controller`, or a person's name.
    actor: str
    event: Event
    #: Of the entry, which vouches for all before it.
    hash: str = ""
    #: Where the person sat; None: that is not known, or it was the controller.
    seat: Seat | None = None

    @property
    def who(self) -> str:
        """Who caused it, with the account that was used where that is called otherwise."""
        return self.seat.beside(self.actor) if self.seat else self.actor
