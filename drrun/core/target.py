"""One target of a step: what is known of it, and how an event changes that.

Rules:
- `advance` is pure: the same state and event give the same state, whoever asks and whenever.
- The status comes from the table in `drrun.core.moves` and from nowhere else; here the phase and
  the details follow.
"""

from collections.abc import Mapping
from dataclasses import field, fields, replace
from operator import attrgetter
from typing import Any

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.moves import move
from drrun.core.polling import Progress
from drrun.core.probes import Purpose, Verdict
from drrun.core.runbook import RetryCause
from drrun.core.status import FINAL, Cause, Phase, Status


@dataclass(frozen=True, slots=True)
class Gate:
    """A question that waits for a person."""

    asked: ev.GateOpened
    opened_at: float
    #: Who has approved so far.
    approved: tuple[str, ...] = ()
    #: How often they were reminded.
    reminded: int = 0
    escalated: bool = False

    @property
    def kind(self) -> str:
        """`manual`, `approval`, `decision`, `irreversible`, `ask`, `unknown`, `late`."""
        return self.asked.gate

    @property
    def text(self) -> str:
        """What is asked."""
        return self.asked.text


@dataclass(frozen=True, slots=True)
class Verdicted:
    """Why the last attempt did not do."""

    #: A `RetryCause`, or `guard`, `done_when`, which are never retried.
    cause: str
    why: str
    #: Trying again cannot help.
    final: bool = False


