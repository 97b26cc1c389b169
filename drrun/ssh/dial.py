"""Opens one connection to one host by one way, within deadlines: facts L5, L6 and L17.

Rules:
- Each wait has a deadline: for the name, the network, the gateway, and the log-in as a whole (a
  server that sends byte by byte would get around smaller ones). When it passes, we close the
  socket and say what we waited for.
- sshd counts connections that have not logged in yet (MaxStartups). So at most `at_once` of ours
  log in to one server at a time, and at most `logins_at_once` to all servers: each log-in takes a
  thread here. A connection that waits for the network, or for its turn, holds no thread.
- A server is an address and a port as seen from the host that is passed through, if any.
- The host key is judged on every hop, before a key or name of the user is offered.
- When a later part fails, we close what we opened: a half-open log-in counts for MaxStartups.
- Fabric gets a configuration that loads no files; by default it executes `~/.fabric.py`.
- When the server cuts off its greeting (MaxStartups, fault F36), we try again after a pause.
"""

import asyncio
import functools
import logging
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import fabric  # noqa: TID253 - drrun.ssh owns fabric, and is itself imported late
import paramiko  # noqa: TID253 - same
import tenacity  # noqa: TID253 - same

from drrun.core.dataclass import dataclass
from drrun.core.model.inventory import Host
from drrun.ssh import transport
from drrun.ssh.deadlines import Deadlines
from drrun.ssh.faults import DeadlineError, GreetingError, Way
from drrun.ssh.hostkeys import Identity
from drrun.ssh.known_hosts import KnownFiles
from drrun.ssh.link import Link
from drrun.ssh.logins import KeyFiles, Login
from drrun.ssh.loop import Loop, in_background, in_thread
from drrun.ssh.options import SshOptions
from drrun.ssh.race import Attempt, Race, RaceLost
from drrun.ssh.user_config import Configured, proper_user

#: paramiko's threads log here; nothing of it reaches the terminal.
_LOG = "drrun.ssh.paramiko"
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

#: How many names we look up at once: without DNS, each holds a thread until its deadline.
_LOOKUPS = 16
#: How many jump hosts we ask at once to connect further; each holds a thread.
_CHANNELS = 32
#: Head start of one address over the next, in seconds (RFC 8305, "Connection Attempt Delay").
_ADDRESS_AHEAD = 0.25


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


class _Connection(fabric.Connection):  # type: ignore[misc]  # Fabric has no types
    """Fabric's, whose attributes are set as those of any object.

    Invoke looks through all names of an object at each assignment, in case it means a key of the
    configuration: a third of the work of a login.
    """

    __setattr__ = object.__setattr__


