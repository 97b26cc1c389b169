"""Changes to the plan while it is executed: steps are added, or written anew.

Rules:
- Only steps that have not begun: what was done is never rewritten.
- The whole graph is judged before anything is changed; all that is wrong with it is told.
"""

from drrun.core import events as ev
from drrun.core.model.errors import InputError
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan
from drrun.core.model.status import Status
from drrun.core.people.commands import Amend
from drrun.core.people.request import Asking, Denied, Granted
from drrun.core.state.run_state import RunState

_NOT_BEGUN = (Status.PENDING, Status.WAITING, Status.BLOCKED, Status.CANCELLED)


def amend(asking: Asking, command: Amend) -> Granted | Denied:
    """Add or change steps by a text."""
    state = asking.state
    if state.ended is not None:
        return Denied(f"the run is {state.ended}: resume it first")
    if state.replan is None:
        return Denied("this run cannot be amended")
    event = ev.PlanAmended(
        path=command.path,
        text=command.text,
        by=asking.by,
        why=command.reason,
        added=(),
        changed=(),
    )
    try:
        plan = state.replan((*state.amendments, event))
    except InputError as error:
        return Denied(f"nothing was amended:\n{error}")
    added, changed = _difference(state.plan, plan)
    if not (added or changed):
        return Granted([], "nothing in it is new")
    begun = [step for step in changed if not _may_change(state, step)]
    if begun:
        return Denied(f"{', '.join(begun)} began already: what was done is not rewritten")
    ev_done = ev.PlanAmended(
        path=event.path,
        text=event.text,
        by=event.by,
        why=event.why,
        added=added,
        changed=changed,
    )
    return Granted([ev_done], _said(added, changed))


def _difference(before: Plan, after: Plan) -> tuple[tuple[StepId, ...], tuple[StepId, ...]]:
    """Steps that are new, and steps that are written anew; places do not count."""
    old, new = before.runbook.steps, after.runbook.steps
    added = tuple(step for step in new if step not in old)
    changed = tuple(step for step in new if step in old and new[step] is not old[step])
    return added, tuple(each for each in changed if _plain(new[each]) != _plain(old[each]))


def _plain(step: object) -> str:
    """A step as text, without where it stands in a file."""
    names = getattr(type(step), "__slots__", ())
    members = [name for name in names if name not in ("place", "places")]
    return "\n".join(f"{name}={getattr(step, name)!r}" for name in members)


def _may_change(state: RunState, step: StepId) -> bool:
    return all(
        state.targets[key].status in _NOT_BEGUN and not state.targets[key].begun
        for key in state.keys(step)
    )


def _said(added: tuple[StepId, ...], changed: tuple[StepId, ...]) -> str:
    parts = []
    if added:
        parts.append(f"added {', '.join(added)}")
    if changed:
        parts.append(f"changed {', '.join(changed)}")
    return "; ".join(parts)
