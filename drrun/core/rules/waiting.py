"""While a person is waited for: reminders, escalation, a default that falls due. Pure.

Rules:
- Nothing is decided silently: a default is taken only where the author wrote `decide_by` with one,
  and the record says that it was the clock.
- A gate holds no thread and no place; everything else goes on.
"""

from collections.abc import Callable, Iterator

from drrun.core import events as ev
from drrun.core.model.ids import TargetKey
from drrun.core.rules import wishes as w
from drrun.core.rules.roles import still_asked
from drrun.core.state.run_state import RunState
from drrun.core.state.target import Gate


def while_asked(
    state: RunState, key: TargetKey, gate: Gate, now: float, wake: Callable[[float], None]
) -> Iterator[w.Wish]:
    """What is due while a gate is open.

    Args:
        state: The run.
        key: The target that is asked about.
        gate: What is asked.
        now: Seconds since the epoch.
        wake: Called with every moment at which something will be due.
    """
    asked = gate.asked
    if asked.decide_at is not None and asked.default:
        if now >= asked.decide_at:
            yield w.Record(_default(key, asked.default))
            return
        wake(asked.decide_at)
    if asked.remind_every:
        at = gate.opened_at + asked.remind_every * (gate.reminded + 1)
        if now >= at:
            to, times = still_asked(state, key, gate), gate.reminded + 1
            yield w.Record(ev.PersonReminded(step=key.step, target=key.target, to=to, times=times))
        else:
            wake(at)
    if asked.escalate_after and not gate.escalated:
        at = gate.opened_at + asked.escalate_after
        if now >= at:
            to = escalated_to(state, asked.role)
            yield w.Record(ev.GateEscalated(step=key.step, target=key.target, to=to))
        else:
            wake(at)


def _default(key: TargetKey, option: str) -> ev.GateAnswered:
    return ev.GateAnswered(
        step=key.step,
        target=key.target,
        gate="decision",
        answer="decide",
        by="controller",
        reason="nobody decided in time: the default of the runbook is used",
        option=option,
    )


def escalated_to(state: RunState, role: str) -> tuple[str, ...]:
    """Who is told when a role does not answer: its deputies, and whoever drives the run."""
    found = state.plan.runbook.roles.get(role)
    deputies = found.deputies if found else ()
    named = (*deputies, state.circumstances.driver)
    return tuple(dict.fromkeys(who for who in named if who))
