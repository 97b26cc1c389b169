"""One thing that a preflight measured."""

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was measured."""

    what: str
    where: str
    good: bool
    #: The measured value.
    value: str
    #: What is wanted; "" if that is obvious.
    wanted: str = ""
