"""Who has what: claim, assign, hand over, and notes for each other."""

from drrun.core import events as ev
from drrun.core.model.status import FINAL
from drrun.core.nearest import did_you_mean
from drrun.core.people.commands import Assign, Claim, HandOver, Note
from drrun.core.people.request import Asking, Denied, Granted, step_of
from drrun.core.people.seats import no_such_person


def note(asking: Asking, command: Note) -> Granted | Denied:
    """Write something down."""
    step = command.step
    if step and step not in asking.state.plan.steps:
        return Denied(f"there is no step {step!r}{did_you_mean(step, asking.state.plan.steps)}")
    return Granted([ev.Noted(by=asking.by, text=command.text, step=step)], "noted")


def claim(asking: Asking, command: Claim) -> Granted | Denied:
    """Take a step on."""
    step = step_of(asking.state, command)
    if isinstance(step, Denied):
        return step
    before = asking.state.circumstances.claims.get(step)
    if before is not None and before.by == asking.by:
        return Granted([], f"you have {step} already")
    if before is not None and not command.reason:
        return Denied(f"{before.by} has {step}; to take it over, say why with --reason")
    event = ev.Claimed(step=step, by=asking.by, reason=command.reason)
    return Granted([event], f"you have {step} now")


def assign(asking: Asking, command: Assign) -> Granted | Denied:
    """Make a step somebody's."""
    step = step_of(asking.state, command)
    if isinstance(step, Denied):
        return step
    to = command.to
    if (nobody := no_such_person(asking.state, to)) is not None:
        return nobody
    if asking.state.circumstances.assigned.get(step) == to:
        return Granted([], f"{step} is {to}'s already")
    event = ev.Assigned(step=step, to=to, by=asking.by, reason=command.reason)
    return Granted([event], f"{step} is {to}'s")


def hand_over(asking: Asking, command: HandOver) -> Granted | Denied:
    """Give everything that is one's own to another, with a note."""
    to, state = command.to, asking.state
    if not command.text:
        return Denied("a handover needs a note: what must the next person know?")
    if to == asking.by:
        return Denied("you cannot hand over to yourself")
    if (nobody := no_such_person(state, to)) is not None:
        return nobody
    mine = {step for step, who in state.circumstances.assigned.items() if who == asking.by}
    mine |= {step for step, each in state.circumstances.claims.items() if each.by == asking.by}
    steps = tuple(step for step in state.plan.order if step in mine and _open(asking, step))
    event = ev.HandedOver(by=asking.by, to=to, note=command.text, steps=steps)
    return Granted([event], f"handed over to {to}: {', '.join(steps) or 'no open step'}")


def _open(asking: Asking, step: str) -> bool:
    return any(
        asking.state.step(each) not in FINAL for each in asking.state.plan.steps if each == step
    )
