"""What paramiko lacks: the signal that ended a command, and connections that notice a dead peer.

Rules:
- paramiko drops `exit-signal` requests, so a killed command looks like a lost one; RFC 4254
  section 6.10 says how it is told.
- paramiko's keepalive sends, never listens, and counts on the wall clock (facts L4 and L5). Ours
  is a question that must be answered, asked by the thread that reads whenever it heard nothing for
  a while; each message that comes is noted with its time.
- paramiko wakes each reading thread ten times a second to see whether it was closed. Ours wake
  once a pulse, because closing wakes them.
- Nagle's algorithm doubles the latency of a command (fact L21); without TCP_USER_TIMEOUT a
  partition is noticed after a quarter of an hour (fact L22).
"""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late
from paramiko.common import MSG_CHANNEL_REQUEST, cMSG_GLOBAL_REQUEST  # noqa: TID253 - same
from paramiko.packet import Packetizer  # noqa: TID253 - same

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


class _Heard(Packetizer):
    """Notes when a message came; asks for one when none did."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        #: On the monotonic clock.
        self.heard = time.monotonic()
        self.ask: Callable[[], object] | None = None

    def read_message(self) -> tuple[int, paramiko.Message]:
        """The next message."""
        message = super().read_message()
        self.heard = time.monotonic()
        return message

    def _check_keepalive(self) -> None:
        # paramiko comes here when its socket brought nothing for as long as its time limit.
        if self.ask is not None:
            self.ask()


class Transport(paramiko.Transport):
    """A transport that remembers exit signals and notices silence."""

    _channel_handler_table = {  # noqa: RUF012 - as in the parent
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]  # noqa: SLF001
        MSG_CHANNEL_REQUEST: _heed,
    }

    def run(self) -> None:
        """Read until the end; a host to pass through may be gone before the connection is."""
        with suppress(EOFError, OSError, paramiko.SSHException):
            super().run()

    packetizer: _Heard

    def pulse(self, seconds: float) -> None:
        """Ask for a sign of life whenever nothing was heard for so long."""
        self.packetizer.heard = time.monotonic()
        self.packetizer.ask = self._ask
        self.sock.settimeout(seconds)

    @property
    def silent(self) -> float:
        """Seconds since a message came."""
        return time.monotonic() - self.packetizer.heard

    def close(self) -> None:
        """End it, at once; what waits on it wakes."""
        hang_up(self.sock)
        super().close()

    def _ask(self) -> None:
        # While keys are exchanged nothing may be sent, and waiting here would stop the exchange.
        if not self.clear_to_send.is_set():
            return
        question = paramiko.Message()
        question.add_byte(cMSG_GLOBAL_REQUEST)
        question.add_string("keepalive@openssh.com")
        question.add_boolean(b=True)
        self._send_user_message(question)  # type: ignore[attr-defined]


def factory(order: Callable[[Sequence[str]], list[str]]) -> Callable[..., Transport]:
    """What paramiko's client is given to make transports with; known host keys are asked first."""

    def make(sock: Any, **options: Any) -> Transport:
        transport = Transport(sock, packetizer_class=_Heard, **options)
        # Its messages go to logging; without this its thread prints tracebacks to stderr.
        transport.daemon = True
        security = transport.get_security_options()
        security.key_types = order(tuple(security.key_types))
        # One pass instead of a cipher and a digest: half the work for much output.
        security.ciphers = sorted(security.ciphers, key=lambda name: "-gcm@" not in name)
        return transport

    return make


def hang_up(sock: Any) -> None:
    """Close a socket, or a channel used as one; whoever reads from it wakes."""
    with suppress(OSError, EOFError, paramiko.SSHException):
        sock.shutdown(socket.SHUT_RDWR)
    with suppress(OSError, EOFError, paramiko.SSHException):
        sock.close()


def tune(sock: socket.socket, silence: float) -> None:
    """Set what a connection needs.

    Args:
        sock: A connected socket.
        silence: After how many seconds of unanswered data the kernel gives up.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(silence * 1000))
