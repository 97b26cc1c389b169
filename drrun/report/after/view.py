"""What a report says, whatever its format: one view, made once, redacted before it is rendered.

Rules:
- Rendering knows nothing else, so what is redacted here is in no format and in no embedded data.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.status import Status
from drrun.core.model.values import Duration
from drrun.core.rules.roles import members
from drrun.core.rules.undoing import left_standing, without_undo
from drrun.core.state.event_text import tell
from drrun.core.state.run_state import RunState
from drrun.report.after.chronology import Occurrence, signed
from drrun.report.after.course import Course
from drrun.report.after.milestones import Away, Milestone, away, clocks_of
from drrun.report.critical import critical_chain
from drrun.report.facts import Fact
from drrun.report.open_items import LooseEnd, loose_ends
from drrun.report.run_view import RunView, StepLine, target_note
from drrun.report.services import ServiceView
from drrun.report.step_view import StepView
from drrun.report.time_spent import Spell, totals
from drrun.report.times import span

#: (step, target, attempt) -> stream -> lines.
Outputs = Mapping[tuple[str, str, int], Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that was decided or found, by whom, about which step."""

    at: float
    by: str
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Workaround:
    """What stands until something better does."""

    step: str
    reason: str
    owner: str
    expires: str


@dataclass(frozen=True, slots=True)
class StoreLine:
    """A store that the run's services live on: the objective, and what was measured."""

    name: str
    rpo: Duration | None
    #: Steps, each with its status if it does not count: `restore-db (rolled-back)`.
    restored_by: tuple[str, ...]
    #: Names and values of facts that steps measured.
    measured: str


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What is known beside the run's own journal."""

    #: (kind, path, SHA-256) of what the run is pinned to.
    documents: tuple[tuple[str, str, str], ...] = ()
    #: When the last preflight before it was made, and what fell short then.
    preflight: tuple[float, tuple[str, ...]] | None = None
    #: The same runbook's run of the same mode before this one: id, status, seconds.
    earlier: tuple[str, str, float | None] | None = None
    #: Clean-up steps that have not passed; None: it is no rehearsal.
    unclean: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """The run in time."""

    #: Where the time went.
    spells: tuple[Spell, ...]
    #: What the run went through.
    course: Course
    #: Everything that happened, in one list.
    chronology: tuple[Occurrence, ...]


