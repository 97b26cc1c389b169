"""One line for each thing that changes: what a run says where there is no screen to draw on.

Rules:
- A line is `12:04:05 passed   git-read-only (4.2s)`. Everything that comes from elsewhere stands
  behind our own words and on the same line, so that no output can pass for a line of ours.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.ids import StepId, TargetName
from drrun.core.people.answers import PAST
from drrun.core.state import Key, RunState
from drrun.core.status import Status
from drrun.report.clean import first_line
from drrun.report.facts import Fact
from drrun.report.ink import Style, style_of
from drrun.report.run_view import people_of, target_note
from drrun.report.text.line import Line
from drrun.report.text.others import of_people, of_world
from drrun.report.times import span

#: Changes that are not worth a line: they are over in a moment, or follow from the line before.
_SILENT = frozenset({Status.PENDING, Status.VERIFYING})


def take_in(state: RunState, fact: Fact) -> list[Line]:
    """Apply a fact to `state`; the lines that it is worth."""
    keys = list(_keys(state, fact.event))
    before = {key: state.targets[key] for key in keys}
    state.apply(fact.event, fact.at)
    lines = [
        _changed(state, key, fact.at, before[key].began_at)
        for key in keys
        if _worth_a_line(state, key, before[key].status)
        and not isinstance(fact.event, ev.ActionShown)
    ]
    told = _told(state, fact)
    if told:
        lines.append(told)
    if isinstance(fact.event, ev.GateOpened) and fact.hash:
        # Kept elsewhere (a scrollback, a chat), it proves the journal up to here.
        lines.append(Line(fact.at, "journal", f"entry {fact.seq}, {fact.hash[:16]}", Style.QUIET))
    return lines


def _keys(state: RunState, event: ev.Event) -> Iterator[Key]:
    match event:
        case ev.TargetEvent(step=step, target=target):
            yield Key(StepId(step), TargetName(target))
        case (
            ev.StepSkipped(step=step) | ev.StepBlocked(step=step) | ev.TargetsCancelled(step=step)
        ):
            yield from state.keys(StepId(step))
        case _:
            return


def _worth_a_line(state: RunState, key: Key, before: Status) -> bool:
    after = state.targets[key]
    return after.status is not before and after.status not in _SILENT


def _changed(state: RunState, key: Key, at: float, began: float | None) -> Line:
    target = state.targets[key]
    text = str(key)
    if target.status is Status.PASSED and target.already:
        text += " (done already)"
    elif target.status is Status.PASSED and began is not None:
        text += f" ({span(at - began)})"
    elif target.status is Status.RUNNING:
        text += _again(target.attempt)
    elif target.gate is not None:
        text += f" asks {_whom(state, key)}: {target_note(target)}"
    else:
        note = target_note(target)
        text += f": {note}" if note else ""
    return Line(at, str(target.status), text, style_of(target.status))


def _again(attempt: int) -> str:
    return f" (attempt {attempt})" if attempt > 1 else ""


def _whom(state: RunState, key: Key) -> str:
    step = state.plan.steps[key.step].step
    people = people_of(state, step)
    named = f" ({', '.join(people)})" if people else ""
    return f"{step.owner or 'a person'}{named}"


def _told(state: RunState, fact: Fact) -> Line | None:
    match fact.event:
        case ev.GateOpened(step=step, target=target, gate="unknown", text=text):
            key = Key(StepId(step), TargetName(target))
            asked = f"{key} asks {_whom(state, key)}: {first_line(text)}"
            return Line(fact.at, "unknown", asked, Style.DOUBT)
        case ev.GateAnswered(step=step, answer=answer, by=by, reason=reason, option=option):
            why = f": {reason}" if reason else ""
            chosen = f" for {option}" if option else ""
            word = PAST.get(answer, answer)
            return Line(fact.at, word, f"{step}{chosen} by {by}{why}", Style.STRONG)
        case (
            ev.ActionShown()
            | ev.ContactMissed()
            | ev.ContactFound()
            | ev.EndingBegan()
            | ev.AttemptLate()
        ):
            return _of_attempt(fact.event, fact.at)
        case ev.RunPaused(why=why):
            return Line(fact.at, "paused", why, Style.DOUBT)
        case ev.RunUnpaused(by=by):
            return Line(fact.at, "unpaused", f"by {by}")
        case ev.RunAborted(why=why, by=by):
            return Line(fact.at, "aborted", f"by {by}: {why}", Style.BAD)
        case _:
            return _said(fact)


def _of_attempt(event: ev.AttemptEvent, at: float) -> Line | None:
    key = str(Key(StepId(event.step), TargetName(event.target)))
    match event:
        case ev.ActionShown(action=action, command=command, host=host, note=note):
            doing = command if action == "run" else f"{action}: {command}"
            but = f" ({note})" if note else ""
            return Line(at, "would", f"{key} on {host}{but}: {first_line(doing)}", Style.STRONG)
        case ev.ContactMissed(silent=silent, why=why):
            lost = f"{key}: not seen for {span(silent)} ({why}); it is sought, what runs goes on"
            return Line(at, "missing", lost, Style.DOUBT)
        case ev.ContactFound(after=after, route=route):
            by = f" by route {route}" if route else ""
            return Line(at, "found", f"{key}: seen again after {span(after)}{by}")
        case ev.AttemptLate(p90=p90):
            return Line(at, "late", f"{key}: longer than {span(p90)}; it goes on", Style.DOUBT)
        case ev.EndingBegan(why=why):
            return Line(at, "ending", f"{key}: {why}", Style.DOUBT)
        case _:
            return None


def _said(fact: Fact) -> Line | None:
    match fact.event:
        case ev.Noted(by=by, text=text, step=step):
            about = f"{step}: " if step else ""
            return Line(fact.at, "note", f"{about}{text} ({by})")
        case ev.RequestRefused(kind=kind, by=by, why=why):
            return Line(fact.at, "refused", f"{kind} by {by}: {why}", Style.DOUBT)
        case ev.SecretsUsed(changed=changed) if changed:
            said = f"{', '.join(changed)}: not the value that was used before"
            return Line(fact.at, "secrets", said, Style.DOUBT)
        case ev.RunResumed(by=by):
            return Line(fact.at, "resumed", f"by {by}")
        case ev.ControllerLeft(why=why):
            return Line(fact.at, "left", why, Style.DOUBT)
        case ev.RunEnded(status=status):
            return Line(fact.at, "ended", status, Style.STRONG)
        case _:
            return of_people(fact) or of_world(fact)
