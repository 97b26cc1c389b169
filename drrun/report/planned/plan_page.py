"""A plan as one HTML file, and its graph as an SVG file.

Rules:
- As the report's page: nothing is loaded from elsewhere, all text is escaped, no script at all.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.report.layout import BoxSize, Layout, lay_out
from drrun.report.pages import place, template, ticks
from drrun.report.plan_view import PlanLine, PlanView
from drrun.report.text.plan import paragraphs, summary, what, where
from drrun.report.times import rough

#: Of a step in the graph.
_BOX = BoxSize(width=180, height=40, column=225, row=52)
#: Pixels of a letter of the heading.
_LETTER = 7


@dataclass(frozen=True, slots=True)
class PlanBar:
    """One step in time; `left` and `width` in per cent of the whole."""

    line: PlanLine
    left: float
    width: float


def html(view: PlanView) -> str:
    """The page's text."""
    page: str = _template("plan.html.j2").render(
        _facts(view),
        bars=_bars(view),
        ticks=ticks(view.length, lambda at: f"+{rough(at)}"),
        paragraphs=list(paragraphs(view)),
    )
    return page


def svg(view: PlanView) -> str:
    """The picture's text."""
    picture: str = _template("plan.svg.j2").render(_facts(view))
    return picture


def _facts(view: PlanView) -> dict[str, Any]:
    lines = {line.id: line for line in view.lines}
    drawn = _layout(view)
    return {
        "view": view,
        "title": view.title or view.name,
        "summary": summary(view),
        "lines": lines,
        "box": _BOX,
        "layout": drawn,
        "width": max(drawn.width, 20 + _LETTER * len(summary(view))),
    }


def _layout(view: PlanView) -> Layout:
    columns: list[list[StepId]] = [[] for _ in range(max(line.wave for line in view.lines))]
    for line in view.lines:
        columns[line.wave - 1].append(line.id)
    needs = {line.id: [each for need in line.needed for each in need] for line in view.lines}
    return lay_out([column for column in columns if column], needs, _BOX)


def _bars(view: PlanView) -> list[PlanBar]:
    length = float(view.length) or 1.0
    found = []
    for line in view.lines:
        if line.left_out:
            continue
        found.append(PlanBar(line, *place(line.begins, line.ends, length)))
    return sorted(found, key=lambda bar: (bar.left, bar.width))


def _kind(line: PlanLine) -> str:
    """How a step is drawn, as classes."""
    marks = {
        "critical": line.critical,
        "irreversible": line.irreversible,
        "person": line.person,
        "leftout": bool(line.left_out),
    }
    return " ".join(["node", *(name for name, holds in marks.items() if holds)])


def _length(line: PlanLine) -> str:
    return "?" if line.length is None else rough(line.length)


@cache
def _template(name: str) -> Any:
    filters: dict[str, Callable[..., object]] = {
        "rough": rough,
        "kind": _kind,
        "length_of": _length,
        "what": what,
        "where": where,
    }
    return template(name, "drrun.report.planned", filters)
