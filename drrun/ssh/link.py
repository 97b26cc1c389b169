"""One open connection to one host, by one route, and the watch over its life.

Rules:
- A connection that brings nothing for `pulse_every` seconds is asked a question that must be
  answered (`transport`); one that owes the answer for `pulse_within` seconds is declared dead and
  closed, which wakes all who wait on it.
- The watch holds no thread. It only looks at the clock: sending to a dead peer may block.
- Shared by many threads; sshd limits the sessions on one connection, `sessions` counts ours.
"""

import asyncio
import functools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drrun.ssh.deadlines import Deadlines
from drrun.ssh.faults import Way
from drrun.ssh.loop import in_background
from drrun.ssh.options import SshOptions

if TYPE_CHECKING:
    import fabric

    from drrun.ssh.transport import Transport


@dataclass(slots=True, eq=False)
class Link:
    """An open connection."""

    connection: "fabric.Connection"
    transport: "Transport"
    way: Way
    user: str
    #: Fingerprint of the host key that was accepted.
    host_key: str
    options: SshOptions
    deadlines: Deadlines
    #: Room for this many sessions at once.
    max_sessions: int = 8
    #: Opens another connection by the same way, where one more session is not to be had. Blocks.
    another: "Callable[[], Link] | None" = None
    #: Why it ended, "" while it lives or when the host ended it.
    why: str = ""
    sessions: threading.BoundedSemaphore = field(init=False)
    #: Sessions that are open; a refusal means something else when there are none.
    running: int = 0
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self.sessions = threading.BoundedSemaphore(self.max_sessions)

    @property
    def alive(self) -> bool:
        """Whether commands may still be sent, as far as is known."""
        return not self._over.is_set() and self.transport.is_active()

    def count(self, change: int) -> None:
        """Note that a session was opened (1) or closed (-1)."""
        with self._lock:
            self.running += change

    def lose(self, why: str) -> None:
        """Declare it dead and close it; never blocks for long."""
        with self._lock:
            self.why = self.why or why
        self.close()

    def close(self) -> None:
        """Leave the host."""
        self._over.set()
        with suppress(OSError, EOFError):
            self.connection.client.close()

    async def watch(self) -> None:
        """See to it that a silent death is noticed; ends with the connection."""
        self.transport.pulse(self.options.pulse_every)
        allowed = self.options.pulse_every + self.options.pulse_within
        while self.alive:
            left = allowed - self.transport.silent
            if left <= 0:
                why = f"it has sent nothing for {allowed:.0f} s"
                in_background(functools.partial(self.lose, why))
                return
            await asyncio.sleep(left)
