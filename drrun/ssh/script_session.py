"""Follows one started script: its output, its end, its time limit. Over SSH or locally.

Rules:
- Silence is not death (fault F69): without a written timeout nothing here ends a command.
- One thread reads both streams as they come, and collects nothing in memory.
- A process that ended before the script said that it begins has provably not executed it.
- The script's end is its own exit; a child that keeps the output open is left alone (fault F60).
- A written timeout ends the whole session of the script. We prove that it is gone, or say that we
  could not (fault F61).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from drrun.core.dataclass import dataclass
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome, OutcomeUnknown, TimedOut
from drrun.ports.clock import Cancel
from drrun.ports.places import Output, Script
from drrun.ssh.proof import AFTER, replaced
from drrun.ssh.wire import Beginning, Launch, Started

#: Seconds between looks at the clock and at `cancel`.
_TICK = 0.25
#: Seconds that output may go on after the script's exit.
_AFTER_EXIT = 2.0
#: Seconds that we wait for an exit status after the end of the output, before we look.
_AFTER_OUTPUT = 5.0
#: Seconds between looks at a script that closed its output and goes on.
_BETWEEN_LOOKS = 30.0


@dataclass(frozen=True, slots=True)
class Finish:
    """How the script's process ended."""

    exit: int | None
    signal: str = ""


