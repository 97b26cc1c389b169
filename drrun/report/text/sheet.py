"""How every text for the terminal is set: width, colour, headed paragraphs."""

import textwrap

from drrun.core.dataclass import dataclass
from drrun.report.clean import clean_line
from drrun.report.ink import Ink, Style, no_ink

#: Columns of paragraphs where no terminal says otherwise.
PARAGRAPH = 100


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a text is written on."""

    #: Columns; None: a pipe or a file, where nothing is cut.
    width: int | None = None
    ink: Ink = no_ink

    def title(self, text: str) -> str:
        """The line that says what this is."""
        return self.ink(clean_line(text), Style.STRONG)

    def headed(self, head: str, text: str, indent: int = 15) -> list[str]:
        """A paragraph behind a word, wrapped so that the word stands alone at the left."""
        room = (self.width or PARAGRAPH) - indent
        lines = textwrap.wrap(
            clean_line(text), max(20, room), break_long_words=False, break_on_hyphens=False
        ) or [""]
        first = self.ink(head, Style.QUIET) + " " * max(1, indent - len(head)) + lines[0]
        return [first, *(" " * indent + line for line in lines[1:])]


#: A pipe or a file.
PLAIN = Sheet()


def plural(count: int, word: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def join(lines: list[str]) -> str:
    """Lines as one text that ends with a newline."""
    return "\n".join(lines) + "\n"
