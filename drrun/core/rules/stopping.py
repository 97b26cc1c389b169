"""How an aborted run is wound up: nothing begins, what acts is ended, the rest is let go. Pure.

Rules:
- What has not acted is cancelled. What acts is ended with all its processes (case C25); where
  that cannot be proved it is unknown, and `resume` looks for it again.
- Nothing that acted and was not verified is called anything but unknown.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.probes import Purpose, Verdict
from drrun.core.model.status import Phase, Status
from drrun.core.rules import wishes as w
from drrun.core.rules.capacity import Activity, Capacity
from drrun.core.rules.probe_lists import waits_now
from drrun.core.state.run_state import RunState, attempt_of
from drrun.core.state.target import Judgement, given_up


def wind_up(state: RunState, room: Capacity) -> Iterator[w.Wish]:
    """What an aborted run still wants done."""
    yield from let_go(state, f"run aborted: {state.aborted}")
    for key in state.active:
        yield from _end(state, key, room)


def let_go(state: RunState, why: str) -> Iterator[w.Wish]:
    """Cancel what has not acted; what is being undone is not meant."""
    before = {
        key.step
        for key in state.active
        if given_up(state.targets[key]) and not state.targets[key].undoing
    }
    for step in state.plan.order:
        if step in before or (state.has_queued(step) and not _undoing(state, step)):
            yield w.Record(ev.TargetsCancelled(step=step, why=why))


def _undoing(state: RunState, step: StepId) -> bool:
    return any(state.targets[key].undoing for key in state.keys(step))


def _end(state: RunState, key: TargetKey, room: Capacity) -> Iterator[w.Wish]:
    target = state.targets[key]
    if target.status is Status.RUNNING and target.phase is Phase.ACTING:
        if waits_now(state, key):
            yield _not_told(state, key, Purpose.UNTIL, "run aborted")
        elif not target.ending:
            yield w.EndAttempt(key, f"run aborted: {state.aborted}")
        elif Activity(key) not in room.air:
            yield w.Reconcile(key)
    elif target.phase is Phase.VERIFY:
        why = "the run was aborted before it was verified"
        yield _not_told(state, key, Purpose.VERIFY, why)
    elif target.phase is Phase.RECONCILE and target.status is Status.WAITING:
        yield _not_told(state, key, Purpose.RECONCILE, "the run was aborted before anybody looked")
    elif target.phase is Phase.JUDGED:
        yield w.Record(failed(state, key))


def _not_told(state: RunState, key: TargetKey, purpose: Purpose, why: str) -> w.Wish:
    return w.Record(
        ev.ProbesConcluded(
            **attempt_of(state, key), purpose=purpose, verdict=Verdict.COULD_NOT_TELL, why=why
        )
    )


def failed(state: RunState, key: TargetKey) -> ev.TargetFailed:
    """The fact that a target is given up, for the reason of its last verdict."""
    target = state.targets[key]
    judged = target.judged or Judgement("failed", target.note)
    return ev.TargetFailed(step=key.step, target=key.target, cause=judged.cause, why=judged.why)
