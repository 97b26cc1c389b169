"""Runs one script over one channel of an open connection.

Rules:
- Not paramiko's or Fabric's `run`: those are quadratic in output, mirror the terminal, and take a
  lost status for -1 (FAULTS section 3).
- Nothing is executed before the last byte of the script arrived, so a fault up to then is provably
  without effect; a refused channel is waited out (MaxSessions), never a failed step.
- Never a pty: it would kill the command with the link.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late
import tenacity  # noqa: TID253 - same

from drrun.core.outcomes import NeverStarted, Outcome
from drrun.engine.ports import Cancel, Output, Script
from drrun.ssh.ending import END_WITHIN, Told, ender
from drrun.ssh.faults import DeadlineError, Stopped, after_sending, before_sending
from drrun.ssh.link import Link
from drrun.ssh.session import Finish, Talk
from drrun.ssh.transport import exit_signal
from drrun.ssh.wire import BadScript, Launch, launch

#: More than this many bytes are sent by a thread of their own, while output is taken in.
_AT_ONCE = 32768
_CHUNK = 65536


class Refused(Exception):
    """The server opens no further session on this connection now."""


def run(link: Link, script: Script, output: Output, cancel: Cancel) -> Outcome:
    """Execute `script` to its end. Never raises for what the host does."""
    try:
        ready = launch(script)
        with _session(link, cancel) as channel:
            return _converse(link, channel, ready, script, output, cancel)
    except Exception as error:  # noqa: BLE001 - the door: every fault becomes an outcome
        if link.alive or isinstance(error, Stopped | BadScript):
            return before_sending(error, link.way)
        why = link.why or "the host ended the connection"
        return NeverStarted(f"{link.way}: {why}, before the command was sent")


def _converse(
    link: Link,
    channel: paramiko.Channel,
    ready: Launch,
    script: Script,
    output: Output,
    cancel: Cancel,
) -> Outcome:
    with link.deadlines.limit(link.options.start_within, channel.close) as limit:
        try:
            channel.exec_command(ready.line)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if limit.passed:
                raise DeadlineError("it did not answer the request for a command") from error
            raise
    try:
        line = ChannelLine(link, channel)
        line.send(ready.payload)
        ways = ender(partial(_aside, link), script.execution.become)
        talk = Talk(line, ready, script, output, str(link.way), ways, link.options.start_within)
        return talk.listen(cancel)
    except Exception as error:  # noqa: BLE001 - from here on no fault says that nothing happened
        return after_sending(link.why or error, link.way)


def _aside(link: Link, script: Script) -> bytes:
    """Run a short script of our own beside what runs there; what it printed."""
    told = Told()
    with _beside(link) as (other, channel), other.deadlines.limit(END_WITHIN, channel.close):
        _converse(other, channel, launch(script), script, told, threading.Event())
    return told.kept


@contextmanager
def _beside(link: Link) -> Iterator[tuple[Link, paramiko.Channel]]:
    """A session beside those that run, on a connection of its own where the server has no room."""
    try:
        channel = _opened(link)
    except Refused:
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


@contextmanager
def _session(link: Link, cancel: Cancel) -> Iterator[paramiko.Channel]:
    """A session channel, waited for as long as others of ours are the reason."""
    while not link.sessions.acquire(timeout=0.2):
        if cancel.is_set():
            raise Stopped
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
    """Open a session channel, again and again while it is refused (FAULTS 36)."""
    alone = tenacity.stop_after_delay(link.options.session_within)

    def pause(length: float) -> None:
        if cancel.wait(length):
            raise Stopped

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Refused),
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
            raise Refused("the server opens no further session (MaxSessions)") from error
        link.lose("it did not open a channel in time")
        raise


class Bell(threading.Event):
    """Rung by paramiko when bytes or an end came on either stream; silenced only by the listener.

    paramiko's own pipe for `select` loses such news when both streams are busy: its two halves are
    not locked against each other, and reading one silences the other.
    """

    def clear(self) -> None:
        """What paramiko calls once a stream was read empty; the other may not be."""

    def listen(self, seconds: float) -> None:
        """Wait until it rings, and silence it. Look for news only afterwards."""
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

    def send(self, payload: bytes) -> None:
        """Send what the command reads, then its end."""
        if len(payload) <= _AT_ONCE:
            self._send(payload)
        else:
            self._sender = threading.Thread(target=self._send, args=(payload,), daemon=True)
            self._sender.start()

    def _send(self, payload: bytes) -> None:
        # A command that ends without reading is no fault, and a lost link is seen when reading.
        with suppress(OSError, EOFError, paramiko.SSHException):
            view = memoryview(payload)
            for start in range(0, len(view), _CHUNK):
                self.channel.sendall(view[start : start + _CHUNK].tobytes())
            self.channel.shutdown_write()

    def receive(self, seconds: float) -> list[tuple[str, bytes]]:
        """What came, on either stream."""
        if self._at_end():
            # Only the status is missing, and that does not ring.
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
        """Why no status will come any more."""
        if not self.link.alive:
            return self.link.why or "the connection ended"
        # A status that came with the close is read first: `finish` is asked before this.
        if self.channel.closed and self.drained() and self.finish() is None:
            return "the server closed the session without saying how the command ended"
        return ""

    def close(self) -> None:
        """Leave the command to itself."""
        with suppress(OSError, EOFError):
            self.channel.close()

    def _waiting(self) -> bool:
        return bool(self.channel.recv_ready() or self.channel.recv_stderr_ready())

    def _at_end(self) -> bool:
        # paramiko writes both False and 0 into these.
        return bool(self.channel.eof_received or self.channel.closed)
