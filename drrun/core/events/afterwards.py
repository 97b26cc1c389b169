"""Facts that people add to a run, also after it: what was found, what is still to be done."""

from drrun.core.dataclass import dataclass
from drrun.core.events.base import EventBase


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingNoted(EventBase):
    """Something that has to be put right, as a post-mortem or an auditor would have it."""

    text: str
    by: str
    #: `low`, `medium`, `high`.
    severity: str = "medium"
    owner: str = ""
    #: `2024-02-01`, "" for no date.
    due: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpNoted(EventBase):
    """Something that is still to be done."""

    text: str
    by: str
    owner: str = ""
    due: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStated(EventBase):
    """When something happened that no journal could see; the last word on each clock counts."""

    #: `disrupted`, `detected`, `acknowledged`, `declared`, `protected`.
    name: str
    #: Seconds since the epoch, UTC.
    moment: float
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunClosed(EventBase):
    """Nothing is open any more, or a person answers for what is."""

    by: str
    why: str = ""
    #: What was open all the same.
    open: tuple[str, ...] = ()
