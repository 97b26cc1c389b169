"""Where bars, nodes and lines of a report's pictures lie. Numbers only; the page draws them.

Rules:
- Times become shares of the run's length (0 to 100), so that a picture is as wide as its reader.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.model.status import Status
from drrun.report import pages
from drrun.report.after.course import LevelChange, Try
from drrun.report.after.view import Report
from drrun.report.layout import BoxSize, lay_out
from drrun.report.run_view import BAD, StepLine
from drrun.report.services import ServiceView
from drrun.report.times import span, took

#: Of a node in the graph.
NODE = BoxSize(width=150, height=26, column=190, row=36)


@dataclass(frozen=True, slots=True)
class BarPiece:
    """One or several attempts at the same time; `left` and `width` in per cent."""

    left: float
    width: float
    status: Status
    undo: bool
    took: str


@dataclass(frozen=True, slots=True)
class RunBar:
    """One step in time: all its attempts, and its undo."""

    line: StepLine
    pieces: tuple[BarPiece, ...]
    took: str
    critical: bool


@dataclass(frozen=True, slots=True)
class LevelSpell:
    """A stretch in which a service stood on one level; `left` and `width` in per cent."""

    level: str
    left: float
    width: float
    #: Since the start of the run.
    since: str
    step: str


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One service in time."""

    service: ServiceView
    spells: tuple[LevelSpell, ...]
    #: Where its objective ends, in per cent; None: beyond the run, or there is none.
    objective: float | None


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
    lines = {line.id: line for line in report.run.lines}
    tries: dict[StepId, list[Try]] = {}
    for each in report.course.tries:
        if each.step in lines:
            tries.setdefault(each.step, []).append(each)
    return tuple(
        RunBar(
            lines[step],
            tuple(_piece(*found, start, length) for found in _merged(mine, start + length)),
            took(lines[step].took),
            step in critical,
        )
        for step, mine in tries.items()
    )


def _piece(first: Try, until: float, start: float, length: float) -> BarPiece:
    left, width = pages.place(first.began - start, until - start, length)
    return BarPiece(left, width, first.status, first.undo, span(until - first.began))


def _merged(tries: Iterable[Try], end: float) -> list[tuple[Try, float]]:
    """Attempts of several targets at the same time as one, with its end; the worst status counts.

    Args:
        tries: Of one step, by when they began.
        end: Of the run: what has not ended lasts until then.
    """
    found: list[tuple[Try, float]] = []
    for each in tries:
        until = end if each.ended is None else each.ended
        if found and found[-1][0].undo is each.undo and each.began < found[-1][1]:
            first, before = found[-1]
            worst = each.status if each.status in BAD else first.status
            found[-1] = replace(first, status=worst), max(before, until)
        else:
            found.append((each, until))
    return found


def levels(report: Report) -> tuple[LevelRow, ...]:
    """Every service that the run raises, in time."""
    start, length = _frame(report)
    return tuple(
        LevelRow(
            service,
            tuple(_level_spells(report, service, start, length)),
            _objective(report, service, start, length),
        )
        for service in report.services
        if service.rungs
    )


def _level_spells(
    report: Report, service: ServiceView, start: float, length: float
) -> Iterator[LevelSpell]:
    changes = [each for each in report.course.levels if each.service == service.name]
    first = LevelChange(service.name, start, None, StepId(""), "")
    ends = [*(change.at for change in changes), start + length]
    for change, until in zip((first, *changes), ends, strict=True):
        if until <= change.at:
            continue
        left, width = pages.place(change.at - start, until - start, length)
        since = span(change.at - start)
        yield LevelSpell(str(change.level or "down"), left, width, since, change.step)


def _objective(report: Report, service: ServiceView, start: float, length: float) -> float | None:
    if service.rto is None:
        return None
    since = report.run.head.disrupted_at
    share = 100 * ((start if since is None else since) + service.rto - start) / length
    return round(share, 3) if 0 <= share <= 100 else None


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