class ProcessStreams(Protocol):
    """The streams of one process, near or far."""

    def send(self, payload: bytes) -> None:
        """Send what the process reads, then its end."""
        ...

    def receive(self, seconds: float) -> list[tuple[str, bytes]]:
        """What came on `stdout` and `stderr`; waits up to `seconds` for something to happen."""
        ...

    def drained(self) -> bool:
        """Whether both streams are at their end."""
        ...

    def finish(self) -> Finish | None:
        """How the process ended, once that is known."""
        ...

    def broken(self) -> str:
        """Why we will never learn how it ended; "" while we may."""
        ...

    def close(self) -> None:
        """Close the streams. The process goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Ender:
    """How to deal with a script that goes on."""

    #: Ends all of it; whether it is proved gone.
    end: Callable[[Started], bool]
    #: Whether something of it is left; None: could not be told.
    look: Callable[[Started], bool | None]


@dataclass(slots=True)
class ScriptSession:
    """One script from its sending to its end."""

    line: ProcessStreams
    launch: Launch
    script: Script
    output: Output
    #: Where it runs, for messages.
    place: str
    ender: Ender
    #: Seconds until it must say that it begins.
    start_within: float
    #: Finds the shell that reads instead of our starter. Blocks.
    reader: Callable[[], str] = field(default=lambda: "")
    _out: Beginning = field(init=False)
    _err: Beginning = field(init=False)
    #: Our starter has proved that it reads, and we sent the script.
    _proved: bool = False
    #: The shell that reads instead of it, and whether we asked.
    _replaced: str = ""
    _reader_asked: bool = False
    _started: Started | None = None
    _begun_at: float = field(default_factory=time.monotonic)
    _exited_at: float | None = None
    _drained_at: float | None = None
    _closed_output: bool = False

    def __post_init__(self) -> None:
        self._out = Beginning(self.launch.proof.nonce)
        self._err = Beginning(self.launch.proof.nonce)

    def listen(self, cancel: Cancel) -> Outcome:
        """Read everything until the end."""
        try:
            while True:
                self._take(_TICK)
                outcome = self._over() or self._stopped(cancel) or self._late()
                if outcome is not None:
                    return outcome
        finally:
            self.line.close()

    def _take(self, seconds: float) -> None:
        for stream, received in self.line.receive(seconds):
            data = received
            if stream == "stdout" and not self._proved:
                data = self._prove(data)
            begin = self._out if stream == "stdout" else self._err
            own = begin.feed(data)
            if own:
                self.output.write(stream, own)
        if self._started is None and self._out.said is not None:
            self._started = Started.read(self._out.said)
            self._begun_at = time.monotonic()

    def _prove(self, data: bytes) -> bytes:
        """Send the script once its reader is proved; returns the bytes after the proof."""
        rest = self._out.feed(data)
        if self._out.said is None:
            return b""
        proof, said = self.launch.proof, self._out.said
        self._out = Beginning(proof.nonce, chatter=self._out.chatter)
        if proof.given_by(said):
            self._proved = True
            self.line.send(self.launch.payload)
        else:
            self._replaced = proof.replaced_by(said)
        return rest

    def _over(self) -> Outcome | None:
        """Its outcome, if we know by now that it ended."""
        if self._replaced and not self._proved:
            host = self.place.partition(" ")[0]
            return NeverStarted(replaced(host, self._replaced), final=True)
        finish, now = self.line.finish(), time.monotonic()
        if finish is not None:
            self._exited_at = self._exited_at or now
            if self.line.drained():
                return self._ended(finish, "")
            if now - self._exited_at > _AFTER_EXIT:
                return self._ended(finish, "a process that it left behind keeps its output open")
            return None
        if why := self.line.broken():
            return self._lost(why)
        if self.line.drained():
            return self._quiet(now)
        return None

    def _ended(self, finish: Finish, note: str) -> Outcome:
        if self._started is None:
            return self._refused(finish)
        return Ended(finish.exit, finish.signal, note)

    def _refused(self, finish: Finish) -> Outcome:
        """The process ended before our line ran: login shell, sudo or a forced command."""
        said = b" ".join((self._err.chatter + b" " + self._out.chatter).split())
        words = said.decode("utf-8", "replace")[-300:]
        shown = "".join(each if each.isprintable() else "?" for each in words)
        why = f"{self.place} did not execute the command, its login shell ended with {finish.exit}"
        if finish.exit == 125 and not shown:
            return NeverStarted(f"{why}: the command did not arrive whole")
        if self.script.execution.become:
            why = f"{self.place} did not let the user become {self.script.execution.become}"
        return NeverStarted(f"{why}: {shown or 'it said nothing'}", final=True)

    def _ask_who_reads(self) -> None:
        self._replaced = self.reader()

    def _lost(self, why: str) -> Outcome:
        if not self._proved:
            return NeverStarted(f"{self.place}: {why}, before the command was sent")
        return OutcomeUnknown(
            f"contact with {self.place} was lost: {why}. The command may still be running there"
        )

    def _quiet(self, now: float) -> Outcome | None:
        """There is no more output and no exit: it closed its output, or its exit was lost."""
        wait = _BETWEEN_LOOKS if self._closed_output else _AFTER_OUTPUT
        self._drained_at = self._drained_at or now
        if now - self._drained_at < wait:
            return None
        self._drained_at = now
        if self._started is None or not self._started.leads or not self.ender.look(self._started):
            return self._lost("its output ended, and how it ended itself was never told")
        self._closed_output = True
        return None

    def _stopped(self, cancel: Cancel) -> Outcome | None:
        if not cancel.is_set():
            return None
        return OutcomeUnknown(f"detached from {self.place}; the command continues there")

    def _late(self) -> Outcome | None:
        """Whether a time limit passed: the author's, or ours for the beginning."""
        past = time.monotonic() - self._begun_at
        if not self._proved and past > AFTER and not self._reader_asked:
            self._reader_asked = True
            threading.Thread(target=self._ask_who_reads, name="who reads", daemon=True).start()
        if self._started is None:
            return self._lost("it never said that it began") if past > self.start_within else None
        limit = self.script.timeout
        if limit is None or past < limit:
            return None
        gone = self._started.leads and self.ender.end(self._started)
        # What it printed until then is on its way.
        deadline = time.monotonic() + _AFTER_EXIT
        while gone and not self.line.drained() and time.monotonic() < deadline:
            self._take(_TICK)
        note = "its whole session was ended" if gone else "its processes could not be proved dead"
        return TimedOut(gone=gone, note=f"longer than {limit} on {self.place}; {note}")
