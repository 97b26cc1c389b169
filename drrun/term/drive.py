"""Drives a run in a thread of its own, while the main thread shows it and handles signals.

Rules:
- Ctrl-C once: nothing new begins, running steps finish. Twice, SIGTERM, SIGHUP: leave at once;
  remote commands go on and are picked up by `resume`. A third Ctrl-C waits for nothing.
- The view folds its own state from the entries that are durable; it never touches the engine's.
"""

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import field
from typing import assert_never

from drrun.core.dataclass import dataclass
from drrun.core.model.ids import StepId
from drrun.core.state.run_state import RunState
from drrun.engine.controller import RunEnding
from drrun.engine.session import Session
from drrun.report.facts import Fact
from drrun.report.run_view import asks_of
from drrun.report.text.lines import take_in
from drrun.term.answer_prompt import AnswerPrompt
from drrun.term.failure_dialogue import to_put_right
from drrun.term.feed import (
    AT_ONCE,
    POLITE,
    AnswerResult,
    DriverGone,
    EditWanted,
    Feed,
    Item,
    Quit,
    Signalled,
    Typed,
)
from drrun.term.keys import Keyboard
from drrun.term.views import View

#: Seconds between two drawings if nothing happens.
_EVERY = 1.0
#: Seconds for which a thread may compute before another one has its turn.
_TURN = 0.0005
#: Seconds that a controller gets for leaving at once.
_PATIENCE = 5.0

#: Signal -> why the driver leaves at once, for the record.
_WHY_DETACHED: dict[int, str] = {
    POLITE: "Ctrl-C twice",
    signal.SIGTERM: "its process was told to end (SIGTERM)",
    signal.SIGHUP: "its terminal was closed",
}
_STOPPING = "leaving when the running steps have finished; Ctrl-C again: leave at once"

_DETACHING = "leaving at once; remote commands continue"


@dataclass(slots=True)
class DriveEnding:
    """How the driving ended."""

    #: None: the controller did not come to an end.
    standing: RunEnding | None = None
    error: BaseException | None = None
    #: Ctrl-C was pressed.
    ctrl_c: bool = False
    #: The state as far as it is durable.
    state: RunState | None = None
    last: Fact | None = None


@dataclass(slots=True)
class Stage:
    """A run on show."""

    session: Session
    view: View
    #: The state as far as it is durable; the view's own.
    state: RunState
    now: Callable[[], float]
    feed: Feed
    desk: AnswerPrompt | None = None
    keyboard: Keyboard | None = None
    #: Corrects a step in the person's editor; tells what became of it.
    editor: Callable[[StepId], str] | None = None
    _left: DriveEnding = field(default_factory=DriveEnding)
    _notice: str = ""
    _interrupts: int = 0
    _deadline: float | None = None
    _over: bool = False

    def play(self) -> DriveEnding:
        """Drive the run to its end, or until somebody wants to leave. In the main thread."""
        # News passes through four threads; by default each may keep the others waiting for 5 ms.
        sys.setswitchinterval(_TURN)
        thread = threading.Thread(target=self._drive, name="controller", daemon=True)
        with ExitStack() as stack:
            stack.callback(self.view.close)
            stack.enter_context(self.feed.signals())
            if self.keyboard is not None:
                stack.enter_context(self.keyboard.reading())
            thread.start()
            while not self._over:
                for item in self.feed.take(_EVERY):
                    self._handle(item)
                self._show()
                if self._deadline is not None and self.now() >= self._deadline:
                    break
        self._left.state = self.state
        return self._left

    def _drive(self) -> None:
        try:
            self.feed.put(DriverGone(self.session.drive()))
        except BaseException as error:  # noqa: BLE001 - handed over to the main thread
            self.feed.put(DriverGone(None, error))

    def _handle(self, item: Item) -> None:
        match item:
            case Fact():
                self._left.last = item
                self.view.tell(take_in(self.state, item))
            case Signalled(number):
                self._signalled(number)
            case Typed(keys):
                if self.desk is not None:
                    self.desk.take(keys)
            case AnswerResult(answer):
                if self.desk is not None:
                    self.desk.answered(answer)
            case Quit():
                self._notice = _STOPPING
                self.session.stop()
            case EditWanted(step):
                self._edit(step)
            case DriverGone(standing, error):
                self._left.standing, self._left.error = standing, error
                self._over = True
            case _:
                assert_never(item)

    def _edit(self, step: StepId) -> None:
        """Give the terminal to the person's editor; the run goes on meanwhile."""
        if self.editor is None or self.keyboard is None or self.desk is None:
            return
        self.view.close()
        # Ctrl-C belongs to the editor and its questions; it must not stop the run.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with self.keyboard.lent():
                self.desk.notice = self.editor(step)
        finally:
            signal.signal(signal.SIGINT, before)

    def _signalled(self, number: int) -> None:
        if number == POLITE:
            self._left.ctrl_c = True
            self._interrupts += 1
        if number == POLITE and self._interrupts == 1:
            self._notice = _STOPPING
            self.session.stop()
        elif number == POLITE and self._interrupts > 2:
            self._deadline = self.now()
        elif number == POLITE or number in AT_ONCE:
            self._notice = _DETACHING
            self._deadline = self.now() + _PATIENCE
            self.session.detach(_WHY_DETACHED[number])
        elif self.keyboard is not None:  # SIGCONT: the shell had the terminal in between
            self.keyboard.take_over()

    def _show(self) -> None:
        if self.desk is not None:
            self.desk.see([*asks_of(self.state), *to_put_right(self.state, self.now())])
        self.view.show(self.state, self.now(), self.desk, self._notice)
