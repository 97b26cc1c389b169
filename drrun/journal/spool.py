"""Outputs of attempts as files: on disk as they come, masked, up to a stated limit.

Rules:
- `STATE/outputs/RUN/STEP@TARGET/ATTEMPT.stdout` and `.stderr`, mode 0600, written unbuffered:
  only what may be the beginning of a secret is held back until more comes, or the end.
- Of each stream half of the attempt's limit is kept: a head in that file, and behind it segments
  `ATTEMPT.stdout.000000000001`, … of which only the last two stay. What was left out between is
  marked for every reader and counted. (fault F67)
- Size and SHA-256 of all bytes, after masking, are what `close` tells: the journal has them, here
  they are kept nowhere. A stream costs one fsync, one that printed nothing costs no file at all.
- When each part came is kept beside it, in `ATTEMPT.stdout.times`.
- A full or failing disk ends the keeping of that stream, is told by `close`, and never ends the
  run.
- When an attempt is picked up by a later controller its output is fetched from the start again.
  What was kept before stays as `ATTEMPT.stdout.before-N` once the first new byte comes.
- What may show a former value of a secret that nobody gave is sealed (`drrun.journal.sealed`).
"""

import os
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from drrun.core.integrity.masking import OPEN, Mask, StreamMask
from drrun.core.model.ids import RunId, StepId, TargetName
from drrun.journal.arrivals import Arrivals
from drrun.journal.folder import make_private_folder
from drrun.journal.kept import KeptStream
from drrun.journal.sealed import SealedStream, beside
from drrun.journal.system_clock import SystemClock
from drrun.ports.journal import NONE

#: Bytes kept of one attempt, both streams together.
LIMIT = 256 * 1024 * 1024

STREAMS = ("stdout", "stderr")
#: Bytes of a stream's beginning, and of its end, that captures see.
_SEEN_BY_CAPTURES = 1024 * 1024
#: File names are at most 255 bytes long; some room is left for endings.
_LONGEST_NAME = 200


