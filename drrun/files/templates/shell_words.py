"""The simple commands of shell text: their words, and what reaches their standard input.

Rules:
- Follows one level of text, that of one `$(…)`: `shell_reader` tells it what it meets.
- What a pipeline, a here-document or `>(…)` carries counts as input of every command behind it.
"""

import re
from dataclasses import field
from typing import Final

from drrun.core.dataclass import dataclass
from drrun.files.templates.shell_spots import Guard, Spot

#: Stands in a word for what is not known before it runs: a value, an expansion.
OPAQUE: Final = "\0"
_SKIPPED: Final = frozenset(
    {"if", "then", "elif", "else", "while", "until", "do", "time", "!", "{"}
)
_OPENING: Final = frozenset({"if", "while", "until", "for", "select", "case", "{"})
_CLOSING: Final = {
    "fi": ("if",),
    "done": ("while", "until", "for", "select"),
    "esac": ("case",),
    "}": ("{",),
}
_DUPLICATING: Final = frozenset({">&", "<&"})
_BEFORE_NAME: Final = frozenset({"for", "select", "function", "coproc"})
_RANGE = re.compile(rf"\{{(?=[^{{}}]*{OPAQUE})[^{{}}\s,]*\.\.[^{{}}\s,]*\}}")
_DESCRIPTOR = re.compile(r"[0-9]+|\{\w+\}")
_NAME_FOR_ASSIGNMENT = re.compile(rf"{OPAQUE}\+?=|{OPAQUE}\[")


@dataclass(slots=True)
class ShellWord:
    """One word."""

    #: Without its quotes.
    text: str = ""
    #: Values in it, with the text before each.
    values: list[tuple[str, Spot]] = field(default_factory=list)
    #: Values in commands inside of it.
    inner: list[Spot] = field(default_factory=list)
    quoted: bool = False


@dataclass(slots=True)
class ShellCommand:
    """One simple command."""

    words: list[ShellWord] = field(default_factory=list)
    #: Values that may reach its standard input; the lists of here-documents are filled later.
    inputs: list[list[Spot]] = field(default_factory=list)
    #: Words of `[[ … ]]`, or of a list `a=(…)`.
    tested: bool = False
    listed: bool = False


@dataclass(slots=True)
class _Since:
    """Where a command or a group began: how many values and here-documents there were."""

    values: int
    sources: int
    #: The word or character that began the group.
    opener: str = ""


@dataclass(slots=True)
class Known:
    """What all levels of one text share."""

    commands: list[ShellCommand] = field(default_factory=list)
    values: list[Spot] = field(default_factory=list)
    #: Values of here-documents and here-strings.
    sources: list[list[Spot]] = field(default_factory=list)

    def now(self) -> _Since:
        """The place that was reached."""
        return _Since(len(self.values), len(self.sources))


