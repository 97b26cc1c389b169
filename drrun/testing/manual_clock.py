"""A clock that moves only when told.

Rules:
- It never goes back, like the real one.
"""

import threading

from drrun.core.state.clocks import Origin


class ManualClock:
    """A `Clock` for tests and simulations."""

    def __init__(self, start: float = 1_704_963_600.0) -> None:
        """Start at `start`, seconds since the epoch; by default 2024-01-11 09:00:00 UTC."""
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return self._now

    def skew(self) -> float:
        """The machine's clock is never set."""
        return 0.0

    def origin(self) -> Origin:
        """It belongs to no machine."""
        return Origin()

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass; return the new time.

        Raises:
            ValueError: Time cannot go back.
        """
        with self._lock:
            return self._set(self._now + seconds)

    def move_to(self, moment: float) -> float:
        """Let time pass until `moment`; return it.

        Raises:
            ValueError: Time cannot go back.
        """
        with self._lock:
            return self._set(moment)

    def _set(self, moment: float) -> float:
        if moment < self._now:
            raise ValueError(f"time cannot go back, from {self._now} to {moment}")
        self._now = moment
        return moment
