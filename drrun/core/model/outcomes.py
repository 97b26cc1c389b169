"""What became of one attempt to act on a host. A closed union: every match handles all.

Rules:
- Only `Ended` and a proved `TimedOut` or `Stopped` are verdicts. `NeverStarted` and
  `RefusedByHost` are verdicts of another kind: nothing happened. `OutcomeUnknown` is none: it says
  nothing about the effect, and is never taken for a failure (rule R5).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, assert_never

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """The action ended by itself."""

    #: Exit status; None if it was ended by a signal.
    exit: int | None
    #: Name of the signal that ended it, without SIG, or "".
    signal: str = ""
    #: One line for people: what was done, or what went wrong.
    note: str = ""
    #: Facts that the action found and that later steps may read.
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether the action itself claims success. Only verify decides about the step."""
        return self.exit == 0


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The written time limit was over. `gone`: whether the process group is proved to be dead."""

    gone: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """It was ended on request. `gone`: whether the process group is proved to be dead."""

    gone: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """The host was not reached, or did not begin: provably no effect."""

    why: str
    #: Trying again cannot help (wrong key, no such user): no retry.
    final: bool = False


@dataclass(frozen=True, slots=True)
class RefusedByHost:
    """The host answered that it will not do this (unknown key, older fencing token)."""

    why: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The action may or may not have happened, or may still be going on."""

    why: str


Outcome = Ended | TimedOut | Stopped | NeverStarted | RefusedByHost | OutcomeUnknown


def is_known(outcome: Outcome) -> bool:
    """True if the attempt has certainly ended, so that its place may forget it."""
    match outcome:
        case Ended() | NeverStarted() | RefusedByHost():
            return True
        case TimedOut() | Stopped():
            return outcome.gone
        case OutcomeUnknown():
            return False
        case _:
            assert_never(outcome)
