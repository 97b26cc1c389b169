"""When an invariant is watched. Pure."""

from drrun.core.model.ids import StepId
from drrun.core.model.probes import Invariant
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState

_CAME = (Status.PASSED, Status.SKIPPED, Status.REGRESSED)


def is_watched(state: RunState, invariant: Invariant) -> bool:
    """Whether an invariant must hold now: it may begin with a step, and end with one.

    It ends once that step begins to act, not once it has passed: the step may break it.
    """
    since, until = StepId(invariant.since), StepId(invariant.until)
    if since and state.step(since) not in _CAME:
        return False
    return not (until and (until in state.acted or state.step(until) is Status.PASSED))
