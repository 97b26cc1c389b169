"""The keyboard: bytes as they are typed, and the line that they make.

Rules:
- The terminal shows nothing by itself while keys are read one by one; whoever draws the screen
  draws the line too. Ctrl-C stays a signal. The terminal is given back as it was.
"""

import codecs
import os
import re
import select
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from drrun.term.feed import Feed, Typed

#: Arrow keys and the like, and the marks around something pasted.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?")
_ERASE = "\x7f\x08"
_ERASE_LINE = "\x15"
_ERASE_WORD = "\x17"
#: Seconds between two looks whether to stop.
_LOOK = 0.2


class LineEditor:
    """Makes lines of keys: enough of an editor for a name, a number, a reason."""

    def __init__(self) -> None:
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, keys: bytes) -> list[str]:
        """Take keys; the lines that were completed."""
        lines: list[str] = []
        for key in _SEQUENCE.sub("", self._decoder.decode(keys)):
            if key in "\r\n":
                lines.append(self.text)
                self.text = ""
            elif key in _ERASE:
                self.text = self.text[:-1]
            elif key == _ERASE_LINE:
                self.text = ""
            elif key == _ERASE_WORD:
                self.text = self.text.rstrip().rpartition(" ")[0]
            elif key.isprintable():
                self.text += key
        return lines


class Keyboard:
    """Reads standard input in a thread and puts what is typed into the feed."""

    def __init__(self, feed: Feed, *, raw: bool) -> None:
        """Begin nothing yet.

        Args:
            feed: Where keys go.
            raw: Key by key, not echoed; else line by line as the terminal edits them.
        """
        self._feed = feed
        self._raw = raw
        self._over = threading.Event()
        #: Held while a key may be read; cleared to have the keyboard given to another program.
        self._lock = threading.Lock()
        self._mine = threading.Event()
        self._mine.set()
        self._before: list[Any] = []

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read until the end of the block."""
        number = sys.stdin.fileno()
        self._before = before = termios.tcgetattr(number)
        thread = threading.Thread(target=self._read, args=(number,), daemon=True)
        self.take_over()
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(2 * _LOOK)
            with suppress(termios.error):
                termios.tcsetattr(number, termios.TCSADRAIN, before)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Leave the terminal to another program, as it was before, until the end of the block."""
        self._mine.clear()
        with self._lock:
            with suppress(termios.error):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)
            try:
                yield
            finally:
                self.take_over()
                self._mine.set()

    def take_over(self) -> None:
        """Set the terminal; again after the process was stopped and goes on."""
        if self._raw:
            with suppress(termios.error):
                tty.setcbreak(sys.stdin.fileno())

    def _read(self, number: int) -> None:
        while not self._over.is_set():
            self._mine.wait()
            with self._lock:
                keys = _next_keys(number)
            if keys is None:
                continue
            self._feed.put(Typed(keys))
            if not keys:
                return


def _next_keys(number: int) -> bytes | None:
    """What was typed; None if nothing was for a moment, nothing at all if the keyboard is gone."""
    try:
        ready, _, _ = select.select([number], [], [], _LOOK)
        return os.read(number, 4096) if ready else None
    except OSError:
        return b""
