"""When the parts of a stream came: `ATTEMPT.stdout.times`, one line `POSITION SECONDS` a mark.

Rules:
- A mark says: the bytes from this position on, up to the next mark, came at this time or within
  `_EVERY` seconds after it. Positions count masked bytes; times are UTC seconds since the epoch.
- After `_MANY` marks there is one every `_RARELY` seconds: a stream that goes on for a week must
  not fill the disk with moments.
- What a later controller fetches again keeps the times at which it first came; what came behind
  that has the time at which this controller saw it.
- Times are a help, not a record: where they cannot be written the output is kept without them.
"""

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

#: Seconds between two marks, of which there are at most so many; and then.
_EVERY = 0.1
_MANY = 50_000
_RARELY = 10.0
#: No time of an output lies behind this: the year 3000.
_LATEST = 32_503_680_000.0
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC

#: A position, and seconds since the epoch.
Mark = tuple[int, float]


class Arrivals:
    """Writes the marks of one stream."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Write nothing yet.

        Args:
            path: The file for the marks.
            now: Tells seconds since the epoch.
        """
        self._path = path
        self._now = now
        self._file = -1
        self._count = 0
        #: Bytes before this position have a time already.
        self._before = 0
        self._last = float("-inf")

    def begin(self, before: int) -> None:
        """An earlier controller kept so many bytes of the stream; they will come again."""
        marks = read_marks(self._path)
        self._count = len(marks)
        self._before = max(before, marks[-1][0] + 1 if marks else 0)

    def note(self, position: int, size: int) -> None:
        """So many bytes came now, the first of them at `position`."""
        at = self._now()
        rare = _RARELY if self._count >= _MANY else _EVERY
        end, position = position + size, max(position, self._before)
        if position >= end or at - self._last < rare:
            return
        try:
            if self._file < 0:
                self._file = os.open(self._path, _APPEND, 0o600)
            os.write(self._file, f"{position} {at:.3f}\n".encode())
        except OSError:
            return  # tried again with the next bytes: the disk may have room then
        self._count, self._before, self._last = self._count + 1, position + 1, at

    def close(self) -> None:
        """Nothing more comes."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_marks(path: Path) -> Sequence[Mark]:
    """The marks of a stream by position; none if nothing was written, or it cannot be read."""
    try:
        text = path.read_bytes()
    except OSError:
        return []
    # Behind the last newline is what a crash left of a mark.
    return list(_marks(text[: text.rfind(b"\n") + 1]))


def split_by_arrival(
    marks: Sequence[Mark], start: int, data: bytes
) -> Iterator[tuple[float | None, bytes]]:
    """Bytes from position `start` on, in parts that came at one time; None: not known."""
    end = start + len(data)
    at = bisect_right(marks, start, key=_position)
    came = marks[at - 1][1] if at else None
    begin = start
    while begin < end:
        stop = min(end, marks[at][0]) if at < len(marks) else end
        if stop > begin:
            yield came, data[begin - start : stop - start]
        begin = stop
        if at < len(marks):
            came = marks[at][1]
            at += 1


def _marks(text: bytes) -> Iterator[Mark]:
    last = -1
    for line in text.splitlines():
        position, _, at = line.partition(b" ")
        try:
            mark = int(position), float(at)
        except ValueError:
            continue  # damaged: the mark before it holds until the next
        if mark[0] > last and 0 <= mark[1] < _LATEST:
            last = mark[0]
            yield mark


def _position(mark: Mark) -> int:
    return mark[0]
