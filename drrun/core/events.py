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
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    VERSION: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent(Event):
    """Something that happened to a step as a whole."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEvent(StepEvent):
    """Something that happened to one target of a step."""

    target: str


# --- the run ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A plan began to be executed. Its documents are pinned beside the journal."""

    name: str
    title: str
    mode: str
    variant: str
    inputs: Mapping[str, Any]
    #: `max_parallel`, `leave_out`, `allow_irreversible`.
    options: Mapping[str, Any]
    by: str
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerTook(Event):
    """A controller took the lease."""

    epoch: int
    holder: str
    host: str
    pid: int
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerLeft(Event):
    """The controller stopped driving the run on its own accord; the run can be resumed."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused(Event):
    """Nothing new begins."""

    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUnpaused(Event):
    """Steps begin again."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAborted(Event):
    """The run was given up; what was not begun is cancelled."""

    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed(Event):
    """A person resumed the run: failed, blocked and cancelled targets are open again."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesChanged(Event):
    """On resuming, files differed from those that the run is pinned to."""

    #: `pinned`: go on with the stored ones.
    decision: str
    diff: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """Nothing is left to do."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """A person wrote something down."""

    by: str
    text: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(Event):
    """A person asked for something that cannot be done."""

    kind: str
    by: str
    why: str
    step: str = ""


# --- steps --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSeen(StepEvent):
    """`when` was evaluated."""

    expression: str
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSet(StepEvent):
    """`not_before` was evaluated: the step begins at `until` at the earliest."""

    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(StepEvent):
    """The step is left out; dependents go on."""

    why: str
    by: str = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBlocked(StepEvent):
    """Something that the step needs failed."""

    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsCancelled(StepEvent):
    """The targets that had not begun never will."""

    why: str


# --- targets ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWaiting(TargetEvent):
    """The target could begin, but for `cause`."""

    cause: str
    detail: str
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetBegan(TargetEvent):
    """The target holds its locks; guards come next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlanned(TargetEvent):
    """Another attempt will be made."""

    not_before: float
    #: `unreachable`, `timeout`, `failed`, `verify`, `unknown`, `person`.
    cause: str
    why: str
    by: str = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFailed(TargetEvent):
    """The target was given up."""

    cause: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReopened(TargetEvent):
    """A person wants the target to be tried again from the start."""

    by: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMarked(TargetEvent):
    """A person declared the target done, or not wanted."""

    #: `passed` or `skipped`.
    status: str
    by: str
    why: str


# --- attempts -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(TargetEvent):
    """Something that happened to one attempt, counted from 1."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptIntended(AttemptEvent):
    """The command is about to be sent. Durable before it is."""

    action: str
    #: As sent, secrets masked.
    command: str
    host: str
    #: Names of the variables given, never their values.
    environment: tuple[str, ...] = ()
    become: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(AttemptEvent):
    """The place was reached and took the command."""

    route: str = ""
    host_key: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(AttemptEvent):
    """The action ended by itself."""

    exit: int | None
    signal: str = ""
    note: str = ""
    #: Why it did not do although it exited with 0: a value to capture was not there.
    fault: str = ""
    captured: Mapping[str, Any] = field(default_factory=dict)
    #: Bytes seen and kept for each stream, and their hashes.
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTimedOut(AttemptEvent):
    """The written time limit was over; `gone`: the processes are proved to be dead."""

    gone: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptNeverStarted(AttemptEvent):
    """Provably nothing happened; `final`: trying again cannot help."""

    why: str
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLost(AttemptEvent):
    """The outcome of the attempt is not known."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitBegan(AttemptEvent):
    """A wait has an end on the clock."""

    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEnded(AttemptEvent):
    """The wait is over."""


# --- probes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSeen(AttemptEvent):
    """One evaluation of one probe."""

    purpose: str
    #: Position in the list of that purpose.
    index: int
    name: str
    question: str
    where: str
    expected: str
    verdict: str
    value: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesConcluded(AttemptEvent):
    """All probes of a purpose together were found to hold, or not."""

    purpose: str
    verdict: str
    why: str = ""


# --- people -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened(TargetEvent):
    """A person is asked."""

    #: `manual`, `irreversible`, `ask`, `unknown`.
    gate: str
    text: str
    #: Typed answers that are wanted: name -> type.
    input: Mapping[str, str] = field(default_factory=dict)
    evidence: bool = False
    #: For `ask`: which probe.
    purpose: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswered(TargetEvent):
    """A person answered."""

    gate: str
    #: `confirm` or `reject`.
    answer: str
    by: str
    reason: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""
    index: int = 0


def _concrete(base: type[Event]) -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    for kind in base.__subclasses__():
        found |= _concrete(kind) or {kind.__name__: kind}
    return found


#: Kind -> class.
KINDS: Mapping[str, type[Event]] = _concrete(Event)


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
    known = KINDS[kind]
    names = {member.name for member in fields(known)}
    return known(**{name: value for name, value in body.items() if name in names})
