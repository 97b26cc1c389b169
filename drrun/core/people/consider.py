"""What people ask of a run, and whether that can be done: requests become facts or a refusal.

Rules:
- Pure: any process may ask beforehand what the controller would answer.
- What overrides the plan wants a reason.
- Every refusal says why, and what can be done instead.
"""

from collections.abc import Callable, Mapping
from typing import Any

from drrun.core import events as ev
from drrun.core.ids import StepId
from drrun.core.people import afterwards, duties, overrides, world
from drrun.core.people.amending import amend
from drrun.core.people.answers import answer
from drrun.core.people.words import Asking, Denied, Granted
from drrun.core.state import RunState
from drrun.core.undoing import points_of_no_return, roll_back_began, to_undo

__all__ = ["WANT_REASON", "Denied", "Granted", "consider"]

#: Requests that override the plan and so want a reason.
WANT_REASON = frozenset(
    {"skip", "mark-done", "abort", "lost", "amend", "clock", "accept-older-record"}
)


def consider(
    state: RunState, kind: str, body: Mapping[str, Any], by: str, now: float
) -> Granted | Denied:
    """What to make of a request.

    Args:
        state: The run as it is known.
        kind: The command, `confirm`, `skip`…
        body: `step`, `target`, `reason`, `input`, `evidence`, `text`, as the command gave them.
        by: Who asks.
        now: Seconds since the epoch.
    """
    asking = Asking(state, kind, body, by, now)
    if kind in WANT_REASON and not asking.reason:
        what = "a clock that is stated" if kind == "clock" else f"{kind} overrides the plan: it"
        return Denied(f"{what} wants a --reason")
    if by in state.around.lost_people:
        return Denied(f"{by} was declared lost; if that is wrong: drrun found RUN person:{by}")
    handle = _HANDLERS.get(kind)
    return handle(asking) if handle else Denied(f"nobody knows how to {kind}")


def _reject(asking: Asking) -> Granted | Denied:
    back = asking.text("rewind_to")
    refused = answer(asking)
    if not back or isinstance(refused, Denied):
        return refused
    rewound = overrides.rewind(asking, StepId(back))
    if isinstance(rewound, Denied):
        return rewound
    return Granted([*refused.events, *rewound.events], rewound.message)


def _pause(asking: Asking) -> Granted | Denied:
    state = asking.state
    if state.ended is not None:
        return Denied(f"the run is {state.ended} already")
    if state.paused:
        return Granted([], f"paused already: {state.paused}")
    why = f"{asking.reason} (by {asking.by})" if asking.reason else f"by {asking.by}"
    return Granted([ev.RunPaused(why=why, by=asking.by)], "paused")


def _unpause(asking: Asking) -> Granted | Denied:
    if asking.state.ended is not None:
        return Denied(f"the run is {asking.state.ended} already")
    if not asking.state.paused:
        return Granted([], "the run is not paused")
    return Granted([ev.RunUnpaused(by=asking.by)], "going on")


def _abort(asking: Asking) -> Granted | Denied:
    state = asking.state
    if state.ended is not None:
        return Denied(f"the run is {state.ended} already")
    if state.aborted:
        return Granted([], f"aborted already: {state.aborted}")
    event = ev.RunAborted(why=asking.reason, by=asking.by)
    return Granted([event], "aborted: what runs is ended, nothing new begins")


def _roll_back(asking: Asking) -> Granted | Denied:
    state = asking.state
    if state.rolling_back:
        return Granted([], f"rolling back already: {state.rolling_back}")
    if not to_undo(state):
        return Denied("nothing that has passed can be undone")
    past = points_of_no_return(state)
    name = state.plan.runbook.name
    if past and asking.text("typed") != name:
        return Denied(
            f"{', '.join(past)} cannot be taken back: there is no plain way back. A second person "
            f"may insist: drrun rollback RUN --type {name} --by SOMEBODY --reason …"
        )
    if past and asking.by == state.around.driver:
        return Denied(
            f"{asking.by} drives this run: past {past[-1]} a second person has to insist"
        )
    event = roll_back_began(state, asking.reason or f"by {asking.by}", asking.by)
    return Granted([event], f"rolling back: {', '.join(event.steps)}")


def _accept_older(asking: Asking) -> Granted | Denied:
    driver = asking.state.around.driver
    if asking.by == driver:
        return Denied(
            f"{driver} drove this run last: that its older record counts, a second person has to "
            "say: --by SOMEBODY"
        )
    event = ev.RecordAccepted(by=asking.by, why=asking.reason, line=asking.text("line"))
    return Granted([event], "its hosts take this journal for the truth")


_HANDLERS: Mapping[str, Callable[[Asking], Granted | Denied]] = {
    "pause": _pause,
    "unpause": _unpause,
    "abort": _abort,
    "rollback": _roll_back,
    "accept-older-record": _accept_older,
    "amend": amend,
    "confirm": answer,
    "approve": answer,
    "decide": answer,
    "reject": _reject,
    "retry": overrides.retry,
    "skip": lambda asking: overrides.mark(asking, "skipped"),
    "mark-done": lambda asking: overrides.mark(asking, "passed"),
    "note": duties.note,
    "finding": afterwards.finding,
    "follow-up": afterwards.follow_up,
    "clock": afterwards.clock,
    "close": afterwards.close,
    "claim": duties.claim,
    "assign": duties.assign,
    "handover": duties.hand_over,
    "lost": world.lost,
    "found": world.found,
    "set-route": world.set_route,
}
