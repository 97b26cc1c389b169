"""Where bars, nodes and lines of a report's pictures lie. Numbers only; the page draws them.

Rules:
- Times become shares of the run's length (0 to 100), so that a picture is as wide as its reader.
"""

from drrun.core.dataclass import dataclass
from drrun.report import pages
from drrun.report.after.view import Report
from drrun.report.layout import BoxSize, lay_out
from drrun.report.run_view import StepLine
from drrun.report.times import span, took

#: Of a node in the graph.
NODE = BoxSize(width=150, height=26, column=190, row=36)


@dataclass(frozen=True, slots=True)
class RunBar:
    """One step in time; `left` and `width` in per cent."""

    line: StepLine
    left: float
    width: float
    took: str
    critical: bool


@dataclass(frozen=True, slots=True)
class Stripe:
    """One stretch of the run that belongs to one cause."""

    cause: str
    left: float
    width: float
    took: str


@dataclass(frozen=True, slots=True)
class Node:
    """One step in the graph, in pixels."""

    line: StepLine
    x: int
    y: int
    critical: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A need, as SVG wants it."""

    path: str
    critical: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """All of it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int


def bars(report: Report) -> tuple[RunBar, ...]:
    """Every step that began, by when it began."""
    start, length = _frame(report)
    critical = set(report.critical)
    found = []
    for line in report.run.lines:
        if line.began_at is None:
            continue
        end = line.ended_at if line.ended_at is not None else start + length
        left, width = pages.place(line.began_at - start, end - start, length)
        found.append(RunBar(line, left, width, took(line.took), line.id in critical))
    return tuple(sorted(found, key=lambda bar: (bar.left, bar.width)))


def stripes(report: Report) -> tuple[Stripe, ...]:
    """The whole run, cut by cause."""
    start, length = _frame(report)
    return tuple(
        Stripe(
            spell.cause,
            round(100 * (spell.since - start) / length, 3),
            round(100 * (spell.until - spell.since) / length, 3),
            span(spell.until - spell.since),
        )
        for spell in report.spells
    )


def ticks(report: Report) -> tuple[tuple[float, str], ...]:
    """Moments on the axis: per cent, and the time since the start."""
    _, length = _frame(report)
    return pages.ticks(length, lambda at: "+" + span(at))


def graph(report: Report) -> Graph:
    """Steps in columns, each to the right of all that it needs."""
    lines = {line.id: line for line in report.run.lines}
    critical = set(report.critical)
    columns = [[step for step in wave if step in lines] for wave in report.waves]
    drawn = lay_out(columns, report.needs, NODE)
    nodes = [Node(lines[step], x, y, step in critical) for step, (x, y) in drawn.corners.items()]
    edges = [Edge(each.path, {each.need, each.step} <= critical) for each in drawn.curves]
    return Graph(tuple(nodes), tuple(edges), drawn.width, drawn.height)


def _frame(report: Report) -> tuple[float, float]:
    """Start of the run, and its length in seconds, never 0."""
    start = report.spells[0].since if report.spells else report.run.started_at or report.run.now
    end = report.spells[-1].until if report.spells else report.run.now
    return start, max(end - start, 0.001)