class Dialler:
    """Opens connections, a few at a time."""

    def __init__(self, options: SshOptions, deadlines: Deadlines, loop: Loop) -> None:
        self._options = options
        self._deadlines = deadlines
        self._loop = loop
        self._known = KnownFiles()
        self._keys = KeyFiles()
        # Fabric copies a configuration's defaults for each connection that brings none.
        self._fabric = fabric.Config(lazy=True, ssh_config=paramiko.SSHConfig())
        self._servers: dict[tuple[str, str, int], asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(options.at_once)
        )
        self._logins = asyncio.Semaphore(options.logins_at_once)
        self._lookups = asyncio.Semaphore(_LOOKUPS)
        self._channels = asyncio.Semaphore(_CHANNELS)
        #: asyncio itself keeps no task alive.
        self._watches: set[asyncio.Task[None]] = set()

    async def dial(self, hop: Hop, through: Link | None, begun: asyncio.Event) -> Link:
        """Connect and log in.

        Args:
            hop: Where to.
            through: The connection to the host that is passed through last.
            begun: Set when its turn begins.

        Raises:
            Exception: Anything that `faults.before_sending` knows.
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(GreetingError),
            stop=tenacity.stop_after_attempt(self._options.greetings),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
        )
        return await retrying(self._once, hop, through, begun)

    async def _once(self, hop: Hop, through: Link | None, begun: asyncio.Event) -> Link:
        identity = Identity.of(hop.host, hop.configured, hop.way, self._options, self._known)
        gate = through.way.host if through else ""
        async with self._servers[gate, hop.way.address.lower(), hop.way.port]:
            begun.set()
            connection = self._connection(hop, identity)
            sock = await self._socket(hop.way, through)
            try:
                connection.connect_kwargs["sock"] = sock
                limit = self._options.hop_within
                async with (
                    self._logins,
                    _deadline(
                        limit,
                        lambda: (
                            f"connected, but not logged in within {limit:g} s: "
                            + _awaited(connection)
                        ),
                    ),
                ):
                    await in_thread(connection.open)
            except BaseException as error:
                if through is None:
                    # The server counts it until then, and our turn is over.
                    transport.hang_up(sock)
                # The jump host may be dead too, and closing a channel on it may block.
                in_background(functools.partial(_close, sock, connection))
                if isinstance(error, Exception):
                    raise _told(error, identity) from error
                raise
        return self._link(hop, through, connection, identity)

    def _connection(self, hop: Hop, identity: Identity) -> fabric.Connection:
        options = self._options
        connection = _Connection(
            "placeholder",
            user=hop.user,
            port=hop.way.port,
            config=self._fabric,
            gateway=False,
            forward_agent=False,
            inline_ssh_env=False,
            connect_kwargs={
                "auth_strategy": Login.of(
                    hop.host, hop.user, hop.configured, self._keys, agent=options.agent
                ),
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

    async def _socket(self, way: Way, through: Link | None) -> Any:
        if through is not None:
            return await self._channel(way, through)
        addresses = await self._addresses(way)
        try:
            return await Race(
                [self._knock(*address) for address in addresses],
                _ADDRESS_AHEAD,
                final=lambda _: False,
                drop=transport.hang_up,
            ).run()
        except RaceLost as error:
            raise error.faults[0] from None

    async def _addresses(self, way: Way) -> list[tuple[int, Any]]:
        """Family and address of each address of a name."""
        look_up = functools.partial(
            socket.getaddrinfo, way.address, way.port, type=socket.SOCK_STREAM
        )
        try:
            found = look_up(flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            limit = self._options.connect_within
            told = f"its name was not looked up within {limit:g} s; give an address in its routes"
            async with self._lookups, _deadline(limit, lambda: told):
                found = await in_thread(look_up)
        return [(family, address) for family, _, _, _, address in found]

    def _knock(self, family: int, address: Any) -> Attempt[socket.socket]:
        """Connect to one address."""
        limit = self._options.connect_within
        why = "is the host up, and is there a way through the network?"

        async def connect(begun: asyncio.Event) -> socket.socket:
            begun.set()
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)  # noqa: FBT003 - the standard library's own
                async with _deadline(limit, lambda: f"no answer within {limit:g} s; {why}"):
                    await asyncio.get_running_loop().sock_connect(sock, address)
                transport.tune(sock, self._options.pulse_every + self._options.pulse_within)
            except BaseException:
                sock.close()
                raise
            return sock

        return connect

    async def _channel(self, way: Way, through: Link) -> paramiko.Channel:
        opening = functools.partial(
            through.transport.open_channel,
            "direct-tcpip",
            (way.address, way.port),
            ("127.0.0.1", 0),
            timeout=self._options.connect_within,
        )
        limit = self._options.connect_within
        told = f"{through.way} did not connect to it within {limit:g} s"
        async with self._channels, _deadline(limit, lambda: told):
            return await in_thread(opening, transport.hang_up)

    def _link(
        self, hop: Hop, through: Link | None, connection: fabric.Connection, identity: Identity
    ) -> Link:
        link = Link(
            connection,
            connection.transport,
            hop.way,
            hop.user,
            identity.accepted,
            self._options,
            self._deadlines,
            hop.host.max_sessions,
            lambda: self._loop.begin(self.dial(hop, through, asyncio.Event())).result(),
        )
        watch = asyncio.get_running_loop().create_task(link.watch())
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        return link


@asynccontextmanager
async def _deadline(seconds: float, told: Callable[[], str]) -> AsyncIterator[None]:
    """Limit the body's time; the error says what it waited for."""
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            yield
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise DeadlineError(told()) from error


def _awaited(connection: fabric.Connection) -> str:
    """What an unfinished log-in waited for."""
    begun = connection.client.get_transport()
    if begun is None or not begun.remote_version:
        return "the server sends no SSH greeting"
    if not begun.initial_kex_done:
        return "the key exchange did not end"
    return f"{connection.user} was not let in"


def _told(error: Exception, identity: Identity) -> Exception:
    """Distinguish a server that hangs up before it shows its key from other faults."""
    unspecific = isinstance(error, EOFError | ConnectionResetError | BrokenPipeError) or (
        type(error) is paramiko.SSHException
    )
    if identity.accepted or not unspecific:
        return error
    if isinstance(error.__context__, TimeoutError):
        return DeadlineError(
            "connected, but the server sends no SSH greeting; is it an SSH server?"
        )
    return GreetingError(str(error) or type(error).__name__)


def _close(sock: Any, connection: fabric.Connection) -> None:
    transport.hang_up(sock)
    connection.client.close()
