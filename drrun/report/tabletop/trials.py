"""What many simulated runs say together: percentiles, criticality, sensitivity. Pure."""

import math
from collections.abc import Iterable, Sequence

from drrun.core.dataclass import dataclass
from drrun.core.model.graph import order_of
from drrun.core.model.plan import Plan
from drrun.core.model.status import SUCCESS
from drrun.report.services import service_views

#: Steps that a list of causes names at most.
_MOST = 12
#: A weaker correlation than this is none.
_WEAK = 0.1


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


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a number of seconds."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """One service over all trials."""

    #: Where it recovered.
    spread: Spread | None
    #: Seconds of every trial in which it did, the shortest first.
    times: tuple[float, ...]
    #: Share of trials within its objective; None: it has none.
    met: float | None
    rto: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What many trials say."""

    number: int
    succeeded: int
    length: Spread
    #: Of every trial, the shortest first.
    lengths: tuple[float, ...]
    services: dict[str, Recovery]
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
        spread = _percentiles(times) if times else None
        services[view.name] = Recovery(spread, tuple(sorted(times)), met, view.rto)
    critical = {
        str(step): sum(str(step) in each.critical for each in found) / len(found)
        for step in order_of({step: planned.step for step, planned in plan.steps.items()})
    }
    return Summary(
        number=len(found),
        succeeded=sum(each.status in SUCCESS for each in found),
        length=_percentiles([each.length for each in found]),
        lengths=tuple(sorted(each.length for each in found)),
        services=services,
        criticality=_largest((step, share) for step, share in critical.items() if share),
        sensitivity=_largest(_sensitivities(plan, found)),
    )


def _largest(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    return dict(sorted(found, key=lambda each: -each[1])[:_MOST])


def _sensitivities(plan: Plan, found: Sequence[Trial]) -> Iterable[tuple[str, float]]:
    lengths = _ranks([each.length for each in found])
    for step in plan.order:
        took = [each.times.get(str(step), (0.0, 0.0)) for each in found]
        durations = [ended - began for began, ended in took]
        if len(set(durations)) > 1:
            correlation = _correlation(_ranks(durations), lengths)
            if correlation > _WEAK:
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
