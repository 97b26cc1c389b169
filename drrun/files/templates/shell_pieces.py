r"""The pieces of shell text, as they were read and as they go to the shell.

Rules:
- Everything goes on as it was written, but for here-documents with a quoted name that have
  values in them. They become ones without quotes, with their own `\`, `$` and back-ticks escaped:
  the same text, in which references count.
"""

import re
from collections.abc import Iterator
from dataclasses import field

from drrun.core.dataclass import dataclass
from drrun.files.templates.shell_spots import Spot

_ANNOUNCED = re.compile(
    r"<<(?P<dash>-?)[ \t]*"
    r"(?P<written>'(?P<single>[^'\n]+)'|\"(?P<double>[^\"\n]+)\""
    r"|(?P<escape>\\?)(?P<word>[^\s<>|&;()'\"`$\\]+))(?![^\s<>|&;()])"
)
#: A name that means the same without its quotes.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.,:@%+=/-]+")


@dataclass(slots=True)
class HereDocument:
    """A here-document."""

    name: str
    literal: bool
    strip_tabs: bool
    #: Its values, as its command reads them.
    values: list[Spot] = field(default_factory=list)
    #: How many values there were before it.
    before: int = 0
    #: Whether it is to be one without quotes.
    opened: bool = False

    def open(self) -> str:
        """A reference has to count in it; say why that cannot be, or ""."""
        self.opened = self.literal
        if self.literal and not _PLAIN_NAME.fullmatch(self.name):
            return f"is in a here-document named {self.name!r}: write a plain name, <<EOF"
        return ""


def announcement(text: str, at: int) -> tuple[int, int, HereDocument] | None:
    """The here-document that `<<` at `at` announces: characters before its name, and of it."""
    match = _ANNOUNCED.match(text, at)
    if match is None:
        return None
    name = match["single"] or match["double"] or match["word"]
    literal = match["word"] is None or bool(match["escape"])
    start = match.start("written")
    return start - at, match.end() - start, HereDocument(name, literal, bool(match["dash"]))


@dataclass(slots=True)
class Piece:
    """A piece of the text."""

    text: str
    #: The here-document that it is part of, or that it names.
    document: HereDocument | None = None
    names: bool = False

    def written(self) -> str:
        """As it goes to the shell."""
        if self.document is None or not self.document.opened:
            return self.text
        if self.names:
            return self.document.name
        return re.sub(r"[\\$`]", r"\\\g<0>", self.text)


class Pieces:
    """All pieces and values, in order."""

    def __init__(self) -> None:
        self._found: list[Piece | Spot] = []

    def __iter__(self) -> Iterator[Piece | Spot]:
        return iter(self._found)

    @property
    def last(self) -> str:
        """The text just before."""
        last = self._found[-1] if self._found else None
        return last.text if isinstance(last, Piece) else ""

    def add(self, text: str, document: HereDocument | None = None, *, names: bool = False) -> None:
        """Text goes on."""
        last = self._found[-1] if self._found else None
        if isinstance(last, Piece) and last.document is document and not (last.names or names):
            last.text += text
        else:
            self._found.append(Piece(text, document, names))

    def add_value(self, spot: Spot) -> None:
        """A value stands there."""
        self._found.append(spot)
