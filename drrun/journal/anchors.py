"""Anchors: beside the database, where each run's chain stood when it was last written.

Rules:
- An anchor finds an old copy of the database that was put back, and a tail that was cut together
  with the head inside the database (fault F87). Whoever can write the folder can forge it too:
  the head hash that is printed and left on the hosts is the anchor that counts.
- Written after the commit and never synchronised: it may be older than the database, or empty
  after power loss, and then says nothing. It is never newer. A fault in writing it is ignored.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from drrun.core.integrity.chain import Head
from drrun.core.model.ids import RunId

_LINE = re.compile(r"(\d{20}) ([0-9a-f]{64})\n")


class Anchors:
    """The anchors of one state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "heads"

    def path(self, run: RunId) -> Path:
        """The file that is `run`'s anchor."""
        return self._folder / quote(run, safe="")

    def drop(self, run: RunId, head: Head) -> None:
        """Remember that `run` stood at `head`."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self.path(run), flags, 0o600)
            try:
                # Always of the same length: overwritten in place, in one call.
                os.pwrite(handle, f"{head.seq:020d} {head.hash}\n".encode(), 0)
            finally:
                os.close(handle)

    def held(self, run: RunId) -> Head | None:
        """Where `run` stood; None if that is not known here."""
        try:
            match = _LINE.fullmatch(self.path(run).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            return None
        return Head(int(match[1]), match[2]) if match else None
