"""What `copy` and `template` would change on the target, as a unified diff: a dry-run shows it.

Rules:
- It only reads: nothing is written, on the target or here.
- Where the new content holds a secret, lines that would go are not shown: they may hold a former
  value of it, which nobody knows. The new lines are masked at the door of the record.
"""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff

from drrun.builtin.actions.local_files import target_path
from drrun.core.model.outcomes import Ended, Outcome
from drrun.core.rules.last_words import last_words
from drrun.engine.captured import LIMIT, CapturedOutput
from drrun.ports.places import ActionCall, Script

#: Exit status of a look at a file that is not there.
_ABSENT = 100
_BLOCK = 1 << 16

_READ = """
to={to}
[ ! -d "$to" ] || {{ echo "$to is a folder" >&2; exit 1; }}
[ -e "$to" ] || exit {absent}
[ -r "$to" ] || {{ echo "$to cannot be read" >&2; exit 1; }}
exec dd if="$to" bs={block} count={blocks} 2>/dev/null
"""


def show_difference(call: ActionCall, content: bytes) -> Outcome:
    """Print what would become of the file, and change nothing."""
    order, said = call.order, CapturedOutput()
    path = target_path(order)
    text = _READ.format(to=shlex.quote(path), absent=_ABSENT, block=_BLOCK, blocks=LIMIT // _BLOCK)
    execution = replace(order.execution, stdin=None)
    outcome = call.run(Script(text, execution, timeout=order.timeout), said)
    absent = isinstance(outcome, Ended) and outcome.exit == _ABSENT
    if isinstance(outcome, Ended) and not outcome.good and not absent:
        return replace(outcome, note=last_words(said.text("stderr")) or outcome.note)
    if not isinstance(outcome, Ended):
        return outcome
    found = None if absent else bytes(said.streams["stdout"])
    if found == content:
        return Ended(0, note="the same already")
    secret = order.mask.text(content.decode("utf-8", "replace")).encode() != content
    for line in difference(path, found, content, secret=secret):
        call.output.write("stdout", f"{line}\n".encode())
    return Ended(0, note="it would be changed")


def difference(
    path: str, found: bytes | None, content: bytes, *, secret: bool = False
) -> Iterator[str]:
    """A unified diff, or one line where that cannot be.

    Args:
        path: Of the file.
        found: What is there, as far as it was read; None: nothing.
        content: What shall be there.
        secret: The content holds a secret.
    """
    if found is not None and len(found) >= LIMIT:
        yield f"{path} is {LIMIT >> 20} MiB or larger: not compared"
        return
    try:
        before = (found or b"").decode("utf-8").splitlines()
        after = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        there = "nothing" if found is None else f"{len(found)} bytes"
        yield f"{path} is no text: {there} now, {len(content)} bytes then"
        return
    if before == after:
        yield f"{path} differs in how its lines end"
    names = "/dev/null" if found is None else path, path
    for line in unified_diff(before, after, *names, lineterm=""):
        goes = line.startswith("-") and not line.startswith("--- ")
        yield "-(not shown: it may hold a former secret)" if secret and goes else line
