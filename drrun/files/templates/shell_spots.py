"""What is known of one place in shell text where a value stands.

Rules:
- The shell never parses a value: the text refers to a variable that holds it. So a wrong context
  costs a split word or a literal text, never an execution.
- A guard is for the places where a shell computes with what a variable holds: `a[$(reboot)]` is
  arithmetic to bash. There a value has to be of a kind in which nothing can be hidden.
"""

import re
from enum import Enum
from typing import Final

from drrun.core.dataclass import dataclass


class Context(Enum):
    """The kinds of places."""

    BARE = "as a word of its own"
    DOUBLE = "inside double quotes"
    SINGLE = "inside single quotes"
    ANSI = "inside $'…'"
    HEREDOC = "in a here-document"
    LITERAL_HEREDOC = "in a here-document with a quoted name"
    COMMENT = "in a comment"
    BACKTICK = "inside back-ticks"
    PARAMETER = "inside ${…}"
    ARITHMETIC = "inside ((…))"


#: How the variable `name` is referred to. Inside `((…))` it is bare: there it is a number.
REFERENCES: Final = {
    Context.BARE: '"${name}"',
    Context.DOUBLE: "${name}",
    Context.SINGLE: "'\"${name}\"'",
    Context.ANSI: "'\"${name}\"$'",
    Context.HEREDOC: "${name}",
    Context.LITERAL_HEREDOC: "${name}",
    Context.COMMENT: "${name}",
    Context.ARITHMETIC: "${name}",
}


class Guard(Enum):
    """What a value has to be where a shell computes with it."""

    INTEGER = "a whole number without leading zeros"
    DIGITS = "a whole number"
    NUMBER = "a number"
    NAME = "the name of a variable"

    def lets(self, text: str) -> bool:
        """Whether `text` is of this kind."""
        return _KINDS[self].fullmatch(text) is not None


_KINDS: Final = {
    Guard.INTEGER: re.compile(r"0|-?[1-9][0-9]{0,17}"),
    Guard.DIGITS: re.compile(r"[-+]?[0-9]{1,18}"),
    Guard.NUMBER: re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?"),
    Guard.NAME: re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
}


@dataclass(slots=True)
class Spot:
    """Where one value stands."""

    context: Context
    #: Whether the words of a list are several words here.
    splits: bool = False
    guard: Guard | None = None
    #: Why the value may not stand there; "" if it may.
    refused: str = ""
    #: Which other interpreter reads it, and how to write it instead; "" if none does.
    warned: str = ""

    @property
    def reference(self) -> str:
        """The reference, with `name` for the variable."""
        return REFERENCES[self.context]
