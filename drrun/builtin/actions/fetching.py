"""`fetch`: a file of the target is copied to the controller.

Rules:
- Written aside, compared by SHA-256 with what the target says of the file it sent, then renamed.
- A `to` that ends with a slash is a folder; each target's file then lies below the target's name,
  so that several targets never write over each other.
- Its content goes into that file only: not into the record, not into the step's output.
"""

import hashlib
import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from drrun.builtin.actions.local_files import LARGEST
from drrun.core.outcomes import Ended, NeverStarted, Outcome
from drrun.engine.ports import AttemptOrder, Cancel, Output, Progress, Remote, Script

_SEND = """
from={source}
[ -f "$from" ] || {{ echo "$from: no such file" >&2; exit 1; }}
if [ "$(wc -c <"$from")" -gt {largest} ]; then
    echo "$from is larger than {mib} MiB; use rsync" >&2; exit 1
fi
hash() {{ sha256sum || shasum -a 256 || openssl dgst -sha256 -r; }} 2>/dev/null
sum=$(hash <"$from")
echo "sha256=${{sum%% *}}" >&2
exec cat -- "$from"
"""


class Fetch:
    """Copies a file from the target to the controller."""

    def perform(
        self,
        order: AttemptOrder,
        place: Remote,
        output: Output,
        tell: Callable[[Progress], None],
        cancel: Cancel,
    ) -> Outcome:
        """Copy it once."""
        source = str(order.arguments["from"])
        to = _destination(order, source)
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            handle, written = tempfile.mkstemp(prefix=".drrun.", dir=to.parent)
        except OSError as error:
            return NeverStarted(f"{to}: {(error.strerror or '').lower()}", final=True)
        aside = Path(written)
        try:
            with os.fdopen(handle, "wb") as file:
                arriving = _Arriving(file)
                outcome = place.run(_script(order, source), arriving, tell, cancel)
                file.flush()
                os.fsync(file.fileno())
            return _finish(outcome, arriving, aside, to, output)
        finally:
            with suppress(FileNotFoundError):
                aside.unlink()


def _script(order: AttemptOrder, source: str) -> Script:
    text = _SEND.format(source=shlex.quote(source), largest=LARGEST, mib=LARGEST >> 20)
    return Script(text, replace(order.execution, stdin=None), timeout=order.timeout)


def _destination(order: AttemptOrder, source: str) -> Path:
    written = str(order.arguments["to"])
    to = order.folder / Path(written).expanduser()
    if not written.endswith("/"):
        return to
    return to / (order.host.name if order.host else "local") / Path(source).name


def _finish(
    outcome: Outcome, arriving: "_Arriving", aside: Path, to: Path, output: Output
) -> Outcome:
    if not isinstance(outcome, Ended) or not outcome.good:
        lines = arriving.said.strip().splitlines()
        said = lines[-1] if lines else ""
        return replace(outcome, note=said) if isinstance(outcome, Ended) and said else outcome
    wanted = arriving.said.rpartition("sha256=")[2].strip()
    if wanted and wanted != arriving.digest.hexdigest():
        return Ended(1, note="what arrived is not what the target has: it changed meanwhile")
    aside.replace(to)
    output.write("stdout", f"{to}: {arriving.size} bytes\n".encode())
    facts = {"path": str(to), "sha256": arriving.digest.hexdigest(), "size": arriving.size}
    return Ended(0, note=f"{arriving.size} bytes", facts=facts)


class _Arriving:
    """An `Output` that keeps the content in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0
        self.said = ""

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes."""
        if stream == "stdout":
            self._file.write(data)
            self.digest.update(data)
            self.size += len(data)
        else:
            self.said = (self.said + data.decode("utf-8", "replace"))[-4096:]

    def text(self, stream: str) -> str:
        """Nothing is to be captured."""
        del stream
        return ""

    def close(self) -> Mapping[str, Any]:
        """Nothing to flush."""
        return {}
