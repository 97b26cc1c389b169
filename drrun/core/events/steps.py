"""Facts about steps and their targets."""

from collections.abc import Mapping
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.events.base import StepEvent, TargetEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSeen(StepEvent):
    """`when` was evaluated."""

    expression: str
    value: bool
    #: What its names stood for: `steps.a.lag` -> `300`.
    seen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSet(StepEvent):
    """`not_before` was evaluated: the step begins at `until` at the earliest."""

    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(StepEvent):
    """The step is left out; dependents go on."""

    why: str
    by: str = "controller"
    #: Another step has passed that makes it needless; so is what of it failed or waits.
    superseded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBlocked(StepEvent):
    """Something that the step needs failed."""

    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsCancelled(StepEvent):
    """The targets that had not begun never will."""

    why: str


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
    """The target is to be done again from the start, or to be looked for again."""

    by: str
    why: str = ""
    #: Contact with its attempt was lost: the attempt is sought, and none begun.
    seek: bool = False
    #: Name of a guard that is not asked this once.
    bypass: str = ""
    #: A person went back to this step, or to one before it, although it had passed.
    rewind: bool = False
    #: What held it up is gone; nobody asked for this very target.
    freed: bool = False
    #: Nobody asked for it: `on_regressed: rerun`.
    rerun: bool = False
    #: Its step is being rewritten; what it did before stays in the record.
    amended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMarked(TargetEvent):
    """A person declared the target done, or not wanted."""

    #: `passed`, `skipped`, or `rolled-back` for what a person undid by hand.
    status: str
    by: str
    why: str