@dataclass(frozen=True, slots=True)
class TargetState:
    """What is known of one target. Times in seconds since the epoch."""

    status: Status = Status.PENDING
    phase: Phase = Phase.QUEUED
    #: Since when it has had this status.
    since: float = 0.0
    began_at: float | None = None
    #: Number of the current attempt; 0 before the first.
    attempt: int = 0
    #: Attempts that got a verdict since the target was (re)opened; the retry budget.
    verdicts: int = 0
    #: What was seen of the probes of the current phase, by position.
    progress: Mapping[int, Progress] = field(default_factory=dict)
    judged: Verdicted | None = None
    waits_for: Cause | None = None
    #: When a wait or the pause before a retry is over.
    until: float | None = None
    gate: Gate | None = None
    #: When the current attempt was intended, and when its command began on its host.
    intended_at: float | None = None
    started_at: float | None = None
    #: By what the outcome of the current attempt is known; "" for those of older controllers.
    mark: str = ""
    #: Contact with the current attempt was lost for good; it may go on.
    lost: bool = False
    #: Since when its place has not been seen, while contact is sought.
    missing_since: float | None = None
    #: It takes longer than its author's bad case, and people were told.
    late: bool = False
    #: All its processes are being ended.
    ending: bool = False
    #: People gave the word: an approval, or that for an irreversible step.
    permitted: bool = False
    #: Its time is over, and a person let it go on, or wants it ended.
    unlimited: bool = False
    to_end: bool = False
    already: bool = False
    #: The step is being taken back.
    undoing: bool = False
    #: Label of a guard that a person lets pass this once.
    bypass: str = ""
    #: What each watch saw last, by position.
    watched: Mapping[int, ev.WatchSeen] = field(default_factory=dict)
    #: One sentence on how it came to this.
    note: str = ""
    #: Captured values and typed answers.
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether it has begun, and so holds its locks until it ends."""
        return self.began_at is not None

    @property
    def active(self) -> bool:
        """Whether it has begun and not ended."""
        return self.begun and self.status not in FINAL

    @property
    def queued(self) -> bool:
        """Whether it has not begun and may still."""
        return not self.begun and self.status in (Status.PENDING, Status.WAITING)

    @property
    def taken(self) -> bool:
        """Whether the place took the command of the current attempt."""
        return self.started_at is not None


_NAMES = tuple(each.name for each in fields(TargetState))
_VALUES = attrgetter(*_NAMES)


def _with(before: TargetState, **changes: Any) -> TargetState:
    """As `dataclasses.replace`, in a fraction of its time: all that is simulated waits for it."""
    after = object.__new__(TargetState)
    put = object.__setattr__
    for name, value in zip(_NAMES, _VALUES(before), strict=True):
        put(after, name, value)
    return _set(after, **changes)


def _set(after: TargetState, **changes: Any) -> TargetState:
    """Change the copy that `_with` has just made, and that nobody else has seen yet."""
    for name, value in changes.items():
        object.__setattr__(after, name, value)
    return after


def given_up(target: TargetState) -> bool:
    """Whether aborting the run leaves nothing of a target behind: it has not acted."""
    before = target.phase in (Phase.GUARD, Phase.DONE_WHEN, Phase.ACT)
    return target.status is Status.WAITING or (target.status is Status.RUNNING and before)


def advance(before: TargetState, event: ev.Event, at: float) -> TargetState:
    """The state after `event`.

    Raises:
        IllegalMove: Such an event cannot happen to a target of this status.
    """
    match event:
        case ev.ProbeSeen():
            return _seen(before, event, at)
        case ev.PersonReminded() | ev.GateEscalated() | ev.Approved():
            move(before.status, event)
            return _told(before, event)
        case ev.WatchSeen(index=index):
            move(before.status, event)
            return _with(before, watched={**before.watched, index: event})
        case _:
            pass
    status, sentence = move(before.status, event)
    after = _with(
        before,
        status=status,
        since=at if status is not before.status else before.since,
        note=sentence,
        waits_for=None,
        until=None,
    )
    match event:
        case ev.AttemptStarted():
            return after if after.taken else _set(after, started_at=at)
        case ev.ContactMissed(silent=silent):
            return _set(after, missing_since=at - silent)
        case ev.AttemptIntended():
            fresh = _enter(after, Phase.ACTING, started_at=None, lost=False, ending=False)
            return _set(fresh, intended_at=at, late=False, mark=event.mark)
        case ev.AttemptEvent():
            return _attempted(after, event)
        case ev.GateOpened() | ev.GateAnswered():
            return _asked(after, event, at)
        case _:
            return _moved(after, event, at)


def _seen(before: TargetState, event: ev.ProbeSeen, at: float) -> TargetState:
    if event.attempt != before.attempt or event.purpose not in purposes_of(before.phase):
        return before  # a late answer to a question that is settled by now
    verdict = Verdict(event.verdict)
    seen = Progress.after(before.progress.get(event.index), verdict, at, event.why)
    return _with(before, progress={**before.progress, event.index: seen})


def purposes_of(phase: Phase) -> frozenset[Purpose]:
    """Which lists of probes may be asked in a phase; without guards, done_when comes at once."""
    return _PURPOSES.get(phase, frozenset())


_PURPOSES = {
    Phase.GUARD: frozenset({Purpose.GUARD, Purpose.DONE_WHEN}),
    Phase.DONE_WHEN: frozenset({Purpose.DONE_WHEN}),
    Phase.ACTING: frozenset({Purpose.UNTIL}),
    Phase.VERIFY: frozenset({Purpose.VERIFY, Purpose.UNDONE}),
    Phase.RECONCILE: frozenset({Purpose.RECONCILE}),
}


def _attempted(after: TargetState, event: ev.AttemptEvent) -> TargetState:
    match event:
        case ev.ProbesConcluded():
            return _concluded(after, event)
        case ev.AttemptEnded(exit=0, fault=""):
            return _enter(after, Phase.VERIFY, values={**after.values, **event.captured})
        case ev.AttemptEnded():
            return _judge(after, RetryCause.FAILED, _how_it_ended(event))
        case ev.AttemptNeverStarted():
            return _judge(after, RetryCause.UNREACHABLE, event.why, final=event.final)
        case ev.WaitBegan():
            return _set(after, until=event.until, waits_for=Cause.CLOCK)
        case ev.WaitEnded():
            return _enter(after, Phase.VERIFY)
        case ev.ActionShown(note=note):
            return _enter(after, Phase.ENDED, note=note or after.note)
        case _:
            return _parted(after, event)


def _parted(after: TargetState, event: ev.AttemptEvent) -> TargetState:
    """Time is over, contact is lost or found, somebody wants it to end."""
    match event:
        case ev.AttemptTimedOut(gone=True):
            return _judge(after, RetryCause.TIMEOUT, event.note or "out of time")
        case ev.ContactLost(why=why) | ev.AttemptTimedOut(note=why):
            return _enter(after, Phase.RECONCILE, note=why, lost=True)
        case ev.AttemptStopped(gone=True, note=note):
            return _enter(after, Phase.ENDED, note=note or after.note)
        case ev.AttemptStopped(note=note):
            return _enter(after, Phase.ASK, note=note or after.note, lost=True)
        case ev.EndingBegan():
            return _set(after, ending=True)
        case ev.ContactFound():
            return _set(after, missing_since=None)
        case ev.AttemptLate():
            return _set(after, late=True)
        case _:
            return after


def _how_it_ended(event: ev.AttemptEnded) -> str:
    how = f"killed by SIG{event.signal}" if event.signal else f"exit {event.exit}"
    return event.fault or (f"{how}: {event.note}" if event.note else how)


def _concluded(after: TargetState, event: ev.ProbesConcluded) -> TargetState:
    holds = event.verdict == Verdict.HOLDS
    match Purpose(event.purpose):
        case Purpose.GUARD:
            return _enter(after, Phase.DONE_WHEN) if holds else _judge(after, "guard", event.why)
        case Purpose.DONE_WHEN if holds:
            return _enter(after, Phase.ENDED, already=True)
        case Purpose.DONE_WHEN if event.verdict == Verdict.DOES_NOT_HOLD:
            return _enter(after, Phase.ACT)
        case Purpose.DONE_WHEN:
            return _judge(after, "done_when", event.why)
        case Purpose.UNTIL:
            if holds:
                return _enter(after, Phase.VERIFY)
            return _judge(after, RetryCause.FAILED, event.why)
        case Purpose.VERIFY | Purpose.RECONCILE | Purpose.UNDONE if holds:
            return _enter(after, Phase.ENDED)
        case Purpose.VERIFY | Purpose.UNDONE if event.verdict == Verdict.DOES_NOT_HOLD:
            return _judge(after, RetryCause.VERIFY, event.why)
        case _:
            return _enter(after, Phase.ASK, note=event.why or after.note)


def _told(before: TargetState, event: ev.TargetEvent) -> TargetState:
    """What only concerns the question that is open."""
    if before.gate is None:
        return before
    match event:
        case ev.Approved(by=by):
            gate = replace(before.gate, approved=(*before.gate.approved, by))
        case ev.GateEscalated():
            gate = replace(before.gate, escalated=True)
        case _:
            gate = replace(before.gate, reminded=before.gate.reminded + 1)
    return _with(before, gate=gate)


def _asked(after: TargetState, event: ev.GateOpened | ev.GateAnswered, at: float) -> TargetState:
    if isinstance(event, ev.GateOpened):
        cause = Cause.THIRD_PARTY if event.contact else Cause.PERSON
        return _set(after, gate=Gate(event, at), waits_for=cause)
    after = _set(after, gate=None)
    by = f"by {event.by}" + (f": {event.reason}" if event.reason else "")
    if event.gate == "ask":
        verdict = Verdict.HOLDS if event.answer == "confirm" else Verdict.DOES_NOT_HOLD
        seen = Progress(verdict, at, at, at if verdict is Verdict.HOLDS else None, by)
        return _set(after, progress={**after.progress, event.index: seen})
    match event.gate, event.answer:
        case ("irreversible", "confirm") | ("approval", "approve"):
            return _enter(after, Phase.ACT, permitted=True)
        case ("manual", "confirm"):
            return _enter(after, Phase.VERIFY, values={**after.values, **event.input})
        case ("decision", "decide"):
            values = {**after.values, "option": event.option}
            return _enter(after, Phase.VERIFY, values=values, note=f"{event.option}, {by}")
        case ("late", _):
            goes_on = event.answer == "confirm"
            return _set(after, unlimited=goes_on, to_end=not goes_on)
        case _:
            return _enter(after, Phase.ENDED, note=f"{after.note}, {by}")


def _moved(after: TargetState, event: ev.Event, at: float) -> TargetState:
    match event:
        case ev.TargetWaiting():
            return _set(after, waits_for=Cause(event.cause), until=event.until, note=event.detail)
        case ev.TargetBegan():
            fresh = _enter(after, Phase.GUARD, judged=None, attempt=after.attempt + 1)
            return _set(fresh, began_at=at if after.began_at is None else after.began_at)
        case ev.RetryPlanned():
            queued = _enter(after, Phase.QUEUED, note=event.why, gate=None)
            return _set(queued, until=event.not_before, waits_for=Cause.RETRY)
        case ev.TargetReopened():
            return _reopened(after, event)
        case ev.UndoBegan():
            return _enter(after, Phase.ACT, judged=None, undoing=True, attempt=after.attempt + 1)
        case _:
            return _ended(after, event)


def _ended(after: TargetState, event: ev.Event) -> TargetState:
    match event:
        case ev.TargetFailed(why=why) | ev.Regressed(why=why):
            return _enter(after, Phase.ENDED, note=why)
        case ev.TargetLost(thing=thing):
            return _enter(after, Phase.ENDED, gate=None, note=f"{thing} was declared lost")
        case ev.TargetMarked(by=by, why=why):
            return _enter(after, Phase.ENDED, gate=None, note=f"{after.note}: {by}, {why}")
        case ev.StepSkipped(why=why) | ev.TargetsCancelled(why=why):
            return _enter(after, Phase.ENDED, gate=None, note=why)
        case ev.StepBlocked(because=because):
            return _enter(after, Phase.ENDED, note=f"needs {', '.join(because)}")
        case _:
            return after


def _reopened(after: TargetState, event: ev.TargetReopened) -> TargetState:
    if event.seek:
        return _enter(after, Phase.ACTING, gate=None, lost=False, ending=False)
    if after.status is Status.UNKNOWN:
        return _enter(after, Phase.RECONCILE, gate=None)
    return TargetState(
        since=after.since, attempt=after.attempt, values=after.values, bypass=event.bypass
    )


def _enter(after: TargetState, phase: Phase, **changes: Any) -> TargetState:
    return _set(after, phase=phase, progress={}, missing_since=None, **changes)


def _judge(after: TargetState, cause: str, why: str, *, final: bool = False) -> TargetState:
    return _enter(
        after,
        Phase.JUDGED,
        judged=Verdicted(str(cause), why, final),
        verdicts=after.verdicts + 1,
        note=why,
    )
