"""What paramiko lacks: the signal that ended a command, and sockets that notice a dead peer.

Rules:
- paramiko drops `exit-signal` requests, so a killed command looks like a lost one; RFC 4254
  section 6.10 says how it is told.
- Nagle's algorithm doubles the latency of a command (LIBRARIES D); without TCP_USER_TIMEOUT a
  partition is noticed after a quarter of an hour.
"""

import socket
from collections.abc import Callable, Sequence
from typing import Any

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late
from paramiko.common import MSG_CHANNEL_REQUEST  # noqa: TID253 - same

#: Attribute of a channel that holds the signal's name.
_SIGNAL = "drrun_signal"


def exit_signal(channel: paramiko.Channel) -> str:
    """Name of the signal that ended the command, without SIG; "" if none did."""
    return str(getattr(channel, _SIGNAL, ""))


def _heed(channel: paramiko.Channel, message: paramiko.Message) -> None:
    start = message.packet.tell()
    if message.get_text() == "exit-signal":
        message.get_boolean()
        setattr(channel, _SIGNAL, message.get_text())
    message.packet.seek(start)
    channel._handle_request(message)  # type: ignore[attr-defined]  # noqa: SLF001 - no public door


class Transport(paramiko.Transport):
    """A transport that remembers exit signals and asks for known host keys first."""

    _channel_handler_table = {  # noqa: RUF012 - as in the parent
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]  # noqa: SLF001
        MSG_CHANNEL_REQUEST: _heed,
    }


def factory(order: Callable[[Sequence[str]], list[str]]) -> Callable[..., Transport]:
    """What paramiko's client is given to make transports with."""

    def make(sock: Any, **options: Any) -> Transport:
        transport = Transport(sock, **options)
        # Its messages go to logging; without this its thread prints tracebacks to stderr.
        transport.daemon = True
        security = transport.get_security_options()
        security.key_types = order(tuple(security.key_types))
        return transport

    return make


def connect(address: str, port: int, seconds: float, silence: float) -> socket.socket:
    """Open a TCP connection.

    Args:
        address: Name or IP address.
        port: TCP port.
        seconds: How long it may take for each address of the name.
        silence: After how many seconds of unanswered data the kernel gives up.

    Raises:
        OSError: Nobody answered.
    """
    sock = socket.create_connection((address, port), timeout=seconds)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(silence * 1000))
    except OSError:
        sock.close()
        raise
    return sock
