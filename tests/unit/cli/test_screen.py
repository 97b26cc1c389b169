"""What stands on a terminal after any drawing, as a small model of a terminal sees it."""

import io
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.report.text.styled_rows import StyledRow, beside, row_of, width_of, wrapped
from drrun.term.screen import BottomRows, TerminalScreen

_PIECE = re.compile(r"\x1b\[\??(\d*)(?:;(\d+))?([A-Za-z])|.", re.DOTALL)
HEIGHT = 24


class Terminal(io.StringIO):
    """24 lines of 80 columns, and what scrolled off above them."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: list[str] = []
        self.lines = [""] * HEIGHT
        self.row = self.column = 0
        self.written = 0

    def write(self, text: str) -> int:
        self.written += len(text)
        for found in _PIECE.finditer(text):
            self._obey(found)
        return len(text)

    def _obey(self, found: "re.Match[str]") -> None:
        number = int(found[1] or 1)
        if found[3] is None and found[0] not in "\r\n":
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + found[0] + line[self.column + 1 :]
            self.column += 1
            return
        match found[3] or found[0]:
            case "\r":
                self.column = 0
            case "\n":
                self.column = 0  # as a terminal's driver makes of it
                self._down()
            case "A":
                self.row = max(0, self.row - number)
            case "H":
                self.row, self.column = number - 1, int(found[2] or 1) - 1
            case "K":
                self.lines[self.row] = ""
            case "J":
                first = 0 if number == 2 else self.row + 1
                self.lines[first:] = [""] * (HEIGHT - first)
                if number != 2:
                    self.lines[self.row] = self.lines[self.row][: self.column]
            case "h" | "l" | "m":  # the cursor is hidden, colours
                pass
            case unknown:
                raise AssertionError(unknown)

    def _down(self) -> None:
        if self.row < HEIGHT - 1:
            self.row += 1
        else:
            self.gone.append(self.lines.pop(0))
            self.lines.append("")

    @property
    def all(self) -> list[str]:
        found = [*self.gone, *self.lines]
        while found and not found[-1]:
            found.pop()
        return found


_WORD = st.from_regex(r"[a-z]{1,30}", fullmatch=True)
_ROWS = st.lists(_WORD, max_size=HEIGHT - 1)
_STEPS = st.lists(st.tuples(st.just("draw"), _ROWS) | st.tuples(st.just("say"), _ROWS), max_size=9)


def rows(words: Sequence[str]) -> list[StyledRow]:
    return [row_of(word) for word in words]


@given(_STEPS)
def test_lines_scroll_by_above_the_rows_that_were_drawn_last(
    steps: list[tuple[str, list[str]]],
) -> None:
    terminal = Terminal()
    bottom = BottomRows(terminal, colour=False)
    said: list[str] = []
    drawn: list[str] = []
    for kind, words in steps:
        if kind == "draw":
            drawn = words
            bottom.draw(rows(words))
        else:
            said += words
            bottom.above("".join(f"{word}\n" for word in words))
    assert terminal.all == said + drawn
    bottom.clear()
    assert terminal.all == said


@given(st.lists(_ROWS, max_size=6))
def test_a_whole_screen_shows_what_was_drawn_last(screens: list[list[str]]) -> None:
    terminal = Terminal()
    screen = TerminalScreen(terminal, colour=False)
    for words in screens:
        screen.draw(rows(words))
    assert terminal.all == (screens[-1] if screens else [])


@pytest.mark.parametrize("kind", [BottomRows, TerminalScreen])
def test_what_stands_there_already_is_not_written_again(
    kind: "type[BottomRows | TerminalScreen]",
) -> None:
    terminal = Terminal()
    screen = kind(terminal, colour=True)
    words = [f"row {number} {'-' * 60}" for number in range(20)]
    for _ in range(3):
        screen.draw(rows(words))
    before = terminal.written
    words[7] = "changed"
    screen.draw(rows(words))
    assert terminal.written - before < 100


@given(st.text(alphabet="ab 東", max_size=60), st.integers(2, 20))
def test_a_line_is_wrapped_without_loss(text: str, width: int) -> None:
    pieces = list(wrapped(text, width))
    assert all(width_of(row_of(piece)) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@given(_ROWS, _ROWS)
def test_two_columns_stay_apart(left: list[str], right: list[str]) -> None:
    found = list(beside(rows(left), rows(right), 20))
    assert len(found) == max(len(left), len(right))
    assert all("".join(piece.text for piece in row)[18] == "|" for row in found)