class FileSpool:
    """The `Spool` of one state folder, and the way to read outputs back."""

    def __init__(
        self, folder: Path, limit: int = LIMIT, now: Callable[[], float] | None = None
    ) -> None:
        """Create nothing yet.

        Args:
            folder: The state folder.
            limit: Bytes kept of one attempt, both streams together.
            now: Tells seconds since the epoch; None: the machine's clock.
        """
        self._folder = folder / "outputs"
        self._limit = limit
        self._now = now or SystemClock().now

    def open(
        self,
        run: RunId,
        step: StepId,
        target: TargetName,
        attempt: int,
        mask: Mask = OPEN,
        outdated: Mapping[str, str] = NONE,
    ) -> "FileOutput":
        """A place for the output of one attempt; files appear with the first byte."""
        path = self._at(run, step, target) / str(attempt)
        streams: dict[str, _Stream | SealedStream] = {}
        for name in STREAMS:
            file, limit = path.with_name(f"{path.name}.{name}"), self._limit // 2
            streams[name] = (
                SealedStream(file, limit, mask, outdated)
                if outdated
                else _Stream(file, limit, mask, self._now)
            )
        return FileOutput(streams)

    def attempts(self, run: RunId, step: StepId, target: TargetName) -> list[int]:
        """Attempts that left an output, in order."""
        folder = self._at(run, step, target)
        names = {file.name.partition(".")[0] for file in folder.glob("*.*")}
        return sorted(int(name) for name in names if name.isdigit())

    def kept(
        self, run: RunId, step: StepId, target: TargetName, attempt: int, stream: str
    ) -> KeptStream:
        """One stream of one attempt, to read; empty if there is none."""
        return KeptStream(self._at(run, step, target) / f"{attempt}.{stream}", self._limit // 2)

    def _at(self, run: RunId, step: StepId, target: TargetName) -> Path:
        return self._folder / _name(run) / f"{_name(step)}@{_name(target)}"


def folder_of_run(state: Path, run: RunId) -> Path:
    """Where a state folder keeps the outputs of a run."""
    return state / "outputs" / _name(run)


class FileOutput:
    """The `Output` of one attempt."""

    def __init__(self, streams: "Mapping[str, _Stream | SealedStream]") -> None:
        """Keep bytes of each stream."""
        self._lock = threading.Lock()
        self._streams = streams

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes of `stdout` or `stderr`."""
        with self._lock:
            self._streams[stream].take(data)

    def text(self, stream: str) -> str:
        """What was kept so far: the first and the last MiB, with a mark between; see `Output`."""
        with self._lock:
            kept = self._streams[stream].excerpt(_SEEN_BY_CAPTURES)
        return kept.decode("utf-8", "surrogateescape")

    def close(self) -> Mapping[str, Any]:
        """Flush to disk.

        Returns:
            For each stream: `bytes` that came, `masked` bytes after masking, `kept` of those,
            `sha256` of all masked bytes, `truncated` and why (`reason`, "" if nothing is missing).
            Where nothing came, of what an earlier controller kept of this attempt.
        """
        with self._lock:
            return {name: stream.finish() for name, stream in self._streams.items()}


def stream_at(path: Path, mask: Mask, now: Callable[[], float]) -> "_Stream":
    """A stream of an attempt that is written once more."""
    return _Stream(path, LIMIT // 2, mask, now)


class _Stream:
    """One stream on its way to disk."""

    def __init__(self, path: Path, limit: int, mask: Mask, now: Callable[[], float]) -> None:
        self._path = path
        self._kept = KeptStream(path, limit)
        self._arrivals = Arrivals(self._kept.times, now)
        self._mask = StreamMask(mask)
        self._hash = sha256()
        self._came = 0
        self._masked = 0
        self._file = -1
        self._file_end = 0
        self._fault = ""

    def take(self, chunk: bytes) -> None:
        if not chunk:
            return
        if not self._came:
            self._begin()
        self._came += len(chunk)
        self._keep(self._mask.feed(chunk))

    def excerpt(self, size: int) -> bytes:
        return self._kept.excerpt(size, self._mask.waiting())

    def finish(self) -> dict[str, Any]:
        if not self._came:
            return self._found()
        self._keep(self._mask.flush())
        self._close_file()
        self._arrivals.close()
        kept = self._kept.size()
        return {
            "bytes": self._came,
            "masked": self._masked,
            "kept": kept,
            "sha256": self._hash.hexdigest(),
            "truncated": kept < self._masked,
            "reason": self._fault or ("limit" if kept < self._masked else ""),
        }

    def _found(self) -> dict[str, Any]:
        """What there is of the stream, as nothing came; nearly always nothing."""
        size, end = self._kept.size(), self._kept.end()
        if size:
            for chunk in self._kept.chunks():
                self._hash.update(chunk)
        return {
            "bytes": end,
            "masked": end,
            "kept": size,
            "sha256": self._hash.hexdigest(),
            "truncated": size < end,
            "reason": "limit" if size < end else "",
        }

    def _close_file(self) -> None:
        """Let go of the file that is written, once it is on the disk."""
        if self._file < 0:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._fault = self._fault or f"disk: {error.strerror}"
        os.close(self._file)
        self._file = -1

    def _begin(self) -> None:
        """Make room: what an earlier controller kept of this attempt stays under another name."""
        try:
            make_private_folder(self._path.parent)
            self._arrivals.begin(self._kept.end())
            self._kept.put_aside()
            # All of it comes now; what could not be read of it is not needed any more.
            beside(self._path).unlink(missing_ok=True)
        except OSError as error:
            self._fault = f"disk: {error.strerror}"

    def _keep(self, masked: bytes) -> None:
        self._hash.update(masked)
        if not self._fault:
            self._arrivals.note(self._masked, len(masked))
        view = memoryview(masked)
        while view and not self._fault:
            try:
                if self._file < 0 or self._masked >= self._file_end:
                    self._next_file()
                written = os.write(self._file, view[: self._file_end - self._masked])
            except OSError as error:
                self._fault = f"disk: {error.strerror}"
                break
            self._masked += written
            view = view[written:]
        self._masked += len(view)

    def _next_file(self) -> None:
        self._close_file()
        path, self._file_end = self._kept.place_for(self._masked)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)


def _name(text: str) -> str:
    """`text` as a file's name, whatever it holds; a long one is cut and told apart by its hash."""
    safe = quote(text.encode("utf-8", "surrogatepass"), safe="")
    # Two names that are no names of files.
    safe = safe.replace(".", "%2E") if safe in {".", ".."} else safe
    if len(safe) > _LONGEST_NAME // 2:
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        safe = f"{safe[: _LONGEST_NAME // 2 - 20]}%{digest}"
    return safe
