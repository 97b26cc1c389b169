"""Which steps may begin, and which of their targets there is a place for. Pure.

Rules:
- Where not all can begin (parallelism, sessions of a host, locks), the one with the longest path
  behind it goes first. A full host holds up nobody on another, nor a question to people.
- A target begins only where its host has a place for what it does first, so that what has begun
  is in the air or waits for something else than a place.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from drrun.core import events as ev
from drrun.core.model.actions import DecisionAction, ManualAction
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.runbook import Mode, Step
from drrun.core.model.status import Cause
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Capacity
from drrun.core.rules.decision import Decision
from drrun.core.rules.fanout import queued, too_many_failed
from drrun.core.rules.probe_lists import waits
from drrun.core.state.run_state import RunState

#: How many ready steps that need no place are looked at while nothing more may be begun.
LOOKAHEAD = 256
_PEOPLE = (ManualAction, DecisionAction)


def begin_steps(state: RunState, room: Capacity, now: float, decision: Decision) -> None:
    """Wish for all that may begin now."""
    full: set[frozenset[str]] = set()
    seen: set[StepId] = set()
    for step in state.ready.walk(full):
        if room.full:
            break
        if not state.circumstances.wants(step):
            continue
        seen.add(step)
        decision.wishes.extend(_begin(state, step, room, now, decision))
        hosts = state.ready.hosts_of(step)
        if hosts <= room.barred:
            full.add(hosts)
    if room.full:
        for step in islice(state.ready.light, LOOKAHEAD):
            if step not in seen and state.circumstances.wants(step):
                decision.wishes.extend(_begin(state, step, room, now, decision))


def _begin(
    state: RunState, step_id: StepId, room: Capacity, now: float, decision: Decision
) -> Iterator[w.Wish]:
    planned = state.plan.steps[step_id]
    step = planned.step
    if planned.left_out:
        yield w.Record(ev.StepSkipped(step=step_id, why=planned.left_out))
    elif (step.when or step.only_if) and step_id not in state.conditions:
        yield w.SeeCondition(step_id)
    elif not state.conditions.get(step_id, True):
        condition = " and ".join(filter(None, (*step.only_if, step.when)))
        values = state.seen.get(step_id, {})
        saw = ", ".join(f"{name} is {value}" for name, value in values.items())
        why = f"when: {condition} is false" + (f"; {saw}" if saw else "")
        yield w.Record(ev.StepSkipped(step=step_id, why=why))
    elif step.not_before is not None and _unseen_clock(state, step_id):
        yield w.SeeClock(step_id)
    elif why := too_many_failed(state, planned):
        yield w.Record(ev.TargetsCancelled(step=step_id, why=why))
    elif now + state.time.wall < state.clocks.get(step_id, 0.0):
        until = state.clocks[step_id]
        decision.wake(until - state.time.wall)
        yield from _wait(state, queued(state, planned), Cause.CLOCK, "not before", until)
    else:
        yield from _begin_targets(state, step, room, decision.locks)


def _unseen_clock(state: RunState, step: StepId) -> bool:
    """Whether a step has a `not_before` that is not known yet; dry-runs ignore it."""
    return step not in state.clocks and state.plan.mode is not Mode.DRY_RUN


def _begin_targets(
    state: RunState, step: Step, room: Capacity, taken: Counter[str]
) -> Iterator[w.Wish]:
    if room.full and not _needs_no_room(step):
        return
    hosts = state.ready.hosts_of(step.id)
    for key in queued(state, state.plan.steps[step.id]):
        busy = next((name for name in step.locks if locked(state, name, taken)), None)
        if busy is not None:
            yield from _wait(state, [key], Cause.LOCK, f"lock {busy}", None)
        elif _needs_no_room(step) or room.take(_first_place(state, step, key)):
            taken.update(step.locks)
            yield w.Record(ev.TargetBegan(step=key.step, target=key.target))
        elif room.full or hosts <= room.barred:
            return


def locked(state: RunState, lock: str, taken: Counter[str]) -> bool:
    """Whether nobody else may take a lock, with what is about to be taken."""
    return state.held[lock] + taken[lock] >= state.plan.runbook.locks.get(lock, 1)


def _needs_no_room(step: Step) -> bool:
    return isinstance(step.action, ManualAction) and not step.guard and not step.done_when


def _first_place(state: RunState, step: Step, key: TargetKey) -> str:
    """The host on which a target needs a place once it begins, "" if it is not contacted yet."""
    looks = step.guard or step.done_when
    asks = step.approval is not None or (step.irreversible and not allowed(state, step))
    if not looks and (asks or waits(step) or isinstance(step.action, _PEOPLE)):
        return ""
    return state.hosts[key]


def _wait(
    state: RunState, keys: Iterable[TargetKey], cause: Cause, detail: str, until: float | None
) -> Iterator[w.Wish]:
    for key in keys:
        target = state.targets[key]
        if target.waits_for is not cause or target.until != until:
            yield w.Record(
                ev.TargetWaiting(
                    step=key.step, target=key.target, cause=cause, detail=detail, until=until
                )
            )


def allowed(state: RunState, step: Step) -> bool:
    """Whether an irreversible step was allowed when the run was started."""
    named = state.options.get("allow_irreversible", ())
    return isinstance(named, list | tuple) and step.id in named