@dataclass(slots=True)
class Words:
    """Follows the words of one level."""

    known: Known
    command: ShellCommand = field(default_factory=ShellCommand)
    word: ShellWord | None = None
    _redirect: str = ""
    _since: _Since = field(default_factory=lambda: _Since(0, 0))
    _groups: list[_Since] = field(default_factory=list)
    _closed: _Since | None = None
    _testing: bool = False
    #: How many values there were before this level.
    first: int = 0

    def __post_init__(self) -> None:
        self.first = len(self.known.values)
        self.begin()

    def begin(self, inputs: list[list[Spot]] | None = None) -> None:
        """A command begins."""
        listed = self.command.listed
        self.command = ShellCommand(inputs=inputs or [], tested=self._testing, listed=listed)
        self.known.commands.append(self.command)
        self._since, self._closed, self._redirect = self.known.now(), None, ""

    def add(self, text: str, *, quoted: bool = False) -> None:
        """Go on with a word."""
        if self.word is None:
            self.word = ShellWord()
        self.word.text += text
        self.word.quoted |= quoted

    def value(self, spot: Spot, *, bare: bool) -> None:
        """A value is a piece of the word."""
        self.add("")
        if self.word is not None:
            spot.splits = bare and not self.word.text and not self._redirect
            self.word.values.append((self.word.text, spot))
        if self._redirect in _DUPLICATING:
            # bash expands such a word twice.
            spot.guard = Guard.DIGITS
        self.add(OPAQUE)

    def end_word(self) -> None:
        """A blank, or what ends a word as well."""
        word, self.word = self.word, None
        if word is None:
            return
        redirect, self._redirect = self._redirect, ""
        if redirect:
            if redirect == "<<<":
                self._reads([spot for _, spot in word.values] + word.inner)
            return
        if not word.quoted and self._is_reserved(word.text):
            return
        self._refuse_unquoted(word)
        self.command.words.append(word)
        if word.text == "]]":
            self._testing = False
        if len(self.command.words) == 3 and self.command.words[0].text == "case":
            self.begin()

    def _is_reserved(self, text: str) -> bool:
        """Whether it is a word of the grammar, which begins no command by itself."""
        if self.command.words:
            return False
        if text in _OPENING:
            self._open(text)
        if text in _CLOSING:
            self._closed = self._pop(_CLOSING[text])
        if text == "[[":
            self._testing = self.command.tested = True
        return text in _SKIPPED or text in _CLOSING

    def _refuse_unquoted(self, word: ShellWord) -> None:
        """Where the shell looks at the text of a word before it knows the values in it."""
        if not word.values or word.quoted:
            return
        first = self.command.words[0].text if self.command.words else ""
        spot = word.values[0][1]
        if _RANGE.search(word.text):
            spot.refused = "is in a range {a..b}: write $(seq … …)"
        elif word.text.startswith("~" + OPAQUE):
            spot.refused = "comes right after a '~': write the folder"
        elif not self.command.words and _NAME_FOR_ASSIGNMENT.match(word.text):
            spot.refused = "is the name of a variable: write a name"
        elif len(self.command.words) == 1 and first in _BEFORE_NAME:
            spot.refused = f"comes after '{first}' as a name: write a name"

    def end_command(self) -> None:
        """`;`, `&`, the end of a line and the like."""
        self.end_word()
        self.begin()

    def pipe(self) -> None:
        """The next command reads what this one prints."""
        self.end_word()
        self.begin(self.flowing())

    def flowing(self) -> list[list[Spot]]:
        """What this command, or the group that it ends, may print."""
        since = self._closed or self._since
        sources = self.known.sources[since.sources :]
        return [self.known.values[since.values :], *sources, *self.command.inputs]

    def redirect(self, operator: str) -> None:
        """The next word is no argument."""
        if self.word is not None and _DESCRIPTOR.fullmatch(self.word.text):
            self.word = None
        self.end_word()
        self._redirect = operator

    def reads(self) -> list[Spot]:
        """A here-document is announced; give the list for its values."""
        self.end_word()
        return self._reads([])

    def _reads(self, values: list[Spot]) -> list[Spot]:
        self.known.sources.append(values)
        self.command.inputs.append(values)
        return values

    def parenthesis(self) -> None:
        """`(`: a subshell, a function, a pattern; or a list of words `a=(…)`."""
        listed = self.word is not None and self.word.text.endswith("=")
        self.end_word()
        self._open("(")
        self.begin()
        self.command.listed = listed

    def close(self) -> bool:
        """`)`: whether it ends something on this level, a group or a pattern of `case`."""
        self.end_word()
        openers = [group.opener for group in self._groups if group.opener in {"(", "case"}]
        if not openers:
            return False
        since = self._pop(("(",)) if openers[-1] == "(" else None
        self.begin()
        self.command.listed = False
        self._closed = since
        return True

    def _open(self, opener: str) -> None:
        self._groups.append(_Since(self._since.values, self._since.sources, opener))

    def _pop(self, openers: tuple[str, ...]) -> _Since:
        """Close the innermost group of this kind, with what is still open in it."""
        for at in reversed(range(len(self._groups))):
            if self._groups[at].opener in openers:
                since = self._groups[at]
                del self._groups[at:]
                return since
        return self._since

    def settle(self) -> None:
        """A here-document ended; what stood in it is no part of the command behind it."""
        if not self.command.words and self._closed is None:
            self._since = self.known.now()
