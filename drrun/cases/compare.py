"""Two runs of a runbook, or a run and its plan: what differs, and what of that mattered.

Rules:
- A difference of a length counts from a tenth of it and from a second on.
- What mattered comes first: a step that failed or broke in the second run, then its critical
  path, then what took longest.
- Routes are a set: in which order hosts were reached says nothing.
"""

from collections.abc import Iterator, Mapping

from drrun.cases.measured import took
from drrun.cases.read_run import ReadRun
from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.status import Status
from drrun.report.critical import critical_chain
from drrun.report.forecast import begun_at

#: How steps end that did not do what they were for.
_BAD = frozenset({Status.FAILED, Status.REGRESSED, Status.UNKNOWN})

#: Shares and seconds below which lengths are the same.
_SHARE, _SECONDS = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Side:
    """One run, or a plan, as it is compared."""

    name: str
    #: Step -> how it ended; "planned" in a plan.
    outcome: Mapping[StepId, str]
    #: Step -> seconds.
    length: Mapping[StepId, float]
    #: Step -> routes by which hosts were reached.
    routes: Mapping[StepId, frozenset[str]]
    #: The chain of steps that the end waited for.
    critical: tuple[StepId, ...]
    total: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One step that is not the same."""

    step: StepId
    #: `added`, `removed`, `slower`, `faster`, `outcome`, `route`.
    kind: str
    before: str
    after: str
    #: Seconds that it took longer; negative: less. None: not comparable.
    longer: float | None
    critical: bool

    @property
    def bad(self) -> bool:
        """Whether the step went wrong in the second run."""
        return self.kind == "outcome" and self.after in _BAD


def side_of(seen: ReadRun) -> Side:
    """A run."""
    state = seen.state
    routes: dict[StepId, set[str]] = {}
    for fact in seen.facts:
        event = fact.event
        if isinstance(event, ev.AttemptStarted) and event.route:
            routes.setdefault(StepId(event.step), set()).add(event.route)
    ends = state.settled_at
    moments = {
        step: (began, ends[step])
        for step in state.plan.order
        if step in ends and (began := begun_at(state, step)) is not None
    }
    last = [fact.at for fact in seen.facts if isinstance(fact.event, ev.RunEnded)]
    over = last[-1] if last and state.ended is not None else None
    return Side(
        name=seen.run,
        outcome={step: str(state.step(step)) for step in state.plan.order},
        length=took(seen),
        routes={step: frozenset(found) for step, found in routes.items()},
        critical=critical_chain(state.plan, moments),
        total=None
        if state.started_at is None or over is None
        else state.time.span(state.started_at, over).seconds,
    )


def plan_side(seen: ReadRun) -> Side:
    """The plan that a run had."""
    plan = seen.loaded.plan
    return Side(
        name="plan",
        outcome={
            step: str(Status.SKIPPED if each.left_out else Status.PASSED)
            for step, each in plan.steps.items()
        },
        length={
            step: each.length
            for step, each in plan.steps.items()
            if each.step.estimate is not None and not each.left_out
        },
        routes={},
        critical=plan.critical_path,
        total=float(plan.length) or None,
    )


def differences(one: Side, other: Side) -> list[Difference]:
    """What differs, what mattered first and then what took longest."""
    found = [
        difference
        for step in dict.fromkeys((*one.outcome, *other.outcome))
        for difference in _of_step(step, one, other)
    ]
    return sorted(
        found, key=lambda each: (not each.bad, not each.critical, -abs(each.longer or 0.0))
    )


def _of_step(step: StepId, one: Side, other: Side) -> Iterator[Difference]:
    critical = step in other.critical
    if step not in one.outcome:
        yield Difference(step, "added", "", other.outcome[step], None, critical)
        return
    if step not in other.outcome:
        yield Difference(step, "removed", one.outcome[step], "", None, step in one.critical)
        return
    if one.outcome[step] != other.outcome[step]:
        yield Difference(step, "outcome", one.outcome[step], other.outcome[step], None, critical)
    before, after = one.routes.get(step), other.routes.get(step)
    if before and after and before != after:
        told = [", ".join(sorted(each)) for each in (before, after)]
        yield Difference(step, "route", told[0], told[1], None, critical)
    if step in one.length and step in other.length:
        longer = other.length[step] - one.length[step]
        if abs(longer) >= max(_SECONDS, _SHARE * one.length[step]):
            kind = "slower" if longer > 0 else "faster"
            yield Difference(step, kind, f"{one.length[step]:.1f}", f"{other.length[step]:.1f}",
                             longer, critical)  # fmt: skip
