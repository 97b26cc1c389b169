"""One line for one thing that changed."""

from typing import NamedTuple

from drrun.report.clean import clean_line
from drrun.report.ink import Ink, Style, no_ink
from drrun.report.times import clock


class LogLine(NamedTuple):
    """One thing that changed."""

    at: float
    #: One word: a status, or what was done to the run.
    word: str
    text: str
    style: Style = Style.PLAIN


def set_line(line: LogLine, ink: Ink = no_ink) -> str:
    """A line as it is printed."""
    word = ink(line.word.ljust(9), line.style)
    return f"{clock(line.at)} {word} {clean_line(line.text)}".rstrip()
