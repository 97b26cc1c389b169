"""What people ask of a run, and whether that can be done: requests become facts or a refusal.

Rules:
- Pure: any process may ask beforehand what the controller would answer.
- What overrides the plan wants a reason.
- Every refusal says why, and what can be done instead.
"""

from typing import assert_never

from drrun.core import events as ev
from drrun.core.model.ids import StepId
from drrun.core.people import annotations, duties, overrides, world_requests
from drrun.core.people import commands as c
from drrun.core.people.amending import amend
from drrun.core.people.answers import answer
from drrun.core.people.request import Asking, Denied, Granted
from drrun.core.rules.undoing import points_of_no_return, roll_back_began, to_undo, undoable
from drrun.core.state.run_state import RunState

__all__ = ["Denied", "Granted", "consider"]


def consider(state: RunState, command: c.Command, by: str, now: float) -> Granted | Denied:
    """What to make of a command.

    Args:
        state: The run as it is known.
        command: What is asked for.
        by: Who asks.
        now: Seconds since the epoch.
    """
    if command.OVERRIDES and not command.reason:
        return Denied(f"{command.OVERRIDES} needs --reason")
    if by in state.circumstances.lost_people:
        return Denied(f"{by} was declared lost; if that is wrong: drrun found RUN person:{by}")
    return _weighed(Asking(state, by, now), command)


def _weighed(asking: Asking, command: c.Command) -> Granted | Denied:
    match command:
        case c.Confirm() | c.Approve() | c.Decide():
            return answer(asking, command)
        case c.Reject():
            return _reject(asking, command)
        case c.RetryRequest():
            return overrides.retry(asking, command)
        case c.Skip():
            return overrides.mark(asking, command, "skipped")
        case c.MarkDone():
            return overrides.mark(asking, command, "passed")
        case c.Claim():
            return duties.claim(asking, command)
        case c.Assign():
            return duties.assign(asking, command)
        case c.HandOver():
            return duties.hand_over(asking, command)
        case c.Note():
            return duties.note(asking, command)
        case c.AddFinding():
            return annotations.finding(asking, command)
        case c.AddFollowUp():
            return annotations.follow_up(asking, command)
        case c.StateClock():
            return annotations.clock(asking, command)
        case c.Close():
            return annotations.close(asking, command)
        case c.Pause():
            return _pause(asking, command)
        case c.Unpause():
            return _unpause(asking)
        case c.Abort():
            return _abort(asking, command)
        case c.RollBack():
            return _roll_back(asking, command)
        case c.Amend():
            return amend(asking, command)
        case c.DeclareLost():
            return world_requests.lost(asking, command)
        case c.DeclareFound():
            return world_requests.found(asking, command)
        case c.SetRoute():
            return world_requests.set_route(asking, command)
        case _:
            assert_never(command)


def _reject(asking: Asking, command: c.Reject) -> Granted | Denied:
    back = command.rewind_to
    refused = answer(asking, command)
    if not back or isinstance(refused, Denied):
        return refused
    rewound = overrides.rewind(asking, StepId(back), command.reason)
    if isinstance(rewound, Denied):
        return rewound
    return Granted([*refused.events, *rewound.events], rewound.message)


def _pause(asking: Asking, command: c.Pause) -> Granted | Denied:
    state = asking.state
    if state.ended is not None:
        return Denied(f"the run is {state.ended} already")
    if state.paused:
        return Granted([], f"paused already: {state.paused}")
    why = f"{command.reason} (by {asking.by})" if command.reason else f"by {asking.by}"
    return Granted([ev.RunPaused(why=why, by=asking.by)], "paused")


def _unpause(asking: Asking) -> Granted | Denied:
    if asking.state.ended is not None:
        return Denied(f"the run is {asking.state.ended} already")
    if not asking.state.paused:
        return Granted([], "the run is not paused")
    return Granted([ev.RunUnpaused(by=asking.by)], "going on")


def _abort(asking: Asking, command: c.Abort) -> Granted | Denied:
    state = asking.state
    if state.ended is not None:
        return Denied(f"the run is {state.ended} already")
    if state.aborted:
        return Granted([], f"aborted already: {state.aborted}")
    event = ev.RunAborted(why=command.reason, by=asking.by)
    return Granted([event], "aborted: its jobs are ended, nothing new begins")


def _roll_back(asking: Asking, command: c.RollBack) -> Granted | Denied:
    state = asking.state
    goes_on = state.ended is None and (state.active or any(undoable(state)))
    if state.rolling_back and (goes_on or not to_undo(state)):
        return Granted([], f"rolling back already: {state.rolling_back}")
    if not to_undo(state):
        return Denied("nothing that has passed can be undone")
    past = points_of_no_return(state)
    name = state.plan.runbook.name
    if past and command.typed != name:
        return Denied(
            f"{', '.join(past)} cannot be undone. Only a second person may roll back past it: "
            f"drrun rollback RUN --type {name} --by SOMEBODY --reason …"
        )
    if past and asking.by == state.circumstances.driver:
        return Denied(
            f"{asking.by} drives this run: only a second person may roll back past {past[-1]}"
        )
    event = roll_back_began(state, command.reason, asking.by)
    return Granted([event], f"rolling back: {', '.join(event.steps)}")
