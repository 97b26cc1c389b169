r"""Reads shell text, to know for each value in what kind of place it stands.

Rules:
- What follows from it is the form of a reference to a variable, and which guard a value has to
  pass. A value is never part of what a shell parses, so a mistake in here executes nothing.
- Where no form is right (back-ticks, `${…}`, behind `\` or `$`), the template is refused, with the
  way to write it instead.
- This follows POSIX sh, "Shell Command Language" 2.2, 2.3, 2.6 and 2.7.4, and bash's `$'…'`,
  `<(…)`, `((…))`. It is no parser: aliases and what is built up in variables are out of its sight.
  tests/unit/files/test_values.py holds it against real shells.
"""

import re
from typing import Final, assert_never

from drrun.core.dataclass import dataclass
from drrun.files.templates.shell_pieces import HereDocument, Pieces, announcement
from drrun.files.templates.shell_spots import Context, Guard, Spot
from drrun.files.templates.shell_words import OPAQUE, Known, ShellCommand, Words

#: Where no reference is right -> what to write instead.
_REFUSED: Final = {
    Context.BACKTICK: "write $(…) instead of back-ticks",
    Context.PARAMETER: "give the value to a variable first: x={{ … }}",
}
_UNNAMED = re.compile(r"(?<!<)<<-?[ \t]*$")
_REDIRECT = re.compile(r"<<<|<>|<&|>>|>&|>\||[<>]")
#: What is nothing but itself, where it stands in this context.
_PLAIN: Final = {
    Context.BARE: re.compile(r"[^\s'\"`$\\#;&|()<>]+"),
    Context.DOUBLE: re.compile(r'[^\\$`"\n]+'),
    Context.SINGLE: re.compile(r"[^'\n]+"),
    Context.ANSI: re.compile(r"[^'\\\n]+"),
    Context.HEREDOC: re.compile(r"[^\\$`\n]+"),
    Context.LITERAL_HEREDOC: re.compile(r"[^\n]+"),
    Context.COMMENT: re.compile(r"[^\n]+"),
    Context.BACKTICK: re.compile(r"[^\\`\n]+"),
    Context.PARAMETER: re.compile(r"[^\\$`\"'}\n]+"),
    Context.ARITHMETIC: re.compile(r"[^\\$`()\n]+"),
}
_OPENERS: Final = {"'": Context.SINGLE, '"': Context.DOUBLE, "`": Context.BACKTICK}
#: What stands there is the text of a word.
_SPELLED: Final = frozenset({Context.BARE, Context.SINGLE, Context.DOUBLE, Context.ANSI})
_EXPANSIONS: Final = frozenset({Context.BACKTICK, Context.PARAMETER, Context.ARITHMETIC})
_EXPANDING: Final = frozenset(
    {Context.BARE, Context.DOUBLE, Context.HEREDOC, Context.ARITHMETIC, Context.PARAMETER}
)


@dataclass(slots=True)
class _Frame:
    """One level of nesting."""

    context: Context
    words: Words | None = None
    document: HereDocument | None = None
    #: Open parentheses of arithmetic.
    parentheses: int = 0


