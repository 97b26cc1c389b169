"""One open connection to one host, by one route, and the watch over its life.

Rules:
- paramiko's keepalive sends and never listens (FAULTS section 3), so a question that must be
  answered is asked every `pulse_every` seconds; an answer that is owed for `pulse_within` seconds
  declares the connection dead and closes it, which wakes all who wait on it.
- Shared by many threads; sshd limits the sessions on one connection, `sessions` counts ours.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drrun.ssh.deadlines import Deadlines
from drrun.ssh.faults import Way
from drrun.ssh.options import SshOptions

if TYPE_CHECKING:
    import fabric
    import paramiko


@dataclass(slots=True, eq=False)
class Link:
    """An open connection."""

    connection: "fabric.Connection"
    transport: "paramiko.Transport"
    way: Way
    user: str
    #: Fingerprint of the host key that was accepted.
    host_key: str
    options: SshOptions
    deadlines: Deadlines
    #: Room for this many sessions at once.
    max_sessions: int = 8
    #: Opens another connection by the same way, where one more session is not to be had.
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
        threading.Thread(target=self._watch, name=f"pulse {self.way.host}", daemon=True).start()

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

    def _watch(self) -> None:
        def dead() -> None:
            silent = self.options.pulse_every + self.options.pulse_within
            self.lose(f"it has not been heard of for {silent:.0f} s")

        while not self._over.wait(self.options.pulse_every):
            with (
                self.deadlines.limit(self.options.pulse_within, dead),
                suppress(OSError, EOFError),
            ):
                self.transport.global_request("keepalive@openssh.com", wait=True)
            if not self.transport.is_active():
                return
