"""Tells people elsewhere what happens: beside the run, never in its way.

Rules:
- It has a thread of its own, and a queue that never blocks. A channel that is down delays nothing
  and fails nothing: we try again for a while, and log what could not be told.
- When the controller leaves, the waiting notices get a few seconds.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Protocol

from drrun.core import events as ev
from drrun.core.dataclass import dataclass
from drrun.core.rules.notices import Notice, notices
from drrun.core.state.run_state import RunState
from drrun.ports.journal import Entry

#: Seconds that are left to tell the rest when the controller leaves.
LAST_WORDS_WITHIN = 10.0
#: How many notices may wait; further ones are dropped, and the log says so.
_MOST = 1000


class Notifier(Protocol):
    """One way to reach people."""

    def wants(self, notice: Notice) -> bool:
        """Whether this way was subscribed to such notices."""
        ...

    def deliver(self, notice: Notice, cancel: threading.Event) -> str:
        """Tell it, with a few tries. Returns why that failed, "" if it was told."""
        ...


@dataclass(slots=True)
class Notifying:
    """A listener of the ledger that tells what is worth telling."""

    state: RunState
    notifiers: Sequence[Notifier]
    #: Called with what could not be told.
    complain: Callable[[str], None]
    _queue: "queue.Queue[Notice | None]" = field(default_factory=lambda: queue.Queue(_MOST))
    _leave: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def entry(self, entry: Entry, event: ev.Event) -> None:
        """Take note of one entry; returns at once."""
        if not self.notifiers:
            return
        for notice in notices(self.state, event, entry.run):
            self._start()
            try:
                self._queue.put_nowait(notice)
            except queue.Full:
                self.complain(f"too much to tell: {notice.text}")

    def close(self, within: float = LAST_WORDS_WITHIN) -> None:
        """Tell the rest, for a few seconds."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join(within)
        self._leave.set()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._tell, daemon=True, name="notifying")
            self._thread.start()

    def _tell(self) -> None:
        while (notice := self._queue.get()) is not None:
            for notifier in self.notifiers:
                if not notifier.wants(notice):
                    continue
                try:
                    why = notifier.deliver(notice, self._leave)
                except Exception as error:  # noqa: BLE001 - telling must never end the telling
                    why = f"{type(error).__name__}: {error}"
                if why:
                    self.complain(f"could not be told ({why}): {notice.text}")
