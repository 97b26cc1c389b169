"""A whole terminal to draw on; only lines that differ are written.

Rules:
- The other screen of the terminal is used, so that what was there before is there afterwards.
- A terminal that goes away is no fault.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from typing import TextIO

from rich.console import Console  # noqa: TID253 - imported only when a screen is drawn on

from drrun.report.text.board import ScreenSize, StyledRow
from drrun.term.progress import row_text

#: How often everything is drawn after a change of size: the terminal itself may still be moving
#: what it shows.
_WHOLE_AFTER_RESIZE = 2
_BEGIN, _END = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"


class TerminalScreen:
    """One terminal. A `Screen`."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        self._stream = stream
        self._colour = colour
        self._lines: list[str] = []
        self._size = ScreenSize(0, 0)
        self._whole = 0
        self._write(_BEGIN)

    def size(self) -> ScreenSize:
        """As it is now; a terminal may be resized at any time."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except OSError:
            columns, lines = 80, 24
        return ScreenSize(max(20, columns), max(6, lines))

    def draw(self, rows: Sequence[StyledRow]) -> None:
        """Write the lines that differ from what is there."""
        size = self.size()
        if size != self._size:
            self._size, self._whole = size, _WHOLE_AFTER_RESIZE
        if self._whole:
            self._whole -= 1
            self._lines = []
            self._write("\x1b[2J")
        lines = [self._set(row, size.width) for row in rows]
        lines += [""] * max(0, len(self._lines) - len(lines))
        changed = [
            f"\x1b[{number + 1};1H\x1b[2K{line}"
            for number, line in enumerate(lines[: size.height])
            if number >= len(self._lines) or self._lines[number] != line
        ]
        self._lines = lines
        if changed:
            self._write("".join(changed))

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._write(_END)

    def _set(self, row: StyledRow, width: int) -> str:
        into = StringIO()
        console = Console(
            file=into,
            width=width,
            force_terminal=True,
            no_color=not self._colour,
            color_system="standard" if self._colour else None,
            highlight=False,
            markup=False,
        )
        console.print(row_text(row), end="", no_wrap=True, overflow="crop", crop=True)
        return into.getvalue().replace("\n", "")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
