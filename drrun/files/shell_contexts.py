r"""Where in shell text a template's value stands, because quoting depends on it.

Rules:
- `{{ x }}` is data wherever it stands: bare words, inside "…", inside '…', in here-documents and
  comments. `shlex.quote` alone is right in the first case only: inside quotes it would end them
  and let `$(…)` run (fault F21).
- Where no quoting is known to be right (back-ticks, `${…}`, behind `\` or `$`, as the name of a
  here-document), the template is refused, with the way to write it instead.
- Inside `$((…))` only whole numbers are let through: quotes do not quote there.
- This follows POSIX sh, "Shell Command Language" 2.2, 2.3, 2.6 and 2.7.4, and bash's `$'…'`. It
  is no parser: aliases, `eval` and what bash computes in `[[ x -eq y ]]` are out of its sight.
  tests/unit/files/test_templating.py holds it against real shells.
"""

import re
from dataclasses import field
from enum import Enum
from typing import Final

from drrun.core.dataclass import dataclass


class Context(Enum):
    """The kinds of places."""

    BARE = "as a word of its own"
    DOUBLE = "inside double quotes"
    SINGLE = "inside single quotes"
    HEREDOC = "in a here-document"
    LITERAL_HEREDOC = "in a here-document with a quoted name"
    COMMENT = "in a comment"
    ANSI = "inside $'…'"
    BACKTICK = "inside back-ticks"
    PARAMETER = "inside ${…}"
    ARITHMETIC = "inside ((…))"


#: Where values cannot be made safe -> what to write instead.
REFUSED: Final = {
    Context.ANSI: "use '…' without the $",
    Context.BACKTICK: "write $(…) instead of back-ticks",
    Context.PARAMETER: "give the value to a variable first: x={{ … }}",
}
_HEREDOC = re.compile(
    r"<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|(\\?)([^\s<>|&;()'\"`$\\]+))(?![^\s<>|&;()])"
)
_WORD = re.compile(r"[A-Za-z]+")
_COMMAND_BEGINS = re.compile(r"(?:^|[;&|({)]|\b(?:do|then|else|in|if|while|until|time)|!)[ \t]*$")
#: bash computes what stands there, whatever quotes are around it.
_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*\[[^\]\s]*$")
_OPENERS: Final = {"'": Context.SINGLE, '"': Context.DOUBLE, "`": Context.BACKTICK}
_EXPANDING: Final = (Context.BARE, Context.DOUBLE, Context.HEREDOC, Context.ARITHMETIC)
#: Stands for a value, or for an escaped character, in what was read of a line.
_OPAQUE: Final = "\0"


@dataclass(slots=True)
class _Frame:
    """One level of nesting."""

    context: Context
    #: Open parentheses, and `case` words without their `esac`.
    parentheses: int = 0
    cases: int = 0
    #: A list of words, `a=(…)`: bash goes on behind an error in it.
    array: bool = False


