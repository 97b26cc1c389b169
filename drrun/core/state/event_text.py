"""What an event is called, in words: the only place where facts are put into English.

Rules:
- The live log, the story of a step, notices and the report all read `tell`, and differ only in
  what they put beside it. The table in `drrun.core.state.moves` has the sentence for a new status.
- A text is of the event alone, so that it can be told again years later. Who a role is now is
  looked up by whoever shows it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, assert_never

from drrun.core import events as ev
from drrun.core.model.seat import Seat
from drrun.core.model.values import Duration

#: An answer to a gate, as what was done.
PAST = {
    "confirm": "confirmed",
    "reject": "rejected",
    "approve": "approved",
    "decide": "decided",
}


class Tone(StrEnum):
    """How much attention a fact wants."""

    PLAIN = "plain"
    STRONG = "strong"
    DOUBT = "doubt"
    BAD = "bad"


class Telling(NamedTuple):
    """One fact in words."""

    #: What happened: `paused`, `late`; stands in a column.
    word: str
    #: What there is to say about it.
    detail: str = ""
    #: What it happened to; "" for the run.
    about: str = ""
    #: Who did it; "" for the controller.
    by: str = ""
    tone: Tone = Tone.PLAIN
    #: The role that is asked, "" for anybody; None: nobody is.
    asks: str | None = None
    #: Not worth a line of the live log: it is part of the step's story.
    quiet: bool = False

    @property
    def text(self) -> str:
        """Where what it is about stands beside it: `late: longer than 10m; it goes on`."""
        return f"{self.word}: {self.detail}" if self.detail else self.word


def tell(event: ev.Event) -> Telling | None:
    """An event in words; None: it says nothing that the status of its target does not."""
    match event:
        case ev.TargetEvent():
            return _of_target(event)
        case ev.StepSkipped():
            return Telling("skipped", event.why, event.step, _person(event.by))
        case ev.TargetsCancelled():
            return Telling("cancelled", event.why, event.step)
        case ev.StepBlocked():
            return Telling("blocked", f"needs {', '.join(event.because)}", event.step)
        case ev.ConditionSeen():
            value = str(event.value).lower()
            return Telling("when", f"{event.expression} is {value}", event.step, quiet=True)
        case ev.SeatTaken():
            seat = Seat(event.user, event.host, event.terminal)
            return Telling("acts", f"from {seat}", by=event.by, quiet=True)
        case ev.Claimed():
            return Telling("claimed", event.reason, event.step, event.by)
        case ev.Assigned():
            return Telling("assigned", _list(f"to {event.to}", event.reason), event.step, event.by)
        case ev.HandedOver():
            detail = f"to {event.to}: {event.note}"
            return Telling("handover", detail, by=event.by, tone=Tone.STRONG)
        case ev.Lost():
            return Telling("lost", event.why, event.thing, event.by, Tone.BAD)
        case ev.Found():
            return Telling("found", event.why, event.thing, event.by)
        case ev.RouteSet():
            return Telling("route", _list(event.route, event.why), event.host, event.by)
        case ev.InvariantBroken():
            after = f"acted since it held: {', '.join(event.suspects)}" if event.suspects else ""
            detail = "; ".join(part for part in (event.why, after) if part)
            return Telling("broken", detail, f"invariant {event.name!r}", tone=Tone.BAD)
        case ev.RollbackBegan():
            detail = _list(event.why, ", ".join(event.steps))
            return Telling("rollback", detail, by=_person(event.by), tone=Tone.BAD)
        case ev.PlanAmended():
            what = ", ".join((*(f"+{step}" for step in event.added), *event.changed))
            detail = _list(event.why, what)
            return Telling("amended", detail, by=event.by, tone=Tone.STRONG)
        case ev.RecordAccepted():
            counts = f"this journal is accepted, although hosts know a newer one: {event.why}"
            return Telling("accepted", counts, by=event.by, tone=Tone.DOUBT)
        case ev.HostOverruled():
            knows = f"it knew another entry {event.seq}, and obeys this journal"
            host = event.host or "this machine"
            return Telling("overruled", knows, host, tone=Tone.DOUBT)
        case ev.ControllerLeft():
            return Telling("left", event.why, tone=Tone.DOUBT)
        case ev.RunPaused():  # `why` names whoever asked for it
            return Telling("paused", event.why, tone=Tone.DOUBT)
        case ev.RunUnpaused():
            return Telling("unpaused", by=event.by)
        case ev.RunAborted():
            return Telling("aborted", event.why, by=_person(event.by), tone=Tone.BAD)
        case ev.SecretsUsed():
            if not event.changed:
                return None
            said = f"{', '.join(event.changed)}: not the value that was used before"
            return Telling("secrets", said, tone=Tone.DOUBT)
        case ev.RunResumed():
            return Telling("resumed", by=event.by)
        case ev.RunEnded():
            return Telling("ended", event.status, tone=Tone.STRONG)
        case ev.RunClosed():
            still = f"still open: {', '.join(event.open)}" if event.open else ""
            return Telling("closed", _list(event.why, still), by=event.by)
        case ev.FilesChanged():
            return Telling("changed", f"files differ: {event.decision}", by=event.by, quiet=True)
        case ev.Noted():
            return Telling("note", event.text, event.step, event.by)
        case ev.RequestRefused():
            detail = f"{event.kind}: {event.why}"
            return Telling("refused", detail, event.step, event.by, Tone.DOUBT)
        case ev.RequestWithdrawn():
            asked = f"{event.asked} (asked by {event.asker})"
            return Telling("withdrawn", _list(asked, event.why), event.step, event.by)
        case ev.FindingNoted():
            return Telling("finding", f"({event.severity}) {event.text}", event.step, event.by)
        case ev.FollowUpNoted():
            return Telling("follow-up", event.text, event.step, event.by)
        case ev.ClockStated():
            return Telling("clock", _list(event.name, event.why), by=event.by)
        case ev.WallClockSet():
            way = "ahead of" if event.ahead > 0 else "behind"
            apart = f"{_span(abs(event.ahead))} {way} what this run counts on"
            return Telling("clock", f"this machine's was set; it is {apart}", tone=Tone.DOUBT)
        case ev.RunStarted() | ev.ControllerTook() | ev.HostReached():
            return None
        case ev.ClockSet() | ev.InvariantSeen():
            return None
        case _:
            assert_never(event)


def _of_target(event: ev.OfTarget) -> Telling | None:
    key = str(event.key)
    match event:
        case ev.GateOpened():
            return Telling("asks", event.text, key, tone=Tone.DOUBT, asks=event.role)
        case ev.ApprovalNotNeeded():
            detail = f"is not needed: {event.expression} is false" + _stood_for(event.seen)
            return Telling("approval", detail, key)
        case ev.GateAnswered():
            typed = " ".join(f"{name}={value}" for name, value in event.input.items())
            detail = _list(event.option, typed, event.reason)
            word = PAST.get(event.answer, "answered")
            return Telling(word, detail, key, event.by, Tone.STRONG)
        case ev.Approved():
            detail = _list("one of several approvals", event.reason)
            return Telling("approved", detail, key, event.by, Tone.STRONG)
        case ev.PersonReminded():
            detail = f"{_people(event.to)} reminded ({event.times})"
            return Telling("unanswered", detail, key)
        case ev.GateEscalated():
            detail = f"nobody answers; {_people(event.to)} told"
            return Telling("escalated", detail, key, tone=Tone.DOUBT)
        case ev.TargetMarked():
            return Telling("marked", _list(event.status, event.why), key, event.by, Tone.STRONG)
        case ev.TargetReopened():
            why = "" if event.why == f"by {event.by}" else event.why
            return Telling("reopened", why, key, _person(event.by))
        case ev.RetryPlanned():
            return Telling("retry", event.why, key, _person(event.by))
        case ev.TargetFailed():
            return Telling("failed", event.why, key, tone=Tone.BAD)
        case ev.TargetLost():
            detail = _list(f"{event.thing} was declared lost", event.becomes)
            return Telling("lost", detail, key, tone=Tone.BAD)
        case ev.TargetWaiting(cause="lock"):
            return Telling("waiting", event.detail, key, quiet=True)
        case ev.WatchSeen():
            detail = _list(event.name, event.verdict, event.why)
            return Telling("watch", detail, key, quiet=True)
        case ev.Regressed():
            return Telling("regressed", event.why, key, tone=Tone.BAD)
        case ev.Recovered():
            return Telling("recovered", event.name, key)
        case ev.NotRolledBack():
            return Telling("not rolled back", event.why, key, tone=Tone.BAD)
        case ev.UndoneUnverified():
            return Telling("not verified", f"undone, not verified: {event.why}", key,
                           tone=Tone.DOUBT)  # fmt: skip
        case ev.UndoBegan():
            return Telling("undo", "", key, quiet=True)
        case ev.ContactMissed():
            seen = f"not seen for {_span(event.silent)}" + (f" ({event.why})" if event.why else "")
            detail = f"{seen}; trying to reconnect; what its job does is not known"
            return Telling("missing", detail, key, tone=Tone.DOUBT)
        case ev.ContactFound():
            route = f" by route {event.route}" if event.route else ""
            return Telling("found", f"seen again after {_span(event.after)}{route}", key)
        case ev.AttemptLate():
            detail = f"takes longer than {_span(event.p90)}; it is still running"
            return Telling("late", detail, key, tone=Tone.DOUBT)
        case ev.EndingBegan():
            return Telling("ending", event.why, key, tone=Tone.DOUBT)
        case ev.ActionShown():
            named = event.action in ("run", "") or event.command.startswith(event.action)
            doing = event.command if named else f"{event.action}: {event.command}"
            place = f"on {event.host}" + (f" ({event.note})" if event.note else "")
            return Telling("would", f"{place}: {doing}", key, tone=Tone.STRONG)
        case ev.AttemptEnded():
            return Telling(how_it_ended(event), "", key, quiet=True)
        case ev.AttemptTimedOut():
            detail = event.note or ("" if event.gone else "its processes may still run")
            return Telling("out of time", detail, key, quiet=True)
        case ev.AttemptStopped():
            detail = event.note or ("" if event.gone else "its processes may still run")
            return Telling("ended on request", detail, key, quiet=True)
        case ev.AttemptNeverStarted():
            return Telling("never started", event.why, key, quiet=True)
        case ev.ContactLost():
            return Telling("contact lost", event.why, key, quiet=True)
        case ev.WaitEnded():
            return Telling("waited", "", key, quiet=True)
        case ev.TargetBegan() | ev.TargetWaiting() | ev.AttemptIntended() | ev.AttemptStarted():
            return None
        case ev.ProbeSeen() | ev.ProbesConcluded() | ev.WaitBegan():
            return None
        case _:
            assert_never(event)


#: A shell tells so that a signal ended its command: 128 and the signal's number, up to SIGTERM.
_BY_SIGNAL, _SIGNALS = 128, 15


def how_it_ended(event: ev.AttemptEnded) -> str:
    """`exit 3: no space left`, `killed by SIGKILL`, `exit 137 (killed by signal 9)`."""
    killed = f"killed by SIG{event.signal}" if event.signal else "killed"
    how = killed if event.exit is None else f"exit {event.exit}"
    if event.exit is not None and 0 < event.exit - _BY_SIGNAL <= _SIGNALS:
        how = f"{how} (killed by signal {event.exit - _BY_SIGNAL})"
    return _list(how, event.fault or event.note)


def _stood_for(seen: Mapping[str, str]) -> str:
    return "".join(f"; {name} is {value}" for name, value in seen.items())


def _person(by: str) -> str:
    return "" if by == "controller" else by


def _people(to: tuple[str, ...]) -> str:
    return ", ".join(to) or "nobody"


def _list(*parts: str) -> str:
    return ": ".join(part for part in parts if part)


def _span(seconds: float) -> Duration:
    """Tenths of a second below ten seconds."""
    return Duration(round(seconds, 1) if seconds < 10 else round(seconds))
