"""One thing that a preflight measured."""

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was measured."""

    what: str
    where: str
    good: bool
    #: What was seen.
    value: str
    #: What is wanted, "" where that goes without saying.
    wanted: str = ""
