"""`script`: a local file, executed on the target with its own `#!` line.

Rules:
- While it runs, the script lies in a private folder on the target. The folder is removed
  afterwards, however the script ended.
- The script's exit status is the step's. A script without a `#!` line is executed by /bin/sh.
"""

import shlex
from dataclasses import replace

from drrun.builtin.actions.local_files import read_source
from drrun.core.model.errors import InputError
from drrun.core.model.outcomes import NeverStarted, Outcome
from drrun.ports.places import ActionCall, Script

_EXECUTE = """
folder=$(mktemp -d "${{TMPDIR:-/tmp}}/drrun.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' TERM HUP INT
cat >"$folder/script" && chmod 0700 "$folder/script" || exit 1
"$folder/script" {arguments} </dev/null
"""


class RunScript:
    """Executes a local file on the target."""

    def perform(self, call: ActionCall) -> Outcome:
        """Execute it once."""
        order = call.order
        try:
            content = read_source(order)
        except InputError as error:
            return NeverStarted(str(error), final=True)
        if not content.startswith(b"#!"):
            content = b"#!/bin/sh\n" + content
        words = [shlex.quote(str(each)) for each in order.arguments.get("args") or ()]
        script = Script(
            _EXECUTE.format(arguments=" ".join(words)),
            replace(order.execution, stdin=None),
            stdin=content,
            timeout=order.timeout,
        )
        return call.run(script)
