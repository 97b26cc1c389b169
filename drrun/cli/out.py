"""The two streams: data on standard output, everything else on standard error.

Rules:
- Each stream is looked at on its own: colour and width only where it is a terminal.
- A reader that went away (`| head`, a closed terminal) ends a command that only prints, quietly;
  a run goes on (fault F50).
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from drrun.core.integrity.masking import OPEN, Mask
from drrun.core.model.errors import InputError
from drrun.report.ink import ansi, no_ink
from drrun.report.text.sheet import Sheet
from drrun.settings import Settings

#: Hides the secrets of the run that this process drives, in whatever it says.
_masks: list[Mask] = [OPEN]


def hide(mask: Mask) -> None:
    """Say no secrets from now on."""
    _masks[:] = [mask]


def hiding() -> Mask:
    """What hides the secrets of the run that this process drives."""
    return _masks[0]


class ReaderGone(Exception):
    """Nobody reads standard output any more."""


def give(text: str) -> None:
    """Print data.

    Raises:
        ReaderGone: Nobody reads it.
        InputError: It cannot be written.
    """
    with _written():
        sys.stdout.write(text)
        sys.stdout.flush()


def give_bytes(raw: bytes) -> None:
    """Print bytes as they are.

    Raises:
        ReaderGone: Nobody reads them.
        InputError: They cannot be written.
    """
    with _written():
        sys.stdout.buffer.write(raw)
        sys.stdout.flush()


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        silence(sys.stdout)
        raise ReaderGone from None
    except OSError as error:
        silence(sys.stdout)
        raise InputError(f"standard output cannot be written: {error.strerror}") from None


def say(text: str) -> None:
    """Tell something, but no secret; nobody may be listening."""
    text = hiding().text(text)
    try:
        sys.stderr.write(text if text.endswith("\n") else f"{text}\n")
        sys.stderr.flush()
    except OSError:  # the terminal is gone; what is being done matters more
        silence(sys.stderr)


def write_file(path: Path, text: str, what: str) -> None:
    """Write a file, and tell where it is.

    Raises:
        InputError: It cannot be written.
    """
    try:
        path.write_text(text, "utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be written').lower()}") from None
    say(f"{what}: {path}")


def silence(stream: TextIO) -> None:
    """Let a stream lead nowhere, so that the interpreter does not complain at its end."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def prepare_streams() -> None:
    """Print what the terminal's encoding cannot show as an escape, never as an exception."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def sheet(stream: TextIO) -> Sheet:
    """What a text for this stream is written on."""
    if not _is_terminal(stream):
        return Sheet(None, ansi if os.environ.get("FORCE_COLOR") else no_ink)
    width = shutil.get_terminal_size((80, 24)).columns
    return Sheet(width, ansi if wants_colour(stream) else no_ink)


def wants_colour(stream: TextIO) -> bool:
    """Whether colour is understood and wanted."""
    if os.environ.get("NO_COLOR"):
        return False
    return _is_terminal(stream) and os.environ.get("TERM", "") not in ("", "dumb")


def can_draw(stream: TextIO) -> bool:
    """Whether the stream is a terminal that a picture can be redrawn on."""
    return _is_terminal(stream) and os.environ.get("TERM", "") not in ("", "dumb")


def can_ask(settings: Settings) -> bool:
    """Whether a person sits at the terminal, reads standard error and types standard input.

    Nobody does where `--no-input` says so.
    """
    return not settings.no_input and _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
