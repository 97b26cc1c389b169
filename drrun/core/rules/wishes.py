"""What the rules want done next. Imperative, one frozen dataclass each; the engine obeys.

Rules:
- A wish is never stored. Obeying it records facts (`drrun.core.events`), and once these are
  recorded the same wish is not made again.
- What needs nobody to be asked, and no chance, is decided with the wish: `Record` has the fact.
- A closed union: every match handles all, and ends in `assert_never`.
"""

from drrun.core.dataclass import dataclass
from drrun.core.events import Event
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.probes import Purpose


@dataclass(frozen=True, slots=True)
class Record:
    """Record a fact; nothing else is to be done."""

    event: Event


@dataclass(frozen=True, slots=True)
class SeeCondition:
    """Evaluate `when`."""

    step: StepId


@dataclass(frozen=True, slots=True)
class SeeClock:
    """Evaluate `not_before`."""

    step: StepId


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Ask one probe once."""

    key: TargetKey
    purpose: Purpose
    index: int


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Record the intent, then act."""

    key: TargetKey


@dataclass(frozen=True, slots=True)
class BeginWait:
    """Begin to wait for the clock, or for probes."""

    key: TargetKey


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Find out about an attempt that an earlier controller left behind."""

    key: TargetKey


@dataclass(frozen=True, slots=True)
class EndAttempt:
    """End all processes of an attempt that is going on."""

    key: TargetKey
    why: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """Stop following an attempt whose host was declared lost."""

    key: TargetKey
    why: str


@dataclass(frozen=True, slots=True)
class Show:
    """In a dry-run: record what a live run would do, instead of doing it."""

    key: TargetKey
    #: Which check was tolerated.
    note: str = ""


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Ask a person. `kind`: manual, approval, decision, irreversible, ask, unknown, late."""

    key: TargetKey
    kind: str
    purpose: Purpose | None = None
    index: int = 0


@dataclass(frozen=True, slots=True)
class PlanRetry:
    """Try again, after the delay that the step's `retry` says (at once for `unknown`)."""

    key: TargetKey
    cause: str
    why: str


Wish = (
    Record
    | SeeCondition
    | SeeClock
    | Evaluate
    | StartAttempt
    | BeginWait
    | Reconcile
    | EndAttempt
    | LetGo
    | Show
    | OpenGate
    | PlanRetry
)
