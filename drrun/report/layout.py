"""Where the boxes and curves of a graph of steps lie: in columns, right of all that they need."""

from collections.abc import Iterable, Mapping, Sequence

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId

_MARGIN = 10


@dataclass(frozen=True, slots=True)
class BoxSize:
    """Pixels of a box, and from one to the next in a row and in a column."""

    width: int
    height: int
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Curve:
    """From the right side of a needed step to the left side of the one that needs it."""

    need: StepId
    step: StepId
    #: As SVG wants it.
    path: str


@dataclass(frozen=True, slots=True)
class Layout:
    """All of it, in pixels."""

    #: The upper left corner of each box.
    corners: Mapping[StepId, tuple[int, int]]
    curves: tuple[Curve, ...]
    width: int
    height: int


def lay_out(
    columns: Sequence[Sequence[StepId]], needs: Mapping[StepId, Iterable[StepId]], size: BoxSize
) -> Layout:
    """Place the steps of each column under one another.

    Args:
        columns: The steps of each column, from above.
        needs: What each step needs; what is in no column is not drawn.
        size: Of a box.
    """
    corners = {
        step: (_MARGIN + x * size.column, _MARGIN + y * size.row)
        for x, column in enumerate(columns)
        for y, step in enumerate(column)
    }
    curves = tuple(
        Curve(need, step, _curve(corners[need], corners[step], size))
        for step, needed in needs.items()
        for need in needed
        if need in corners and step in corners
    )
    width = 2 * _MARGIN + size.column * max(1, len(columns))
    height = 2 * _MARGIN + size.row * max((len(column) for column in columns), default=1)
    return Layout(corners, curves, width, height)


def _curve(need: tuple[int, int], step: tuple[int, int], size: BoxSize) -> str:
    x1, y1 = need[0] + size.width, need[1] + size.height // 2
    x2, y2 = step[0], step[1] + size.height // 2
    middle = (x1 + x2) // 2
    return f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}"
