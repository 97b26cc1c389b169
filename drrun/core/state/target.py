"""One target of a step: what is known of it, and how an event changes that.

Rules:
- `advance` is pure: the same state and event give the same state, whoever asks and whenever.
- The status comes from the table in `drrun.core.state.moves` and from nowhere else. The phase and
  the details follow here.
"""

from collections.abc import Mapping
from dataclasses import field, fields, replace
from operator import attrgetter
from typing import Any, assert_never

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import IllegalMove
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import RetryCause
from drrun.core.model.status import FINAL, Cause, Phase, Status
from drrun.core.state.event_text import how_it_ended
from drrun.core.state.moves import move
from drrun.core.state.polling import ProbeProgress


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
class Judgement:
    """Why the last attempt did not do."""

    #: A `RetryCause`, or `guard`, `done_when`, which are never retried.
    cause: str
    why: str
    #: Trying again cannot help.
    final: bool = False
    #: Nobody could tell.
    doubt: bool = False


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
    progress: Mapping[int, ProbeProgress] = field(default_factory=dict)
    judged: Judgement | None = None
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
    #: Its approval has a condition, which does not hold.
    unasked: bool = False
    #: Its time is over, and a person let it go on, or wants it ended.
    unlimited: bool = False
    to_end: bool = False
    already: bool = False
    #: The step is being taken back.
    undoing: bool = False
    #: Label of a guard that a person lets pass this once.
    bypass: str = ""
    #: How often it was brought back by `on_regressed: rerun` since a person wanted it again.
    reruns: int = 0
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
    def unaccounted(self) -> bool:
        """Whether its attempt may still go on, for all that anybody knows."""
        return self.lost and self.status in (Status.UNKNOWN, Status.BLOCKED)

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
    if target.status is Status.WAITING:
        # A person who is to look at what it did is waited for only once it has acted.
        return target.phase not in (Phase.VERIFY, Phase.RECONCILE)
    before = target.phase in (Phase.GUARD, Phase.DONE_WHEN, Phase.ACT)
    return target.status is Status.RUNNING and before


