"""Deadlines for calls that know none: one thread ends them by closing what they wait on.

Rules:
- paramiko waits without a limit for the answer to an exec request and to a global request, and
  counts others on the wall clock (fact L5). Closing is what wakes all of them.
- Counted on the monotonic clock. What ends a call may block, so it gets a thread of its own.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drrun.core.dataclass import dataclass


@dataclass(slots=True)
class Limit:
    """One call with a deadline."""

    act: Callable[[], None]
    #: The deadline passed while the call went on, and `act` was called.
    passed: bool = False
    over: bool = False


class Deadlines:
    """Watches any number of calls with one thread, which lives as long as there are any."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Limit]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, seconds: float, act: Callable[[], None]) -> Iterator[Limit]:
        """Call `act` if the body is not left within `seconds`."""
        limit = Limit(act)
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), limit))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            elif self._due[0][2] is limit:
                self._changed.notify()
        try:
            yield limit
        finally:
            with self._changed:
                limit.over = True

    def _watch(self) -> None:
        while limit := self._next():
            threading.Thread(target=limit.act, daemon=True).start()

    def _next(self) -> Limit | None:
        """The next call that is overdue; None when nothing is left to watch."""
        with self._changed:
            while self._due:
                at, _, limit = self._due[0]
                left = at - time.monotonic()
                if limit.over or left <= 0:
                    heapq.heappop(self._due)
                    if limit.over:
                        continue
                    limit.passed = True
                    return limit
                self._changed.wait(left)
            self._thread = None
            return None
