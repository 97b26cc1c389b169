"""When the next attempt on a target is made, as a fact. Pure: the delay comes from outside."""

from collections.abc import Callable

from drrun.core import events as ev
from drrun.core.model.runbook import Retry
from drrun.core.rules import wishes as w
from drrun.core.state.run_state import RunState, planned

#: (how to retry, attempts with a verdict so far) -> seconds to wait.
Delay = Callable[[Retry, int], float]
#: Causes after which nothing has to recover first.
_AT_ONCE = ("unknown", "lost")


def retry_planned(state: RunState, wish: w.PlanRetry, now: float, delay: Delay) -> ev.Event:
    """The fact that a target will be tried again.

    Args:
        state: What is known.
        wish: What is to be tried again, and why.
        now: Seconds since the epoch.
        delay: Seconds before the next attempt; asked where the cause needs a pause.
    """
    step, verdicts = planned(state, wish.key).step, state.targets[wish.key].verdicts
    pause = 0.0 if wish.cause in _AT_ONCE else delay(step.retry, verdicts)
    return ev.RetryPlanned(
        step=wish.key.step,
        target=wish.key.target,
        not_before=now + pause,
        cause=wish.cause,
        why=wish.why,
    )
