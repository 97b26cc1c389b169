"""A plan as people look at it before they start: order, lengths, people, points of no return."""

from collections import defaultdict
from collections.abc import Iterator

from drrun.core.dataclass import dataclass
from drrun.core.model.actions import DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.ids import StepId
from drrun.core.model.plan import Plan, PlannedStep
from drrun.core.model.probes import Probe, ProbeKind
from drrun.core.model.runbook import RESPONSE, Step
from drrun.core.model.values import Duration
from drrun.report.services import ServiceView, service_views


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One step of a plan. Moments are seconds from the start of the run."""

    id: StepId
    title: str
    #: `run`, `manual`, `decision`, or the name of the action.
    action: str
    owner: str
    targets: tuple[str, ...]
    needs: tuple[str, ...]
    #: Which steps each need names, for drawing.
    needed: tuple[tuple[StepId, ...], ...]
    #: Counts from 1.
    wave: int
    begins: Duration
    ends: Duration
    #: None: the author gave no estimate.
    length: Duration | None
    #: Until people have answered what is asked before it acts; part of its time.
    answers: Duration
    critical: bool
    irreversible: bool
    #: A person has to act.
    person: bool
    verified: bool
    #: Why it does not take part; "" if it does.
    left_out: str
    #: Targets that --limit leaves out.
    without: tuple[str, ...]
    when: str
    not_before: str


@dataclass(frozen=True, slots=True)
class Load:
    """What the plan wants of the people of one role."""

    role: str
    people: tuple[str, ...]
    steps: tuple[StepId, ...]
    length: Duration


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan."""

    name: str
    title: str
    mode: str
    variant: str
    length: Duration
    rto: Duration | None
    #: In the order in which they begin.
    lines: tuple[PlanLine, ...]
    critical_path: tuple[StepId, ...]
    irreversible: tuple[StepId, ...]
    loads: tuple[Load, ...]
    services: tuple[ServiceView, ...]
    unestimated: tuple[StepId, ...]
    #: (step, `3 runs`): estimates that are no author's.
    learned: tuple[tuple[StepId, str], ...]
    hosts: tuple[str, ...]


def plan_view(plan: Plan) -> PlanView:
    """Look at a plan."""
    taking_part = [each for each in plan.order if not plan.steps[each].left_out]
    lines = tuple(sorted(_lines(plan), key=lambda line: (line.begins, line.wave)))
    hosts = {
        target.host.name: None
        for step in taking_part
        for target in plan.steps[step].targets
        if target.host is not None
    }
    return PlanView(
        name=plan.runbook.name,
        title=plan.runbook.title,
        mode=str(plan.mode),
        variant=plan.variant,
        length=plan.length,
        rto=plan.runbook.objectives.rto,
        lines=lines,
        critical_path=tuple(each for each in plan.critical_path if plan.steps[each].length),
        irreversible=tuple(line.id for line in lines if line.irreversible and not line.left_out),
        loads=tuple(_loads(plan, lines)),
        services=service_views(plan, None, 0.0),
        unestimated=tuple(line.id for line in lines if line.length is None and not line.left_out),
        learned=tuple(
            (step, estimate.source)
            for step in taking_part
            if (estimate := plan.steps[step].step.estimate) is not None and estimate.source
        ),
        hosts=tuple(hosts),
    )


def action_name(step: Step) -> str:
    """What kind of action a step has, in one word."""
    match step.action:
        case RunAction():
            return "run"
        case ManualAction():
            return "manual"
        case DecisionAction():
            return "decision"
        case UsesAction(name=name):
            return name


def asks_a_person(step: Step) -> bool:
    """Whether the step cannot pass without somebody's answer."""
    looks: tuple[Probe, ...] = (*step.guard, *step.done_when, *step.verify)
    return (
        isinstance(step.action, ManualAction | DecisionAction)
        or step.irreversible
        or bool(step.approval)
        or any(probe.kind is ProbeKind.ASK for probe in looks)
    )


def _lines(plan: Plan) -> Iterator[PlanLine]:
    wave_of = {step: number for number, wave in enumerate(plan.waves, 1) for step in wave}
    critical = set(plan.critical_path)
    for step in plan.order:
        yield _line(plan, plan.steps[step], wave_of[step], critical=step in critical)


def _line(plan: Plan, planned: PlannedStep, wave: int, *, critical: bool) -> PlanLine:
    step = planned.step
    return PlanLine(
        id=step.id,
        title=step.title,
        action=action_name(step),
        owner=_asked(step),
        targets=tuple(str(target.name) for target in planned.targets),
        needs=tuple(str(need) for need in step.needs),
        needed=tuple(need.any_of for need in step.needs),
        wave=wave,
        begins=Duration(plan.ends[step.id] - planned.length),
        ends=Duration(plan.ends[step.id]),
        length=None if step.estimate is None else Duration(planned.length),
        answers=Duration(planned.answers),
        critical=critical and planned.length > 0,
        irreversible=step.irreversible,
        person=asks_a_person(step),
        verified=bool(step.verify),
        left_out=planned.left_out,
        without=tuple(map(str, planned.without)),
        when=step.when or "",
        not_before=step.not_before or "",
    )


def _asked(step: Step) -> str:
    """The role that has to answer, where a person has to act; else whose step it is."""
    if isinstance(step.action, DecisionAction) and step.action.authority:
        return step.action.authority
    if step.approval and not isinstance(step.action, ManualAction):
        return str(step.approval.get("role") or step.owner)
    return step.owner


def _asks_for(line: PlanLine, response: Duration) -> float:
    """Seconds of a person: all of a step of theirs; of one of a machine only its gate."""
    if line.action not in ("manual", "decision"):
        return line.answers
    return response if line.length is None else line.length


def _loads(plan: Plan, lines: tuple[PlanLine, ...]) -> Iterator[Load]:
    by_role: dict[str, list[PlanLine]] = defaultdict(list)
    for line in lines:
        if line.person and not line.left_out:
            by_role[line.owner].append(line)
    for name, mine in by_role.items():
        role = plan.runbook.roles.get(name)
        people = (*role.people, *role.deputies) if role else ()
        response = role.response if role else RESPONSE
        spent = sum(_asks_for(line, response) for line in mine)
        yield Load(name, people, tuple(line.id for line in mine), Duration(spent))
