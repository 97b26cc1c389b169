"""Rows of a screen: pieces of text in styles, cut, wrapped and put side by side. Pure.

Rules:
- The text of a row is clean; whoever makes a row of text from elsewhere cleans it.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile, zip_longest
from typing import NamedTuple

from drrun.report.clean import columns, fit
from drrun.report.ink import Ink, Style

#: Columns from which on there is room for two halves.
_WIDE = 120


class StyledText(NamedTuple):
    """A part of a line in one style; its text is clean."""

    text: str
    style: Style = Style.PLAIN


StyledRow = tuple[StyledText, ...]


class ScreenSize(NamedTuple):
    """Room on the screen."""

    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether there is room for two halves."""
        return self.width >= _WIDE


def row_of(text: str, style: Style = Style.PLAIN) -> StyledRow:
    """A row in one style."""
    return (StyledText(text, style),)


def painted(row: StyledRow, ink: Ink) -> str:
    """A row as a terminal takes it."""
    return "".join(ink(piece.text, piece.style) for piece in row)


def width_of(row: StyledRow) -> int:
    """Columns that a row takes."""
    return sum(columns(piece.text) for piece in row)


def cut(row: StyledRow, width: int) -> StyledRow:
    """A row that is no wider than the screen."""
    shortened, left = [], width
    for piece in row:
        if left <= 0:
            break
        text = fit(piece.text, left)
        shortened.append(StyledText(text, piece.style))
        left -= columns(text)
    return tuple(shortened)


def wrapped(text: str, width: int) -> Iterator[str]:
    """A line in pieces that are no wider than `width`, broken at a space where there is one."""
    while columns(text) > width:
        fitting = sum(1 for _ in takewhile(width.__ge__, accumulate(map(columns, text))))
        at = text.rfind(" ", 0, fitting + 1)
        end = at if at > width // 2 else max(1, fitting)
        yield text[:end]
        text = text[end:].lstrip(" ")
    yield text


def beside(left: Sequence[StyledRow], right: Sequence[StyledRow], at: int) -> Iterator[StyledRow]:
    """Rows in two columns; the right one begins at column `at`."""
    bar = StyledText("| ", Style.QUIET)
    for one, other in zip_longest(left, right, fillvalue=()):
        shortened = cut(one, at - 3)
        gap = StyledText(" " * (at - 2 - width_of(shortened)))
        yield (*shortened, gap, bar, *other)
