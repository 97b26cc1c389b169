"""One line for each thing that changes: what a run says where there is no screen to draw on.

Rules:
- A line is `12:04:05 passed   git-read-only (4.2s)`. Everything that comes from elsewhere stands
  behind our own words and on the same line, so that no output can pass for a line of ours.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.status import Status
from drrun.core.rules.roles import asked_now
from drrun.core.state.event_text import Telling, Tone, tell
from drrun.core.state.run_state import RunState
from drrun.report.clean import first_line
from drrun.report.facts import Fact
from drrun.report.ink import Style, style_of
from drrun.report.offsets import clock_lines
from drrun.report.run_view import target_note
from drrun.report.text.line import LogLine
from drrun.report.times import span

#: Changes that are not worth a line: they are over in a moment, or follow from the line before.
_SILENT = frozenset({Status.PENDING, Status.VERIFYING})
#: These say more than the status that they lead to.
_INSTEAD = (ev.ActionShown, ev.GateOpened, ev.Recovered)
#: A person's word is told beside what it leads to.
_BESIDES = (ev.GateAnswered, ev.TargetMarked)

_STYLES = {
    Tone.PLAIN: Style.PLAIN,
    Tone.STRONG: Style.STRONG,
    Tone.DOUBT: Style.DOUBT,
    Tone.BAD: Style.BAD,
}


def take_in(state: RunState, fact: Fact) -> list[LogLine]:
    """Apply a fact to `state`; the lines that it is worth."""
    keys = list(_keys(state, fact.event))
    before = {key: state.targets[key] for key in keys}
    state.apply(fact.event, fact.at)
    lines = [
        _changed(state, key, fact.at, before[key].began_at)
        for key in keys
        if _worth_a_line(state, key, before[key].status) and not isinstance(fact.event, _INSTEAD)
    ]
    told = _wrong_clock(state, fact.event) or tell(fact.event)
    if told and not told.quiet and (not lines or isinstance(fact.event, _BESIDES)):
        lines.append(_told(state, fact, told))
    return lines


def _keys(state: RunState, event: ev.Event) -> Iterator[TargetKey]:
    if isinstance(event, ev.TargetEvent):
        yield event.key
    elif isinstance(event, ev.OfTargets):
        yield from state.keys(StepId(event.step))


def _worth_a_line(state: RunState, key: TargetKey, before: Status) -> bool:
    after = state.targets[key]
    return after.status is not before and after.status not in _SILENT


def _changed(state: RunState, key: TargetKey, at: float, began: float | None) -> LogLine:
    target = state.targets[key]
    text = str(key)
    if target.status is Status.PASSED and target.already:
        text += " (done already)"
    elif target.status is Status.PASSED and began is not None:
        text += f" ({span(at - began)})"
    elif target.status is Status.RUNNING:
        text += f" (attempt {target.attempt})" if target.attempt > 1 else ""
    else:
        note = target_note(target)
        text += f": {note}" if note else ""
    return LogLine(at, str(target.status), text, style_of(target.status))


def _wrong_clock(state: RunState, event: ev.Event) -> Telling | None:
    """Whose clock is wrong is known by all clocks together."""
    if not isinstance(event, ev.HostReached):
        return None
    wrong = [line for line in clock_lines(state.time) if line.wrong and line.host == event.host]
    return Telling("clock", str(wrong[0]), tone=Tone.DOUBT) if wrong else None


def _told(state: RunState, fact: Fact, told: Telling) -> LogLine:
    if isinstance(fact.event, ev.GateOpened):
        key, role = fact.event.key, fact.event.role
        status = state.targets[key].status
        asked = f"{told.about} asks {asked_now(state, key, role)}: {first_line(told.detail)}"
        return LogLine(fact.at, str(status), asked, Style.DOUBT)
    detail = first_line(told.detail) if isinstance(fact.event, ev.ActionShown) else told.detail
    who = f"by {state.circumstances.signed(told.by)}" if told.by else ""
    head = " ".join(part for part in (told.about, who) if part)
    text = ": ".join(part for part in (head, detail) if part)
    return LogLine(fact.at, told.word, text, _STYLES[told.tone])
