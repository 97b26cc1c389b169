"""Speaks with the launcher on a host (launcher.sh): one request, one answer, each with a deadline.

Rules:
- Only lines that begin with our nonce are answers: what a login shell prints is passed over.
- A request is answered whole or the resident is given up; after half an answer nobody could tell
  where the next one begins.
- Shared by the threads of all jobs on a host; requests take turns.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from importlib.resources import files
from typing import Protocol

from drrun.core.dataclass import dataclass

#: Seconds for one answer; also bounds how long a full disk may hold us.
ANSWER_WITHIN = 30.0
#: More chatter than this before the first answer, and it is no launcher.
_CHATTER = 65536


class ResidentLost(Exception):
    """No answer came, or half of one. Nothing is known about the request."""


class Pipe(Protocol):
    """Bytes to and from a launcher, near or far."""

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError, EOFError: The other end is gone.
        """
        ...

    def receive(self, most: int, seconds: float) -> bytes:
        """Some bytes, waited for up to `seconds`.

        Raises:
            OSError, EOFError: The other end is gone, or time is over.
        """
        ...

    def close(self) -> None:
        """Hang up; jobs go on."""
        ...


@dataclass(frozen=True, slots=True)
class JobState:
    """What the launcher knows of a job."""

    #: absent, claimed, running, ended, gone, rebooted.
    word: str
    exit: int | None = None
    #: Bytes kept of each stream, and bytes that came beyond the limit.
    kept: tuple[int, int] = (0, 0)
    beyond: tuple[int, int] = (0, 0)
    #: Nothing more can come.
    drained: bool = False
    #: The host was booted anew since the job began; False where that cannot be told.
    rebooted: bool = False


def program() -> str:
    """The launcher's text."""
    return files("drrun.ssh").joinpath("launcher.sh").read_text("utf-8")


@dataclass(slots=True)
class Resident:
    """A launcher that answers."""

    pipe: Pipe
    nonce: str
    #: Boot id of the host, "-" where it has none.
    boot: str = ""
    lost: bool = False
    _waiting: bytes = b""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def greet(self) -> None:
        """Wait until the launcher says that it is ready.

        Raises:
            ResidentLost: It never does: the host cannot run it.
        """
        with self._asking():
            words = self._answer()
        if words[:2] != ["ready", "1"]:
            raise ResidentLost(f"the launcher answered {' '.join(words)!r}")
        self.boot = words[2]

    def start(self, job: str, epoch: int, line: bytes, payload: bytes, limit: int) -> list[str]:
        """Claim and start a job; the words of the answer."""
        request = f"start {job} {epoch} {len(line)} {len(payload)} {limit}\n"
        return self._ask(request.encode() + line + payload)

    def look(self, job: str) -> JobState:
        """What is known of a job."""
        words = self._ask(f"look {job}\n".encode())
        exit_status = int(words.pop(1)) if words[0] == "ended" else None
        out, err, more_out, more_err, drained = (int(each) for each in words[1:6])
        rebooted = words[6] not in ("-", self.boot)
        kept, beyond = (out, err), (more_out, more_err)
        return JobState(words[0], exit_status, kept, beyond, bool(drained), rebooted)

    def read(self, job: str, stream: str, offset: int, most: int) -> bytes:
        """Bytes of a job's output from `offset` on."""
        with self._asking():
            words = self._exchange(f"read {job} {stream} {offset} {most}\n".encode())
            return self._exactly(int(words[1]))

    def kill(self, job: str, signal: str) -> bool:
        """Send a signal to the job's runner; whether anything of it lives."""
        return self._ask(f"kill {job} {signal}\n".encode()) == ["alive"]

    def drop(self, job: str) -> None:
        """Forget a job whose outcome is durable."""
        self._ask(f"drop {job}\n".encode())

    def leave(self, run: str) -> None:
        """Remove everything of a run from the host."""
        self._ask(f"leave {run}\n".encode())

    def jobs(self) -> list[tuple[str, str]]:
        """Runs and jobs that have a folder on the host."""
        with self._asking():
            words = self._exchange(b"list\n")
            lines = [self._line().decode().split() for _ in range(int(words[1]))]
        return [(run, job) for run, job in lines]

    def close(self) -> None:
        """Hang up."""
        self.lost = True
        self.pipe.close()

    def _ask(self, request: bytes) -> list[str]:
        with self._asking():
            return self._exchange(request)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """One turn; a fault in it gives the launcher up."""
        with self._turn:
            if self.lost:
                raise ResidentLost("the launcher was given up")
            try:
                yield
            except (OSError, EOFError, ValueError, IndexError) as error:
                self.close()
                raise ResidentLost(str(error) or type(error).__name__) from error
            except BaseException:
                self.close()
                raise

    def _exchange(self, request: bytes) -> list[str]:
        self.pipe.send(request)
        return self._answer()

    def _answer(self) -> list[str]:
        passed = 0
        while passed < _CHATTER:
            line = self._line()
            mark, _, words = line.decode("utf-8", "replace").partition(" ")
            if mark == self.nonce:
                return words.split()
            passed += len(line) + 1
        raise ResidentLost("the host says much, but nothing that the launcher says")

    def _line(self) -> bytes:
        while b"\n" not in self._waiting:
            self._more()
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line

    def _exactly(self, length: int) -> bytes:
        while len(self._waiting) < length:
            self._more()
        data, self._waiting = self._waiting[:length], self._waiting[length:]
        return data

    def _more(self) -> None:
        data = self.pipe.receive(1 << 18, ANSWER_WITHIN)
        if not data:
            raise EOFError("the launcher ended")
        self._waiting += data
