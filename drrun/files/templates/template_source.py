"""A template's source on its way to Jinja2: names of steps, places in shell text.

Rules:
- Works on Jinja2's own tokens, so that text in quotes and comments is never touched.
- Imported only where templates are used, like `sandbox`.
"""

import re
from functools import lru_cache
from typing import Any, Final

from jinja2 import TemplateSyntaxError  # noqa: TID253 - this module is imported where used

from drrun.core.dataclass import dataclass
from drrun.files.templates.sandbox import Environment, plain
from drrun.files.templates.shell_pieces import Piece
from drrun.files.templates.shell_reader import ShellReader
from drrun.files.templates.shell_rules import judge, warn
from drrun.files.templates.shell_spots import Context, Spot
from drrun.files.templates.shell_words import ShellCommand

_PART_OF_ID = re.compile(r"[a-z0-9-]+")
#: Blocks that make text, or take it from elsewhere.
_WRITING: Final = frozenset(
    {"macro", "call", "filter", "block", "include", "import", "from", "extends"}
)
_BRANCHES: Final = frozenset({"else", "elif"})


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a template's source."""

    line: int
    kind: str
    text: str


@dataclass(slots=True)
class _Region:
    """Data, or something in braces: begin, inside, end."""

    kind: str
    begin: str
    inside: list[Token]
    end: str
    line: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value in shell text."""

    #: As written, names of steps in order.
    expression: str
    spot: Spot


@lru_cache(maxsize=1)
def lexing() -> Environment:
    """The environment that templates are read with."""
    return Environment(plain)


@lru_cache(maxsize=16)
def regions(template: str) -> tuple[_Region, ...]:
    """The template cut into data and braces. Remembered, as one text is looked at several times.

    Raises:
        TemplateSyntaxError: It is no template.
    """
    found: list[_Region] = []
    opened: _Region | None = None
    for line, kind, text in lexing().lex(template):
        if opened is None and not kind.endswith("_begin"):
            found.append(_Region("data", text, [], "", line))
        elif opened is None:
            opened = _Region(kind.removesuffix("_begin"), text, [], "", line)
        elif kind == f"{opened.kind}_end":
            opened.end = text
            found.append(opened)
            opened = None
        else:
            opened.inside.append(Token(line, kind, text))
    if opened is not None:
        raise TemplateSyntaxError(f"'{opened.begin}' is not closed", opened.line)
    return tuple(found)


def with_step_names(tokens: list[Token]) -> str:
    """The text of an expression; `steps.freeze-writes` becomes `steps["freeze-writes"]`."""
    parts: list[str] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        parts.append(token.text)
        position += 1
        attribute = parts[-2:-1] == ["."]
        if token.text == "steps" and token.kind == "name" and not attribute:
            step, position = _step_id(tokens, position)
            if step:
                parts.append(f'["{step}"]')
    return "".join(parts)


def _step_id(tokens: list[Token], position: int) -> tuple[str, int]:
    """The id behind `steps`, and where to go on."""
    if position >= len(tokens) or tokens[position].text != ".":
        return "", position
    parts: list[str] = []
    end = position + 1
    while end < len(tokens) and _PART_OF_ID.fullmatch(tokens[end].text):
        parts.append(tokens[end].text)
        end += 1
    return ("".join(parts), end) if parts else ("", position)


def prepare(template: str) -> str:
    """The source of a text for Jinja2.

    Raises:
        TemplateSyntaxError: It is no template.
    """
    return "".join(
        region.begin + with_step_names(region.inside) + region.end for region in regions(template)
    )


def prepare_shell(template: str) -> str:
    """The source of shell text for Jinja2: every value becomes a reference to a variable.

    Raises:
        TemplateSyntaxError: It is no template, or a value stands where no reference is right.
    """
    read = _ShellTemplate(template)
    parts = []
    for piece in read.pieces:
        match piece:
            case Piece():
                parts.append(piece.written())
            case region, Spot() as spot:
                inside = with_step_names(region.inside)
                guard = spot.guard.name if spot.guard else ""
                how = f"{inside.strip()!r}, {spot.reference!r}, {guard!r}, {spot.splits}"
                parts.append(f"{region.begin} ({inside}) | drrun_value({how}) {region.end}")
    return "".join(parts)


# Looked at when the text is judged, and when the values are known.
@lru_cache(maxsize=2000)
def values_of(template: str) -> tuple[Value, ...]:
    """The values of shell text.

    Raises:
        TemplateSyntaxError: As `prepare_shell`.
    """
    read = _ShellTemplate(template)
    warn(read.commands)
    return tuple(
        Value(with_step_names(piece[0].inside).strip(), piece[1])
        for piece in read.pieces
        if not isinstance(piece, Piece)
    )


class _ShellTemplate:
    """Follows shell text through the regions of a template.

    Raises:
        TemplateSyntaxError: A value stands where no reference is right, or quotes do not add up.
    """

    def __init__(self, template: str) -> None:
        self._reader = ShellReader()
        self._branches: list[tuple[Context, ...]] = []
        found = []
        for region in regions(template):
            if region.kind == "data":
                self._reader.feed(region.begin)
            elif region.kind == "variable":
                found.append((region, self._reader.value()))
            elif region.kind.startswith("raw"):
                self._reader.aside(region.begin)
                self._reader.feed("".join(token.text for token in region.inside))
                self._reader.aside(region.end)
            else:
                self._block(region)
        opened = self._reader.finish()
        judge(self.commands)
        for region, spot in found:
            if spot.refused:
                raise _refusal(region, spot.refused)
        if opened and found:
            raise TemplateSyntaxError(f"the shell text is not complete: {opened}", 1)
        values = iter(found)
        self.pieces = [
            piece if isinstance(piece, Piece) else next(values) for piece in self._reader.pieces
        ]

    @property
    def commands(self) -> list[ShellCommand]:
        """The simple commands in it."""
        return self._reader.commands

    def _block(self, region: _Region) -> None:
        names = [token.text for token in region.inside if token.kind == "name"]
        word = names[0] if names else ""
        assigns = any(token.text == "=" for token in region.inside)
        if word in _WRITING or (word == "set" and not assigns):
            message = f"{{% {word} %}} makes text of values, which shell text cannot keep apart"
            raise TemplateSyntaxError(message, region.line)
        if word in {"if", "for"}:
            self._branches.append(self._reader.state())
        elif self._branches and (word in _BRANCHES or word in {"endif", "endfor"}):
            if self._reader.state() != self._branches[-1]:
                message = f"quotes must be closed before '{word}'"
                raise TemplateSyntaxError(message, region.line)
            if word.startswith("end"):
                self._branches.pop()
        inside = with_step_names(region.inside)
        self._reader.aside(region.begin + inside + region.end)


def _refusal(region: _Region, why: str) -> TemplateSyntaxError:
    inside = "".join(token.text for token in region.inside).strip()
    return TemplateSyntaxError(f"{{{{ {inside} }}}} {why}", region.line)


def is_lone(text: str) -> bool:
    """Whether a text is one value in braces and nothing else."""
    return [region.kind for region in regions(text)] == ["variable"]


def values_only(text: str) -> list[str] | None:
    """What stands in the braces of a text that has no other braces than those of values."""
    try:
        found = regions(text)
    except TemplateSyntaxError:
        return None
    if not all(region.kind in {"data", "variable"} for region in found):
        return None
    return [
        "".join(token.text for token in region.inside)
        for region in found
        if region.kind == "variable"
    ]


def lone_expression(text: str) -> str:
    """The expression of a condition, or of a text that is one value in braces."""
    stripped = text.strip()
    if stripped.startswith("{{") and is_lone(stripped):
        return with_step_names(regions(stripped)[0].inside)
    found = regions("{{" + stripped + "}}")
    if len(found) != 1:
        raise TemplateSyntaxError("must be one expression, without text around it", 1)
    return with_step_names(found[0].inside)


def parsed(template: str) -> Any:
    """Jinja2's tree of a template, for static checks.

    Raises:
        TemplateSyntaxError: It is no template.
    """
    named = prepare(template) if "steps" in template else template
    return lexing().parse(named)


def parsed_expression(expression: str) -> Any:
    """Jinja2's tree of a condition.

    Raises:
        TemplateSyntaxError: It is no expression.
    """
    return lexing().parse("{{ " + lone_expression(expression) + " }}")
