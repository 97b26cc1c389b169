"""A plan as one HTML file, and its graph as an SVG file.

Rules:
- As the report's page: nothing is loaded from elsewhere, all text is escaped, no script at all.
"""

from functools import cache
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.ids import StepId
from drrun.report.clean import clean
from drrun.report.layout import Layout, Size, lay_out
from drrun.report.plan_view import PlanLine, PlanView
from drrun.report.text.plan import paragraphs, summary, what, where
from drrun.report.times import rough

#: Of a step in the graph.
_BOX = Size(width=180, height=40, column=225, row=52)
#: Pixels of a letter of the heading.
_LETTER = 7
_TICKS = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One step in time; `left` and `width` in per cent of the whole."""

    line: PlanLine
    left: float
    width: float


def html(view: PlanView) -> str:
    """The page's text."""
    page: str = _template("plan.html.j2").render(
        _facts(view), bars=_bars(view), ticks=_ticks(view), paragraphs=list(paragraphs(view))
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


def _bars(view: PlanView) -> list[Bar]:
    length = float(view.length) or 1.0
    found = []
    for line in view.lines:
        if line.left_out:
            continue
        left = 100 * float(line.begins) / length
        width = min(max(0.15, 100 * (float(line.ends) - float(line.begins)) / length), 100 - left)
        found.append(Bar(line, round(left, 3), round(width, 3)))
    return sorted(found, key=lambda bar: (bar.left, bar.width))


def _ticks(view: PlanView) -> list[tuple[float, str]]:
    length = float(view.length)
    return [
        (round(100 * number / _TICKS, 2), f"+{rough(length * number / _TICKS)}")
        for number in range(_TICKS + 1)
    ]


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
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    packages = ("drrun.report.planned", "drrun.report.after")
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(each, "pages") for each in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "clean": lambda text: clean(str(text)),
        "rough": rough,
        "kind": _kind,
        "length_of": _length,
        "what": what,
        "where": where,
    }
    environment.filters.update(filters)
    return environment.get_template(name)
