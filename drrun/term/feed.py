"""Everything that the main thread waits for, in one queue: entries, signals, keys, answers.

Rules:
- Putting never blocks: the controller is never slowed by a terminal.
- Signal handlers only put; what they mean is decided by the main thread.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from drrun.core.dataclass import dataclass
from drrun.core.events import Event
from drrun.core.model.ids import StepId
from drrun.engine.controller import RunEnding
from drrun.ports.journal import Entry, RequestAnswer
from drrun.report.facts import Fact


@dataclass(frozen=True, slots=True)
class Signalled:
    """The process was told something by the system."""

    number: int


@dataclass(frozen=True, slots=True)
class Typed:
    """Bytes from the keyboard; none: the keyboard is gone."""

    keys: bytes


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """What became of an answer that was given here."""

    answer: RequestAnswer


@dataclass(frozen=True, slots=True)
class DriverGone:
    """The controller has left the run."""

    standing: RunEnding | None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Quit:
    """The person at the prompt wants to leave."""


@dataclass(frozen=True, slots=True)
class EditWanted:
    """The person at the prompt wants to correct a step in an editor."""

    step: StepId


Item = Fact | Signalled | Typed | AnswerResult | DriverGone | Quit | EditWanted

#: First: nothing new begins. Again: leave at once.
POLITE = signal.SIGINT
#: Leave at once, remote commands go on (faults F47 and F49).
AT_ONCE = (signal.SIGTERM, signal.SIGHUP)


class Feed:
    """The queue."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Item] = SimpleQueue()

    def entry(self, entry: Entry, event: Event) -> None:
        """Take an entry of the journal; a `Listener` of the session."""
        self._queue.put(Fact(entry.seq, entry.at, entry.actor, event, entry.hash))

    def put(self, item: Item) -> None:
        """Take anything else."""
        self._queue.put(item)

    def take(self, timeout: float) -> list[Item]:
        """What there is, after waiting for at most `timeout` seconds if there is nothing."""
        found: list[Item] = []
        try:
            found.append(self._queue.get(timeout=timeout))
            while len(found) < _AT_ONCE_MOST:
                found.append(self._queue.get_nowait())
        except Empty:
            pass
        return found

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Take signals too, until the end of the block. In the main thread only."""

        def take(number: int, frame: FrameType | None) -> None:
            del frame
            self._queue.put(Signalled(number))

        before: dict[int, Any] = {}
        for number in (POLITE, *AT_ONCE, signal.SIGCONT):
            before[number] = signal.signal(number, take)
        try:
            yield
        finally:
            for caught, handler in before.items():
                signal.signal(caught, handler)


#: Items handled between two looks at the screen.
_AT_ONCE_MOST = 2000