def advance(before: TargetState, event: ev.OfTarget | ev.OfTargets, at: float) -> TargetState:
    """The state after `event`.

    Raises:
        IllegalMove: Such an event cannot happen to a target of this status.
    """
    if isinstance(event, ev.ProbeSeen):
        return _seen(before, event, at)
    status, sentence = move(before.status, event)
    if isinstance(event, ev.WatchSeen):
        return _with(before, watched={**before.watched, event.index: event})
    if isinstance(event, ev.PersonReminded | ev.GateEscalated | ev.Approved):
        return _noted(before, event)
    after = _with(
        before,
        status=status,
        since=at if status is not before.status else before.since,
        note=sentence,
        waits_for=None,
        until=None,
    )
    match event:
        case ev.TargetWaiting():
            return _set(after, waits_for=Cause(event.cause), until=event.until, note=event.detail)
        case ev.TargetBegan():
            fresh = _enter(after, Phase.GUARD, judged=None, attempt=after.attempt + 1)
            return _set(fresh, began_at=at if after.began_at is None else after.began_at)
        case ev.AttemptIntended():
            fresh = _enter(after, Phase.ACTING, started_at=None, lost=False, ending=False)
            return _set(fresh, intended_at=at, late=False, mark=event.mark)
        case ev.AttemptStarted():
            return after if after.taken else _set(after, started_at=at)
        case ev.AttemptEnded(exit=0, fault=""):
            return _enter(after, Phase.VERIFY, values={**after.values, **event.captured})
        case ev.AttemptEnded():
            return _judge(after, RetryCause.FAILED, how_it_ended(event))
        case ev.ProbesConcluded():
            return _concluded(after, event)
        case ev.AttemptNeverStarted():
            return _judge(after, RetryCause.UNREACHABLE, event.why, final=event.final)
        case ev.AttemptTimedOut(gone=True):
            return _judge(after, RetryCause.TIMEOUT, event.note or "out of time")
        case ev.ContactLost(why=why) | ev.AttemptTimedOut(note=why):
            return _enter(after, Phase.RECONCILE, note=why, lost=True)
        case ev.AttemptStopped(gone=True):
            return _enter(after, Phase.ENDED, note=event.note or after.note)
        case ev.AttemptStopped():
            return _enter(after, Phase.ASK, note=event.note or after.note, lost=True)
        case ev.AttemptLate():
            return _set(after, late=True)
        case ev.EndingBegan():
            return _set(after, ending=True)
        case ev.ContactMissed():
            return _set(after, missing_since=at - event.silent)
        case ev.ContactFound():
            return _set(after, missing_since=None)
        case ev.WaitBegan():
            return _set(after, until=event.until, waits_for=Cause.CLOCK)
        case ev.WaitEnded():
            return _enter(after, Phase.VERIFY)
        case ev.ActionShown():
            return _enter(after, Phase.ENDED, note=event.note or after.note)
        case ev.GateOpened():
            cause = Cause.THIRD_PARTY if event.contact else Cause.PERSON
            return _set(after, gate=Gate(event, at), waits_for=cause)
        case ev.ApprovalNotNeeded():
            return _enter(after, Phase.ACT, unasked=True)
        case ev.GateAnswered():
            return _answered(_set(after, gate=None), event, at)
        case ev.RetryPlanned():
            queued = _enter(after, Phase.QUEUED, note=event.why)
            return _set(queued, until=event.not_before, waits_for=Cause.RETRY)
        case ev.TargetReopened():
            return _reopened(after, event)
        case ev.TargetFailed():
            return _enter(after, Phase.ENDED, note=event.why)
        case ev.Regressed():
            return _enter(after, Phase.ENDED, note=event.why, watched=_counted_anew(after, event))
        case ev.TargetLost():
            return _enter(after, Phase.ENDED, note=f"{event.thing} was declared lost")
        case ev.TargetMarked():
            note = f"{after.note}: {event.by}, {event.why}"
            return _enter(after, Phase.ENDED, note=note)
        case ev.StepSkipped() | ev.TargetsCancelled():
            return _enter(after, Phase.ENDED, note=event.why)
        case ev.StepBlocked():
            return _enter(after, Phase.ENDED, note=f"needs {', '.join(event.because)}")
        case ev.UndoBegan():
            return _enter(after, Phase.ACT, judged=None, undoing=True, attempt=after.attempt + 1)
        case ev.NotRolledBack():
            note = f"{after.note}: {event.why}"
            return _enter(after, Phase.ENDED, undoing=False, note=note)
        case ev.UndoneUnverified():
            return _enter(after, Phase.ENDED, note=f"{after.note}: {event.why}")
        case ev.Recovered():
            return after
        case _:
            assert_never(event)


def _seen(before: TargetState, event: ev.ProbeSeen, at: float) -> TargetState:
    if event.attempt != before.attempt or event.purpose not in purposes_of(before.phase):
        return before  # a late answer to a question that is settled by now
    verdict = Verdict(event.verdict)
    seen = ProbeProgress.after(before.progress.get(event.index), verdict, at, event.why)
    return _with(before, progress={**before.progress, event.index: seen})


def purposes_of(phase: Phase) -> frozenset[Purpose]:
    """Which lists of probes may be asked in a phase; without guards, done_when comes at once."""
    match phase:
        case Phase.GUARD:
            return _BEFORE
        case Phase.DONE_WHEN:
            return _DONE_WHEN
        case Phase.ACTING:
            return _UNTIL
        case Phase.VERIFY:
            return _AFTER
        case Phase.RECONCILE:
            return _RECONCILE
        case Phase.QUEUED | Phase.ACT | Phase.JUDGED | Phase.ASK | Phase.ENDED:
            return _NONE
        case _:
            assert_never(phase)


_BEFORE = frozenset({Purpose.GUARD, Purpose.DONE_WHEN})
_DONE_WHEN = frozenset({Purpose.DONE_WHEN})
_UNTIL = frozenset({Purpose.UNTIL})
_AFTER = frozenset({Purpose.VERIFY, Purpose.UNDONE})
_RECONCILE = frozenset({Purpose.RECONCILE})
_NONE: frozenset[Purpose] = frozenset()


