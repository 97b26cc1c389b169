"""How long people have been at work in a run, and what is one person's own."""

from collections.abc import Iterable

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId, TargetKey
from drrun.core.model.status import FINAL
from drrun.core.model.values import Duration
from drrun.core.rules.roles import may, may_answer
from drrun.core.state.run_state import RunState
from drrun.report.about import Shift
from drrun.report.run_view import RunView, WaitingGate, next_steps, taken_by


@dataclass(frozen=True, slots=True)
class Mine:
    """What is one person's business now."""

    person: str
    run: str
    #: Since when on duty; None: not.
    on_duty_since: float | None
    asks: tuple[WaitingGate, ...]
    #: Open steps that were assigned to them, or that they claimed.
    steps: tuple[StepId, ...]
    #: Steps of their roles that may come next.
    coming: tuple[StepId, ...]
    now: float


def hours(shifts: Iterable[Shift], end: float) -> dict[str, Duration]:
    """Time on duty of each person, until `end`."""
    total: dict[str, float] = {}
    for shift in shifts:
        until = end if shift.until is None else shift.until
        total[shift.person] = total.get(shift.person, 0.0) + max(0.0, until - shift.since)
    return {person: Duration(spent) for person, spent in total.items()}


def mine(state: RunState, shifts: Iterable[Shift], person: str, view: RunView) -> Mine:
    """What concerns one person."""
    own = [shift for shift in shifts if shift.person == person and shift.until is None]
    owners = {step: state.plan.steps[step].step.owner for step in next_steps(state)}
    coming = [step for step, owner in owners.items() if owner and may(state, owner, person)]
    return Mine(
        person=person,
        run=view.head.id,
        on_duty_since=own[0].since if own else None,
        asks=tuple(ask for ask in view.asks if _for(state, ask, person)),
        steps=tuple(
            step
            for step in state.plan.order
            if taken_by(state, step) == person and state.step(step) not in FINAL
        ),
        coming=tuple(coming[:10]),
        now=view.now,
    )


def _for(state: RunState, ask: WaitingGate, person: str) -> bool:
    if ask.taken_by:
        return ask.taken_by == person
    key = TargetKey(ask.step, ask.target)
    gate = state.targets[key].gate
    return gate is not None and may_answer(state, key, gate, person)
