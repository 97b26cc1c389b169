"""Anchors: files beside the database, each with the last written head of one run's chain.

Rules:
- An anchor reveals an old copy of the database that was put back. It also reveals a journal whose
  tail was cut together with the recorded head (fault F87). Anyone who can write the folder can
  forge an anchor. The head hash that is printed and kept on the hosts is the anchor that counts.
- An anchor is written after the commit and never synchronised. It may be older than the database,
  never newer. After power loss it may be empty, and is ignored. Write errors are ignored.
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
        """Write `head` as the anchor of `run`."""
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
        """The head in the anchor of `run`; None if no anchor can be read."""
        try:
            match = _LINE.fullmatch(self.path(run).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            return None
        return Head(int(match[1]), match[2]) if match else None
