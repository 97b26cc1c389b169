"""The interface of all views of a run, and the plainest view: a line for each change."""

from collections.abc import Callable, Sequence
from typing import Protocol

from drrun.core.state.run_state import RunState
from drrun.report.clean import clean_line
from drrun.report.ink import Ink, Style, no_ink
from drrun.report.run_view import connecting_to
from drrun.report.text.line import LogLine, set_line
from drrun.report.text.run import whom_to_call
from drrun.term.answer_prompt import AnswerPrompt

#: Seconds between two messages about the same slow host.
_AGAIN = 30.0

#: Prints text; never raises for a terminal that is gone.
Say = Callable[[str], None]


class View(Protocol):
    """Shows a run while it goes."""

    def tell(self, lines: Sequence[LogLine]) -> None:
        """Say what changed."""
        ...

    def show(self, state: RunState, now: float, desk: AnswerPrompt | None, notice: str) -> None:
        """Show the current state; called about once a second, and after every key."""
        ...

    def close(self) -> None:
        """Leave the screen as it should be read afterwards."""
        ...


class PlainView:
    """One line for each change; for pipes, logs, slow links and dumb terminals."""

    def __init__(self, run: str, say: Say, ink: Ink = no_ink) -> None:
        self._run = run
        self._say = say
        #: Questions of which it was said whom to call.
        self._called: set[tuple[str, float]] = set()
        self._ink = ink
        self._prompted = ""
        self._noticed = ""
        #: Host -> time of the next message that it is slow.
        self._waited: dict[str, float] = {}
        #: Time of the next look for slow hosts.
        self._next_wait = 0.0

    def tell(self, lines: Sequence[LogLine]) -> None:
        """Print the lines."""
        for line in lines:
            self._say(f"{set_line(line, self._ink)}\n")

    def show(self, state: RunState, now: float, desk: AnswerPrompt | None, notice: str) -> None:
        """Print new notices and prompts, and the hosts that the run waits for."""
        self._wait_for(state, now)
        if notice != self._noticed:
            self._noticed = notice
            if notice:
                self._say(f"drrun: {self._ink(notice, Style.DOUBT)}\n")
        if desk is None:
            return
        self._call_others(desk)
        if desk.notice:
            self._say(f"drrun: {desk.notice}\n")
            desk.notice = ""
            self._prompted = ""
        if desk.prompt != self._prompted:
            self._prompted = desk.prompt
            if desk.prompt and desk.prompt != "sending…":
                self._say(desk.prompt if desk.prompt.endswith("\n") else f"{desk.prompt}\n")

    def _call_others(self, desk: AnswerPrompt) -> None:
        """Say once of each question that others have to answer whom to call."""
        now = {(ask.key, ask.since): ask for ask in desk.others}
        for name, ask in now.items():
            if name not in self._called:
                lines = whom_to_call(ask, self._run)
                self._say("".join(f"drrun: {clean_line(line)}\n" for line in lines))
        self._called = set(now)

    def _wait_for(self, state: RunState, now: float) -> None:
        """Name each slow host, and again every `_AGAIN` seconds while it is slow."""
        if now < self._next_wait:
            return
        self._next_wait = now + 1.0
        waited = {each.split(",")[0]: each for each in connecting_to(state, now)}
        for host, words in waited.items():
            if now >= self._waited.get(host, 0.0):
                self._waited[host] = now + _AGAIN
                self._say(f"drrun: {words}\n")
        self._waited = {host: at for host, at in self._waited.items() if host in waited}

    def close(self) -> None:
        """Do nothing: the screen is as it should be."""
