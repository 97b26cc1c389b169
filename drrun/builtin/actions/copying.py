"""`copy` and `template`: a file on the target with exactly this content.

Rules:
- Written aside, in the same folder, compared by SHA-256 there, then renamed: whoever looks sees
  the old file or the new one, never half of one.
- A file that is the same already is left alone, so that doing it twice does nothing.
- The content travels on standard input, never in argv.
"""

import hashlib
import shlex
from dataclasses import replace

from drrun.builtin.actions.differences import show_difference
from drrun.builtin.actions.local_files import read_source, target_path
from drrun.core.model.errors import InputError
from drrun.core.model.outcomes import Ended, NeverStarted, Outcome
from drrun.core.rules.last_words import last_words
from drrun.engine.captured import CapturedOutput
from drrun.ports.places import (
    ActionCall,
    Output,
    Renderer,
    Script,
)

#: Exit status of a copy that found the file to be the same already.
_SAME = 100

_PUT = """
to={to} want={digest} mode={mode} owner={owner}
hash() {{
    {{ sha256sum <"$1" || shasum -a 256 <"$1" || openssl dgst -sha256 -r <"$1"; }} 2>/dev/null
}}
finish() {{
    [ -z "$mode" ] || chmod "$mode" "$1" || exit 1
    [ -z "$owner" ] || chown "$owner" "$1" || exit 1
}}
[ ! -d "$to" ] || {{ echo "$to is a folder" >&2; exit 1; }}
if [ -f "$to" ]; then
    old=$(hash "$to")
    if [ "${{old%% *}}" = "$want" ]; then cat >/dev/null; finish "$to"; exit {same}; fi
fi
case $to in */*) folder=${{to%/*}} ;; *) folder=. ;; esac
new=$(mktemp "${{folder:-/}}/.drrun.XXXXXX") || exit 1
trap 'rm -f "$new"' EXIT
cat >"$new" || exit 1
got=$(hash "$new")
[ -n "$got" ] || {{ echo "neither sha256sum, shasum nor openssl is there" >&2; exit 1; }}
[ "${{got%% *}}" = "$want" ] || {{ echo "what arrived is not what was sent" >&2; exit 1; }}
if [ -f "$to" ] && [ -z "$mode" ]; then chmod --reference="$to" "$new" 2>/dev/null; fi
[ -f "$to" ] || [ -n "$mode" ] || chmod 0644 "$new"
finish "$new"
sync "$new" 2>/dev/null || sync
mv -f "$new" "$to"
"""


class Copy:
    """Puts a local file, or given content, on the target; or shows what that would change."""

    def __init__(self, *, dry: bool = False) -> None:
        self._put = show_difference if dry else _put

    def perform(self, call: ActionCall) -> Outcome:
        """Copy once."""
        try:
            given = call.order.arguments.get("content")
            content = read_source(call.order) if given is None else str(given).encode()
            return self._put(call, content)
        except InputError as error:
            return NeverStarted(str(error), final=True)


class Template:
    """Renders a local template and does with the result what `Copy` does."""

    def __init__(self, renderer: Renderer, *, dry: bool = False) -> None:
        self._renderer = renderer
        self._put = show_difference if dry else _put

    def perform(self, call: ActionCall) -> Outcome:
        """Render and copy once."""
        order = call.order
        names = {**order.names, **(order.arguments.get("vars") or {})}
        try:
            written = read_source(order).decode("utf-8")
            content = self._renderer.text(written, names).encode()
            return self._put(call, content)
        except UnicodeDecodeError:
            why = f"{order.arguments['source']} is not UTF-8, so it is not a template; use copy"
            return NeverStarted(why, final=True)
        except InputError as error:
            return NeverStarted(str(error), final=True)


def _put(call: ActionCall, content: bytes) -> Outcome:
    order, given = call.order, call.order.arguments
    text = _PUT.format(
        to=shlex.quote(target_path(order)),
        digest=hashlib.sha256(content).hexdigest(),
        mode=shlex.quote(str(given.get("mode") or "")),
        owner=shlex.quote(str(given.get("owner") or "")),
        same=_SAME,
    )
    script = Script(
        text, replace(order.execution, stdin=None), stdin=content, timeout=order.timeout
    )
    said = Tee(call.output)
    outcome = call.run(script, said)
    if isinstance(outcome, Ended) and outcome.exit == _SAME:
        return Ended(0, note="the same already")
    if isinstance(outcome, Ended) and not outcome.good:
        return replace(outcome, note=last_words(said.text("stderr")) or outcome.note)
    return outcome


class Tee(CapturedOutput):
    """Keeps what is said, and passes it on."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def write(self, stream: str, data: bytes) -> None:
        """Keep bytes and pass them on."""
        super().write(stream, data)
        self._output.write(stream, data)
