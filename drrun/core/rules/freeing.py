"""What stands behind a step, and may go on once the step holds it up no more. Pure."""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.ids import StepId
from drrun.core.model.status import Status
from drrun.core.state.run_state import RunState


def behind(state: RunState, step: StepId) -> list[StepId]:
    """Everything that needs a step, directly or not, in the plan's order."""
    waiting, seen = list(state.plan.dependents[step]), set[StepId]()
    while waiting:
        dependent = waiting.pop()
        if dependent not in seen:
            seen.add(dependent)
            waiting.extend(state.plan.dependents[dependent])
    return [each for each in state.plan.order if each in seen]


def freed(state: RunState, step: StepId, by: str) -> Iterator[ev.TargetReopened]:
    """Blocked steps behind `step` are open again; what still cannot begin is blocked anew."""
    for dependent in behind(state, step):
        for key in state.keys(dependent):
            if state.targets[key].status is Status.BLOCKED:
                yield ev.TargetReopened(
                    step=key.step,
                    target=key.target,
                    by=by,
                    why=f"{step}",
                    freed=True,
                    seek=state.targets[key].unaccounted,
                )
