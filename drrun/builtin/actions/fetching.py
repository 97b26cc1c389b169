"""`fetch`: a file of the target is copied to the controller.

Rules:
- Written only where `local_path` lets it: the host that sends is not trusted with the place.
- Written aside, compared by SHA-256 with what the target says of the file it sent, then renamed.
- A `to` that ends with a slash is a folder; each target's file then lies below the target's name,
  so that several targets never write over each other.
- Its content goes into that file only: not into the record, not into the step's output.
"""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from drrun.builtin.actions.local_files import LARGEST, Arrival, arriving
from drrun.builtin.local_paths import local_path
from drrun.core.model.errors import InputError
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.rules.last_words import last_words
from drrun.ports.places import ActionCall, AttemptOrder, Output, Script

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

    def __init__(self, into: Sequence[Path] = ()) -> None:
        """Fetch into the runbook's folder, and into folders that the operator names.

        Args:
            into: Those.
        """
        self._into = tuple(into)

    def perform(self, call: ActionCall) -> Outcome:
        """Copy it once."""
        order = call.order
        try:
            to = self._destination(order)
        except InputError as error:
            return NeverStarted(str(error), final=True)
        roots = [order.folder.resolve(), *(each.expanduser().resolve() for each in self._into)]
        content: _Content | None = None
        try:
            with arriving(to, roots) as arrival:
                content = _Content(arrival.file)
                outcome = call.run(_script(order), content)
                return _finish(outcome, content, arrival, call.output)
        except OSError as error:
            why = f"{to}: {(error.strerror or str(error)).lower()}"
            return Ended(1, note=why) if content else NeverStarted(why, final=True)

    def _destination(self, order: AttemptOrder) -> Path:
        below = ""
        if str(order.arguments["to"]).endswith("/"):
            target = order.host.name if order.host else "local"
            below = f"{target}/{PurePosixPath(str(order.arguments['from'])).name}"
        return local_path(order, "to", below=below, only_in=self._into)


def _script(order: AttemptOrder) -> Script:
    source = shlex.quote(str(order.arguments["from"]))
    text = _SEND.format(source=source, largest=LARGEST, mib=LARGEST >> 20)
    return Script(text, replace(order.execution, stdin=None), timeout=order.timeout)


def _finish(outcome: Outcome, content: "_Content", arrival: Arrival, output: Output) -> Outcome:
    if not isinstance(outcome, Ended):
        return outcome
    if not outcome.good:
        return replace(outcome, note=last_words(content.said) or outcome.note)
    wanted = content.said.rpartition("sha256=")[2].strip()
    if wanted and wanted != content.digest.hexdigest():
        return Ended(1, note="what arrived is not what the target has: it changed meanwhile")
    arrival.keep()
    output.write("stdout", f"{arrival.path}: {content.size} bytes\n".encode())
    digest = content.digest.hexdigest()
    facts = {"path": str(arrival.path), "sha256": digest, "size": content.size}
    return Ended(0, note=f"{content.size} bytes", facts=facts)


class _Content:
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
