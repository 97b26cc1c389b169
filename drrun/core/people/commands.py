"""What people ask of a run: one frozen dataclass each, imperative like wishes.

Rules:
- The inbox keeps a command as its kind and a body of plain JSON. `command_of` is the one door by
  which such a body comes in: what is not given has its default, what nobody knows is ignored.
- A closed union: `consider` handles all of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, ClassVar, get_args

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandBase:
    """Anything that a person asks for."""

    #: The word for it: `drrun WORD`.
    KIND: ClassVar[str]
    #: What it does against the plan, so that it wants a reason; "" for nothing.
    OVERRIDES: ClassVar[str] = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommand(CommandBase):
    """About one step, or one target of it: `STEP@TARGET` or both."""

    step: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(StepCommand):
    """It was done, or may be done."""

    KIND: ClassVar[str] = "confirm"
    #: Typed answers.
    input: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(StepCommand):
    """It may begin."""

    KIND: ClassVar[str] = "approve"
    typed: str = ""
    #: Target -> signature over the answer.
    signatures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(StepCommand):
    """One of its options is chosen."""

    KIND: ClassVar[str] = "decide"
    option: str = ""
    signatures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(StepCommand):
    """It was not done, or may not be."""

    KIND: ClassVar[str] = "reject"
    #: The step to go back to.
    rewind_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest(StepCommand):
    """Try it again."""

    KIND: ClassVar[str] = "retry"
    #: Only targets on these hosts: a host, a group, `site:NAME`. Without a step: all that failed.
    on: str = ""
    only_failed: bool = False
    bypass_guard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(StepCommand):
    """Leave it out."""

    KIND: ClassVar[str] = "skip"
    OVERRIDES: ClassVar[str] = "skip overrides the plan: it"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDone(StepCommand):
    """It is done, by a person's word."""

    KIND: ClassVar[str] = "mark-done"
    OVERRIDES: ClassVar[str] = "mark-done overrides the plan: it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(StepCommand):
    """Take it on."""

    KIND: ClassVar[str] = "claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(StepCommand):
    """Make it somebody's."""

    KIND: ClassVar[str] = "assign"
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(CommandBase):
    """Give everything that is one's own to another."""

    KIND: ClassVar[str] = "handover"
    to: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(CommandBase):
    """Write something down."""

    KIND: ClassVar[str] = "note"
    text: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFinding(CommandBase):
    """Something has to be put right."""

    KIND: ClassVar[str] = "finding"
    text: str = ""
    severity: str = ""
    owner: str = ""
    due: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFollowUp(CommandBase):
    """Something is still to be done."""

    KIND: ClassVar[str] = "follow-up"
    text: str = ""
    owner: str = ""
    due: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateClock(CommandBase):
    """Say when something happened that no journal could see."""

    KIND: ClassVar[str] = "clock"
    OVERRIDES: ClassVar[str] = "a recorded time"
    name: str = ""
    #: Seconds since the epoch.
    moment: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(CommandBase):
    """Nothing is open any more, or a person answers for it."""

    KIND: ClassVar[str] = "close"
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(CommandBase):
    """Pause a run: start nothing new."""

    KIND: ClassVar[str] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpause(CommandBase):
    """Continue a paused run."""

    KIND: ClassVar[str] = "unpause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(CommandBase):
    """Give the run up."""

    KIND: ClassVar[str] = "abort"
    OVERRIDES: ClassVar[str] = "abort overrides the plan: it"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack(CommandBase):
    """Undo what has passed."""

    KIND: ClassVar[str] = "rollback"
    #: The runbook's name, where there is no plain way back.
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(CommandBase):
    """Add steps to the plan, or change some."""

    KIND: ClassVar[str] = "amend"
    OVERRIDES: ClassVar[str] = "amend overrides the plan: it"
    path: str = ""
    text: str = ""
    #: Files that were edited: `kind`, `path` and `content` of each.
    files: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareLost(CommandBase):
    """A site, host, provider or person is lost."""

    KIND: ClassVar[str] = "lost"
    OVERRIDES: ClassVar[str] = "lost overrides the plan: it"
    thing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareFound(CommandBase):
    """It is not lost."""

    KIND: ClassVar[str] = "found"
    thing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoute(CommandBase):
    """Reach a host by another route."""

    KIND: ClassVar[str] = "set-route"
    host: str = ""
    route: str = ""


#: What answers a question.
AnswerCommand = Confirm | Approve | Decide | Reject

Command = (
    AnswerCommand
    | RetryRequest
    | Skip
    | MarkDone
    | Claim
    | Assign
    | HandOver
    | Note
    | AddFinding
    | AddFollowUp
    | StateClock
    | Close
    | Pause
    | Unpause
    | Abort
    | RollBack
    | Amend
    | DeclareLost
    | DeclareFound
    | SetRoute
)

_CLASSES: Mapping[str, type[Command]] = {each.KIND: each for each in get_args(Command)}
#: Those that override the plan, and so want a reason.
WANT_REASON = frozenset(kind for kind, each in _CLASSES.items() if each.OVERRIDES)

#: Type of a member -> how it is read; an inbox may hold whatever somebody posted.
_READERS: Mapping[object, Callable[[Any], Any]] = {
    str: lambda given: "" if given is None else str(given),
    bool: bool,
    float | None: lambda given: float(given) if isinstance(given, int | float) else None,
    tuple[str, ...]: lambda given: tuple(map(str, given or ())),
    Mapping[str, Any]: lambda given: dict(given or {}),
    tuple[Mapping[str, str], ...]: lambda given: tuple(map(dict, given or ())),
}


def command_of(kind: str, body: Mapping[str, Any]) -> Command | None:
    """The command that was posted; None: nobody knows that kind."""
    known = _CLASSES.get(kind)
    if known is None:
        return None
    given = (member for member in fields(known) if member.name in body)
    return known(**{each.name: _READERS[each.type](body[each.name]) for each in given})


def body_of(command: Command) -> dict[str, Any]:
    """A command's members that were given, as plain JSON values."""
    members = ((each.name, getattr(command, each.name)) for each in fields(command))
    return {name: value for name, value in members if value not in ("", False, None, (), {})}
