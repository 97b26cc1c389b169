"""What was decided about a step, and by whom, in words."""

from collections.abc import Iterable, Iterator

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.people.answers import PAST
from drrun.report.facts import Fact
from drrun.report.times import span


@dataclass(frozen=True, slots=True)
class Word:
    """What a person, or the controller, decided about a target."""

    at: float
    by: str
    text: str


def words_of(facts: Iterable[Fact]) -> Iterator[Word]:
    """What was decided and told, in order."""
    for fact in facts:
        text = _word(fact.event)
        if text:
            yield Word(fact.at, fact.actor, text)


def _word(event: ev.Event) -> str:
    match event:
        case ev.GateOpened(text=text, gate=gate):
            return f"asked ({gate}): {text}"
        case ev.GateAnswered(answer=answer, reason=reason, input=given, option=option):
            typed = " ".join(f"{name}={value}" for name, value in given.items())
            parts = (PAST.get(answer, answer), option, typed, reason)
            return ": ".join(part for part in parts if part)
        case ev.TargetMarked(status=status, why=why):
            return f"declared {status}: {why}"
        case ev.Noted(text=text):
            return f"note: {text}"
        case ev.RequestRefused(kind=kind, why=why):
            return f"{kind} was refused: {why}"
        case _:
            return _decided(event)


def _decided(event: ev.Event) -> str:
    match event:
        case ev.TargetReopened(why=why, by=by):
            told = "" if why == f"by {by}" else why
            return f"to be tried again: {told}" if told else "to be tried again"
        case ev.RetryPlanned(why=why):
            return f"another attempt: {why}"
        case ev.TargetFailed(cause=cause, why=why):
            return f"given up ({cause}): {why}"
        case ev.StepSkipped(why=why) | ev.TargetsCancelled(why=why):
            return f"left out: {why}"
        case ev.StepBlocked(because=because):
            return f"blocked by {', '.join(because)}"
        case ev.ConditionSeen(expression=expression, value=value):
            return f"when: {expression} is {str(value).lower()}"
        case _:
            return _of_people(event) or _of_world(event) or _of_contact(event)


def _of_people(event: ev.Event) -> str:
    match event:
        case ev.Approved(reason=reason):
            return f"approved, one of several{': ' + reason if reason else ''}"
        case ev.PersonReminded(to=to):
            return f"reminded {', '.join(to)}"
        case ev.GateEscalated(to=to):
            return f"told {', '.join(to)}, as nobody answered"
        case ev.Claimed(reason=reason):
            return f"claimed{': ' + reason if reason else ''}"
        case ev.Assigned(to=to_one):
            return f"assigned to {to_one}"
        case ev.FindingNoted(text=text, severity=severity):
            return f"finding ({severity}): {text}"
        case ev.FollowUpNoted(text=text):
            return f"to be done: {text}"
        case _:
            return ""


def _of_world(event: ev.Event) -> str:
    match event:
        case ev.Regressed(why=why):
            return f"regressed: {why}"
        case ev.Recovered(name=name):
            return f"holds again: {name}"
        case ev.WatchSeen(name=name, verdict=verdict, why=why):
            return f"watch {name}: {verdict}{': ' + why if why else ''}"
        case ev.TargetLost(thing=thing, becomes=becomes):
            return f"{becomes}: {thing} was declared lost"
        case ev.UndoBegan():
            return "is taken back"
        case _:
            return ""


def _of_contact(event: ev.Event) -> str:
    match event:
        case ev.ContactMissed(silent=silent, why=why):
            return f"not seen for {span(silent)}, sought: {why}"
        case ev.ContactFound(after=after, route=route):
            by = f" by route {route}" if route else ""
            return f"seen again after {span(after)}{by}"
        case ev.TargetWaiting(cause="lock", detail=detail):
            return f"waits for {detail}"
        case ev.AttemptLate(p90=p90):
            return f"late: longer than {span(p90)}"
        case ev.EndingBegan(why=why):
            return f"its processes are to be ended: {why}"
        case _:
            return ""