@dataclass(frozen=True, slots=True)
class LeftToDo:
    """What the run leaves to people."""

    workarounds: tuple[Workaround, ...]
    #: Findings and follow-ups.
    ends: tuple[LooseEnd, ...]
    #: What a rollback has left changed -> why it was not undone.
    stays: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says."""

    run: RunView
    description: str
    objectives: Mapping[str, Duration | None]
    passage: Passage
    #: The chain of steps that the end waited for.
    critical: tuple[StepId, ...]
    #: Step -> steps that it needs, for the graph; and its column there.
    needs: Mapping[StepId, tuple[StepId, ...]]
    waves: tuple[tuple[StepId, ...], ...]
    steps: tuple[StepView, ...]
    outputs: Outputs
    decisions: tuple[Statement, ...]
    deviations: tuple[Statement, ...]
    regressions: tuple[Statement, ...]
    notes: tuple[Statement, ...]
    left: LeftToDo
    clocks: tuple[Milestone, ...]
    context: ReportContext
    tool: str
    routes: Mapping[str, tuple[str, ...]]
    stores: tuple[StoreLine, ...]
    redacted: str = ""

    @property
    def spells(self) -> tuple[Spell, ...]:
        """Where the time went."""
        return self.passage.spells

    @property
    def course(self) -> Course:
        """What the run went through."""
        return self.passage.course

    @property
    def chronology(self) -> tuple[Occurrence, ...]:
        """Everything that happened, in one list."""
        return self.passage.chronology

    @property
    def workarounds(self) -> tuple[Workaround, ...]:
        """What stands until something better does."""
        return self.left.workarounds

    @property
    def ends(self) -> tuple[LooseEnd, ...]:
        """Findings and follow-ups."""
        return self.left.ends

    @property
    def stays(self) -> Mapping[str, str]:
        """What a rollback has left changed, and why."""
        return self.left.stays

    @property
    def services(self) -> tuple[ServiceView, ...]:
        """The service ledger."""
        return self.run.services

    @property
    def causes(self) -> Mapping[str, Duration]:
        """Seconds by cause, the longest first."""
        return totals(self.spells)

    @property
    def away(self) -> tuple[Away, ...]:
        """How long each service was away."""
        return tuple(away(self.clocks, self.services))

    @property
    def is_test(self) -> bool:
        """Whether it was no real incident: a rehearsal or a dry-run, and says so everywhere."""
        return self.run.mode != "live"


def report_of(
    state: RunState,
    facts: Sequence[Fact],
    run: RunView,
    passage: Passage,
    steps: Sequence[StepView],
    context: ReportContext,
) -> Report:
    """Make the report of a run, without what was printed.

    Args:
        state: The run as it stands.
        facts: Its whole journal.
        run: The same as a view.
        passage: The run in time.
        steps: Everything about every step.
        context: What is known beside the journal.
    """
    return Report(
        run=run,
        description=state.plan.runbook.description,
        objectives=asdict(state.plan.runbook.objectives),
        passage=passage,
        critical=_critical(state, run.lines),
        needs={step: tuple(dict.fromkeys(_needed(state, step))) for step in state.plan.order},
        waves=state.plan.waves,
        steps=tuple(steps),
        outputs={},
        decisions=tuple(_said(facts, _DECIDED)),
        deviations=tuple(_deviations(state, facts)),
        regressions=tuple(_said(facts, _BREAKING)),
        notes=tuple(_said(facts, (ev.Noted,))),
        left=LeftToDo(tuple(_workarounds(state)), tuple(_ends(state, facts)), _stays(state)),
        clocks=clocks_of(facts, run.services, state.time.wall),
        context=context,
        tool=_tool(facts),
        routes=_routes(steps),
        stores=tuple(_stores(state)),
    )


_DEVIATING = (
    ev.TargetMarked,
    ev.StepSkipped,
    ev.PlanAmended,
    ev.RunAborted,
    ev.RunPaused,
    ev.FilesChanged,
    ev.TargetLost,
    ev.RollbackBegan,
    ev.TargetReopened,
    ev.Lost,
    ev.RouteSet,
    ev.RunClosed,
)
_DECIDED = (ev.GateAnswered, ev.Approved)
_BREAKING = (ev.Regressed, ev.Recovered, ev.InvariantBroken)


def _said(facts: Iterable[Fact], kinds: tuple[type[ev.EventBase], ...]) -> Iterator[Statement]:
    known: dict[str, str] = {}
    for fact in facts:
        if isinstance(fact.event, ev.GateOpened) and fact.event.known:
            known[fact.event.step] = _known(fact.event.known)
        if not isinstance(fact.event, kinds):
            continue
        if isinstance(fact.event, ev.StepSkipped) and fact.actor == "controller":
            continue  # the runbook says so itself: a condition, a variant
        told = tell(fact.event)
        if told is None:
            continue
        text = told.text
        if (sign := signed(fact.event)) is not None:
            text += " (signed)" if sign else " (unsigned)"
        if isinstance(fact.event, ev.GateAnswered) and fact.event.step in known:
            text += f" ({known[fact.event.step]})"
        yield Statement(fact.at, fact.who, told.about, text)


def _deviations(state: RunState, facts: Sequence[Fact]) -> list[Statement]:
    """What was not as planned, in order."""
    found = [*_said(facts, _DEVIATING), *_taken_up_again(facts), *_outsiders(state, facts)]
    return sorted(found, key=lambda each: each.at)


def _taken_up_again(facts: Iterable[Fact]) -> Iterator[Statement]:
    aborted = ""
    for fact in facts:
        match fact.event:
            case ev.RunAborted(by=by):
                aborted = by
            case ev.RunResumed() if aborted:
                yield Statement(
                    fact.at, fact.who, "", f"resumed, although {aborted} had aborted the run"
                )
                aborted = ""


def _outsiders(state: RunState, facts: Iterable[Fact]) -> Iterator[Statement]:
    """Answers of people who were not asked."""
    for fact in facts:
        match fact.event:
            case ev.GateAnswered(step=step, by=by) if by != "controller":
                role = state.plan.steps[StepId(step)].step.owner
                asked = members(state, role)
                if fact.event.gate in _OPEN_TO_ALL and asked and by not in asked:
                    text = f"answered, where {role} ({', '.join(asked)}) was asked"
                    yield Statement(fact.at, fact.who, step, text)


#: Gates that anybody may answer when nobody else can.
_OPEN_TO_ALL = frozenset({"manual", "irreversible", "ask", "unknown", "late"})


def _known(given: Mapping[str, Any]) -> str:
    """What was known when a decision was asked for."""
    told = [f"known then: {given.get('passed')} of {given.get('steps')} steps passed"]
    if given.get("elapsed") is not None:
        told.append(f"{span(float(given['elapsed']))} since the start")
    told += [f"{status}: {', '.join(steps)}" for status, steps in given["standing"].items()]
    told += [f"lost: {', '.join(given['lost'])}"] if given.get("lost") else []
    for step, values in (given.get("values") or {}).items():
        told.append(f"{step}: {', '.join(f'{name}={value}' for name, value in values.items())}")
    return "; ".join(told)


def _needed(state: RunState, step: StepId) -> Iterator[StepId]:
    for need in state.plan.steps[step].step.needs:
        yield from need.any_of


def _critical(state: RunState, lines: Sequence[StepLine]) -> tuple[StepId, ...]:
    moments = {
        line.id: (line.began_at, line.ended_at)
        for line in lines
        if line.began_at is not None and line.ended_at is not None
    }
    return critical_chain(state.plan, moments)


def _tool(facts: Iterable[Fact]) -> str:
    events = (fact.event for fact in facts)
    return next((each.tool for each in events if isinstance(each, ev.RunStarted)), "")


def _ends(state: RunState, facts: Iterable[Fact]) -> Iterator[LooseEnd]:
    """Findings and follow-ups; workarounds have a place of their own."""
    for end in loose_ends(state, facts):
        if end.kind != "workaround":
            yield end


def _workarounds(state: RunState) -> Iterator[Workaround]:
    for step in state.plan.order:
        given = state.plan.steps[step].step.workaround
        if given is not None and state.step(step) is Status.PASSED:
            yield Workaround(
                step,
                str(given.get("reason", "")),
                str(given.get("owner", "")),
                str(given.get("expires", "")),
            )


def _stays(state: RunState) -> dict[str, str]:
    """What a rollback has left changed, and why; nothing while the run is not rolled back."""
    if not state.rolling_back:
        return {}
    failed = {
        str(key): f"its undo failed: {target_note(target)}"
        for key, target in state.targets.items()
        if target.undoing and target.status is Status.FAILED
    }
    left = {str(key): why for key, why in left_standing(state)}
    return {**failed, **left, **without_undo(state)}


def _routes(steps: Iterable[StepView]) -> dict[str, tuple[str, ...]]:
    """Host -> the routes by which it was reached."""
    found: dict[str, dict[str, None]] = {}
    for step in steps:
        for target in step.targets:
            for attempt in target.attempts:
                if attempt.route:
                    found.setdefault(attempt.host, {})[attempt.route] = None
    return {host: tuple(routes) for host, routes in sorted(found.items())}


def _stores(state: RunState) -> Iterator[StoreLine]:
    plan = state.plan
    wanted: dict[str, list[Duration]] = {}
    for service in plan.runbook.services.values():
        for name in service.stores:
            rpo = service.objectives.rpo or plan.runbook.objectives.rpo
            wanted.setdefault(name, []).extend([rpo] if rpo is not None else [])
    for name, objectives in sorted(wanted.items()):
        by = tuple(step for step in plan.order if name in plan.steps[step].step.restores)
        restored = tuple(
            step if state.step(step) is Status.PASSED else f"{step} ({state.step(step)})"
            for step in by
        )
        measured = [
            f"{key.step}: {', '.join(f'{what}={value}' for what, value in target.values.items())}"
            for key, target in state.targets.items()
            if target.values and _measures(state, key.step, by)
        ]
        yield StoreLine(name, min(objectives, default=None), restored, "; ".join(measured))


def _measures(state: RunState, step: StepId, restorers: tuple[StepId, ...]) -> bool:
    """Whether a step's values tell about a store: it restores it, or a restorer needs it."""
    needed = {each for restorer in restorers for each in _needed(state, restorer)}
    return step in restorers or step in needed
