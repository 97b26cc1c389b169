"""Rollback: which steps are taken back, in which order, and what stands against it. Pure.

Rules:
- The reverse order of dependency: a step is undone once everything that needs it is undone.
- A step without undo is passed over, and was shown before anything was undone.
- After an irreversible step there is no plain way back; a second person may insist.
"""

from collections.abc import Iterator, Mapping

from drrun.core import events as ev
from drrun.core.model.ids import StepId
from drrun.core.model.runbook import StandIn
from drrun.core.model.status import Status
from drrun.core.rules import wishes as w
from drrun.core.rules.stopping import let_go
from drrun.core.state.run_state import RunState

_UNDOABLE = (Status.PASSED, Status.REGRESSED)


def undo_of(state: RunState, step: StepId) -> StandIn | None:
    """The action that takes a step back, if it has one."""
    undo = state.plan.steps[step].step.undo
    return undo if isinstance(undo, StandIn) else None


def to_undo(state: RunState) -> tuple[StepId, ...]:
    """Steps that a rollback would undo, in the order in which it would."""
    return tuple(
        step
        for step in reversed(state.plan.order)
        if undo_of(state, step) is not None and _acted(state, step)
    )


def without_undo(state: RunState) -> Mapping[str, str]:
    """Passed steps that a rollback cannot take back, each with the reason."""
    found = {}
    for step in state.plan.order:
        undo = state.plan.steps[step].step.undo
        if _acted(state, step) and not isinstance(undo, StandIn):
            found[str(step)] = undo or "it has no undo"
    return found


def points_of_no_return(state: RunState) -> tuple[StepId, ...]:
    """Irreversible steps that have acted."""
    return tuple(
        step
        for step in state.plan.order
        if state.plan.steps[step].step.irreversible and _acted(state, step)
    )


def _acted(state: RunState, step: StepId) -> bool:
    return any(
        state.targets[key].status in _UNDOABLE and not state.targets[key].already
        for key in state.keys(step)
    )


def roll_back(state: RunState) -> Iterator[w.Wish]:
    """Which targets may be undone now: nothing that needs them is left."""
    yield from let_go(state, f"run is rolled back: {state.rolling_back}")
    if any(not state.targets[key].undoing for key in state.active):
        return  # what was going on comes to its end first
    for step in to_undo(state):
        if _needed(state, step):
            continue
        for key in state.keys(step):
            target = state.targets[key]
            if target.status in _UNDOABLE and not target.already:
                yield w.Record(ev.UndoBegan(step=key.step, target=key.target))


def _needed(state: RunState, step: StepId) -> bool:
    """Whether something that needs the step still stands, near or far."""
    waiting, seen = list(state.plan.dependents[step]), set[StepId]()
    while waiting:
        dependent = waiting.pop()
        if dependent in seen:
            continue
        seen.add(dependent)
        waiting.extend(state.plan.dependents[dependent])
        for key in state.keys(dependent):
            target = state.targets[key]
            stands = target.status in _UNDOABLE and not target.already
            if target.undoing and target.status is not Status.ROLLED_BACK:
                return True
            if stands and undo_of(state, dependent) is not None:
                return True
    return False


def roll_back_began(state: RunState, why: str, by: str) -> ev.RollbackBegan:
    """The fact that a rollback begins, with what it will and what it cannot undo."""
    return ev.RollbackBegan(why=why, by=by, steps=to_undo(state), without_undo=without_undo(state))
