"""Rollback: which steps are taken back, in which order, and what stands against it. Pure.

Rules:
- The reverse order of dependency: a step is undone once everything that needs it is undone.
- A step without undo is passed over, and was shown before anything was undone.
- What cannot be reached is not rolled back, and neither is anything that it needs. It has not
  failed: it stands as it did.
- An undo is verified: its own `verify` holds, or that of the step no longer does. A person's word
  that they did it by hand counts as elsewhere, unless the step's `verify` still holds.
- An undo that failed stands like a step that passed: what it needs is not undone. The next
  rollback tries it again, or a person says that they undid it by hand.
- After an irreversible step there is no plain way back; a second person may insist.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from drrun.core import events as ev
from drrun.core.model.actions import ManualAction
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.runbook import StandIn
from drrun.core.model.status import Status
from drrun.core.rules import wishes as w
from drrun.core.rules.beginning import locked
from drrun.core.rules.probe_lists import asked_of, own_undo_verify
from drrun.core.rules.stopping import let_go
from drrun.core.state.polling import Settled
from drrun.core.state.run_state import RunState, attempt_of
from drrun.core.state.target import TargetState

_UNDOABLE = (Status.PASSED, Status.REGRESSED)
_BROKEN_OFF = (Status.FAILED, Status.CANCELLED, Status.BLOCKED)


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
    return any(_stands(state, key) for key in state.keys(step))


def roll_back(state: RunState) -> Iterator[w.Wish]:
    """Which targets may be undone now: nothing that needs them is left."""
    yield from let_go(state, f"run is rolled back: {state.rolling_back}")
    if any(not state.targets[key].undoing for key in state.active):
        return  # what was going on comes to its end first
    taken = Counter[str]()
    for key in undoable(state):
        # Its own host, also where another form was executed here: no undo is meant for that.
        host, locks = state.acts_on[key].host, state.plan.steps[key.step].step.locks
        if host is not None and host.name in state.circumstances.lost_hosts:
            why = f"{state.circumstances.lost_hosts[host.name]} was declared lost"
            yield w.Record(ev.NotRolledBack(step=key.step, target=key.target, why=why))
        elif not any(locked(state, lock, taken) for lock in locks):
            taken.update(locks)
            yield w.Record(ev.UndoBegan(step=key.step, target=key.target))


def undoable(state: RunState) -> Iterator[TargetKey]:
    """Targets that may be undone now."""
    for step in to_undo(state):
        if not _needed(state, step):
            for key in state.keys(step):
                if _stands(state, key) and key not in state.not_rolled_back:
                    yield key


def left_standing(state: RunState) -> Iterator[tuple[TargetKey, str]]:
    """Targets that a rollback was to undo and did not, and why."""
    for step in to_undo(state):
        for key in state.keys(step):
            if _stands(state, key) and not state.targets[key].undoing:
                why = state.not_rolled_back.get(key)
                yield key, why or f"{_needed(state, step)}, which needs it, is not rolled back"


def conclusion_of_undo(state: RunState, key: TargetKey, seen: Settled) -> ev.Event:
    """What follows from what was seen after an undo."""
    undo, step = undo_of(state, key.step), state.plan.steps[key.step].step
    verdict, why = seen.verdict, seen.why
    if not own_undo_verify(step):
        by_hand = undo is not None and isinstance(undo.action, ManualAction)
        asked = bool(asked_of(state, key, Purpose.UNDONE))
        if seen.verdict is Verdict.DOES_NOT_HOLD or (by_hand and not asked):
            verdict = Verdict.HOLDS
        else:
            why = seen.why or ("its verify still holds" if asked else "no verify")
            return ev.UndoneUnverified(step=key.step, target=key.target, why=why)
    return ev.ProbesConcluded(
        **attempt_of(state, key), purpose=Purpose.UNDONE, verdict=verdict, why=why
    )


def _stands(state: RunState, key: TargetKey) -> bool:
    target = state.targets[key]
    return (target.status in _UNDOABLE and not target.already) or undo_broke_off(target)


def undo_broke_off(target: TargetState) -> bool:
    """Whether an undo was begun and given up: it failed, was ended, or its host is lost."""
    return target.undoing and target.status in _BROKEN_OFF


def _needed(state: RunState, step: StepId) -> StepId | None:
    """Something that needs the step, near or far, and still stands."""
    waiting, seen = list(state.plan.dependents[step]), set[StepId]()
    while waiting:
        dependent = waiting.pop()
        if dependent in seen:
            continue
        seen.add(dependent)
        waiting.extend(state.plan.dependents[dependent])
        for key in state.keys(dependent):
            target = state.targets[key]
            if target.undoing and target.status is not Status.ROLLED_BACK:
                return dependent
            if _stands(state, key) and undo_of(state, dependent) is not None:
                return dependent
    return None


def roll_back_began(state: RunState, why: str, by: str) -> ev.RollbackBegan:
    """The fact that a rollback begins, with what it will and what it cannot undo."""
    return ev.RollbackBegan(why=why, by=by, steps=to_undo(state), without_undo=without_undo(state))
