"""The chain of steps that the end of a run waited for."""

from collections.abc import Mapping

from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan


def critical_chain(
    plan: Plan, moments: Mapping[StepId, tuple[float, float]]
) -> tuple[StepId, ...]:
    """Backwards from what ended last, always to the need that ended last before it began.

    A need that was tried again later, because its failure stopped nothing, held nothing up then.

    Args:
        plan: Says what needs what.
        moments: When each step began and ended; those that did neither are not in it.
    """
    if not moments:
        return ()
    chain = [max(moments, key=lambda step: moments[step][1])]
    while True:
        began = moments[chain[-1]][0]
        needs = (each for need in plan.steps[chain[-1]].step.needs for each in need.any_of)
        known = [step for step in needs if step in moments and step not in chain]
        before = [step for step in known if moments[step][1] <= began] or known
        if not before:
            return tuple(reversed(chain))
        chain.append(max(before, key=lambda step: moments[step][1]))
