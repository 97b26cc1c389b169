"""Long outputs, as they come from a host: a line that announces bytes, the bytes, a line behind.

Rules:
- They come on a stream that nobody but the launcher writes on; what a start-up file left there
  before is passed over. Bytes that are not followed by their end are not what was announced, and
  the channel is given up.
- They come in the order in which they were asked for.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import field

from drrun.core.dataclass import dataclass


class TornOutput(Exception):
    """What came is not what was announced."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A part of an output that was asked for."""

    name: str
    #: `o` or `e`.
    stream: str
    offset: int
    length: int
    #: Called with each part of it.
    into: Callable[[bytes], None]
    #: Called when all of it came.
    then: Callable[[], None]

    @property
    def request(self) -> str:
        """Its words in a request, and in the announcement."""
        return f"{self.name} {self.stream} {self.offset} {self.length}"


@dataclass(slots=True)
class Bulk:
    """Sorts what comes to those who want it."""

    nonce: str
    _wanted: deque[FetchRequest] = field(default_factory=deque)
    _waiting: bytes = b""
    #: Bytes of the first of them that are to come; None: it was not announced yet.
    _left: int | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is to come."""
        return not self._wanted

    def expect(self, wanted: FetchRequest) -> None:
        """Something was asked for."""
        self._wanted.append(wanted)

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            Torn: They are not what was announced.
        """
        self._waiting += data
        while self._step():
            pass

    def _step(self) -> bool:
        """Deal with the next part; False: more has to come."""
        if self._left is None:
            return self._announced()
        if self._left:
            return self._pass_on()
        return self._closed()

    def _announced(self) -> bool:
        line, found, rest = self._waiting.partition(b"\n")
        if not found:
            return False
        self._waiting = rest
        at = line.find(self.nonce.encode())
        if at >= 0 and self._wanted:
            if (
                line[at:].decode("utf-8", "replace")
                != f"{self.nonce} more {self._wanted[0].request}"
            ):
                raise TornOutput("another part than was asked for")
            self._left = self._wanted[0].length
        return True

    def _pass_on(self) -> bool:
        if not self._waiting or self._left is None:
            return False
        part, self._waiting = self._waiting[: self._left], self._waiting[self._left :]
        self._left -= len(part)
        self._wanted[0].into(part)
        return True

    def _closed(self) -> bool:
        end = f"{self.nonce} end\n".encode()
        if len(self._waiting) < len(end):
            if not end.startswith(self._waiting):
                raise TornOutput("it does not end where it should")
            return False
        if not self._waiting.startswith(end):
            raise TornOutput("it does not end where it should")
        self._waiting = self._waiting[len(end) :]
        wanted, self._left = self._wanted.popleft(), None
        wanted.then()
        return True
