"""What people add to a run, also long after its end: findings, follow-ups, clocks, its close."""

import re

from drrun.core import events as ev
from drrun.core.people.commands import AddFinding, AddFollowUp, Close, Note, StateClock
from drrun.core.people.request import Asking, Denied, Granted

#: Clocks of an incident that no journal can see.
CLOCKS = ("disrupted", "detected", "acknowledged", "declared", "protected")
SEVERITIES = ("low", "medium", "high")
#: Requests that are granted although the run is over, and nobody drives it.
AddsOnly = Note | AddFinding | AddFollowUp | StateClock | Close
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def finding(asking: Asking, command: AddFinding) -> Granted | Denied:
    """Something has to be put right."""
    if wrong := _wrong(asking, command):
        return wrong
    severity = command.severity or "medium"
    if severity not in SEVERITIES:
        return Denied(f"severity {severity!r}: one of {', '.join(SEVERITIES)}")
    event = ev.FindingNoted(
        text=command.text,
        by=asking.by,
        severity=severity,
        owner=command.owner,
        due=command.due,
        step=command.step,
    )
    return Granted([event], "noted as a finding")


def follow_up(asking: Asking, command: AddFollowUp) -> Granted | Denied:
    """Something is still to be done."""
    if wrong := _wrong(asking, command):
        return wrong
    event = ev.FollowUpNoted(
        text=command.text,
        by=asking.by,
        owner=command.owner,
        due=command.due,
        step=command.step,
    )
    return Granted([event], "noted as a follow-up")


def clock(asking: Asking, command: StateClock) -> Granted | Denied:
    """State when something happened."""
    name, moment = command.name, command.moment
    if name not in CLOCKS:
        return Denied(f"there is no clock {name!r}: {', '.join(CLOCKS)}")
    if moment is None:
        return Denied(f"{name}: say when, like 2024-01-10T06:00Z")
    if moment > asking.now:
        return Denied(f"{name}: that time is in the future")
    event = ev.ClockStated(name=name, moment=moment, by=asking.by, why=command.reason)
    return Granted([event], f"{name} is set")


def close(asking: Asking, command: Close) -> Granted | Denied:
    """Nothing is open any more. Whoever asks has looked what is."""
    if asking.state.ended is None:
        return Denied("the run has not ended; resume it, or abort it")
    if asking.state.circumstances.closed:
        return Granted([], f"closed already, by {asking.state.circumstances.closed}")
    still = command.open
    if still and not command.reason:
        return Denied(f"still open: {'; '.join(still)}. To close the run anyway, add --reason")
    event = ev.RunClosed(by=asking.by, why=command.reason, open=still)
    return Granted([event], "closed")


def _wrong(asking: Asking, command: AddFinding | AddFollowUp) -> Denied | None:
    step, due = command.step.partition("@")[0], command.due
    if step and step not in asking.state.plan.steps:
        return Denied(f"there is no step {step!r}")
    if due and not _DATE.fullmatch(due):
        return Denied(f"due {due!r}: write a date like 2024-02-01")
    return None
