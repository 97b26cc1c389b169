"""The service ledger: which level each service has reached, when, and how that meets its RTO.

Rules:
- Only a passed step raises a service. A level that was skipped over was not reached.
- Time counts from the start of the run, because when the disaster was declared is not recorded;
  whoever prints an RTO says so.
- The objective is met when the best level that the plan raises the service to is reached in time.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan
from drrun.core.model.runbook import Level, Service
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.state.run_state import RunState

_ORDER = tuple(Level)


class Objective(StrEnum):
    """How a service stands against its recovery time objective."""

    #: There is none, or no step raises the service.
    NONE = "none"
    OPEN = "open"
    MET = "met"
    MISSED = "missed"
    #: The run was closed before the time was over, and the service had not come back.
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Rung:
    """One raise of a service by one step. Seconds from the start of the run."""

    level: Level
    step: StepId
    #: By the estimates.
    planned: Duration
    #: None: not reached.
    reached: Duration | None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """How far up a service has come."""

    name: str
    title: str
    priority: int
    #: None: no step has raised it.
    level: Level | None
    rungs: tuple[Rung, ...]
    rto: Duration | None
    objective: Objective
    #: Seconds from the start until the best planned level was reached; None: it was not.
    recovered: Duration | None
    #: By how much the objective was missed so far; None: it was not missed.
    overdue: Duration | None = None

    @property
    def best(self) -> Level | None:
        """The level that the plan raises it to."""
        levels = [rung.level for rung in self.rungs]
        return max(levels, key=_ORDER.index) if levels else None


def service_views(
    plan: Plan, state: RunState | None, now: float, since: float | None = None
) -> tuple[ServiceView, ...]:
    """The ledger of all services, by priority.

    Args:
        plan: Says which step raises what.
        state: What has happened; None: nothing yet.
        now: Seconds since the epoch.
        since: From when objectives count: the disruption; None: from the start of the run.
    """
    before = 0.0
    if since is not None and state is not None and state.started_at is not None:
        before = state.started_at - since
    services = dict(plan.runbook.services)
    for name in _raised(plan):
        services.setdefault(name, Service(name))
    views = [_view(service, plan, state, now, before) for service in services.values()]
    return tuple(sorted(views, key=lambda view: (view.priority or 1_000_000, view.name)))


def _raised(plan: Plan) -> Iterator[str]:
    for planned in plan.steps.values():
        yield from planned.step.raises


def _view(
    service: Service, plan: Plan, state: RunState | None, now: float, before: float
) -> ServiceView:
    rungs = sorted(
        (
            Rung(level, step, Duration(plan.ends[step]), _reached(step, state))
            for step, level in _raises_of(service.name, plan).items()
        ),
        key=lambda rung: (rung.planned, _ORDER.index(rung.level)),
    )
    best = max((rung.level for rung in rungs), key=_ORDER.index, default=None)
    recovered = min(
        (rung.reached for rung in rungs if rung.level is best and rung.reached is not None),
        default=None,
    )
    reached = [rung for rung in rungs if rung.reached is not None]
    latest = max(reached, key=lambda rung: rung.reached or 0.0, default=None)
    rto = service.objectives.rto or plan.runbook.objectives.rto
    used = before + (_elapsed(state, now) if recovered is None else recovered)
    objective = _judged(rto if rungs else None, used, back=recovered is not None)
    if objective is Objective.OPEN and state is not None and state.closed_at is not None:
        objective = Objective.NOT_REACHED
    return ServiceView(
        name=service.name,
        title=service.title,
        priority=service.priority,
        level=latest.level if latest else None,
        rungs=tuple(rungs),
        rto=rto,
        objective=objective,
        recovered=recovered,
        overdue=Duration(used - rto)
        if rto is not None and objective is Objective.MISSED
        else None,
    )


def _raises_of(service: str, plan: Plan) -> Mapping[StepId, Level]:
    return {
        step: planned.step.raises[service]
        for step, planned in plan.steps.items()
        if service in planned.step.raises and not planned.left_out
    }


def _reached(step: StepId, state: RunState | None) -> Duration | None:
    if state is None or state.started_at is None or state.step(step) is not Status.PASSED:
        return None
    return Duration(state.time.span(state.started_at, state.settled_at[step]).seconds)


def _elapsed(state: RunState | None, now: float) -> float:
    """Seconds since the start; a closed run counts no further."""
    if state is None or state.started_at is None:
        return 0.0
    return (now if state.closed_at is None else state.closed_at) - state.started_at


def _judged(rto: Duration | None, used: float, *, back: bool) -> Objective:
    """What became of an objective of which so many seconds were used."""
    if rto is None:
        return Objective.NONE
    if used > rto:
        return Objective.MISSED
    return Objective.MET if back else Objective.OPEN
