"""Steps that another has made needless. Pure.

Rules:
- A step is superseded once the step that it names has passed. What of it has not begun, waits or
  failed is skipped then. What runs goes on, and what passed stays passed.
- A step that passed by a person's word alone (`mark-done`, a confirmed unknown outcome) makes
  nothing needless: else one person could open by it what they may not open themselves.
- What it blocked may begin: the other step did what it was needed for.
"""

from collections.abc import Iterator

from drrun.core import events as ev
from drrun.core.model.ids import StepId
from drrun.core.model.status import SUPERSEDABLE, Status
from drrun.core.rules import wishes as w
from drrun.core.rules.freeing import freed
from drrun.core.state.run_state import RunState


def superseded(state: RunState) -> Iterator[w.Wish]:
    """What follows for steps whose stand-in has passed."""
    if state.aborted or state.rolling_back:
        return
    for step in state.plan.superseded:
        if is_superseded(state, step) and SUPERSEDABLE & state.counts(step).keys():
            other = state.plan.steps[step].step.superseded_by
            why = f"{other} has passed, and makes it needless"
            yield w.Record(ev.StepSkipped(step=step, why=why, superseded=True))
            for event in freed(state, step, "controller"):
                if not is_superseded(state, StepId(event.step)):
                    yield w.Record(event)


def is_superseded(state: RunState, step: StepId) -> bool:
    """Whether another step has passed that makes this one needless."""
    other = StepId(state.plan.steps[step].step.superseded_by)
    if not other or state.step(other) is not Status.PASSED:
        return False
    return not any(key in state.words for key in state.keys(other))
