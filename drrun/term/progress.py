"""The live view: lines of what changed scroll by, the board below them stands still.

Rules:
- At most one drawing a second unless somebody types: a slow link is part of the disaster.
- What does not fit into the window is counted, never wrapped.
- A terminal that goes away does not concern the run.
"""

from collections.abc import Sequence
from typing import TextIO

from drrun.core.state.run_state import RunState
from drrun.report.clean import clean, clean_line
from drrun.report.ink import Style, ansi, no_ink
from drrun.report.text.board import BoardHead, board_rows
from drrun.report.text.line import LogLine, set_line
from drrun.report.text.run import whom_to_call
from drrun.report.text.styled_rows import ScreenSize, StyledRow, StyledText, cut, row_of, wrapped
from drrun.term.answer_prompt import AnswerPrompt
from drrun.term.screen import BottomRows

#: Lines of a question that are shown.
_QUESTION = 6
#: Seconds between two drawings.
_EVERY = 1.0


class LiveView:
    """Draws on a terminal."""

    def __init__(self, run: str, by: str, stream: TextIO, *, colour: bool) -> None:
        """Draw nothing yet.

        Args:
            run: Id of the run.
            by: Who drives it.
            stream: A terminal.
            colour: Whether to use any.
        """
        self._run = run
        self._by = by
        self._bottom = BottomRows(stream, colour=colour)
        self._ink = ansi if colour else no_ink
        self._drawn_at = 0.0
        self._shown: tuple[str, str, str] = ("", "", "")

    def tell(self, lines: Sequence[LogLine]) -> None:
        """Print the lines above the board."""
        if lines:
            self._bottom.above("".join(f"{set_line(line, self._ink)}\n" for line in lines))

    def show(self, state: RunState, now: float, desk: AnswerPrompt | None, notice: str) -> None:
        """Draw the board, if it is time to."""
        here = (desk.prompt, desk.typed, desk.notice + notice) if desk else ("", "", notice)
        if here == self._shown and 0 <= now - self._drawn_at < _EVERY:
            return
        self._shown, self._drawn_at = here, now
        # One line is left free, so that a terminal never scrolls by drawing.
        width, height = self._bottom.size()
        height -= 1
        below = self._below(desk, width) if desk else []
        size = ScreenSize(width, max(4, height - len(below) - 1))
        rule = row_of("-" * width, Style.QUIET)
        head = BoardHead(self._run, notice, self._by)
        rows = [rule, *board_rows(state, head, now, size), *below]
        self._bottom.draw([cut(row, width) for row in rows[:height]])

    def _below(self, desk: AnswerPrompt, width: int) -> list[StyledRow]:
        """The open question; else whom to call about the oldest that others have to answer."""
        if desk.prompt:
            return _prompt_rows(desk, width)
        lines = whom_to_call(desk.others[0], self._run) if desk.others else ()
        return [row_of(clean_line(line), Style.STRONG) for line in lines]

    def close(self) -> None:
        """Take the board away; the lines stay."""
        self._bottom.clear()


def _prompt_rows(desk: AnswerPrompt, width: int) -> list[StyledRow]:
    rows: list[StyledRow] = []
    if desk.ask is not None:
        asked = clean(desk.ask.text).rstrip().splitlines()
        question = [piece for line in asked for piece in wrapped(line, width - 2)]
        rows += [row_of(f"  {line}", Style.STRONG) for line in question[:_QUESTION]]
        if len(question) > _QUESTION:
            rows.append(row_of(f"  … {len(question) - _QUESTION} more lines: drrun show"))
    if desk.others_wait:
        what = "1 more question" if desk.others_wait == 1 else f"{desk.others_wait} more questions"
        rows.append(row_of(f"  {what}: an empty line moves on to the next", Style.QUIET))
    if desk.notice:
        rows.append(row_of(f"  {clean_line(desk.notice)}", Style.DOUBT))
    room = max(4, width - len(desk.prompt) - 3)
    rows.append(
        (StyledText(f"> {desk.prompt}", Style.STRONG), StyledText(f"{desk.typed[-room:]}_"))
    )
    return rows
