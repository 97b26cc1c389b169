"""The facts of a run. The journal holds them; everything that is known is folded from them.

Rules:
- Past tense, one frozen dataclass each, members are plain JSON values (text, numbers, booleans,
  lists, mappings of these), so that the body of a journal entry is the dataclass as it stands.
- A body holds every choice that was not determined: the moment of a retry, the value a probe saw,
  the route that was taken. Folding needs no clock and no luck.
- A released event never changes its meaning. A new member has a default; anything else is a new
  `VERSION` and a lifting function.
- The unions below are closed: a match over one handles all of its members and ends in
  `assert_never`, so that the type checker names every place that a new event concerns.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, get_args

# A star, because each event is named twice already: where it is defined and in its union.
from drrun.core.events.afterwards import *
from drrun.core.events.attempts import *
from drrun.core.events.base import *
from drrun.core.events.people import *
from drrun.core.events.run import *
from drrun.core.events.steps import *
from drrun.core.events.world import *

#: What happens to one attempt.
OfAttempt = (
    AttemptIntended
    | AttemptStarted
    | AttemptEnded
    | AttemptTimedOut
    | AttemptNeverStarted
    | ContactLost
    | ContactMissed
    | ContactFound
    | AttemptLate
    | EndingBegan
    | AttemptStopped
    | ActionShown
    | WaitBegan
    | WaitEnded
    | ProbeSeen
    | ProbesConcluded
)
#: What happens to one target.
OfTarget = (
    OfAttempt
    | TargetWaiting
    | TargetBegan
    | RetryPlanned
    | TargetFailed
    | TargetReopened
    | TargetMarked
    | GateOpened
    | ApprovalNotNeeded
    | Approved
    | GateAnswered
    | PersonReminded
    | GateEscalated
    | TargetLost
    | WatchSeen
    | Regressed
    | Recovered
    | UndoBegan
    | NotRolledBack
    | UndoneUnverified
)
#: What happens to those targets of a step that have not begun.
OfTargets = StepSkipped | StepBlocked | TargetsCancelled
#: What happens to a run, or to a step as a whole.
OfRun = (
    ConditionSeen
    | ClockSet
    | SeatTaken
    | Claimed
    | Assigned
    | HandedOver
    | Lost
    | Found
    | RouteSet
    | InvariantSeen
    | InvariantBroken
    | RollbackBegan
    | PlanAmended
    | RunStarted
    | ControllerTook
    | HostReached
    | RecordAccepted
    | HostOverruled
    | SecretsUsed
    | ControllerLeft
    | RunPaused
    | RunUnpaused
    | WallClockSet
    | RunAborted
    | RunResumed
    | FilesChanged
    | RunEnded
    | Noted
    | RequestRefused
    | RequestWithdrawn
    | FindingNoted
    | FollowUpNoted
    | ClockStated
    | RunClosed
)
#: Everything that the journal can hold.
Event = OfTarget | OfTargets | OfRun

#: Kind -> class.
KINDS: Mapping[str, type[Event]] = {each.__name__: each for each in get_args(Event)}


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
