"""Simulations as one HTML file: the usual run as a Gantt chart, and how lengths are spread.

Rules:
- As the report's page: nothing is loaded from elsewhere, all text is escaped, no script at all.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.plan import Plan
from drrun.report.pages import place, template, ticks
from drrun.report.tabletop.text import scale, title_of, unit
from drrun.report.tabletop.trials import Spread, Summary, Trial
from drrun.report.times import span

#: Columns of a distribution.
_COLUMNS = 40
#: An objective so many times as long as the longest trial is not drawn.
_FAR = 3


@dataclass(frozen=True, slots=True)
class TrialBar:
    """One step in time; `left` and `width` in per cent."""

    step: str
    left: float
    width: float
    took: str
    status: str
    critical: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """How often what came out: columns of per cents, and marks upon them."""

    name: str
    #: Heights, the highest is 100.
    columns: tuple[float, ...]
    #: (per cent from the left, what is there).
    marks: tuple[tuple[float, str], ...]
    first: str
    last: str


def html(plan: Plan, one: Trial, found: Summary | None) -> str:
    """The file's text."""
    page: str = _template().render(
        plan=plan, trial=one, summary=found, bars=_bars(one),
        ticks=ticks(one.length, scale(one.length)),
        plots=_plots(plan, found) if found else (), count=len(plan.steps),
        tell=scale(max(one.length, found.lengths[-1] if found else 0.0)),
        unit=unit(max(one.length, found.lengths[-1] if found else 0.0)),
        titles={name: title_of(plan, name) for name in one.recovered},
    )  # fmt: skip
    return page


def _bars(one: Trial) -> list[TrialBar]:
    length, critical = max(one.length, 1.0), set(one.critical)
    found = []
    for step, (began, ended) in sorted(one.times.items(), key=lambda each: each[1]):
        left, width = place(began, ended, length)
        status = one.others.get(step, "passed")
        found.append(TrialBar(step, left, width, span(ended - began), status,
                         step in critical))  # fmt: skip
    return found


def _plots(plan: Plan, found: Summary) -> list[Plot]:
    plots = [_plot("the whole run", found.lengths, found.length, None)]
    for name, each in found.services.items():
        if each.spread is not None:
            plots.append(_plot(title_of(plan, name), each.times, each.spread, each.rto))
    return plots


def _plot(name: str, values: Sequence[float], spread: Spread, rto: float | None) -> Plot:
    first, tell = values[0], scale(values[-1])
    if rto is not None and rto > _FAR * values[-1]:
        # Drawn to scale it would press all columns into one.
        name, rto = f"{name} (RTO {tell(rto)}, beyond this picture)", None
    last = max(values[-1], values[0] + 1, rto or 0.0)
    counts = [0] * _COLUMNS
    for value in values:
        counts[min(_COLUMNS - 1, int((value - first) / (last - first) * _COLUMNS))] += 1
    marks = [("p50", spread.p50), ("p90", spread.p90)]
    if rto is not None:
        marks.append(("RTO", rto))
    return Plot(
        name,
        tuple(round(100 * count / max(counts), 2) for count in counts),
        tuple(
            (round(100 * (at - first) / (last - first), 2), f"{mark} {tell(at)}")
            for mark, at in marks
            if at >= first
        ),
        tell(first),
        tell(last),
    )


@cache
def _template() -> Any:
    return template("tabletop.html.j2", "drrun.report.tabletop", {})