def _concluded(after: TargetState, event: ev.ProbesConcluded) -> TargetState:
    purpose, verdict = Purpose(event.purpose), Verdict(event.verdict)
    match purpose:
        case Purpose.GUARD:
            if verdict is Verdict.HOLDS:
                return _enter(after, Phase.DONE_WHEN)
            doubt = verdict is Verdict.COULD_NOT_TELL
            return _judge(after, "guard", event.why, doubt=doubt)
        case Purpose.DONE_WHEN:
            return _whether_done(after, verdict, event.why)
        case Purpose.UNTIL:
            if verdict is Verdict.HOLDS:
                return _enter(after, Phase.VERIFY)
            return _judge(after, RetryCause.FAILED, event.why)
        case Purpose.VERIFY | Purpose.UNDONE:
            return _verified(after, verdict, event.why)
        case Purpose.RECONCILE:
            if verdict is Verdict.HOLDS:
                return _enter(after, Phase.ENDED)
            return _enter(after, Phase.ASK, note=event.why or after.note)
        case Purpose.WATCH:
            raise IllegalMove("what is watched comes to no conclusion")
        case _:
            assert_never(purpose)


def _whether_done(after: TargetState, verdict: Verdict, why: str) -> TargetState:
    match verdict:
        case Verdict.HOLDS:
            return _enter(after, Phase.ENDED, already=True)
        case Verdict.DOES_NOT_HOLD:
            return _enter(after, Phase.ACT)
        case Verdict.COULD_NOT_TELL:
            return _judge(after, "done_when", why, doubt=True)
        case _:
            assert_never(verdict)


def _verified(after: TargetState, verdict: Verdict, why: str) -> TargetState:
    match verdict:
        case Verdict.HOLDS:
            return _enter(after, Phase.ENDED)
        case Verdict.DOES_NOT_HOLD:
            return _judge(after, RetryCause.VERIFY, why)
        case Verdict.COULD_NOT_TELL:
            return _enter(after, Phase.ASK, note=why or after.note)
        case _:
            assert_never(verdict)


def _noted(
    before: TargetState, event: ev.PersonReminded | ev.GateEscalated | ev.Approved
) -> TargetState:
    """What only concerns the question that is open."""
    if before.gate is None:
        return before
    match event:
        case ev.Approved():
            gate = replace(before.gate, approved=(*before.gate.approved, event.by))
        case ev.GateEscalated():
            gate = replace(before.gate, escalated=True)
        case ev.PersonReminded():
            gate = replace(before.gate, reminded=before.gate.reminded + 1)
        case _:
            assert_never(event)
    return _with(before, gate=gate)


def _answered(after: TargetState, event: ev.GateAnswered, at: float) -> TargetState:
    by = f"by {event.by}" + (f": {event.reason}" if event.reason else "")
    if event.gate == "ask":
        verdict = Verdict.HOLDS if event.answer == "confirm" else Verdict.DOES_NOT_HOLD
        seen = ProbeProgress(verdict, at, at, at if verdict is Verdict.HOLDS else None, by)
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


def _counted_anew(after: TargetState, event: ev.Regressed) -> Mapping[int, ev.WatchSeen]:
    """What was watched; the answers that broke it count for nothing else."""
    return {
        index: replace(seen, window=()) if seen.name == event.name else seen
        for index, seen in after.watched.items()
    }


def _reopened(after: TargetState, event: ev.TargetReopened) -> TargetState:
    if event.seek:
        return _enter(after, Phase.ACTING, lost=False, ending=False)
    if after.status is Status.UNKNOWN:
        return _enter(after, Phase.RECONCILE)
    return TargetState(
        since=after.since,
        attempt=after.attempt,
        values=after.values,
        bypass=event.bypass,
        reruns=after.reruns + 1 if event.rerun else 0,
    )


def _enter(after: TargetState, phase: Phase, **changes: Any) -> TargetState:
    """In another phase; whatever was asked in the last one is asked no more."""
    return _set(after, phase=phase, progress={}, missing_since=None, gate=None, **changes)


def _judge(
    after: TargetState, cause: str, why: str, *, final: bool = False, doubt: bool = False
) -> TargetState:
    return _enter(
        after,
        Phase.JUDGED,
        judged=Judgement(str(cause), why, final, doubt),
        verdicts=after.verdicts + 1,
        note=why,
    )
