"""`watch`: a screen on a run from any terminal, with keys that act on it.

Rules:
- It reads the journal and posts requests, as every other terminal does. It holds nothing of the
  run: killing it harms nothing.
- What is drawn is compared with what is there: only lines that changed cross a slow link.
"""

import re
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import field
from typing import Any, Protocol, assert_never

from drrun.core.dataclass import dataclass
from drrun.core.model.errors import DrrunError
from drrun.core.model.ids import StepId
from drrun.core.state.run_state import RunState
from drrun.ports.journal import RequestAnswer
from drrun.report.facts import Fact
from drrun.report.run_view import WaitingGate, asks_of
from drrun.report.text.styled_rows import ScreenSize, StyledRow
from drrun.report.text.watches import Look, watch_rows
from drrun.term.feed import AnswerResult, DriverGone, Feed, Item, Signalled, Typed
from drrun.term.forms import ACTS, Form, form
from drrun.term.keys import Keyboard, LineEditor

#: Seconds between two looks at the journal, and between two drawings without news.
LOOK_EVERY, DRAW_EVERY = 0.25, 1.0
_UP, _DOWN = ("k", "\x1b[A", "\x1bOA"), ("j", "\x1b[B", "\x1bOB")
_ESC = "\x1b"
#: One key as a terminal sends it.
_KEY = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|.", re.DOTALL)


class Source(Protocol):
    """Where a run is read, and asked."""

    def news(self) -> Sequence[Fact]:
        """Entries since the last call."""
        ...

    def tail(self, step: StepId, lines: int) -> Sequence[str]:
        """The end of a step's output."""
        ...

    def post(self, kind: str, body: dict[str, Any]) -> RequestAnswer:
        """Ask something of the run."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class Screen(Protocol):
    """Where it is drawn."""

    def size(self) -> ScreenSize:
        """Room that there is now."""
        ...

    def draw(self, rows: Sequence[StyledRow]) -> None:
        """Show the rows."""
        ...

    def close(self) -> None:
        """Give the terminal back."""
        ...


@dataclass(slots=True)
class Watch:
    """The person's side: what is selected, what is being typed."""

    run: str
    state: RunState
    source: Source
    screen: Screen
    feed: Feed
    selected: StepId
    #: Leave once the run has ended.
    leaves: bool = False
    notice: str = ""
    help: bool = False
    form: Form | None = None
    _editor: LineEditor = field(default_factory=LineEditor)
    _over: bool = False
    _drawn_at: float = 0.0
    _tail: Sequence[str] = ()

    def play(self, keyboard: Keyboard) -> None:
        """Show the run until the person leaves."""
        with ExitStack() as stack:
            stack.callback(self.screen.close)
            stack.enter_context(self.feed.signals())
            stack.enter_context(keyboard.reading())
            self._show(news=True)
            while not self._over:
                items = self.feed.take(LOOK_EVERY)
                for item in items:
                    self._handle(item, keyboard)
                news = self._read()
                self._show(news=bool(items) or news)
                if self.leaves and self.state.ended is not None:
                    break

    def _handle(self, item: Item, keyboard: Keyboard) -> None:
        match item:
            case Signalled(number) if number in (2, 15, 1):
                self._over = True
            case Signalled():
                keyboard.take_over()
            case Typed(keys):
                self._typed(keys.decode("utf-8", "replace"))
            case AnswerResult(answer):
                self.notice = answer.message if answer.accepted else f"refused: {answer.message}"
            case Fact() | DriverGone():
                raise AssertionError("nobody drives the run from here")
            case _:
                assert_never(item)

    def _typed(self, keys: str) -> None:
        if not keys:
            self._over = True  # the keyboard is gone
        for key in _KEY.findall(keys):
            if self.form is not None:
                self._fill_in(self.form, key)
            elif key in _UP + _DOWN:
                self._move(-1 if key in _UP else 1)
            else:
                self._key(key)

    def _fill_in(self, filled: Form, key: str) -> None:
        if key == _ESC:
            self.form, self.notice, self._editor = None, "taken back", LineEditor()
            return
        for line in self._editor.feed(key.encode()):
            self.notice = filled.take(line)
            if not filled.missing:
                self.form = None
                self._post(filled)

    def _key(self, key: str) -> None:
        self.notice, shown = "", self.help
        self.help = key == "?" and not shown
        if key == "q":
            self._over = True
        elif key in "gG":
            self.selected = self.state.plan.order[0 if key == "g" else -1]
        elif key in "jk":
            self._move(1 if key == "j" else -1)
        elif key == "p":
            kind = "unpause" if self.state.paused else "pause"
            self._post(Form(kind, "", {}))
        elif key in ACTS:
            self._begin(ACTS[key])

    def _begin(self, kind: str) -> None:
        found = form(kind, self.selected, self._ask())
        if isinstance(found, str):
            self.notice = found
        elif found.missing:
            self.form = found
        else:
            self._post(found)

    def _ask(self) -> WaitingGate | None:
        return next((ask for ask in asks_of(self.state) if ask.step == self.selected), None)

    def _move(self, by: int) -> None:
        order = self.state.plan.order
        at = order.index(self.selected) if self.selected in order else 0
        self.selected = order[max(0, min(len(order) - 1, at + by))]

    def _post(self, filled: Form) -> None:
        """Ask in a thread of its own: a controller may take a while to answer."""
        self.notice = f"{filled.kind}…"

        def send() -> None:
            try:
                answer = self.source.post(filled.kind, filled.body)
            except DrrunError as error:
                answer = RequestAnswer(accepted=False, message=str(error))
            self.feed.put(AnswerResult(answer))

        threading.Thread(target=send, daemon=True).start()

    def _read(self) -> bool:
        news = self.source.news()
        for fact in news:
            self.state.apply(fact.event, fact.at)
        if self.selected not in self.state.plan.order:
            self.selected = self.state.plan.order[0]
        return bool(news)

    def _show(self, *, news: bool) -> None:
        now = self.source.now()
        if not news and 0 <= now - self._drawn_at < DRAW_EVERY:
            return
        self._drawn_at = now
        size = self.screen.size()
        look = Look(
            selected=self.selected,
            tail=self.source.tail(self.selected, size.height),
            prompt=self.form.prompt if self.form else "",
            typed=self._editor.text,
            notice=self.notice or self._ending(),
            help=self.help,
        )
        self.screen.draw(watch_rows(self.state, self.run, look, now, size))

    def _ending(self) -> str:
        return f"the run has ended: {self.state.ended}; q leaves" if self.state.ended else ""
