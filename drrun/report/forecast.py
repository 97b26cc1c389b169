"""When a run will be done: the critical path of what remains.

Rules:
- While something failed, a person is waited for, or a host is not seen, nobody knows when the
  rest begins: then no end is told, but what it waits for, and how much work is left behind that.
- A step that ended counts nothing; one that moves counts what its estimate leaves, never less
  than nothing; a clock that is waited for counts in full.
- The sum is only as good as the estimates: steps without one make it a lower bound, and are
  counted so that the reader is told.
"""

from collections.abc import Iterator

from drrun.core.dataclass import dataclass
from drrun.core.model.graph import finish_times
from drrun.core.model.ids import StepId
from drrun.core.model.status import FINAL, Status
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState

#: An answer that takes so many times longer than its role usually does is late.
_LATE = 2


@dataclass(frozen=True, slots=True)
class Forecast:
    """What remains."""

    #: Seconds until the last step ends, by the estimates.
    remaining: Duration
    #: What has to happen before the end can be told: `db-start is fixed`, `commander answers dns`.
    holds: tuple[str, ...]
    #: Steps that are still to be done and say nothing about their length.
    unestimated: int


def forecast(state: RunState, now: float) -> Forecast | None:
    """What remains of a run; None once it has ended."""
    if state.ended is not None:
        return None
    plan = state.plan
    broken = list(_broken(state))
    holds = (*(f"{step} is fixed" for step in broken), *_answers(state))
    unseen = (key for key in state.active if state.targets[key].missing_since is not None)
    places = (state.hosts[key] or "the controller" for key in unseen)
    holds = (*holds, *(f"{place} is seen again" for place in dict.fromkeys(places)))
    if state.paused:
        holds = (*holds, "the run is unpaused")
    lengths: dict[StepId, float] = {}
    unestimated = 0
    for step in plan.order:
        status = state.step(step)
        planned = plan.steps[step]
        held = status is Status.BLOCKED or step in broken
        if (status in FINAL and not held) or planned.left_out:
            lengths[step] = 0.0
            continue
        unestimated += planned.step.estimate is None
        if held:
            lengths[step] = planned.length
            continue
        wait = max(0.0, state.clocks.get(step, 0.0) - state.time.wall - now)
        lengths[step] = wait + _left(state, step, status, now)
    ends = finish_times(plan.runbook.steps, plan.order, lengths)
    return Forecast(Duration(max(ends.values(), default=0.0)), holds, unestimated)


def _broken(state: RunState) -> Iterator[StepId]:
    """Steps that did not pass and hold up others."""
    held = [step for step in state.plan.order if state.step(step) is Status.BLOCKED]
    because = {each for step in (*held, *state.to_block) for each in state.because(step)}
    for step in state.plan.order:
        if step in because and state.step(step) is not Status.BLOCKED:
            yield step


def _answers(state: RunState) -> Iterator[str]:
    """Who has to answer what, the oldest question first."""
    asked = [(gate.opened_at, key) for key in state.active if (gate := state.targets[key].gate)]
    for _, key in sorted(asked):
        gate = state.targets[key].gate
        if gate is not None:
            yield f"{gate.asked.role or 'somebody'} answers {key}"


def begun_at(state: RunState, step: StepId) -> float | None:
    """When the first target of a step began; None if none has."""
    moments = (state.targets[key].began_at for key in state.keys(step))
    return min((at for at in moments if at is not None), default=None)


def is_late(state: RunState, step: StepId, now: float) -> bool:
    """Whether a moving step takes longer than its bad case, or a question waits longer than that.

    The wait for an answer is no part of the work: each counts by itself.
    """
    planned = state.plan.steps[step]
    estimate = planned.step.estimate
    if state.step(step) in FINAL:
        return False
    targets = [state.targets[key] for key in state.keys(step) if state.targets[key].active]
    asked = [each.gate.opened_at for each in targets if each.gate is not None]
    if asked and planned.answers:
        return now - min(asked) > _LATE * planned.answers
    if estimate is None:
        return False
    limit = estimate.late_after * max(1, len(planned.batches))
    begun = [each.intended_at or each.began_at for each in targets]
    since = min((at for at in begun if at is not None), default=None)
    return since is not None and now - since > limit


def _left(state: RunState, step: StepId, status: Status, now: float) -> float:
    length = state.plan.steps[step].length
    if status is Status.PENDING:
        return length
    begun = begun_at(state, step)
    return max(0.0, length - (now - begun)) if begun is not None else length
