"""The live view: lines of what changed scroll by, the board below them stands still.

Rules:
- At most one drawing a second unless somebody types: a slow link is part of the disaster.
- What does not fit into the window is counted, never wrapped.
- A terminal that goes away does not concern the run.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console  # noqa: TID253 - imported only when a screen is drawn on
from rich.live import Live  # noqa: TID253 - same
from rich.text import Text  # noqa: TID253 - same

from drrun.core.state.run_state import RunState
from drrun.report.clean import clean, clean_line, fit
from drrun.report.ink import Style
from drrun.report.text.board import BoardHead, ScreenSize, StyledRow, StyledText, board_rows
from drrun.report.text.line import LogLine, set_line
from drrun.term.answer_prompt import AnswerPrompt

#: Lines of a question that are shown.
_QUESTION = 6
#: Seconds between two drawings.
_EVERY = 1.0

_STYLES = {
    Style.GOOD: "green",
    Style.BAD: "bold red",
    Style.DOUBT: "yellow",
    Style.MOVING: "cyan",
    Style.QUIET: "dim",
    Style.STRONG: "bold",
    Style.PLAIN: "",
}


class LiveView:
    """Draws on a terminal."""

    def __init__(self, run: str, stream: TextIO, *, colour: bool) -> None:
        """Begin to draw.

        Args:
            run: Id of the run.
            stream: A terminal.
            colour: Whether to use any.
        """
        self._run = run
        self._console = Console(file=stream, no_color=not colour, highlight=False, markup=False)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._drawn_at = 0.0
        self._shown: tuple[str, str, str] = ("", "", "")
        self._gone = False
        self._guard(self._live.start)

    def tell(self, lines: Sequence[LogLine]) -> None:
        """Print the lines above the board."""
        if lines and not self._gone:
            text = Text("\n").join(_set(line) for line in lines)
            self._guard(lambda: self._console.print(text, soft_wrap=True))

    def show(self, state: RunState, now: float, desk: AnswerPrompt | None, notice: str) -> None:
        """Draw the board, if it is time to."""
        here = (desk.prompt, desk.typed, desk.notice + notice) if desk else ("", "", notice)
        if self._gone or (here == self._shown and 0 <= now - self._drawn_at < _EVERY):
            return
        self._shown, self._drawn_at = here, now
        # One line is left free, so that the screen never scrolls by drawing.
        width, height = self._console.width, self._console.height - 1
        below = _prompt_rows(desk, width) if desk and desk.prompt else []
        size = ScreenSize(width, max(4, height - len(below) - 1))
        rule: StyledRow = (StyledText("-" * width, Style.QUIET),)
        rows = [rule, *board_rows(state, BoardHead(self._run, notice), now, size), *below]
        drawing = Text("\n").join(row_text(row) for row in rows[:height])
        self._guard(lambda: self._live.update(drawing, refresh=True))

    def close(self) -> None:
        """Take the board away; the lines stay."""
        self._guard(self._live.stop)

    def _guard(self, draw: object) -> None:
        try:
            draw()  # type: ignore[operator] # any callable without arguments
        except OSError:
            self._gone = True


def _prompt_rows(desk: AnswerPrompt, width: int) -> list[StyledRow]:
    rows: list[StyledRow] = []
    if desk.ask is not None:
        question = clean(desk.ask.text).rstrip().splitlines()
        rows += [
            (StyledText(fit(f"  {line}", width), Style.STRONG),) for line in question[:_QUESTION]
        ]
        if len(question) > _QUESTION:
            rows.append((StyledText(f"  … {len(question) - _QUESTION} more lines: drrun show"),))
    if desk.notice:
        rows.append((StyledText(fit(f"  {clean_line(desk.notice)}", width), Style.DOUBT),))
    room = max(4, width - len(desk.prompt) - 3)
    rows.append(
        (StyledText(f"> {desk.prompt}", Style.STRONG), StyledText(f"{desk.typed[-room:]}_"))
    )
    return rows


def _set(line: LogLine) -> Text:
    text = Text(set_line(line))
    with suppress(ValueError):
        text.stylize(_STYLES[line.style], 9, 9 + len(line.word))
    return text


def row_text(row: StyledRow) -> Text:
    """A row as rich draws it."""
    return Text.assemble(*((piece.text, _STYLES[piece.style]) for piece in row), no_wrap=True)
