"""The line of a program's output that says why it failed. Pure.

Rules:
- Programs say what went wrong last. The last line that tells something is taken: one with a letter
  or a digit, so no rule, no `^^^`, no border of a table.
- What is shown wherever a failure is named comes from here, so that it reads the same everywhere.
"""

import re

from drrun.core.rules.judging import shown

#: Colours and the like; without them an empty coloured line says nothing.
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")


def last_words(*outputs: str) -> str:
    """The last telling line of the first output that has one; "" if none has."""
    for output in outputs:
        for line in reversed(output.splitlines()):
            said = _ESCAPES.sub("", line).strip()
            if any(character.isalnum() for character in said):
                return shown(said)
    return ""
