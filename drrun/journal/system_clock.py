"""The real clock, and names for new runs: the only place that asks the machine for either.

Rules:
- The wall clock is read once. From then on a clock counts that goes on while the machine sleeps
  and cannot be set, so a jump of the wall clock changes no duration and no order (fault F94).
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from drrun.core.model.ids import RunId
from drrun.core.state.clocks import Origin

_BOOT = Path("/proc/sys/kernel/random/boot_id")
#: Reads like `time:[4026531834]`: containers may count from a moment of their own.
_NAMESPACE = Path("/proc/self/ns/time")
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


def _elapsed() -> float:
    """Seconds that only grow, counting suspend where the system can (Linux: CLOCK_BOOTTIME)."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def _wall() -> float:
    return time.time()  # noqa: TID251  # this is the adapter that everybody else asks


def _boot() -> str:
    """Which boot of which machine `_elapsed` counts; "" where the system does not tell."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return ""
    try:
        boot = _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
    try:
        return f"{boot} {_NAMESPACE.readlink()}"
    except OSError:
        return boot


class SystemClock:
    """The real `Clock`."""

    def __init__(
        self,
        wall: Callable[[], float] = _wall,
        elapsed: Callable[[], float] = _elapsed,
        boot: Callable[[], str] = _boot,
    ) -> None:
        """Begin to count.

        Args:
            wall: The machine's clock, seconds since the epoch, UTC; it may be set.
            elapsed: Seconds since the machine was booted; nobody can set them.
            boot: Which boot that was.
        """
        self._wall, self._elapsed, self._boot = wall, elapsed, boot
        self._offset = wall() - elapsed()

    def now(self) -> float:
        """Seconds since the epoch, UTC; never goes back while the process lives."""
        return self._offset + self._elapsed()

    def skew(self) -> float:
        """Seconds by which the wall clock was set forward (or back, negative) since the start."""
        return self._wall() - self.now()

    def origin(self) -> Origin:
        """When the machine was booted, by this clock."""
        return Origin(self._boot(), self._offset)


class SystemIds:
    """The real `Ids`."""

    def new_mark(self) -> str:
        """16 hexadecimal digits that nobody can guess."""
        import secrets

        return secrets.token_hex(8)

    def new_run(self, name: str, now: float) -> RunId:
        """A name for a new run: `20240111-090000-datacentre-migration-7f3a`.

        Args:
            name: The runbook's name; what does not belong into a file's name becomes a dash.
            now: Seconds since the epoch, UTC.
        """
        import secrets

        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
        plain = _NOT_IN_A_NAME.sub("-", name.lower()).strip("-")[:60].rstrip("-")
        return RunId("-".join(part for part in (moment, plain, secrets.token_hex(2)) if part))
