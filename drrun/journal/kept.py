"""One stream of an attempt as it lies on disk: a head, and the last two of many segments.

Rules:
- Of a limit L the first L/2 bytes are the head, and segments are L/4 each: at least the last L/4
  bytes are always there, at most L in all. The number of a segment tells how much came before it,
  so nothing else has to survive a crash.
"""

from collections.abc import Iterator
from pathlib import Path

from drrun.core.dataclass import dataclass
from drrun.core.rules import capturing
from drrun.journal.arrivals import read_marks, split_by_arrival
from drrun.journal.sealed import beside, marks_in
from drrun.ports.places import StreamPiece

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class KeptStream:
    """The files of one stream; reading finds what is there now, also while it grows."""

    path: Path
    #: Bytes kept at most.
    limit: int

    def chunks(self) -> Iterator[bytes]:
        """All that was kept, with a mark where something was left out."""
        return (piece.data for piece in self.pieces())

    def pieces(self, start: int = 0) -> Iterator[StreamPiece]:
        """What was kept from byte `start` of the stream on, and when it came."""
        marks = read_marks(self.times)
        end = start
        for begin, file in self._parts():
            if begin > end:
                yield StreamPiece(left_out(begin - end), begin, None)
                end = begin
            for chunk in _read(file, end - begin):
                for came, data in split_by_arrival(marks, end, chunk):
                    end += len(data)
                    yield StreamPiece(data, end, came)
        if (sealed := beside(self.path)).exists():
            yield StreamPiece(_sealed_note(sealed), end, None)

    @property
    def times(self) -> Path:
        """The file that says when it came."""
        return self.path.with_name(f"{self.path.name}.times")

    def head(self, size: int) -> bytes:
        """The first `size` bytes."""
        found = b""
        for _, file in self._parts():
            for chunk in _read(file):
                found += chunk[: size - len(found)]
                if len(found) >= size:
                    return found
        return found

    def tail(self, size: int) -> bytes:
        """The last `size` bytes."""
        found = b""
        for _, file in reversed(self._parts()):
            found = _last(file, size - len(found)) + found
            if len(found) >= size:
                break
        return found

    def excerpt(self, size: int, more: bytes = b"") -> bytes:
        """The first and the last `size` bytes, all if there are not more.

        Args:
            size: Bytes of the beginning, and of the end.
            more: What belongs behind the bytes on disk.
        """
        total = sum(file.stat().st_size for _, file in self._parts()) + len(more)
        if total <= 2 * size and not self._gap():
            return b"".join(self.chunks()) + more
        end = (self.tail(size) + more)[-size:]
        return self.head(size) + left_out(max(0, total - 2 * size) + self._gap()) + end

    def size(self) -> int:
        """Bytes that are kept."""
        return sum(file.stat().st_size for _, file in self._parts())

    def end(self) -> int:
        """Bytes of the stream up to the last that is kept, those left out counted too."""
        parts = self._parts()
        return parts[-1][0] + parts[-1][1].stat().st_size if parts else 0

    def place_for(self, offset: int) -> tuple[Path, int]:
        """The file for the byte at `offset`, and the offset where the next file begins.

        A segment that is not wanted any more is removed.
        """
        head, segment = self._sizes()
        if offset < head:
            return self.path, head
        number = (offset - head) // segment + 1
        self._segment(number - 2).unlink(missing_ok=True)
        return self._segment(number), head + number * segment

    def put_aside(self) -> None:
        """Give what is there another name, `….before-1` or the next number."""
        parts = [file for _, file in self._parts()]
        if not parts:
            return
        number = 1 + len(list(self.path.parent.glob(f"{self.path.name}.before-*")))
        for file in parts:
            ending = file.name.removeprefix(self.path.name)
            file.rename(file.with_name(f"{self.path.name}.before-{number}{ending}"))

    def _gap(self) -> int:
        parts = self._parts()
        if len(parts) < 2:
            return 0
        return max(0, parts[1][0] - parts[0][1].stat().st_size)

    def _parts(self) -> list[tuple[int, Path]]:
        """Where each file begins in the stream, and the file, in order."""
        head, segment = self._sizes()
        try:
            full = self.path.stat().st_size >= head
        except FileNotFoundError:
            return []
        found = [(0, self.path)]
        if not full:
            return found  # segments are behind a full head only
        for file in sorted(self.path.parent.glob(f"{self.path.name}.[0-9]*")):
            number = int(file.name.rpartition(".")[2])
            found.append((head + (number - 1) * segment, file))
        return found

    def _sizes(self) -> tuple[int, int]:
        return max(1, self.limit // 2), max(1, self.limit // 4)

    def _segment(self, number: int) -> Path:
        # Twelve digits: names sort as numbers do, for more bytes than there are.
        return self.path.with_name(f"{self.path.name}.{number:012d}")


def left_out(size: int) -> bytes:
    """The mark in place of `size` bytes that were not kept."""
    return capturing.left_out(size).encode()


def _sealed_note(sealed: Path) -> bytes:
    """The mark in place of a stream that cannot be read."""
    names = ", ".join(sorted(marks_in(sealed)))
    return (
        f"[drrun: sealed: it may show a former value of {names}; "
        "give it with: drrun unseal RUN --old-secret NAME]\n"
    ).encode()


def _read(file: Path, start: int = 0) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            opened.seek(start)
            while chunk := opened.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        return  # a segment that was removed while the stream was read


def _last(file: Path, size: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - size))
        return opened.read(size)
