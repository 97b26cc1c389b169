"""Many trials of one plan: how long it takes, and what that depends on.

Rules:
- A trial is known by its seed alone, so any of them can be looked at again.
- An estimate `{p50, p90}` becomes a log-normal distribution with these two values, because what
  goes wrong takes longer and never less than nothing; a plain one has `SPREAD` between the two.
- Trials are shared out among the machine's processors; the result does not depend on how.
"""

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from random import Random

from drrun.core.graph import order_of
from drrun.core.ids import StepId
from drrun.core.plan import Plan
from drrun.core.simulation import Injects, Simulation, Takes, estimated
from drrun.core.state import Key
from drrun.core.status import FINAL, Status
from drrun.report.forecast import begun_at
from drrun.report.services import service_views

#: Of a plain estimate: the bad case over the middle.
SPREAD = 1.5
#: The 90th percentile of the standard normal distribution.
_P90 = 1.2815515655446004
#: Fewer trials than this are done here: starting other processes costs more.
_FEW = 8


@dataclass(frozen=True, slots=True)
class Slower:
    """Steps that take longer, by factor."""

    factors: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """How one trial went. Seconds from the start."""

    seed: int | None
    status: str
    length: float
    #: Service -> seconds until its best planned level; None: never.
    recovered: dict[str, float | None]
    #: Step -> (began, ended).
    times: dict[str, tuple[float, float]]
    #: The chain of steps that the end waited for.
    critical: tuple[str, ...]
    #: Step -> how it ended, where that is not `passed`.
    others: dict[str, str]


def trials(
    plan: Plan, number: int, seed: int, injects: Injects, slower: Slower | None = None
) -> list[Trial]:
    """So many trials with random durations, in the order of their seeds."""
    seeds = range(seed, seed + number)
    one = partial(trial, plan, injects=injects, slower=slower or Slower())
    if number < _FEW:
        return [one(each) for each in seeds]
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(one, seeds, chunksize=max(1, number // (workers * 8))))


def trial(plan: Plan, seed: int | None, injects: Injects, slower: Slower) -> Trial:
    """One trial; without a seed everything takes exactly its estimate."""
    simulation = Simulation(plan, _durations(plan, seed, slower), injects)
    state = simulation.drive()
    times = {
        str(step): (began, state.settled_at.get(step, simulation.now))
        for step in plan.order
        if (began := begun_at(state, step)) is not None and state.step(step) in FINAL
    }
    views = service_views(plan, state, simulation.now)
    last = simulation.journal[-1][0]
    return Trial(
        seed=seed,
        status=str(state.ended or "waiting"),
        length=last,
        recovered={view.name: view.recovered for view in views},
        times=times,
        critical=_critical(plan, times),
        others={
            str(step): str(status)
            for step in plan.order
            if (status := state.step(step)) is not Status.PASSED
        },
    )


def _durations(plan: Plan, seed: int | None, slower: Slower) -> Takes:
    base = {
        step: estimated(planned) * slower.factors.get(str(step), 1.0)
        for step, planned in plan.steps.items()
    }
    if seed is None:
        return lambda key, _attempt: base[key.step]
    spread = {step: _spread(plan, step) for step in plan.steps}
    chance = Random(seed)  # noqa: S311 - chance, not secrecy: a seed gives the same trial again

    def takes(key: Key, _attempt: int) -> float:
        middle = base[key.step]
        return middle * math.exp(chance.gauss(0.0, spread[key.step])) if middle else 0.0

    return takes


def _spread(plan: Plan, step: StepId) -> float:
    estimate = plan.steps[step].step.estimate
    if estimate is None:
        return 0.0
    ratio = estimate.p90 / estimate.p50 if estimate.p50 else 1.0
    return math.log(ratio if ratio > 1 else SPREAD) / _P90


def _critical(plan: Plan, times: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    if not times:
        return ()
    chain = [max(times, key=lambda step: times[step][1])]
    while True:
        needs = (
            str(each) for need in plan.steps[StepId(chain[-1])].step.needs for each in need.any_of
        )
        before = [step for step in needs if step in times]
        if not before:
            return tuple(reversed(chain))
        chain.append(max(before, key=lambda step: times[step][1]))


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a number of seconds."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What many trials say."""

    number: int
    succeeded: int
    length: Spread
    #: Service -> its recovery where it recovered, how often it did, and the share within its RTO.
    services: dict[str, tuple[Spread | None, int, float | None]]
    #: Step -> share of trials in which the end waited for it, the largest first.
    criticality: dict[str, float]
    #: Step -> rank correlation between its duration and the length of the run, the largest first.
    sensitivity: dict[str, float]


def summary(plan: Plan, found: Sequence[Trial]) -> Summary:
    """Percentiles, criticality and sensitivity of trials."""
    services = {}
    for view in service_views(plan, None, 0.0):
        times = [value for each in found if (value := each.recovered[view.name]) is not None]
        met = None
        if view.rto is not None:
            met = sum(time <= view.rto for time in times) / len(found)
        services[view.name] = (_percentiles(times) if times else None, len(times), met)
    critical = {
        str(step): sum(str(step) in each.critical for each in found) / len(found)
        for step in order_of({step: planned.step for step, planned in plan.steps.items()})
    }
    return Summary(
        number=len(found),
        succeeded=sum(each.status == "succeeded" for each in found),
        length=_percentiles([each.length for each in found]),
        services=services,
        criticality=_largest((step, share) for step, share in critical.items() if share),
        sensitivity=_largest(_sensitivities(plan, found)),
    )


def _largest(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    return dict(sorted(found, key=lambda each: -each[1])[:12])


def _sensitivities(plan: Plan, found: Sequence[Trial]) -> Iterable[tuple[str, float]]:
    lengths = _ranks([each.length for each in found])
    for step in plan.order:
        took = [each.times.get(str(step), (0.0, 0.0)) for each in found]
        durations = [ended - began for began, ended in took]
        if len(set(durations)) > 1:
            correlation = _correlation(_ranks(durations), lengths)
            if correlation > 0.1:
                yield str(step), correlation


def _percentiles(values: Sequence[float]) -> Spread:
    ordered = sorted(values)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    return Spread(at(0.5), at(0.9), at(0.99))


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    for rank, index in enumerate(order):
        ranks[index] = float(rank)
    return ranks


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    middle = (len(one) - 1) / 2
    both = sum((a - middle) * (b - middle) for a, b in zip(one, other, strict=True))
    spread = sum((a - middle) ** 2 for a in one)
    return both / spread if spread else 0.0
