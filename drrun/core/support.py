"""What this version can validate but not execute yet. Refused before a run, never ignored.

Rules:
- A key that only matters to a command which does not exist yet is no obstacle: nothing in a run
  would execute it.
"""

from collections.abc import Iterator

from drrun.core.actions import BUILT_IN, UsesAction
from drrun.core.errors import Finding
from drrun.core.plan import Plan
from drrun.core.runbook import Mode, Step

_MODES = (Mode.LIVE, Mode.REHEARSAL, Mode.DRY_RUN)


def unsupported(plan: Plan) -> list[Finding]:
    """Everything in a plan that cannot be executed yet, with its place."""
    found: list[Finding] = []
    if plan.mode not in _MODES:
        found.append(Finding(plan.runbook.place, f"mode {plan.mode} is not supported yet"))
    for planned in plan.steps.values():
        if not planned.left_out:
            found.extend(_of_step(planned.step))
    return found


def _of_step(step: Step) -> Iterator[Finding]:
    if isinstance(step.action, UsesAction) and not BUILT_IN[step.action.name].built:
        yield _finding(step, "uses", f"the action {step.action.name} is not supported yet")


def _finding(step: Step, key: str, message: str) -> Finding:
    place = step.places.get(key, step.place)
    return Finding(place, f"step {step.id}: {message}", code="not-supported")
