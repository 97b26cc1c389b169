"""`rsync`: a folder is made like another, with guards before and a comparison afterwards.

Rules:
- Executed on the target, as one job: a transfer of hours outlives the link and the controller.
- Guards: the source is there and, with `delete`, not empty (a source that was not mounted would
  empty the copy); the folder above the destination exists.
- Afterwards a second rsync compares, by checksum unless `checksum: false`: nothing may be left to
  do. Doing it again continues: partial files are kept.
- A dry-run executes the same rsync with `-n` and shows what would change.
"""

import shlex
from dataclasses import replace

from drrun.builtin.actions.local_files import target_path
from drrun.core.model.errors import InputError
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.model.values import Size
from drrun.ports.places import ActionCall, AttemptOrder, Output, Script

_SYNC = """
set -u
export LC_ALL=C
source={source} to={to} delete={delete} dry={dry}
list() {{ rsync --list-only {reach} -- "$source" 2>&1; }}
command -v rsync >/dev/null || {{ echo "rsync is not there" >&2; exit 127; }}
if ! found=$(list); then
    printf '%s\\n' "$found" | tail -n 3 >&2
    echo "the source $source cannot be read" >&2; exit 1
fi
case $source in
*/) full=$(printf '%s\\n' "$found" | grep -cv '[ ]\\.$') || : ;;
*) full=$(printf '%s\\n' "$found" | grep -c .) || : ;;
esac
if [ "$full" = 0 ] && [ -n "$delete" ]; then
    echo "the source $source is empty, and delete would empty $to" >&2; exit 1
fi
case $to in
*:*) ;;
*) above=$(dirname "$to"); [ -d "$above" ] || {{ echo "$above is not there" >&2; exit 1; }} ;;
esac
if [ -n "$dry" ]; then
    exec rsync -n -i {options} -- "$source" "$to"
fi
rsync --partial --stats {options} -- "$source" "$to" || exit
left=$(rsync -n -i {compare} {options} -- "$source" "$to") || exit
left=$(printf '%s\\n' "$left" | grep -v '^\\.' | grep -c .) || :
[ "$left" = 0 ] || {{ echo "$left differences are left" >&2; exit 1; }}
echo "compared: no difference"
"""


class Rsync:
    """Synchronises a folder."""

    def __init__(self, *, dry: bool = False) -> None:
        self._dry = dry

    def perform(self, call: ActionCall) -> Outcome:
        """Synchronise once, or show what that would change."""
        said = _Said(call.output)
        try:
            script = self._script(call.order)
        except InputError as error:
            return NeverStarted(str(error), final=True)
        outcome = call.run(script, said)
        if isinstance(outcome, Ended) and not outcome.good and said.last:
            return replace(outcome, note=said.last)
        if isinstance(outcome, Ended) and not self._dry:
            return replace(outcome, facts=said.facts())
        return outcome

    def _script(self, order: AttemptOrder) -> Script:
        given = order.arguments
        reach = [str(each) for each in given.get("options") or ()]
        options = ["-aH", *reach]
        options += [f"--exclude={each}" for each in given.get("exclude") or ()]
        options += ["--delete-delay"] * bool(given.get("delete"))
        text = _SYNC.format(
            source=shlex.quote(_side(order, "source")),
            to=shlex.quote(_side(order, "to")),
            delete="yes" if given.get("delete") else "",
            dry="yes" if self._dry else "",
            # How the source is reached; nothing that would change what is listed.
            reach=shlex.join([each for each in reach if each.startswith(("-e", "--rsh"))]),
            options=shlex.join(options),
            compare="" if given.get("checksum") is False else "-c",
        )
        return Script(text, replace(order.execution, stdin=None), timeout=order.timeout)


def _side(order: AttemptOrder, argument: str) -> str:
    """Source or destination, as rsync takes it: `host:path` is not on the target."""
    written = str(order.arguments[argument])
    elsewhere = ":" in written.partition("/")[0]
    return written if elsewhere else target_path(order, argument)


class _Said:
    """Passes output on, and keeps rsync's statistics and the last complaint."""

    _KEPT = 8192

    def __init__(self, output: Output) -> None:
        self._output = output
        self._tails = {"stdout": "", "stderr": ""}

    def write(self, stream: str, data: bytes) -> None:
        """Pass bytes on."""
        self._tails[stream] = (self._tails[stream] + data.decode("utf-8", "replace"))[
            -self._KEPT :
        ]
        self._output.write(stream, data)

    def text(self, stream: str) -> str:
        """As kept by the real output."""
        return self._output.text(stream)

    def close(self) -> dict[str, object]:
        """Nothing to flush."""
        return {}

    @property
    def last(self) -> str:
        """The last line on stderr."""
        lines = self._tails["stderr"].strip().splitlines()
        return lines[-1] if lines else ""

    def facts(self) -> dict[str, object]:
        """`files`, `transferred` and `bytes` of the statistics."""
        found: dict[str, object] = {}
        for line in self._tails["stdout"].splitlines():
            what, _, count = line.partition(": ")
            number = "".join(c for c in count.split(" ")[0] if c.isdigit())
            if what in _STATS and number:
                found[_STATS[what]] = int(number)
        if "bytes" in found:
            found["size"] = str(Size(int(str(found["bytes"]))))
        return found


_STATS = {
    "Number of files": "files",
    "Number of regular files transferred": "transferred",
    "Total transferred file size": "bytes",
}