class ShellReader:
    """Reads shell text piece by piece and knows where it is."""

    def __init__(self) -> None:
        self._known = Known()
        self._frames = [_Frame(Context.BARE, Words(self._known))]
        self._announced: list[HereDocument] = []
        #: What was read of a line of a here-document.
        self._line = ""
        #: The character just before, if it changes what follows.
        self._last = ""
        #: Why this reader no longer knows where it is.
        self._lost = ""
        #: A here-document whose name comes next, and how long that is.
        self._naming: tuple[HereDocument, int] | None = None
        self.pieces = Pieces()

    @property
    def commands(self) -> list[ShellCommand]:
        """All simple commands, once the text is finished."""
        return self._known.commands

    def feed(self, text: str) -> None:
        """Go on over `text`."""
        at = 0
        while at < len(text):
            at = self._step(text, at)

    def aside(self, text: str) -> None:
        """Something stands there that is no shell text, and leaves nothing behind."""
        self.pieces.add(text)

    def value(self) -> Spot:
        """A value stands there."""
        spot = Spot(self._frames[-1].context)
        spot.refused = self._lost or self._why_refused(spot.context)
        inside = self._inside()
        computed = any(frame.context is Context.ARITHMETIC for frame in inside)
        spot.guard = Guard.INTEGER if computed else None
        holder = self._frames[len(self._frames) - len(inside) - 1]
        if holder.words is not None and not computed and spot.context is not Context.COMMENT:
            holder.words.value(spot, bare=spot.context is Context.BARE)
        if holder.document is not None:
            spot.refused = spot.refused or holder.document.open()
            self._line += OPAQUE
        self._known.values.append(spot)
        self.pieces.add_value(spot)
        self._last = ""
        return spot

    def state(self) -> tuple[Context, ...]:
        """What is open now, outermost first."""
        return tuple(frame.context for frame in self._frames)

    def finish(self) -> str:
        """At the end of the text: what is still open, or ""."""
        self._newline()
        if self._lost:
            return self._lost
        if self._announced or any(frame.document for frame in self._frames):
            return "a here-document has no end"
        opened = self._frames[-1].context
        if len(self._frames) > 1:
            return "$(…) is not closed" if opened is Context.BARE else f"it ends {opened.value}"
        return ""

    def _inside(self) -> list[_Frame]:
        """The quotes and expansions around here, up to the words or the document they are in."""
        found: list[_Frame] = []
        for frame in reversed(self._frames):
            if frame.words is not None or frame.document is not None:
                break
            found.append(frame)
        return found

    def _why_refused(self, context: Context) -> str:
        for frame in self._inside():
            if frame.context in _REFUSED:
                where = frame.context
                return f"is {where.value}, where no reference is safe: {_REFUSED[where]}"
        if context in _EXPANDING and self._last:
            return f"comes right after a '{self._last}': remove the '{self._last}'"
        if context is Context.BARE and _UNNAMED.search(self.pieces.last):
            return "is the name of a here-document: write a name"
        return ""

    def _words(self) -> Words | None:
        """The words that what is read now is part of."""
        for frame in reversed(self._frames):
            if frame.words is not None or frame.document is not None:
                return frame.words
        return None

    def _add(self, text: str) -> None:
        """What is read is part of a word."""
        context, words = self._frames[-1].context, self._words()
        if words is not None and context in _SPELLED:
            words.add(text, quoted=context is not Context.BARE)

    def _step(self, text: str, at: int) -> int:
        """Account for what begins at `at` and return where to go on."""
        frame = self._frames[-1]
        if text[at] == "\n":
            self.pieces.add("\n", frame.document)
            self._newline()
            return at + 1
        if self._naming is not None:
            document, width = self._naming
            self._naming = None
            self.pieces.add(text[at : at + width], document, names=True)
            return at + width
        plain = _PLAIN[frame.context].match(text, at)
        self._last = ""
        if plain is not None:
            taken = plain[0]
            self._add(taken)
        else:
            taken = text[at : at + self._special(frame, text, at)]
        self.pieces.add(taken, frame.document)
        if frame.document is not None:
            self._line += taken.replace("\\\n", "")
        return at + len(taken)

    def _special(self, frame: _Frame, text: str, at: int) -> int:
        """Take what is more than itself; say how long it is."""
        match frame.context:
            case Context.BARE:
                return self._bare(frame, text, at)
            case Context.ARITHMETIC:
                return self._arithmetic(frame, text, at)
            case Context.SINGLE:
                return self._leave()
            case Context.ANSI | Context.BACKTICK:
                return self._escaped(text, at) if text[at] == "\\" else self._leave()
            case (
                Context.DOUBLE
                | Context.HEREDOC
                | Context.LITERAL_HEREDOC
                | Context.COMMENT
                | Context.PARAMETER
            ):
                if text[at] == "\\":
                    return self._escaped(text, at)
                return self._expanding(frame.context, text, at)
            case _:
                assert_never(frame.context)

    def _newline(self) -> None:
        frame = self._frames[-1]
        document = frame.document
        if document is not None:
            line = self._line.lstrip("\t") if document.strip_tabs else self._line
            self._line = ""
            if line == document.name:
                self._end_document(document)
            return
        if frame.context is Context.COMMENT:
            self._leave()
            frame = self._frames[-1]
        if frame.words is not None:
            frame.words.end_command()
            self._begin_document()
        else:
            self._add("\n")

    def _begin_document(self) -> None:
        if self._announced:
            document = self._announced.pop(0)
            document.before = len(self._known.values)
            context = Context.LITERAL_HEREDOC if document.literal else Context.HEREDOC
            self._frames.append(_Frame(context, document=document))
            self._line = ""

    def _end_document(self, document: HereDocument) -> None:
        self._frames.pop()
        document.values += self._known.values[document.before :]
        words = self._frames[-1].words
        if words is not None:
            words.settle()
        self._begin_document()

    def _enter(self, context: Context, width: int) -> int:
        if context in _EXPANSIONS:
            self._add(OPAQUE)
        self._frames.append(_Frame(context))
        self._add("")
        return width

    def _leave(self) -> int:
        self._frames.pop()
        return 1

    def _command(self, width: int, inputs: list[list[Spot]] | None = None) -> int:
        """`$(`, `<(`, `>(`: words of their own."""
        self._add(OPAQUE)
        words = Words(self._known)
        words.begin(inputs)
        self._frames.append(_Frame(Context.BARE, words))
        return width

    def _escaped(self, text: str, at: int) -> int:
        following = text[at + 1 : at + 2]
        if following != "\n":
            self._add(following)
        self._last = "" if following else "\\"
        return 1 + len(following)

    def _bare(self, frame: _Frame, text: str, at: int) -> int:
        words = frame.words or Words(self._known)
        character = text[at]
        match character:
            case " " | "\t" | "\r" | "\v" | "\f":
                words.end_word()
            case "'" | '"' | "`":
                return self._enter(_OPENERS[character], 1)
            case "\\":
                return self._escaped(text, at)
            case "$":
                return self._dollar(text, at, ansi=True)
            case "#" if words.word is None:
                return self._enter(Context.COMMENT, 1)
            case ";" | "&" | "|" | "(" | ")" | "<" | ">":
                return self._operator(words, text, at)
            case _:
                self._add(character)
        return 1

    def _operator(self, words: Words, text: str, at: int) -> int:
        match text[at]:
            case "(" if text.startswith("((", at) and words.word is None:
                return self._enter(Context.ARITHMETIC, 2)
            case "(":
                words.parenthesis()
            case ")":
                self._close(words)
            case "<" | ">":
                return self._redirect(words, text, at)
            case "&" if text.startswith("&>", at):
                words.end_word()
            case "|" if text.startswith("||", at):
                words.end_command()
                return 2
            case "|":
                words.pipe()
            case _:
                words.end_command()
        return 1

    def _close(self, words: Words) -> None:
        if words.close():
            return
        if len(self._frames) > 1:
            self._frames.pop()
            self._inner(words)
        else:
            self._lost = "is near a ')' without its '('"

    def _inner(self, words: Words) -> None:
        """Values of commands in a word are part of that word, too."""
        outer = self._words()
        if outer is not None and outer.word is not None:
            outer.word.inner += self._known.values[words.first :]

    def _redirect(self, words: Words, text: str, at: int) -> int:
        if text[at : at + 2] in {"<(", ">("} and words.word is None:
            words.add(text[at])
            return self._command(2, words.flowing() if text[at] == ">" else None)
        if text.startswith("<<", at) and not text.startswith("<<<", at):
            return self._document(words, text, at)
        found = _REDIRECT.match(text, at)
        operator = found[0] if found else text[at]
        words.redirect(operator)
        return len(operator)

    def _document(self, words: Words, text: str, at: int) -> int:
        announced = announcement(text, at)
        if announced is None:
            if text[at + 2 :].strip(" \t-"):
                self._lost = "is near a here-document without a plain name: write <<EOF"
            words.redirect("<<")
            return 2
        words.redirect("")
        before, width, document = announced
        document.values = words.reads()
        self._announced.append(document)
        self._naming = document, width
        return before

    def _dollar(self, text: str, at: int, *, ansi: bool = False) -> int:
        following = text[at + 1 : at + 2]
        if text.startswith("$((", at):
            return self._enter(Context.ARITHMETIC, 3)
        if following == "(":
            return self._command(2)
        if following == "{":
            return self._enter(Context.PARAMETER, 2)
        if following == "'" and ansi:
            return self._enter(Context.ANSI, 2)
        if following == "[":
            self._lost = "is near '$[': write $((…))"
        self._add("$")
        self._last = "" if following else "$"
        return 1

    def _arithmetic(self, frame: _Frame, text: str, at: int) -> int:
        match text[at]:
            case "(":
                frame.parentheses += 1
            case ")" if frame.parentheses:
                frame.parentheses -= 1
            case ")" if text.startswith("))", at):
                self._frames.pop()
                return 2
            case ")":
                self._lost = "is near '((' that is not arithmetic: write '( ('"
            case "\\":
                return self._escaped(text, at)
            case _:
                return self._expanding(Context.ARITHMETIC, text, at)
        return 1

    def _expanding(self, context: Context, text: str, at: int) -> int:
        """Double quotes, `${…}`, here-documents: `$` and back-ticks, and what ends them."""
        match text[at]:
            case "$":
                return self._dollar(text, at)
            case "`":
                return self._enter(Context.BACKTICK, 1)
            case '"' if context is Context.PARAMETER:
                return self._enter(Context.DOUBLE, 1)
            case "'" if context is Context.PARAMETER and not self._is_quoted():
                return self._enter(Context.SINGLE, 1)
            case '"' | "}":
                return self._leave()
            case _:
                return 1

    def _is_quoted(self) -> bool:
        """Whether a single quote here is nothing but itself."""
        inside = self._inside()
        in_document = self._frames[len(self._frames) - len(inside) - 1].document is not None
        return in_document or any(frame.context is Context.DOUBLE for frame in inside)
