"""The facts of a run. The journal holds them; everything that is known is folded from them.

Rules:
- Past tense, one frozen dataclass each, members are plain JSON values (text, numbers, booleans,
  lists, mappings of these), so that the body of a journal entry is the dataclass as it stands.
- A body holds every choice that was not determined: the moment of a retry, the value a probe saw,
  the route that was taken. Folding needs no clock and no luck.
- A released event never changes its meaning. A new member has a default; anything else is a new
  `VERSION` and a lifting function.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from drrun.core.events.afterwards import (
    ClockStated,
    FindingNoted,
    FollowUpNoted,
    RunClosed,
)
from drrun.core.events.attempts import (
    ActionShown,
    AttemptEnded,
    AttemptIntended,
    AttemptLate,
    AttemptNeverStarted,
    AttemptStarted,
    AttemptStopped,
    AttemptTimedOut,
    ContactFound,
    ContactLost,
    ContactMissed,
    EndingBegan,
    ProbesConcluded,
    ProbeSeen,
    WaitBegan,
    WaitEnded,
)
from drrun.core.events.base import (
    AttemptEvent,
    Event,
    StepEvent,
    TargetEvent,
)
from drrun.core.events.people import (
    Approved,
    Assigned,
    Claimed,
    GateAnswered,
    GateEscalated,
    GateOpened,
    HandedOver,
    PersonReminded,
)
from drrun.core.events.run import (
    ControllerLeft,
    ControllerTook,
    FilesChanged,
    HostReached,
    Noted,
    RequestRefused,
    RunAborted,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    RunUnpaused,
    SecretsUsed,
)
from drrun.core.events.steps import (
    ClockSet,
    ConditionSeen,
    RetryPlanned,
    StepBlocked,
    StepSkipped,
    TargetBegan,
    TargetFailed,
    TargetMarked,
    TargetReopened,
    TargetsCancelled,
    TargetWaiting,
)
from drrun.core.events.world import (
    Found,
    InvariantBroken,
    InvariantSeen,
    Lost,
    PlanAmended,
    Recovered,
    Regressed,
    RollbackBegan,
    RouteSet,
    TargetLost,
    UndoBegan,
    WatchSeen,
)

__all__ = [
    "KINDS",
    "ActionShown",
    "Approved",
    "Assigned",
    "AttemptEnded",
    "AttemptEvent",
    "AttemptIntended",
    "AttemptLate",
    "AttemptNeverStarted",
    "AttemptStarted",
    "AttemptStopped",
    "AttemptTimedOut",
    "Claimed",
    "ClockSet",
    "ClockStated",
    "ConditionSeen",
    "ContactFound",
    "ContactLost",
    "ContactMissed",
    "ControllerLeft",
    "ControllerTook",
    "EndingBegan",
    "Event",
    "FilesChanged",
    "FindingNoted",
    "FollowUpNoted",
    "Found",
    "GateAnswered",
    "GateEscalated",
    "GateOpened",
    "HandedOver",
    "HostReached",
    "InvariantBroken",
    "InvariantSeen",
    "Lost",
    "Noted",
    "PersonReminded",
    "PlanAmended",
    "ProbeSeen",
    "ProbesConcluded",
    "Recovered",
    "Regressed",
    "RequestRefused",
    "RetryPlanned",
    "RollbackBegan",
    "RouteSet",
    "RunAborted",
    "RunClosed",
    "RunEnded",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "RunUnpaused",
    "SecretsUsed",
    "StepBlocked",
    "StepEvent",
    "StepSkipped",
    "TargetBegan",
    "TargetEvent",
    "TargetFailed",
    "TargetLost",
    "TargetMarked",
    "TargetReopened",
    "TargetWaiting",
    "TargetsCancelled",
    "UndoBegan",
    "WaitBegan",
    "WaitEnded",
    "WatchSeen",
    "body_of",
    "event_of",
    "kind_of",
]


def _concrete(name: str, found: object) -> bool:
    """Whether this is an event, and not only what others derive from."""
    return name in __all__ and isinstance(found, type) and found.__module__ != Event.__module__


#: Kind -> class.
KINDS: Mapping[str, type[Event]] = {
    name: found for name, found in dict(globals()).items() if _concrete(name, found)
}


def kind_of(event: Event) -> str:
    """The kind under which the journal keeps an event."""
    return type(event).__name__


def body_of(event: Event) -> dict[str, Any]:
    """An event as plain JSON values."""
    return {member.name: getattr(event, member.name) for member in fields(event)}


def event_of(kind: str, body: Mapping[str, Any]) -> Event:
    """The event that a journal entry holds.

    Raises:
        KeyError: An unknown kind: the journal was written by a newer drrun.
    """
    known, names = KINDS[kind], _members(kind)
    if not body.keys() <= names:
        body = {name: value for name, value in body.items() if name in names}
    return known(**body)


@cache
def _members(kind: str) -> frozenset[str]:
    return frozenset(member.name for member in fields(KINDS[kind]))
