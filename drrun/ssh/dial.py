"""Opens one connection to one host by one way, within one deadline. FAULTS section 3.

Rules:
- One deadline covers connection, key exchange and login of a hop: each step has its own limit too,
  but a server that drips bytes gets around those. Its end closes the socket.
- The host key is judged on every hop, before a key or name of the user is offered.
- What was opened is closed when the rest fails: a login left half open takes a MaxStartups place.
- Fabric gets a configuration that loads no files; by default it executes `~/.fabric.py`.
- A greeting that is cut off is tried again after a random pause (MaxStartups, FAULTS 36).
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import fabric  # noqa: TID253 - drrun.ssh owns fabric, and is itself imported late
import paramiko  # noqa: TID253 - same
import tenacity  # noqa: TID253 - same

from drrun.core.dataclass import dataclass
from drrun.core.inventory import Host
from drrun.engine.ports import Cancel
from drrun.ssh import transport
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.faults import DeadlineError, GreetingError, Stopped, Way
from drrun.ssh.hostkeys import Identity
from drrun.ssh.link import Link
from drrun.ssh.logins import Login
from drrun.ssh.options import SshOptions
from drrun.ssh.user_config import Configured, proper_user

#: paramiko's threads report here; nothing of it is for the terminal.
_LOG = "drrun.ssh.paramiko"
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


@dataclass(frozen=True, slots=True)
class Hop:
    """Where to connect to, as whom."""

    host: Host
    configured: Configured
    way: Way

    @property
    def user(self) -> str:
        """The inventory's user, else the configured one."""
        return proper_user(self.host.user or self.configured.user)


class Dialler:
    """Opens connections, a few at a time."""

    def __init__(self, options: SshOptions, deadlines: Deadlines) -> None:
        self._options = options
        self._deadlines = deadlines
        self._turns = threading.BoundedSemaphore(options.at_once)

    def dial(self, hop: Hop, through: Link | None, cancel: Cancel) -> Link:
        """Connect and log in.

        Raises:
            Exception: Anything that `faults.before_sending` knows.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(GreetingError),
            stop=tenacity.stop_after_attempt(self._options.greetings),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            sleep=lambda seconds: _pause(cancel, seconds),
            reraise=True,
        )
        return retrying(self._once, hop, through, cancel)

    def _once(self, hop: Hop, through: Link | None, cancel: Cancel) -> Link:
        identity = Identity.of(hop.host, hop.configured, hop.way, self._options)
        with self._turn(cancel):
            connection = self._connection(hop, identity)
            # Until the handshake begins there is no socket to close, and other limits hold.
            opened: list[Any] = []
            limit_of = self._deadlines.limit
            with limit_of(self._options.hop_within, lambda: _close(opened, connection)) as limit:
                try:
                    opened.append(self._socket(hop, through))
                    connection.connect_kwargs["sock"] = opened[0]
                    connection.open()
                    return self._link(hop, through, connection, identity)
                except Exception as error:
                    _close(opened, connection)
                    if limit.passed:
                        raise DeadlineError(
                            f"connected, but not logged in within {self._options.hop_within:g} s"
                        ) from error
                    raise _told(error, identity, bool(opened)) from error

    @contextmanager
    def _turn(self, cancel: Cancel) -> Iterator[None]:
        while not self._turns.acquire(timeout=0.2):
            if cancel.is_set():
                raise Stopped
        try:
            yield
        finally:
            self._turns.release()

    def _connection(self, hop: Hop, identity: Identity) -> fabric.Connection:
        options = self._options
        login = Login.of(hop.host, hop.user, hop.configured, agent=options.agent)
        connection = fabric.Connection(
            "placeholder",
            user=hop.user,
            port=hop.way.port,
            config=fabric.Config(lazy=True, ssh_config=paramiko.SSHConfig()),
            connect_kwargs={
                "auth_strategy": login,
                "transport_factory": transport.factory(identity.wanted),
                "banner_timeout": options.connect_within,
                "auth_timeout": options.hop_within,
                "channel_timeout": options.channel_within,
            },
        )
        # Fabric would take `user@` and `:port` out of a name, and an IPv6 address apart.
        connection.host = hop.way.address
        connection.client.set_missing_host_key_policy(identity)
        connection.client.set_log_channel(_LOG)
        return connection

    def _socket(self, hop: Hop, through: Link | None) -> Any:
        options = self._options
        if through is None:
            silence = options.pulse_every + options.pulse_within
            return transport.connect(
                hop.way.address, hop.way.port, options.connect_within, silence
            )
        return through.transport.open_channel(
            "direct-tcpip",
            (hop.way.address, hop.way.port),
            ("127.0.0.1", 0),
            timeout=options.connect_within,
        )

    def _link(
        self, hop: Hop, through: Link | None, connection: fabric.Connection, identity: Identity
    ) -> Link:
        return Link(
            connection,
            connection.transport,
            hop.way,
            hop.user,
            identity.accepted,
            self._options,
            self._deadlines,
            hop.host.max_sessions,
            lambda: self.dial(hop, through, threading.Event()),
        )


def _told(error: Exception, identity: Identity, connected: bool) -> Exception:
    """Tell a server that hangs up before its key was seen from other faults."""
    unspecific = isinstance(error, EOFError | ConnectionResetError | BrokenPipeError) or (
        type(error) is paramiko.SSHException
    )
    if identity.accepted or not unspecific or not connected:
        return error
    if isinstance(error.__context__, TimeoutError):
        return DeadlineError("connected, but the server does not greet; is it an SSH server?")
    return GreetingError(str(error) or type(error).__name__)


def _close(opened: list[Any], connection: fabric.Connection) -> None:
    for each in opened:
        with suppress(OSError, EOFError):
            # paramiko's thread may be reading from it, which would put off the end.
            each.shutdown(socket.SHUT_RDWR)
            each.close()
    with suppress(OSError, EOFError):
        connection.client.close()


def _pause(cancel: Cancel, seconds: float) -> None:
    if cancel.wait(seconds):
        raise Stopped
