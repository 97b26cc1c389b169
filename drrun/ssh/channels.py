"""Session channels of an open connection: opened with patience, read without losing news.

Rules:
- If the server refuses a channel (MaxSessions, fault F36), we try again: as long as our own
  sessions use up the limit, and for `session_within` seconds otherwise.
- paramiko keeps one error for all threads of a connection, so the kind of an error proves nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import field

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late
import tenacity  # noqa: TID253 - same

from drrun.core.dataclass import dataclass
from drrun.ports.clock import Cancel
from drrun.ssh.faults import StoppedBeforeSending
from drrun.ssh.link import Link
from drrun.ssh.script_session import Finish
from drrun.ssh.transport import exit_signal

#: A thread of its own sends more bytes than this, so that we can read output meanwhile.
_AT_ONCE = 32768
_CHUNK = 65536


class ChannelRefused(Exception):
    """The server refuses one more session on this connection for now."""


@contextmanager
def session(link: Link, cancel: Cancel) -> Iterator[paramiko.Channel]:
    """Open a session channel; wait while our own sessions use up the limit."""
    while not link.sessions.acquire(timeout=0.2):
        if cancel.is_set():
            raise StoppedBeforeSending
    try:
        with _patiently(link, cancel) as channel:
            link.count(1)
            try:
                yield channel
            finally:
                link.count(-1)
    finally:
        link.sessions.release()


def _patiently(link: Link, cancel: Cancel) -> paramiko.Channel:
    """Open a session channel; try again while the server refuses it (fault F36)."""
    alone = tenacity.stop_after_delay(link.options.session_within)

    def pause(length: float) -> None:
        if cancel.wait(length):
            raise StoppedBeforeSending

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ChannelRefused),
        stop=lambda state: link.running == 0 and alone(state),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=1),
        sleep=pause,
        reraise=True,
    )
    return retrying(_opened, link)


def _opened(link: Link) -> paramiko.Channel:
    try:
        return link.transport.open_session(timeout=link.options.channel_within)
    except (paramiko.SSHException, EOFError) as error:
        # paramiko keeps one error for all threads, so another may have taken the ChannelException.
        if link.alive and "Timeout" not in str(error):
            raise ChannelRefused("the server opens no further session (MaxSessions)") from error
        link.lose("it did not open a channel in time")
        raise


@contextmanager
def beside(link: Link) -> Iterator[tuple[Link, paramiko.Channel]]:
    """Open one more session; where the server allows no more, on a new connection."""
    try:
        channel = _opened(link)
    except ChannelRefused:
        if link.another is None:
            raise
        other = link.another()
        try:
            with _opened(other) as channel:
                yield other, channel
        finally:
            other.close()
    else:
        with channel:
            yield link, channel


class Bell(threading.Event):
    """A bell: paramiko rings it when bytes or an end arrive; only the listener silences it.

    paramiko's own pipe for `select` loses such news when both streams are busy: its two halves are
    not locked against each other, and reading one silences the other.
    """

    def clear(self) -> None:
        """Ignore paramiko, which calls this when one stream is empty: the other may hold bytes."""

    def listen(self, seconds: float) -> None:
        """Wait until the bell rings, and silence it. Look for news only afterwards."""
        self.wait(seconds)
        super().clear()


@dataclass(slots=True)
class ChannelLine:
    """The streams of a command behind a channel. A `session.Line`."""

    link: Link
    channel: paramiko.Channel
    _bell: Bell = field(default_factory=Bell)
    _sender: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.channel.in_buffer.set_event(self._bell)
        self.channel.in_stderr_buffer.set_event(self._bell)

    def ask(self, question: bytes) -> None:
        """Send a few bytes that are not the end."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            self.channel.sendall(question)

    def send(self, payload: bytes) -> None:
        """Send what the command reads, then its end."""
        if len(payload) <= min(_AT_ONCE, self.channel.out_window_size):
            self._send(payload)
        else:
            self._sender = threading.Thread(target=self._send, args=(payload,), daemon=True)
            self._sender.start()

    def _send(self, payload: bytes) -> None:
        # A command may end without reading its input. Reading notices a lost link.
        with suppress(OSError, EOFError, paramiko.SSHException):
            view = memoryview(payload)
            for start in range(0, len(view), _CHUNK):
                self.channel.sendall(view[start : start + _CHUNK].tobytes())
            self.channel.shutdown_write()

    def receive(self, seconds: float) -> list[tuple[str, bytes]]:
        """The bytes that arrived, on either stream."""
        if self._at_end():
            # Only the status is missing, and a status does not ring.
            self.channel.status_event.wait(0 if self._waiting() else seconds)
        elif not self._waiting():
            self._bell.listen(seconds)
        got = []
        if self.channel.recv_ready():
            got.append(("stdout", self.channel.recv(_CHUNK)))
        if self.channel.recv_stderr_ready():
            got.append(("stderr", self.channel.recv_stderr(_CHUNK)))
        return got

    def drained(self) -> bool:
        """Whether both streams are at their end."""
        return self._at_end() and not self._waiting()

    def finish(self) -> Finish | None:
        """The exit status, or the signal, once the server told it."""
        if name := exit_signal(self.channel):
            return Finish(None, name)
        if self.channel.exit_status_ready() and self.channel.exit_status >= 0:
            return Finish(self.channel.exit_status)
        return None

    def broken(self) -> str:
        """Why no exit status will come; "" while it may."""
        # Read what arrived before the end first: a status may have come with it.
        if not self.channel.closed or not self.drained() or self.finish() is not None:
            return ""
        if not self.link.alive:
            return self.link.why or "the connection ended"
        return "the server closed the session without saying how the command ended"

    def close(self) -> None:
        """Leave the command running."""
        with suppress(OSError, EOFError):
            self.channel.close()

    def _waiting(self) -> bool:
        return bool(self.channel.recv_ready() or self.channel.recv_stderr_ready())

    def _at_end(self) -> bool:
        # paramiko writes both False and 0 into these.
        return bool(self.channel.eof_received or self.channel.closed)
