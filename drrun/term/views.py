"""What a view of a run must be able to do, and the plainest one: a line for each change."""

from collections.abc import Callable, Sequence
from typing import Protocol

from drrun.core.state import RunState
from drrun.report.ink import Ink, Style, no_ink
from drrun.report.text.line import Line, set_line
from drrun.term.desk import Desk

#: Prints text; never raises for a terminal that is gone.
Say = Callable[[str], None]


class View(Protocol):
    """Shows a run while it goes."""

    def tell(self, lines: Sequence[Line]) -> None:
        """Say what changed."""
        ...

    def show(self, state: RunState, now: float, desk: Desk | None, notice: str) -> None:
        """Show how it stands; called about once a second, and after every key."""
        ...

    def close(self) -> None:
        """Leave the screen as it should be read afterwards."""
        ...


class PlainView:
    """One line for each change; for pipes, logs, slow links and dumb terminals."""

    def __init__(self, say: Say, ink: Ink = no_ink) -> None:
        self._say = say
        self._ink = ink
        self._prompted = ""
        self._noticed = ""

    def tell(self, lines: Sequence[Line]) -> None:
        """Print the lines."""
        for line in lines:
            self._say(f"{set_line(line, self._ink)}\n")

    def show(self, state: RunState, now: float, desk: Desk | None, notice: str) -> None:
        """Print notices and prompts that have not been printed yet."""
        del state, now
        if notice != self._noticed:
            self._noticed = notice
            if notice:
                self._say(f"drrun: {self._ink(notice, Style.DOUBT)}\n")
        if desk is None:
            return
        if desk.notice:
            self._say(f"drrun: {desk.notice}\n")
            desk.notice = ""
            self._prompted = ""
        if desk.prompt != self._prompted:
            self._prompted = desk.prompt
            if desk.prompt and desk.prompt != "sending…":
                self._say(desk.prompt if desk.prompt.endswith("\n") else f"{desk.prompt}\n")

    def close(self) -> None:
        """Nothing to leave."""
