"""Threads for blocking work: as many as are needed at once, up to a limit.

Rules:
- They are daemons: leaving a run does not wait for them, as `concurrent.futures` would.
- Work beyond the limit waits in a queue; the caller does not wait.
- Work never raises: the caller wraps it so that every fault becomes a result.
- A thread that finds nothing to do for a while goes away.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

#: Seconds for which an idle thread waits for more.
_IDLE = 10.0

PoolCall = Callable[[], None]


class Pool:
    """Runs work beside its callers."""

    def __init__(self, limit: int) -> None:
        """Start without threads.

        Args:
            limit: How many threads there may be at once.
        """
        self._limit = limit
        self._line: queue.SimpleQueue[PoolCall] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        #: Threads that wait for work, minus the work that waits for threads.
        self._free = 0

    def run(self, work: PoolCall) -> None:
        """Do `work` in a thread of the pool; returns at once."""
        with self._lock:
            self._line.put(work)
            self._free -= 1
            if self._free >= 0 or self._threads >= self._limit:
                return
            self._threads += 1
            self._free += 1
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            work = self._next()
            if work is None:
                return
            work()
            with self._lock:
                self._free += 1

    def _next(self) -> PoolCall | None:
        """What to do next; None: this thread has gone away."""
        with suppress(queue.Empty):
            return self._line.get(timeout=_IDLE)
        with self._lock:
            # Under the lock nothing new comes in, so what is in the line stays for this thread.
            with suppress(queue.Empty):
                return self._line.get_nowait()
            self._threads -= 1
            self._free -= 1
        return None
