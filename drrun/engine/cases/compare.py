"""Two runs of a runbook, or a run and its plan: what differs, and what of that mattered.

Rules:
- A difference of a length counts from a tenth of it and from a second on.
- What mattered is what the end of the second run waited for: its critical path.
"""

from collections.abc import Iterator, Mapping

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.ids import StepId
from drrun.core.status import Status
from drrun.engine.cases.look import Known
from drrun.engine.cases.measured import took

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
    routes: Mapping[StepId, tuple[str, ...]]
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


def side_of(seen: Known) -> Side:
    """A run."""
    state = seen.state
    routes: dict[StepId, dict[str, None]] = {}
    for told in seen.told:
        event = told.event
        if isinstance(event, ev.AttemptStarted) and event.route:
            routes.setdefault(StepId(event.step), {})[event.route] = None
    times = took(seen)
    ends = {step: at for step, at in state.settled_at.items() if step in times}
    started = state.started_at
    last = max(ends.values(), default=None)
    return Side(
        name=seen.run,
        outcome={step: str(state.step(step)) for step in state.plan.order},
        length=times,
        routes={step: tuple(found) for step, found in routes.items()},
        critical=_critical(seen, ends),
        total=None if started is None or last is None else last - started,
    )


def plan_side(seen: Known) -> Side:
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


def _critical(seen: Known, ends: Mapping[StepId, float]) -> tuple[StepId, ...]:
    if not ends:
        return ()
    plan = seen.state.plan
    chain = [max(ends, key=lambda step: ends[step])]
    while True:
        needs = (each for need in plan.steps[chain[-1]].step.needs for each in need.any_of)
        before = [step for step in needs if step in ends]
        if not before:
            return tuple(reversed(chain))
        chain.append(max(before, key=lambda step: ends[step]))


def differences(one: Side, other: Side) -> list[Difference]:
    """What differs, what mattered first and then the largest."""
    found = [
        difference
        for step in dict.fromkeys((*one.outcome, *other.outcome))
        for difference in _of_step(step, one, other)
    ]
    return sorted(found, key=lambda each: (not each.critical, -abs(each.longer or 0.0)))


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
        yield Difference(step, "route", ", ".join(before), ", ".join(after), None, critical)
    if step in one.length and step in other.length:
        longer = other.length[step] - one.length[step]
        if abs(longer) >= max(_SECONDS, _SHARE * one.length[step]):
            kind = "slower" if longer > 0 else "faster"
            yield Difference(step, kind, f"{one.length[step]:.1f}", f"{other.length[step]:.1f}",
                             longer, critical)  # fmt: skip
