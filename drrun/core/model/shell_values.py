"""The beginning of a script that holds its values, and the script as a person reads it.

Rules:
- A script with values begins with one assignment for each, in single quotes: the one place in
  shell text where what is written means itself, whatever it is. The text behind refers to them.
- `readable` is for eyes only. What is executed and recorded is the script.
"""

import re
from typing import Final

#: How the variables begin.
PREFIX: Final = "drrun_"

_ASSIGNMENT = re.compile(rf"({PREFIX}\w+)=(?:'((?:[^']|'\\'')*)'|(\S*))\n")
#: Read as one word without quotes; a masked secret is.
_CLEAR = re.compile(r"[A-Za-z0-9_@%+=:,./-]+|\*{3}")


def assignment(name: str, value: str) -> str:
    """The line that gives the variable `name` its value."""
    return f"{name}={_quoted(value)}\n"


def readable(script: str) -> str:
    """The script with its values where they are referred to."""
    values: dict[str, str] = {}
    at = 0
    while match := _ASSIGNMENT.match(script, at):
        quoted = match[2]
        values[match[1]] = match[3] if quoted is None else quoted.replace("'\\''", "'")
        at = match.end()
    if not values:
        return script
    names = "|".join(sorted(map(re.escape, values), key=len, reverse=True))
    referred = re.compile(rf"""'"\$\{{({names})\}}"'|"\$\{{({names})\}}"|\$\{{({names})\}}""")

    def value(match: re.Match[str]) -> str:
        within, word, bare = match.groups()
        if within:
            return values[within].replace("'", "'\\''")
        return _as_word(values[word]) if word else values[bare]

    return referred.sub(value, script[at:])


def _as_word(value: str) -> str:
    return value if _CLEAR.fullmatch(value) else _quoted(value)


def _quoted(value: str) -> str:
    escaped = value.replace("'", "'\\''")
    return f"'{escaped}'"
