"""The bytes to and from one launcher: a channel of a connection, or a process on this machine.

Rules:
- A wire belongs to one thread. Other threads only ring (`ring`) when bytes arrived.
- `send` may block while the far side reads slowly. It loses nothing that arrives meanwhile.
"""

import os
import select
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late
from paramiko.common import cMSG_CHANNEL_REQUEST  # noqa: TID253 - same

from drrun.engine.environment import inherited
from drrun.ssh.link import Link

Ring = Callable[[], None]
#: Bytes that we read at once, and that we send before we read again.
_CHUNK = 1 << 18
#: Seconds after which we look whether a wire on this machine was closed.
_LOOK_EVERY = 0.5
#: Seconds that the far side may take to read one chunk.
_SEND_WITHIN = 60.0


class Wire(Protocol):
    """Bytes to and from a launcher."""

    #: The connection that carries it; None: this machine.
    link: Link | None

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError, EOFError: The other end is gone.
        """
        ...

    def end(self) -> None:
        """End the input: nothing more is sent."""
        ...

    def receive(self) -> list[tuple[str, bytes]]:
        """The bytes that arrived on `out` and `err`. Does not wait, and never fails."""
        ...

    def ended(self) -> str | None:
        """Why no more bytes will come, once all were received; "" while they may."""
        ...

    def close(self) -> None:
        """Hang up; commands go on."""
        ...


class _Bell(threading.Event):
    """Rings when paramiko sets it for bytes or an end; only once until somebody listens."""

    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self._ring = ring

    def set(self) -> None:
        """Ring, unless nobody has listened since the last ring."""
        if not self.is_set():
            super().set()
            self._ring()

    def clear(self) -> None:
        """Ignore paramiko, which calls this when one stream is empty: the other may hold bytes."""

    def heard(self) -> None:
        """Allow the next ring; look for bytes only afterwards."""
        super().clear()


class FarWire:
    """A session channel of an open connection."""

    def __init__(self, link: Link, line: str, ring: Ring) -> None:
        """Have the login shell execute a line, without waiting for the server's answer.

        Raises:
            OSError: The server opens no channel.
        """
        self.link: Link | None = link
        self._transport = link
        try:
            self._channel = link.transport.open_session(timeout=link.options.channel_within)
            self._bell = _Bell(ring)
            self._channel.in_buffer.set_event(self._bell)
            self._channel.in_stderr_buffer.set_event(self._bell)
            self._channel.settimeout(_SEND_WITHIN)
            self._execute(line)
        except (paramiko.SSHException, EOFError) as error:
            raise OSError(str(error) or "the server ended the connection") from error

    def _execute(self, line: str) -> None:
        # As `exec_command`, without its round trip and without its wait, which has no end.
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(self._channel.remote_chanid)
        message.add_string("exec")
        message.add_boolean(False)  # noqa: FBT003 - no answer is wanted
        message.add_string(line)
        self._transport.transport._send_user_message(message)  # type: ignore[attr-defined]  # noqa: SLF001

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._channel.sendall(data)

    def end(self) -> None:
        """End the input: nothing more is sent."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.shutdown_write()

    def receive(self) -> list[tuple[str, bytes]]:
        """The bytes that arrived."""
        self._bell.heard()
        got = []
        channel = self._channel
        with suppress(OSError, EOFError):
            if channel.recv_ready():
                got.append(("out", channel.recv(_CHUNK)))
            if channel.recv_stderr_ready():
                got.append(("err", channel.recv_stderr(_CHUNK)))
        return got

    def ended(self) -> str | None:
        """Why no more bytes will come."""
        channel = self._channel
        over = channel.eof_received or channel.closed or not self._transport.alive
        if not over or channel.recv_ready() or channel.recv_stderr_ready():
            return None
        return self._transport.why or "the launcher's channel ended"

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()


class NearWire:
    """A launcher on this machine."""

    def __init__(self, argv: tuple[str, ...], ring: Ring) -> None:
        self.link: Link | None = None
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=inherited(),
            start_new_session=True,
        )
        self._ring = ring
        self._came: deque[tuple[str, bytes]] = deque()
        self._over = False
        self._closed = False
        threading.Thread(target=self._read, name="local launcher", daemon=True).start()

    def _read(self) -> None:
        streams, poll = {}, select.poll()
        for name, stream in (("out", self._process.stdout), ("err", self._process.stderr)):
            if stream is not None:
                streams[stream.fileno()] = name
                poll.register(stream, select.POLLIN)
        while streams and not self._closed:
            # A command that goes on keeps the ends open, so we look whether the wire was closed.
            ready = poll.poll(_LOOK_EVERY * 1000)
            for number, _ in ready:
                data = os.read(number, _CHUNK)
                if data:
                    self._came.append((streams[number], data))
                else:
                    poll.unregister(number)
                    del streams[number]
            if ready:
                self._ring()
        self._over = True
        self._ring()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.wait()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def end(self) -> None:
        """End the input: nothing more is sent."""
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def receive(self) -> list[tuple[str, bytes]]:
        """The bytes that arrived."""
        return [self._came.popleft() for _ in range(len(self._came))]

    def ended(self) -> str | None:
        """Why no more bytes will come."""
        return "the launcher ended" if self._over and not self._came else None

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        self.end()
