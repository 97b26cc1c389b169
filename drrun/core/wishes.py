"""What the rules want done next. Imperative, one frozen dataclass each; the engine obeys.

Rules:
- A wish is never stored. Obeying it records facts (`drrun.core.events`), and once these are
  recorded the same wish is not made again.
"""

from drrun.core.dataclass import dataclass
from drrun.core.ids import StepId
from drrun.core.probes import Purpose, Verdict
from drrun.core.state import Key
from drrun.core.status import Cause, RunStatus


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave a step out."""

    step: StepId
    why: str


@dataclass(frozen=True, slots=True)
class Block:
    """A step cannot begin: something that it needs failed."""

    step: StepId
    because: tuple[StepId, ...]


@dataclass(frozen=True, slots=True)
class CancelRest:
    """Targets of a step that have not begun never will."""

    step: StepId
    why: str


@dataclass(frozen=True, slots=True)
class SeeCondition:
    """Evaluate `when`."""

    step: StepId


@dataclass(frozen=True, slots=True)
class SeeClock:
    """Evaluate `not_before`."""

    step: StepId


@dataclass(frozen=True, slots=True)
class Wait:
    """Record that a target could begin, but for something."""

    key: Key
    cause: Cause
    detail: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """Take the locks; guards come next."""

    key: Key


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Ask one probe once."""

    key: Key
    purpose: Purpose
    index: int


@dataclass(frozen=True, slots=True)
class Conclude:
    """Record what the probes of a purpose came to."""

    key: Key
    purpose: Purpose
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Record the intent, then act."""

    key: Key


@dataclass(frozen=True, slots=True)
class BeginWait:
    """Begin to wait for the clock, or for probes."""

    key: Key


@dataclass(frozen=True, slots=True)
class EndWait:
    """The clock has come."""

    key: Key


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Find out about an attempt that an earlier controller left behind."""

    key: Key


@dataclass(frozen=True, slots=True)
class EndAttempt:
    """End all processes of an attempt that is going on."""

    key: Key
    why: str


@dataclass(frozen=True, slots=True)
class SayLate:
    """Say that an attempt takes longer than its author's bad case."""

    key: Key
    p90: float


@dataclass(frozen=True, slots=True)
class LetGo:
    """Stop following an attempt whose host was declared lost."""

    key: Key
    why: str


@dataclass(frozen=True, slots=True)
class GiveUpContact:
    """Nothing follows an attempt any more, and nobody may look: its outcome is not known."""

    key: Key
    why: str


@dataclass(frozen=True, slots=True)
class Lose:
    """A target's host was declared lost; the target is `skipped` or `blocked`."""

    key: Key
    thing: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Remind:
    """Tell people again that they are waited for."""

    key: Key
    to: tuple[str, ...]
    times: int


@dataclass(frozen=True, slots=True)
class Escalate:
    """Tell more people."""

    key: Key
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeDefault:
    """A decision's time is over."""

    key: Key
    option: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """Undo what has passed."""

    why: str


@dataclass(frozen=True, slots=True)
class BeginUndo:
    """Take one target back."""

    key: Key


@dataclass(frozen=True, slots=True)
class Show:
    """In a dry-run: record what a live run would do, instead of doing it."""

    key: Key
    #: Which check was tolerated.
    note: str = ""


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Ask a person. `kind`: manual, approval, decision, irreversible, ask, unknown, late."""

    key: Key
    kind: str
    purpose: Purpose | None = None
    index: int = 0


@dataclass(frozen=True, slots=True)
class PlanRetry:
    """Try again, after the delay that the step's `retry` says (at once for `unknown`)."""

    key: Key
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The target failed."""

    key: Key
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Begin nothing new."""

    why: str


@dataclass(frozen=True, slots=True)
class Abort:
    """Give the run up."""

    why: str


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""

    status: RunStatus


Wish = (
    Skip
    | Block
    | CancelRest
    | SeeCondition
    | SeeClock
    | Wait
    | Begin
    | Evaluate
    | Conclude
    | StartAttempt
    | BeginWait
    | EndWait
    | Reconcile
    | EndAttempt
    | Show
    | SayLate
    | LetGo
    | GiveUpContact
    | Lose
    | Remind
    | Escalate
    | TakeDefault
    | RollBack
    | BeginUndo
    | OpenGate
    | PlanRetry
    | GiveUp
    | Pause
    | Abort
    | End
)
