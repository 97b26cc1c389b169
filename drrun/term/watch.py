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
from drrun.report.text.attention import asks_me, attention_steps
from drrun.report.text.styled_rows import ScreenSize, StyledRow
from drrun.report.text.watches import Look, furthest, listed, watch_rows
from drrun.term.feed import (
    AnswerResult,
    DriverGone,
    EditWanted,
    Feed,
    Item,
    Quit,
    Signalled,
    Typed,
)
from drrun.term.forms import ACTS, Form, form, keys_now
from drrun.term.keys import Keyboard, LineEditor

#: Seconds between two looks at the journal, and between two drawings without news.
LOOK_EVERY, DRAW_EVERY = 0.25, 1.0
#: Seconds for which an answer that was taken is shown in any case.
_BRIEFLY = 5.0
_UP, _DOWN = ("k", "\x1b[A", "\x1bOA"), ("j", "\x1b[B", "\x1bOB")
_ESC, _ENTER = "\x1b", ("\r", "\n")
#: One key as a terminal sends it.
_KEY = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|.", re.DOTALL)


class Source(Protocol):
    """Where a run is read, and asked."""

    def news(self) -> Sequence[Fact]:
        """Entries since the last call."""
        ...

    def driven(self) -> bool:
        """Whether a controller drives the run now."""
        ...

    def kept(self) -> int:
        """How many requests wait for a controller."""
        ...

    def tail(self, step: StepId, lines: int) -> Sequence[str]:
        """The end of a step's output."""
        ...

    def page(self, step: StepId) -> Sequence[str]:
        """Everything about a step, in lines of any length."""
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


@dataclass(frozen=True, slots=True)
class _Notice:
    """What became of a key, and of what it was said."""

    text: str
    at: float = 0.0
    #: How that stood then: an answer to what is gone by now is not shown.
    situation: object = None
    #: Shown for a moment in any case: that an answer was taken changes what it answered.
    brief: bool = False


