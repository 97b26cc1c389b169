"""Colour, kept apart from what is said: a style only ever repeats what a word says.

Rules:
- Renderers ask an `Ink`; the plain one changes nothing. Nothing is told by colour alone.
"""

from collections.abc import Callable
from enum import StrEnum

from drrun.core.status import RunStatus, Status


class Style(StrEnum):
    """What a piece of text is, as far as colour is concerned."""

    GOOD = "32"
    BAD = "31"
    DOUBT = "33"
    MOVING = "36"
    QUIET = "2"
    STRONG = "1"
    PLAIN = ""


#: Text and its style -> text.
Ink = Callable[[str, Style], str]

_OF_STATUS = {
    Status.PASSED: Style.GOOD,
    Status.FAILED: Style.BAD,
    Status.REGRESSED: Style.BAD,
    Status.BLOCKED: Style.BAD,
    Status.UNKNOWN: Style.DOUBT,
    Status.WAITING: Style.DOUBT,
    Status.RUNNING: Style.MOVING,
    Status.VERIFYING: Style.MOVING,
}
_OF_RUN = {
    RunStatus.SUCCEEDED: Style.GOOD,
    RunStatus.FAILED: Style.BAD,
    RunStatus.ABORTED: Style.BAD,
    RunStatus.RUNNING: Style.MOVING,
}


def style_of(status: Status) -> Style:
    """The style of a step's or target's status."""
    return _OF_STATUS.get(status, Style.QUIET)


def style_of_run(status: RunStatus) -> Style:
    """The style of a run's status."""
    return _OF_RUN.get(status, Style.DOUBT)


def no_ink(text: str, style: Style) -> str:
    """Change nothing."""
    del style
    return text


def ansi(text: str, style: Style) -> str:
    """Colour for a terminal."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and text else text
