"""What a report says, whatever its format: one view, made once, redacted before it is rendered.

Rules:
- Rendering knows nothing else, so what is redacted here is in no format and in no embedded data.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from drrun.core import events as ev
from drrun.core.ids import StepId
from drrun.core.state import RunState
from drrun.core.status import Status
from drrun.core.values import Duration
from drrun.report.clocks import Spell, totals
from drrun.report.facts import Fact
from drrun.report.run_view import RunView, StepLine
from drrun.report.services import ServiceView
from drrun.report.step_view import StepView
from drrun.report.words import Word, words_of

#: (step, target, attempt) -> stream -> lines.
Outputs = Mapping[tuple[str, str, int], Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Said:
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
    restored_by: tuple[str, ...]
    #: Names and values of facts that steps measured.
    measured: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says."""

    run: RunView
    description: str
    objectives: Mapping[str, Duration | None]
    spells: tuple[Spell, ...]
    causes: Mapping[str, Duration]
    #: The chain of steps that the end waited for.
    critical: tuple[StepId, ...]
    #: Step -> steps that it needs, for the graph; and its column there.
    needs: Mapping[StepId, tuple[StepId, ...]]
    waves: tuple[tuple[StepId, ...], ...]
    steps: tuple[StepView, ...]
    outputs: Outputs
    decisions: tuple[Said, ...]
    deviations: tuple[Said, ...]
    regressions: tuple[Said, ...]
    notes: tuple[Said, ...]
    workarounds: tuple[Workaround, ...]
    follow_ups: tuple[tuple[str, str], ...]
    routes: Mapping[str, tuple[str, ...]]
    stores: tuple[StoreLine, ...]
    redacted: str = ""

    @property
    def services(self) -> tuple[ServiceView, ...]:
        """The service ledger."""
        return self.run.services

    @property
    def is_test(self) -> bool:
        """Whether it was no real incident: a rehearsal or a dry-run, and says so everywhere."""
        return self.run.mode != "live"


def report_of(
    state: RunState,
    facts: Sequence[Fact],
    run: RunView,
    found: Sequence[Spell],
    steps: Sequence[StepView],
    outputs: Outputs,
) -> Report:
    """Make the report of a run.

    Args:
        state: The run as it stands.
        facts: Its whole journal.
        run: The same as a view.
        found: Where the time went.
        steps: Everything about every step.
        outputs: Beginning and end of what was printed.
    """
    runbook = state.plan.runbook
    objectives = {"rto": runbook.objectives.rto, "rpo": runbook.objectives.rpo}
    return Report(
        run=run,
        description=runbook.description,
        objectives=objectives,
        spells=tuple(found),
        causes=totals(found),
        critical=_critical(state, run.lines),
        needs={step: tuple(dict.fromkeys(_needed(state, step))) for step in state.plan.order},
        waves=state.plan.waves,
        steps=tuple(steps),
        outputs=outputs,
        decisions=tuple(_said(facts, _DECIDED)),
        deviations=tuple(_said(facts, _DEVIATING)),
        regressions=tuple(_said(facts, (ev.Regressed, ev.Recovered, ev.InvariantBroken))),
        notes=tuple(_said(facts, (ev.Noted,))),
        workarounds=tuple(_workarounds(state)),
        follow_ups=tuple(_follow_ups(state, run)),
        routes=_routes(steps),
        stores=tuple(_stores(state)),
    )  # fmt: skip


_DECIDED = (ev.GateAnswered, ev.Approved)
_DEVIATING = (
    ev.TargetMarked, ev.StepSkipped, ev.PlanAmended, ev.RunAborted, ev.RunPaused, ev.FilesChanged,
    ev.TargetLost, ev.RollbackBegan, ev.TargetReopened, ev.Lost, ev.RouteSet,
)  # fmt: skip


def _said(facts: Iterable[Fact], kinds: tuple[type[ev.Event], ...]) -> Iterator[Said]:
    for fact in facts:
        if not isinstance(fact.event, kinds):
            continue
        if isinstance(fact.event, ev.StepSkipped) and fact.actor == "controller":
            continue  # the runbook says so itself: a condition, a variant
        text = _text(fact)
        step = str(getattr(fact.event, "step", ""))
        target = str(getattr(fact.event, "target", ""))
        key = f"{step}@{target}" if target not in ("", "local") else step
        yield Said(fact.at, fact.actor, key, text)


def _text(fact: Fact) -> str:
    words: list[Word] = list(words_of([fact]))
    if words:
        return words[0].text
    event = fact.event
    told = [
        str(value)
        for name in ("why", "text", "thing", "host", "route", "decision", "name", "reason")
        if (value := getattr(event, name, ""))
    ]
    kind = "".join(f" {c.lower()}" if c.isupper() else c for c in type(event).__name__).strip()
    return ": ".join([kind, *told])


def _needed(state: RunState, step: StepId) -> Iterator[StepId]:
    for need in state.plan.steps[step].step.needs:
        yield from need.any_of


def _critical(state: RunState, lines: Sequence[StepLine]) -> tuple[StepId, ...]:
    """Backwards from what ended last, always to the need that ended last."""
    ends = {line.id: line.ended_at for line in lines if line.ended_at and line.began_at}
    if not ends:
        return ()
    last = max(ends, key=lambda step: ends[step] or 0.0)
    chain = [last]
    while True:
        before = [step for step in _needed(state, chain[-1]) if step in ends]
        if not before:
            return tuple(reversed(chain))
        chain.append(max(before, key=lambda step: ends[step] or 0.0))


def _follow_ups(state: RunState, run: RunView) -> Iterator[tuple[str, str]]:
    """What steps that took part leave to do."""
    for line in run.lines:
        text = state.plan.steps[line.id].step.follow_up
        if text and line.status is not Status.SKIPPED:
            yield line.id, text


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
        measured = [
            f"{key.step}: {', '.join(f'{what}={value}' for what, value in target.values.items())}"
            for key, target in state.targets.items()
            if target.values and _measures(state, key.step, by)
        ]
        yield StoreLine(name, min(objectives, default=None), by, "; ".join(measured))


def _measures(state: RunState, step: StepId, restorers: tuple[StepId, ...]) -> bool:
    """Whether a step's values tell about a store: it restores it, or a restorer needs it."""
    needed = {each for restorer in restorers for each in _needed(state, restorer)}
    return step in restorers or step in needed