@dataclass(slots=True)
class _Document:
    """A here-document that has been announced."""

    name: str
    literal: bool
    strip_tabs: bool


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one value stands."""

    context: Context
    #: Name of the here-document around it.
    document: str = ""
    #: Why the value may not stand there; "" if it may.
    refused: str = ""


@dataclass(slots=True)
class ShellText:
    """Reads shell text piece by piece and knows where it is."""

    _frames: list[_Frame] = field(default_factory=lambda: [_Frame(Context.BARE)])
    _announced: list[_Document] = field(default_factory=list)
    _inside: _Document | None = None
    #: Levels of nesting around the here-document.
    _around: int = 1
    #: What stands before the current position in this line.
    _line: str = ""
    #: What was just read ends an expansion inside a word, not the word.
    _glued: bool = False
    #: Why this reader no longer knows where it is.
    _lost: str = ""

    def spot(self) -> Spot:
        """Where a value would stand now; the value counts as a piece of a word."""
        context, before = self._context(), self._line
        self._line += _OPAQUE
        why = self._lost or _why_refused(context, before)
        return Spot(context, self._inside.name if self._inside else "", why)

    def state(self) -> tuple[Context, ...]:
        """What is open now, outermost first; equal states quote alike."""
        return (*(frame.context for frame in self._frames), self._context())

    @property
    def line(self) -> str:
        """What stands before the current position in its line."""
        return self._line

    def finish(self) -> str:
        """At the end of the text: what is still open, or "". Then nothing said here is sure."""
        self._end_line()
        if self._lost:
            return self._lost
        if self._inside is not None or self._announced:
            return "a here-document has no end"
        opened = self._frames[-1].context
        if len(self._frames) > 1:
            return "$(…) is not closed" if opened is Context.BARE else f"it ends {opened.value}"
        return ""

    def feed(self, text: str) -> None:
        """Go on over `text`."""
        position = 0
        while position < len(text):
            position = self._step(text, position)

    def _context(self) -> Context:
        if self._inside is not None and len(self._frames) == self._around:
            return Context.LITERAL_HEREDOC if self._inside.literal else Context.HEREDOC
        return self._frames[-1].context

    def _step(self, text: str, at: int) -> int:
        """Account for what begins at `at` and return where to go on."""
        if text[at] == "\n":
            self._end_line()
            return at + 1
        width = self._width(text, at, self._context())
        taken = text[at : at + width]
        if len(taken) == 2 and taken[0] == "\\":
            # An escaped line end joins two lines; any other escaped character is just text.
            self._line += "" if taken[1] == "\n" else _OPAQUE
        elif self._glued:
            self._glued = False
            self._line += _OPAQUE
        else:
            self._line += taken
        return at + width

    def _width(self, text: str, at: int, context: Context) -> int:
        """Take what begins at `at`, and say how long it is."""
        match context:
            case Context.BARE:
                return self._bare(text, at)
            case Context.COMMENT | Context.LITERAL_HEREDOC:
                return 1
            case Context.SINGLE:
                return self._closing(text[at], "'")
            case Context.ANSI:
                return 2 if text[at] == "\\" else self._closing(text[at], "'")
            case Context.BACKTICK:
                return 2 if text[at] == "\\" else self._closing(text[at], "`")
            case Context.ARITHMETIC:
                return self._arithmetic(text, at)
            case Context.DOUBLE | Context.PARAMETER | Context.HEREDOC:
                return self._expanding(text, at, context)

    def _end_line(self) -> None:
        if self._inside is not None and len(self._frames) == self._around:
            line = self._line.lstrip("\t") if self._inside.strip_tabs else self._line
            if line == self._inside.name:
                self._inside = None
                self._begin_document()
        else:
            if self._frames[-1].context is Context.COMMENT:
                self._frames.pop()
            if self._frames[-1].context is Context.BARE and self._inside is None:
                self._begin_document()
        self._line = ""

    def _begin_document(self) -> None:
        if self._announced:
            self._inside = self._announced.pop(0)
            self._around = len(self._frames)

    def _is_quoted(self) -> bool:
        return any(frame.context is Context.DOUBLE for frame in self._frames)

    def _open(self, context: Context, width: int) -> int:
        self._frames.append(_Frame(context))
        return width

    def _closing(self, character: str, end: str) -> int:
        if character == end:
            self._frames.pop()
        return 1

    def _bare(self, text: str, at: int) -> int:
        character, frame = text[at], self._frames[-1]
        if character in _OPENERS:
            return self._open(_OPENERS[character], 1)
        match character:
            case "\\":
                return 2
            case "$":
                return self._dollar(text, at, ansi=True)
            case "#" if not self._line or self._line[-1] in " \t;&|()<>":
                return self._open(Context.COMMENT, 1)
            case ";" | "&" | "|" | "<" | ">" | "(" if frame.array:
                self._lost = f"stands near '{character}' in a list of words: that is no shell"
            case "(":
                return self._parenthesis(text, at, frame)
            case ")":
                self._close_parenthesis(frame)
            case "<":
                return self._less(text, at)
            case _:
                return self._word(text, at, frame)
        return 1

    def _word(self, text: str, at: int, frame: _Frame) -> int:
        match = _WORD.match(text, at)
        if match is None:
            return 1
        if match[0] in {"case", "esac"} and _COMMAND_BEGINS.search(self._line):
            frame.cases = max(0, frame.cases + (1 if match[0] == "case" else -1))
        return len(match[0])

    def _parenthesis(self, text: str, at: int, frame: _Frame) -> int:
        if self._line.endswith("="):
            self._frames.append(_Frame(Context.BARE, array=True))
        elif text.startswith("((", at):
            return self._open(Context.ARITHMETIC, 2)
        else:
            frame.parentheses += 1
        return 1

    def _close_parenthesis(self, frame: _Frame) -> None:
        if frame.parentheses:
            frame.parentheses -= 1
        elif frame.cases:
            return  # the end of a pattern
        elif len(self._frames) > 1:
            self._frames.pop()
            self._glued = True
        else:
            self._lost = "stands near a ')' without its '('"

    def _less(self, text: str, at: int) -> int:
        if text.startswith("<<<", at):
            return 3
        if not text.startswith("<<", at):
            return 1
        match = _HEREDOC.match(text, at)
        if match is None:
            if text[at + 2 :].strip(" \t-"):
                self._lost = "stands near a here-document without a plain name: write <<EOF"
            return 2
        name = match[2] or match[3] or match[5]
        literal = match[5] is None or bool(match[4])
        self._announced.append(_Document(name, literal, bool(match[1])))
        return len(match[0])

    def _dollar(self, text: str, at: int, *, ansi: bool) -> int:
        following = text[at + 1 : at + 2]
        if text.startswith("$((", at):
            return self._open(Context.ARITHMETIC, 3)
        if following == "[":
            self._lost = "stands near '$[': write $((…))"
        if following == "(":
            return self._open(Context.BARE, 2)
        if following == "{":
            return self._open(Context.PARAMETER, 2)
        if following == "'" and ansi:
            return self._open(Context.ANSI, 2)
        return 1

    def _arithmetic(self, text: str, at: int) -> int:
        frame = self._frames[-1]
        match text[at]:
            case "(":
                frame.parentheses += 1
            case ")" if frame.parentheses:
                frame.parentheses -= 1
            case ")" if text.startswith("))", at):
                self._frames.pop()
                self._glued = True
                return 2
            case ")":
                self._lost = "stands near '((' that is no arithmetic: write '( ('"
            case _:
                return self._expanding(text, at, Context.ARITHMETIC)
        return 1

    def _expanding(self, text: str, at: int, context: Context) -> int:
        r"""Double quotes, `${…}` and here-documents: only `\`, `$` and back-ticks are special."""
        match text[at]:
            case "\\":
                return 2
            case "$":
                return self._dollar(text, at, ansi=False)
            case "`":
                return self._open(Context.BACKTICK, 1)
            case '"' if context is Context.DOUBLE:
                self._frames.pop()
            case '"' if context is Context.PARAMETER:
                return self._open(Context.DOUBLE, 1)
            case "'" if context is Context.PARAMETER and not self._is_quoted():
                return self._open(Context.SINGLE, 1)
            case "}" if context is Context.PARAMETER:
                self._frames.pop()
            case _:
                pass
        return 1


def _why_refused(context: Context, before: str) -> str:
    """Why a value may not stand behind `before`, or ""."""
    if context in REFUSED:
        return f"stands {context.value}, where drrun cannot quote it: {REFUSED[context]}"
    if context not in _EXPANDING:
        return ""
    if before.endswith(("$", "\\")):
        return f"stands right behind a '{before[-1]}': take the '{before[-1]}' away"
    if context is Context.BARE and re.search(r"<<-?\s*$", before):
        return "stands as the name of a here-document: write a name"
    if context is Context.BARE and _SUBSCRIPT.search(before):
        return "stands as the index of an array: give the value to a variable first"
    return ""
