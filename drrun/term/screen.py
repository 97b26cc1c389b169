"""Drawing on a terminal: a whole screen, or rows that stand still below lines that scroll by.

Rules:
- Rows come from pure views. Only those that differ from what is there are written: a slow link is
  part of the disaster.
- The whole screen is the terminal's other one, so that what was there before is there afterwards.
- A terminal that goes away is no fault.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from drrun.report.ink import ansi, no_ink
from drrun.report.text.styled_rows import ScreenSize, StyledRow, painted, width_of

#: How often everything is drawn after a change of size: the terminal itself may still be moving
#: what it shows.
_WHOLE_AFTER_RESIZE = 2
_BEGIN, _END = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[2K", "\x1b[J"


def _size_of(stream: TextIO) -> ScreenSize:
    """As it is now; a terminal may be resized at any time."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = 80, 24
    return ScreenSize(max(20, columns), max(6, lines))


def _write(stream: TextIO, text: str) -> None:
    with suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()


class TerminalScreen:
    """A whole terminal. A `Screen`."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream = stream
        self._ink = ansi if colour else no_ink
        self._lines: list[str] = []
        self._size = ScreenSize(0, 0)
        self._whole = 0
        _write(stream, _BEGIN)

    def size(self) -> ScreenSize:
        """Room that there is now."""
        return _size_of(self._stream)

    def draw(self, rows: Sequence[StyledRow]) -> None:
        """Write the lines that differ from what is there."""
        size = self.size()
        if size != self._size:
            self._size, self._whole = size, _WHOLE_AFTER_RESIZE
        if self._whole:
            self._whole -= 1
            self._lines = []
            _write(self._stream, "\x1b[2J")
        lines = [painted(row, self._ink) for row in rows]
        lines += [""] * max(0, len(self._lines) - len(lines))
        changed = [
            f"\x1b[{number + 1};1H{_ERASE_LINE}{line}"
            for number, line in enumerate(lines[: size.height])
            if number >= len(self._lines) or self._lines[number] != line
        ]
        self._lines = lines
        if changed:
            _write(self._stream, "".join(changed))

    def close(self) -> None:
        """Give the terminal back as it was."""
        _write(self._stream, _END)


class BottomRows:
    """Rows at the bottom of a terminal that goes on scrolling; the cursor rests in the last."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream = stream
        self._ink = ansi if colour else no_ink
        self._rows: list[StyledRow] = []
        self._width = 0

    def size(self) -> ScreenSize:
        """Room that there is now."""
        return _size_of(self._stream)

    def draw(self, rows: Sequence[StyledRow]) -> None:
        """Write the rows that differ from what is there."""
        kept, self._rows = self._rows, list(rows)
        width, self._width = self._width, self.size().width
        pieces = [_HIDE_CURSOR, self._home(kept)]
        if width != self._width:  # what stands there was wrapped, or is too short
            kept = []
            pieces.append(_ERASE_BELOW)
        for number, row in enumerate(rows):
            pieces.append("\n" if number else "")
            if number >= len(kept) or kept[number] != row:
                pieces.append(f"\r{_ERASE_LINE}{painted(row, self._ink)}")
        if len(kept) > len(rows):
            pieces.append(f"\n\r{_ERASE_BELOW}\x1b[A" if rows else _ERASE_BELOW)
        _write(self._stream, "".join(pieces))

    def above(self, text: str) -> None:
        """Print whole lines above the rows."""
        kept, self._rows = self._rows, []
        _write(self._stream, f"{self._home(kept)}{_ERASE_BELOW}{text}")
        self.draw(kept)

    def clear(self) -> None:
        """Take the rows away; what scrolled by stays."""
        kept, self._rows = self._rows, []
        _write(self._stream, f"{self._home(kept)}{_ERASE_BELOW}{_SHOW_CURSOR}")

    def _home(self, rows: Sequence[StyledRow]) -> str:
        """The way to the first row; a terminal that became narrower has wrapped them."""
        width = self.size().width
        lines = sum(max(1, -(-width_of(row) // width)) for row in rows)
        return "\r" + (f"\x1b[{lines - 1}A" if lines > 1 else "")
