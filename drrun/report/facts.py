"""One line of the journal as views see it."""

from typing import NamedTuple

from drrun.core.events import Event


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
