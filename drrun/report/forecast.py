"""When a run will be done: the critical path of what remains.

Rules:
- A step that ended counts nothing; one that moves counts what its estimate leaves, never less
  than nothing; a clock that is waited for counts in full.
- The sum is only as good as the estimates: steps without one make it a lower bound, and are
  counted so that the reader is told.
"""

from drrun.core.dataclass import dataclass
from drrun.core.model.graph import finish_times
from drrun.core.model.ids import StepId
from drrun.core.model.status import FINAL, Status
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState


@dataclass(frozen=True, slots=True)
class Forecast:
    """What remains."""

    #: Seconds until the last step ends, by the estimates.
    remaining: Duration
    #: Steps that are still to be done and say nothing about their length.
    unestimated: int


def forecast(state: RunState, now: float) -> Forecast | None:
    """What remains of a run; None once it has ended."""
    if state.ended is not None:
        return None
    plan = state.plan
    lengths: dict[StepId, float] = {}
    unestimated = 0
    for step in plan.order:
        status = state.step(step)
        planned = plan.steps[step]
        if status in FINAL or planned.left_out:
            lengths[step] = 0.0
            continue
        unestimated += planned.step.estimate is None
        wait = max(0.0, state.clocks.get(step, 0.0) - state.time.wall - now)
        lengths[step] = wait + _left(state, step, status, now)
    ends = finish_times(plan.runbook.steps, plan.order, lengths)
    return Forecast(Duration(max(ends.values(), default=0.0)), unestimated)


def begun_at(state: RunState, step: StepId) -> float | None:
    """When the first target of a step began; None if none has."""
    moments = (state.targets[key].began_at for key in state.keys(step))
    return min((at for at in moments if at is not None), default=None)


def is_late(state: RunState, step: StepId, now: float) -> bool:
    """Whether a moving step has taken longer than its author's bad case."""
    planned = state.plan.steps[step]
    estimate = planned.step.estimate
    if estimate is None or state.step(step) in FINAL:
        return False
    begun = begun_at(state, step)
    return begun is not None and now - begun > estimate.p90 * max(1, len(planned.batches))


def _left(state: RunState, step: StepId, status: Status, now: float) -> float:
    length = state.plan.steps[step].length
    if status is Status.PENDING:
        return length
    begun = begun_at(state, step)
    return max(0.0, length - (now - begun)) if begun is not None else length
