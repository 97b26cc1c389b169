"""How a launcher is reached: over an open connection to its host, or on this machine."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.core.model.outcomes import NeverStarted
from drrun.ports.clock import Cancel
from drrun.ssh.boot import Boot
from drrun.ssh.connections import Connections
from drrun.ssh.faults import Unreachable, before_sending
from drrun.ssh.following import Unreached
from drrun.ssh.link import Link
from drrun.ssh.loop import in_background
from drrun.ssh.readers import reader_of
from drrun.ssh.wires import FarWire, NearWire, Wire


@dataclass(slots=True)
class FarRoad:
    """To a host, by the first of its routes that works."""

    connections: Connections
    host: Host
    cancel: Cancel

    @property
    def place(self) -> str:
        """The host, for messages."""
        return self.host.name

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.host.name

    def open(
        self, boot: Boot, ring: Callable[[], None], then: Callable[[Wire | Unreached], None]
    ) -> None:
        """Connect, and have the login shell start a launcher."""

        def connected(found: Link | Unreachable) -> None:
            if isinstance(found, Unreachable):
                then(found.outcome)
            else:
                in_background(lambda: then(self._launched(found, boot, ring)))

        self.connections.open(self.host, connected)

    def _launched(self, link: Link, boot: Boot, ring: Callable[[], None]) -> Wire | Unreached:
        try:
            return self._channel(link, boot, ring)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the lane
            return NeverStarted(f"drrun itself failed here: {type(error).__name__}: {error}")

    def reader(self) -> str:
        """The shell that reads a channel in our starter's place, or ""."""
        try:
            return reader_of(self.connections.reach(self.host, self.cancel))
        except Unreachable:
            return ""

    def _channel(self, link: Link, boot: Boot, ring: Callable[[], None]) -> Wire | Unreached:
        """A session, waited for where the server has no room for one more (fault F36)."""
        deadline = time.monotonic() + link.options.session_within
        while True:
            try:
                return FarWire(link, boot.line, ring)
            except OSError as error:
                full = isinstance(error.__cause__, paramiko.ChannelException)
                if not full or not link.alive or time.monotonic() > deadline:
                    way = replace(link.way, host=self.host.name)
                    return before_sending(error.__cause__ or error, way)
            if self.cancel.wait(random.uniform(0.05, 0.5)):  # noqa: S311 - so that not all come at once
                return NeverStarted(f"{self.place}: stopped before anything was sent")


@dataclass(frozen=True, slots=True)
class NearRoad:
    """To this machine."""

    place: str = "the controller"
    name: str = ""

    def reader(self) -> str:
        """Nobody: there is no log-in."""
        return ""

    def open(
        self, boot: Boot, ring: Callable[[], None], then: Callable[[Wire | Unreached], None]
    ) -> None:
        """Start a launcher."""
        try:
            then(NearWire(boot.argv, ring))
        except OSError as error:
            then(NeverStarted(f"{self.place}: {error}", final=True))
