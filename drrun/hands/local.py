"""The controller itself as a place where scripts are executed, exactly as on a host.

Rules:
- The same beginning, limits and ending as over SSH (`drrun.ssh.script_session`); only the streams
  differ.
- Of drrun's own environment a command gets what `drrun.engine.environment` lists.
- A session of its own: a Ctrl-C for drrun is not one for the command.
"""

import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import NeverStarted, Outcome, OutcomeUnknown
from drrun.engine.captured import CapturedOutput
from drrun.engine.environment import inherited
from drrun.ports.clock import Cancel
from drrun.ports.places import AttemptProgress, Output, Script
from drrun.ssh.ending import END_WITHIN, ender
from drrun.ssh.script_session import Finish, ScriptSession
from drrun.ssh.wire import BadScript, launch

_CHUNK = 65536
#: Seconds until sudo must have let a command begin.
_START_WITHIN = 60.0
_HERE = "the controller"


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """This machine. A `Remote`."""

    def run(
        self,
        script: Script,
        output: Output,
        tell: Callable[[AttemptProgress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Execute `script` to its end."""
        del tell
        if cancel.is_set():
            return NeverStarted(f"{_HERE}: stopped before anything was started")
        try:
            ready = launch(script)
            process = subprocess.Popen(
                ready.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=inherited(),
                start_new_session=True,
            )
        except (BadScript, OSError) as error:
            return NeverStarted(f"{_HERE}: {error}", final=True)
        line = ProcessLine(process)
        ways = ender(_aside, script.execution.become)
        talk = ScriptSession(line, ready, script, output, _HERE, ways, _START_WITHIN)
        try:
            return talk.listen(cancel)
        except OSError as error:
            return OutcomeUnknown(f"the output of a command on {_HERE} was lost: {error}")


def _aside(script: Script) -> bytes:
    """Run a short script of our own; what it printed."""
    output, patience = CapturedOutput(), threading.Event()
    timer = threading.Timer(END_WITHIN, patience.set)
    timer.daemon = True
    timer.start()
    try:
        LocalPlace().run(script, output, lambda _: None, patience)
    finally:
        timer.cancel()
    return bytes(output.streams["stdout"])


@dataclass(slots=True)
class ProcessLine:
    """The streams of a local process. A `session.Line`."""

    process: subprocess.Popen[bytes]
    _open: dict[int, str] = field(default_factory=dict)
    _poll: select.poll = field(default_factory=select.poll)

    def __post_init__(self) -> None:
        for name, stream in (("stdout", self.process.stdout), ("stderr", self.process.stderr)):
            if stream is not None:
                self._open[stream.fileno()] = name
                self._poll.register(stream, select.POLLIN)

    def send(self, payload: bytes) -> None:
        """Send what the command reads, then its end, beside the reading."""
        threading.Thread(target=self._send, args=(payload,), daemon=True).start()

    def _send(self, payload: bytes) -> None:
        # A command that ends without reading is no fault.
        if self.process.stdin is not None:
            with suppress(OSError, ValueError), self.process.stdin as pipe:
                pipe.write(payload)

    def receive(self, seconds: float) -> list[tuple[str, bytes]]:
        """What came, on either stream."""
        if not self._open:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
            return []
        got = []
        for number, _ in self._poll.poll(seconds * 1000):
            data = os.read(number, _CHUNK)
            if data:
                got.append((self._open[number], data))
            else:
                self._poll.unregister(number)
                del self._open[number]
        return got

    def drained(self) -> bool:
        """Whether both streams are at their end."""
        return not self._open

    def finish(self) -> Finish | None:
        """The exit status, or the signal."""
        code = self.process.poll()
        if code is None:
            return None
        return Finish(code) if code >= 0 else Finish(None, _signal(-code))

    def broken(self) -> str:
        """Never: a child's status is always told."""
        return ""

    def close(self) -> None:
        """Let go of the streams, and leave the process to be reaped."""
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if self.process.poll() is None:
            threading.Thread(target=self.process.wait, daemon=True).start()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)
