"""An SSH server for one host of the demonstration: one key, one user, commands and jumps.

Rules:
- Nobody gets in but with the demonstration's own key, and jumps go to this world's ports only.
- No shell, no terminal, no files: what drrun needs of a host, and nothing else.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import paramiko  # noqa: TID253 - imported by the demonstration's server process only
from paramiko.common import (  # noqa: TID253 - same
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)

from drrun.core.dataclass import dataclass
from drrun.demo.stand_in_commands import Home, execute

_CHUNK = 65536
#: Seconds that a client may take to log in.
_LOGIN = 30


@dataclass(frozen=True, slots=True)
class Account:
    """Who may come in, where to, and where they may go on to."""

    user: str
    key: str
    home: Home
    host_key: paramiko.PKey
    may_jump: Callable[[int], bool]


def welcome(line: socket.socket, account: Account) -> None:
    """Serve one connection to its end, in threads of its own."""
    threading.Thread(target=_serve, args=(line, account), daemon=True).start()


def _serve(line: socket.socket, account: Account) -> None:
    transport = paramiko.Transport(line)
    try:
        transport.add_server_key(account.host_key)
        guest = _Guest(account)
        transport.start_server(server=guest)
        # paramiko holds channels weakly: one that nobody keeps is closed before its command comes.
        kept: list[paramiko.Channel] = []
        channel = transport.accept(_LOGIN)
        while channel is not None or transport.is_active():
            if channel is not None:
                kept = [each for each in kept if not each.closed] + [channel]
                if channel.get_id() in guest.jumps:
                    _join(channel, guest.jumps.pop(channel.get_id()))
            channel = transport.accept(_LOGIN)
    except (OSError, EOFError, paramiko.SSHException):
        pass  # whoever hung up will not be told
    finally:
        transport.close()


class _Guest(paramiko.ServerInterface):
    """Answers what one client asks for."""

    def __init__(self, account: Account) -> None:
        self._account = account
        #: Channel -> the connection that it goes on to.
        self.jumps: dict[int, socket.socket] = {}

    def get_allowed_auths(self, username: str) -> str:
        """Keys only."""
        del username
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """The demonstration's key, for the host's user."""
        known = username == self._account.user and key.get_base64() == self._account.key
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Sessions."""
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Start a command."""
        execute(channel, command.decode("utf-8", "surrogateescape"), self._account.home)
        return True

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """Go on to another host of this world."""
        del origin
        address, port = destination
        if address not in ("127.0.0.1", "localhost") or not self._account.may_jump(port):
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        try:
            self.jumps[chanid] = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            return OPEN_FAILED_CONNECT_FAILED
        return OPEN_SUCCEEDED


def _join(channel: paramiko.Channel, line: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    line.settimeout(None)

    def there() -> None:
        with suppress(OSError, EOFError):
            while data := channel.recv(_CHUNK):
                line.sendall(data)
            line.shutdown(socket.SHUT_WR)

    def back() -> None:
        with suppress(OSError, EOFError):
            while data := line.recv(_CHUNK):
                channel.sendall(data)
        channel.close()
        line.close()

    for carry in (there, back):
        threading.Thread(target=carry, daemon=True).start()
