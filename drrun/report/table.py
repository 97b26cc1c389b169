"""Tables in columns, narrow enough for a terminal of 80 columns.

Rules:
- Cells are cleaned here, so no caller can forget it.
- Without a width nothing is cut: what goes into a pipe is complete.
"""

from collections.abc import Sequence

from drrun.core.dataclass import dataclass
from drrun.report.clean import clean_line, columns, fit
from drrun.report.ink import Ink, Style, no_ink

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is set."""

    title: str = ""
    right: bool = False
    #: May be cut down to so many columns; 0: never, it is something that people type.
    least: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a style."""

    text: str
    style: Style = Style.PLAIN


def table(
    shape: Sequence[Column],
    rows: Sequence[Sequence[str | Cell]],
    width: int | None = None,
    ink: Ink = no_ink,
) -> list[str]:
    """Lines of a table; the titles come first if there are any.

    Args:
        shape: The columns.
        rows: A cell for each column.
        width: Columns of the terminal; None: as wide as need be.
        ink: Colours.
    """
    cells = [[_cell(each) for each in row] for row in rows]
    if any(column.title for column in shape):
        cells.insert(0, [Cell(column.title, Style.QUIET) for column in shape])
    widths = _widths(shape, cells, width)
    return [_line(shape, row, widths, ink) for row in cells]


def _cell(written: str | Cell) -> Cell:
    cell = written if isinstance(written, Cell) else Cell(written)
    text = clean_line(cell.text)
    return cell if text is cell.text else Cell(text, cell.style)


def _widths(
    shape: Sequence[Column], cells: Sequence[Sequence[Cell]], width: int | None
) -> list[int]:
    widths = [
        max((columns(row[index].text) for row in cells), default=0) for index in range(len(shape))
    ]
    if width is None:
        return widths
    excess = sum(widths) + len(_GAP) * (len(shape) - 1) - width
    while excess > 0:
        cut = max(
            (index for index, column in enumerate(shape) if 0 < column.least < widths[index]),
            key=lambda index: widths[index] - shape[index].least,
            default=None,
        )
        if cut is None:
            break
        spare = min(excess, widths[cut] - shape[cut].least)
        widths[cut] -= spare
        excess -= spare
    return widths


def _line(shape: Sequence[Column], row: Sequence[Cell], widths: Sequence[int], ink: Ink) -> str:
    parts = []
    for column, cell, width in zip(shape, row, widths, strict=True):
        text = cell.text
        taken = columns(text)
        if taken > width:
            text = fit(text, width)
            taken = columns(text)
        padding = " " * (width - taken)
        inked = ink(text, cell.style)
        parts.append(padding + inked if column.right else inked + padding)
    return _GAP.join(parts).rstrip()
