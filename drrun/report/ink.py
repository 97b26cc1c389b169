"""Colour, kept apart from what is said: a style only ever repeats what a word says.

Rules:
- Renderers ask an `Ink`; the plain one changes nothing. Nothing is told by colour alone.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import assert_never

from drrun.core.model.status import RunStatus, Status


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


def style_of(status: Status) -> Style:
    """The style of a step's or target's status."""
    match status:
        case Status.PASSED:
            return Style.GOOD
        case Status.FAILED | Status.REGRESSED | Status.BLOCKED:
            return Style.BAD
        case Status.UNKNOWN | Status.WAITING:
            return Style.DOUBT
        case Status.RUNNING | Status.VERIFYING:
            return Style.MOVING
        case Status.PENDING | Status.SKIPPED | Status.ROLLED_BACK | Status.CANCELLED:
            return Style.QUIET
        case _:
            assert_never(status)


def style_of_run(status: RunStatus) -> Style:
    """The style of a run's status."""
    match status:
        case RunStatus.SUCCEEDED:
            return Style.GOOD
        case RunStatus.FAILED | RunStatus.ABORTED:
            return Style.BAD
        case RunStatus.RUNNING:
            return Style.MOVING
        case (
            RunStatus.SUCCEEDED_WITH_EXCEPTIONS
            | RunStatus.PAUSED
            | RunStatus.WAITING
            | RunStatus.INTERRUPTED
            | RunStatus.ROLLED_BACK
            | RunStatus.ROLLED_BACK_WITH_EXCEPTIONS
        ):
            return Style.DOUBT
        case _:
            assert_never(status)


def no_ink(text: str, style: Style) -> str:
    """Change nothing."""
    del style
    return text


def ansi(text: str, style: Style) -> str:
    """Colour for a terminal."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and text else text