@dataclass(slots=True)
class Watch:
    """The person's side: what is selected, what is being typed."""

    run: str
    by: str
    state: RunState
    source: Source
    screen: Screen
    feed: Feed
    selected: StepId
    #: Leave once the run has ended.
    leaves: bool = False
    help: bool = False
    form: Form | None = None
    #: Everything about the selected step is on the screen, from a line on.
    opened: bool = False
    scroll: int = 0
    #: Only steps with these words are listed.
    find: str = ""
    _finding: bool = False
    _notice: _Notice = _Notice("")
    #: The step that the last request was about.
    _asked_about: StepId = StepId("")
    _driven: bool = True
    _kept: int = 0
    _page: Sequence[str] = ()
    _editor: LineEditor = field(default_factory=LineEditor)
    _over: bool = False
    _drawn_at: float = 0.0

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
                self._answered(answer)
            case Fact() | DriverGone() | Quit() | EditWanted():
                raise AssertionError("nobody drives the run from here")
            case _:
                assert_never(item)

    def _answered(self, answer: RequestAnswer) -> None:
        text = answer.message if answer.accepted else f"refused: {answer.message}"
        self._notice = _Notice(
            text, self.source.now(), self._situation(self._asked_about), answer.accepted
        )

    def _situation(self, step: StepId) -> object:
        """What an answer about a step is about: the answer is stale once this changes."""
        keys = self.state.keys(step) if step in self.state.plan.steps else ()
        targets = [self.state.targets[key] for key in keys]
        gates = tuple(each.gate.opened_at if each.gate else None for each in targets)
        statuses = tuple(each.status for each in targets)
        return statuses, gates, self.state.paused, self.state.ended, self._driven

    def _said(self) -> str:
        """What is to be shown of the last answer."""
        notice, now = self._notice, self.source.now()
        fresh = notice.brief and now - notice.at < _BRIEFLY
        if fresh or notice.situation in (None, self._situation(self._asked_about)):
            return notice.text
        return ""

    def _typed(self, keys: str) -> None:
        if not keys:
            self._over = True  # the keyboard is gone
        for key in _KEY.findall(keys):
            if self.form is not None:
                self._fill_in(self.form, key)
            elif self._finding:
                self._find(key)
            elif self.opened:
                self._read_on(key)
            else:
                self._key(key)

    def _fill_in(self, filled: Form, key: str) -> None:
        if key == _ESC:
            self.form, self._editor = None, LineEditor()
            self._say("taken back")
            return
        for line in self._editor.feed(key.encode()):
            self._say(filled.take(line))
            if not filled.missing:
                self.form = None
                self._post(filled)

    def _find(self, key: str) -> None:
        entered = self._editor.feed(key.encode()) if key != _ESC else [""]
        self.find = entered[0].strip() if entered else self._editor.text.strip()
        if entered:
            self._finding, self._editor = False, LineEditor()
        found = listed(self.state, self.find)
        if found and self.selected not in found:
            self.selected = found[0]

    def _read_on(self, key: str) -> None:
        """A key while everything about a step is on the screen."""
        size = self.screen.size()
        last, whole = furthest(self._page, size), max(1, size.height - 3)
        moves = {
            **dict.fromkeys(_UP, self.scroll - 1),
            **dict.fromkeys(_DOWN, self.scroll + 1),
            **dict.fromkeys((" ", "f", "\x1b[6~"), self.scroll + whole),
            **dict.fromkeys(("b", "\x1b[5~"), self.scroll - whole),
            "g": 0,
            "G": last,
        }
        if key in (_ESC, "q", *_ENTER):
            self.opened = False
        elif key in moves:
            self.scroll = max(0, min(last, moves[key]))
        elif key in ACTS:
            self._say("")
            self._begin(ACTS[key])

    def _key(self, key: str) -> None:
        self._say("")
        self.help = key == "?" and not self.help
        if key in _UP or key in _DOWN:
            self._move(-1 if key in _UP else 1)
        elif key in ("n", "N"):
            self._move_to_attention(1 if key == "n" else -1)
        elif key in ("g", "G"):
            order = listed(self.state, self.find)
            self.selected = order[0 if key == "g" else -1] if order else self.selected
        elif key in _ENTER:
            self.opened, self.scroll, self._page = True, 0, ()
        elif key == "/":
            self._finding = True
        elif key == _ESC:
            self.find = ""
        elif key == "q":
            self._over = True
        elif key == "p":
            self._post(Form("unpause" if self.state.paused else "pause", "", {}))
        elif key in ACTS:
            self._begin(ACTS[key])

    def _say(self, text: str) -> None:
        self._notice = _Notice(text)

    def _begin(self, kind: str) -> None:
        found = form(kind, self.selected, self._ask())
        if isinstance(found, str):
            self._say(found)
        elif found.missing:
            self.form = found
        else:
            self._post(found)

    def _ask(self) -> WaitingGate | None:
        return next((ask for ask in asks_of(self.state) if ask.step == self.selected), None)

    def _move(self, by: int) -> None:
        order = listed(self.state, self.find)
        if order:
            at = order.index(self.selected) if self.selected in order else 0
            self.selected = order[max(0, min(len(order) - 1, at + by))]

    def _move_to_attention(self, by: int) -> None:
        wanted = attention_steps(self.state)
        if not wanted:
            self._say("no step needs a person now")
        elif self.selected in wanted:
            self.selected = wanted[(wanted.index(self.selected) + by) % len(wanted)]
        else:
            self.selected = wanted[0 if by > 0 else -1]

    def _post(self, filled: Form) -> None:
        """Ask in a thread of its own: a controller may take a while to answer."""
        self._say(f"{filled.kind}…")
        self._asked_about = StepId(filled.step)

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
        self._driven = self.source.driven()
        self._kept = 0 if self._driven else self.source.kept()
        size = self.screen.size()
        wide = size.is_wide
        self._page = self.source.page(self.selected) if self.opened or wide else ()
        self.screen.draw(watch_rows(self.state, self.run, self._look(size), now, size))

    def _look(self, size: ScreenSize) -> Look:
        prompt = self.form.prompt if self.form else ("find: " if self._finding else "")
        return Look(
            selected=self.selected,
            by=self.by,
            driven=self._driven,
            kept=self._kept,
            tail=() if self._page else self.source.tail(self.selected, size.height),
            page=self._page,
            opened=self.opened,
            scroll=self.scroll,
            find=self.find,
            prompt=prompt,
            typed=self._editor.text,
            notice=self._said() or self._ending(),
            keys=self._keys(),
            help=self.help,
        )

    def _keys(self) -> list[str]:
        """Keys that do something now."""
        ask = self._ask()
        mine = ask if ask is not None and asks_me(ask, self.by) else None
        keys = keys_now(self.state.step(self.selected), mine)
        if self.opened:
            return ["Esc back", "j k scroll", *keys]
        if attention_steps(self.state):
            keys.append("n next")
        keys += ["Enter open", "/ find"]
        if self.find:
            keys.append("Esc all")
        if self.state.ended is None and self._driven:
            keys.append("p go on" if self.state.paused else "p pause")
        return keys

    def _ending(self) -> str:
        ended = self.state.ended
        if ended is None:
            return ""
        again = f"; continue: drrun resume {self.run}" if attention_steps(self.state) else ""
        return f"the run has ended: {ended}{again}; q leaves"
